/* drain.h - stems in the format of a model, as the planes of the output files: stems added up,
 * channels folded back, resampled back, and cut to the length of the input. */
#ifndef INFER_DRAIN_H
#define INFER_DRAIN_H

#include "infer/output_plan.h"
#include "infer/outputs.h"
#include "infer/source.h"

typedef struct rv_drain rv_drain;

/* All but `out` is borrowed. */
RV_NODISCARD rv_status rv_drain_new(rv_drain **out, const rv_source_format *format, size_t n_stems,
                                    const rv_output_plan *plan, rv_outputs *outputs, rv_error *err);
void rv_drain_free(rv_drain *d);

/* Channels of the output files. */
size_t rv_drain_channels(const rv_source_format *format);

/* stems[stem * channels + channel][frames] */
RV_NODISCARD rv_status rv_drain_write(rv_drain *d, const float *const *stems, size_t frames,
                                      rv_error *err);

/* The rest, so that `frames` of the file's frames are written in all. */
RV_NODISCARD rv_status rv_drain_finish(rv_drain *d, uint64_t frames, rv_error *err);

#endif
