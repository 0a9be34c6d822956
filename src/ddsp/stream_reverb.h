/* stream_reverb.h - rv_reverb() in real time (ddsp/stream.h): the response's first sample is not
 * looked at, the audio itself is added where `dry`. Takes audio and no frames. Latency: 0.
 *
 * Responses that are learned or made of noise are values like others here: run the graph of
 * rv_reverb_learned(), rv_reverb_decay(), ... once. */
#ifndef DDSP_STREAM_REVERB_H
#define DDSP_STREAM_REVERB_H

#include "ddsp/stream.h"

typedef struct rv_stream_reverb_config {
    const float *response; /* [length], copied */
    size_t length;         /* up to 2^24 */
    bool dry;
} rv_stream_reverb_config;

RV_NODISCARD rv_status rv_stream_reverb_new(rv_stream **out, const rv_stream_reverb_config *config,
                                            const rv_alloc *mem, rv_error *err);

#endif
