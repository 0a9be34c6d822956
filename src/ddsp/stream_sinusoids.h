/* stream_sinusoids.h - rv_sinusoids_of() in real time (ddsp/stream.h), T a whole number of hops. A
 * frame: frequencies [n_sinusoid] in Hz, amplitudes [n_sinusoid]. Latency: 0. */
#ifndef DDSP_STREAM_SINUSOIDS_H
#define DDSP_STREAM_SINUSOIDS_H

#include "core/ops.h"
#include "ddsp/stream.h"

typedef struct rv_stream_sinusoids_config {
    double sample_rate;
    size_t hop; /* samples from frame to frame */
    size_t n_sinusoid;
    rv_upsample_mode mode; /* of the amplitudes */
} rv_stream_sinusoids_config;

RV_NODISCARD rv_status rv_stream_sinusoids_new(rv_stream **out,
                                               const rv_stream_sinusoids_config *config,
                                               const rv_alloc *mem, rv_error *err);

#endif
