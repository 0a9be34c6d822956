/* event_file.h - curves for TensorBoard: an event file of scalars. */
#ifndef IO_EVENT_FILE_H
#define IO_EVENT_FILE_H

#include "base/status.h"

typedef struct rv_event_file rv_event_file;

/* A new file events.out.tfevents.SECONDS.HOST in a folder that exists; never one that is there.
 * `wall_time`, here and below, is in seconds since 1970. */
RV_NODISCARD rv_status rv_event_file_open(rv_event_file **out, const char *folder, double wall_time,
                                          rv_error *err);

/* One point of the curve `tag` ("train/loss"; at most 255 bytes of UTF-8). */
RV_NODISCARD rv_status rv_event_file_scalar(rv_event_file *file, const char *tag, int64_t step,
                                            double value, double wall_time, rv_error *err);

/* Say that a run resumes: TensorBoard forgets points of this folder at `step` and later. */
RV_NODISCARD rv_status rv_event_file_resume(rv_event_file *file, int64_t step, double wall_time,
                                            rv_error *err);

RV_NODISCARD rv_status rv_event_file_flush(rv_event_file *file, rv_error *err);

/* Flush, close and free; accepts NULL. The object is gone even if that fails. */
rv_status rv_event_file_close(rv_event_file *file, rv_error *err);

#endif
