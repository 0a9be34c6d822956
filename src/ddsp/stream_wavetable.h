/* stream_wavetable.h - the wavetable synthesiser in real time (ddsp/stream.h): the samples of
 * rv_wavetable_get_signal(), T a whole number of hops. A frame: f0 in Hz, amplitude, and the points
 * of the table [length]. Latency: 0. */
#ifndef DDSP_STREAM_WAVETABLE_H
#define DDSP_STREAM_WAVETABLE_H

#include "ddsp/stream.h"
#include "ddsp/synth_wavetable.h"

typedef struct rv_stream_wavetable_config {
    size_t hop;
    size_t length;             /* points of a table */
    rv_wavetable_config synth; /* its samples and scale are not looked at */
} rv_stream_wavetable_config;

RV_NODISCARD rv_status rv_stream_wavetable_new(rv_stream **out,
                                               const rv_stream_wavetable_config *config,
                                               const rv_alloc *mem, rv_error *err);

#endif
