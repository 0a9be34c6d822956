/* stream_filter.h - filters that change from frame to frame, in real time (ddsp/stream.h), and
 * noise through them: the samples of
 *
 *     rv_frequency_filter(audio, magnitudes, window)     or rv_fir_filter(), with `scale`
 *     rv_synth_noise(noise config, noise, magnitudes)    noise from rv_noise_fill(seed, step)
 *
 * with N a whole number of hops. A frame: magnitudes [bands]. The filter takes audio.
 *
 * Latency: rv_response_delay() of the response's taps, since a response with zero phase begins
 * before its sample; with `wrapped` noise none. For bands K and a window of 2 (K - 1) or more
 * samples (or 0) that is K - 3, so 62 for 65 bands. To get the last samples, go on with frames of
 * silence: audio of zeros; for noise, magnitudes that are 0 after scaling. */
#ifndef DDSP_STREAM_FILTER_H
#define DDSP_STREAM_FILTER_H

#include "ddsp/stream.h"
#include "ddsp/synth_noise.h"

typedef struct rv_stream_fir_config {
    size_t hop, bands;
    size_t window; /* see rv_impulse_response() */
    bool scale;    /* magnitudes come from a network: rv_scale_amplitude() */
} rv_stream_fir_config;

typedef struct rv_stream_noise_config {
    size_t hop, bands;
    rv_noise_config noise;
    uint64_t seed, step; /* see rv_noise_fill() */
} rv_stream_noise_config;

RV_NODISCARD rv_status rv_stream_fir_new(rv_stream **out, const rv_stream_fir_config *config,
                                         const rv_alloc *mem, rv_error *err);
RV_NODISCARD rv_status rv_stream_noise_new(rv_stream **out, const rv_stream_noise_config *config,
                                           const rv_alloc *mem, rv_error *err);

#endif
