/* stream_harmonic.h - the harmonic synthesiser in real time (ddsp/stream.h): the samples of
 *
 *     rv_harmonic(rv_phase_of(rv_upsample(f0, T, frequency), sample_rate), amplitudes, amplitude)
 *
 * with T a whole number of hops. A frame: f0 in Hz, amplitudes [n_harmonic]. Latency: 0. */
#ifndef DDSP_STREAM_HARMONIC_H
#define DDSP_STREAM_HARMONIC_H

#include "core/ops.h"
#include "ddsp/stream.h"

typedef struct rv_stream_harmonic_config {
    double sample_rate;
    size_t hop; /* samples from frame to frame */
    size_t n_harmonic;
    rv_upsample_mode frequency, amplitude; /* from frames to samples */
} rv_stream_harmonic_config;

RV_NODISCARD rv_status rv_stream_harmonic_new(rv_stream **out,
                                              const rv_stream_harmonic_config *config,
                                              const rv_alloc *mem, rv_error *err);

#endif
