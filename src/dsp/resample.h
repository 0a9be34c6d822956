/* resample.h - change the sample rate of a planar stream (libsoxr, very high quality).
 *
 * The output is aligned with the input (no delay) and exactly
 *     rv_resampled_length(n, in, out) = ceil(n out / in)
 * frames long for n frames of input. It does not depend on how the input is cut into blocks. */
#ifndef DSP_RESAMPLE_H
#define DSP_RESAMPLE_H

#include "ravel/base.h"

typedef struct rv_resampler rv_resampler;

/* Rates in Hz, 1 to 10^7; channels from 1. Equal rates make a copy. */
RV_NODISCARD rv_status rv_resampler_new(rv_resampler **out, int channels, int in_rate, int out_rate,
                                        rv_error *err);
void rv_resampler_free(rv_resampler *r);

/* Takes *used <= n_in frames of in[channel] and makes *made <= room frames in out[channel]; call
 * again with the rest while *used < n_in. in == NULL is the end of the input: call until *made is
 * 0. `room` must not be 0. */
RV_NODISCARD rv_status rv_resampler_process(rv_resampler *r, const float *const *in, size_t n_in,
                                            size_t *used, float *const *out, size_t room,
                                            size_t *made, rv_error *err);

/* Whole planes: in[channel][n] -> out[channel][rv_resampled_length(n, in_rate, out_rate)] */
RV_NODISCARD rv_status rv_resample_planes(float *const *out, const float *const *in, size_t n,
                                          int channels, int in_rate, int out_rate, rv_error *err);

/* Ready for another stream, as if new. */
RV_NODISCARD rv_status rv_resampler_reset(rv_resampler *r, rv_error *err);

/* ceil(frames out_rate / in_rate), SIZE_MAX where that is larger. */
size_t rv_resampled_length(size_t frames, int in_rate, int out_rate);

#endif
