/* stream_mod_delay.h - chorus, flanger and vibrato in real time (ddsp/stream.h): the samples of
 *
 *     rv_mod_delay_get_signal(config, audio, { rv_upsample(gain), rv_upsample(phase) })
 *
 * A frame: gain, phase. Takes audio. Latency: 0. */
#ifndef DDSP_STREAM_MOD_DELAY_H
#define DDSP_STREAM_MOD_DELAY_H

#include "ddsp/mod_delay.h"
#include "ddsp/stream.h"

typedef struct rv_stream_mod_delay_config {
    size_t hop;                /* samples from frame to frame */
    rv_upsample_mode mode;     /* of the controls */
    rv_mod_delay_config delay; /* its scale is not looked at */
} rv_stream_mod_delay_config;

RV_NODISCARD rv_status rv_stream_mod_delay_new(rv_stream **out,
                                               const rv_stream_mod_delay_config *config,
                                               const rv_alloc *mem, rv_error *err);

#endif
