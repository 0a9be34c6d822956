/* stream_harmonic.h - the harmonic synthesiser in real time: the samples of
 *
 *     rv_harmonic(rv_phase(rv_upsample(frequency, T, linear)), amplitudes, mode)
 *
 * with T a whole number of hops, in blocks of any size. Only _new() allocates; nothing locks. A
 * frame's samples lie between it and the next, so give two frames before the first hop, then one
 * for each; at the end, the last one again. */
#ifndef DDSP_STREAM_HARMONIC_H
#define DDSP_STREAM_HARMONIC_H

#include "base/arena.h"
#include "core/ops.h"

typedef struct rv_stream_harmonic rv_stream_harmonic;

typedef struct rv_stream_harmonic_config {
    size_t hop; /* samples from frame to frame */
    size_t n_harmonic;
    rv_upsample_mode mode; /* of the amplitudes */
} rv_stream_harmonic_config;

/* mem NULL: malloc. Sizes of zero or above 2^20: RV_ERR_ARG. */
RV_NODISCARD rv_status rv_stream_harmonic_new(rv_stream_harmonic **out,
                                              const rv_stream_harmonic_config *config,
                                              const rv_alloc *mem, rv_error *err);
void rv_stream_harmonic_free(rv_stream_harmonic *s);

/* Forget all frames; phase 0. */
void rv_stream_harmonic_reset(rv_stream_harmonic *s);

/* The next frame: frequency in turns per sample, amplitudes [n_harmonic]. False, and it is not
 * taken: samples up to the last frame given are still to be made. */
bool rv_stream_harmonic_give(rv_stream_harmonic *s, float frequency, const float *amplitudes);

/* Make up to n samples; returns how many. Fewer: it wants the next frame. */
size_t rv_stream_harmonic_process(rv_stream_harmonic *s, float *out, size_t n);

#endif
