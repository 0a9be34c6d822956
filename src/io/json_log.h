/* json_log.h - a log for programs: one JSON object a line, each on disk as soon as it is written.
 *
 * A run that resumes cuts off what an interrupted one wrote after its last checkpoint, so that the
 * log ends up like that of a run never interrupted. */
#ifndef IO_JSON_LOG_H
#define IO_JSON_LOG_H

#include "base/status.h"

#include <jansson.h>

typedef struct rv_json_log rv_json_log;

/* step < 0: start anew, the file is emptied. Otherwise go on after the run's step `step`: the file
 * is cut at the first line whose "step" is above it, or at a last line that was only half written.
 * A file that is not such a log is an error, and stays as it is; a missing one is made. */
RV_NODISCARD rv_status rv_json_log_open(rv_json_log **out, const char *path, int64_t step,
                                        rv_error *err);

/* Append one object, wholly or not at all. */
RV_NODISCARD rv_status rv_json_log_write(rv_json_log *log, const json_t *line, rv_error *err);

void rv_json_log_free(rv_json_log *log);

#endif
