/* stream_sinusoids.h - rv_sinusoids() in real time, T a whole number of hops, in blocks of any
 * size. Used as ddsp/stream_harmonic.h: two frames before the first hop, then one for each. */
#ifndef DDSP_STREAM_SINUSOIDS_H
#define DDSP_STREAM_SINUSOIDS_H

#include "base/arena.h"
#include "core/ops.h"

typedef struct rv_stream_sinusoids rv_stream_sinusoids;

typedef struct rv_stream_sinusoids_config {
    size_t hop; /* samples from frame to frame */
    size_t n_sinusoid;
    rv_upsample_mode mode; /* of the amplitudes */
} rv_stream_sinusoids_config;

/* mem NULL: malloc. Sizes of zero or above 2^20: RV_ERR_ARG. */
RV_NODISCARD rv_status rv_stream_sinusoids_new(rv_stream_sinusoids **out,
                                               const rv_stream_sinusoids_config *config,
                                               const rv_alloc *mem, rv_error *err);
void rv_stream_sinusoids_free(rv_stream_sinusoids *s);

/* Forget all frames; phases 0. */
void rv_stream_sinusoids_reset(rv_stream_sinusoids *s);

/* The next frame: frequencies in turns per sample and amplitudes, [n_sinusoid] each. False, and it
 * is not taken: samples up to the last frame given are still to be made. */
bool rv_stream_sinusoids_give(rv_stream_sinusoids *s, const float *frequencies,
                              const float *amplitudes);

/* Make up to n samples; returns how many. Fewer: it wants the next frame. */
size_t rv_stream_sinusoids_process(rv_stream_sinusoids *s, float *out, size_t n);

#endif
