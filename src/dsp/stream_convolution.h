/* stream_convolution.h - a filter or a room's impulse response in real time, without latency:
 *
 *     y[t] = sum over i < n of taps[i] x[t - i],  x is 0 before the first sample
 *
 * in blocks of any size. Only _new() allocates; nothing locks. */
#ifndef DSP_STREAM_CONVOLUTION_H
#define DSP_STREAM_CONVOLUTION_H

#include "base/arena.h"
#include "ravel/base.h"

typedef struct rv_stream_convolution rv_stream_convolution;

typedef struct rv_stream_convolution_config {
    const float *taps; /* copied */
    size_t n_taps;     /* up to 2^24 */
    size_t
        partition; /* a power of two, 2 to 2^16; 0: 128. Its work is done every so many samples. */
} rv_stream_convolution_config;

/* mem NULL: malloc */
RV_NODISCARD rv_status rv_stream_convolution_new(rv_stream_convolution **out,
                                                 const rv_stream_convolution_config *config,
                                                 const rv_alloc *mem, rv_error *err);
void rv_stream_convolution_free(rv_stream_convolution *s);

/* Forget what came in. */
void rv_stream_convolution_reset(rv_stream_convolution *s);

/* n samples; out may be in. */
void rv_stream_convolution_process(rv_stream_convolution *s, const float *in, float *out, size_t n);

#endif
