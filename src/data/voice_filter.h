/* voice_filter.h - the throat: what turns pulses and noise into the sound of one moment. */
#ifndef DATA_VOICE_FILTER_H
#define DATA_VOICE_FILTER_H

#include "data/voice_score.h"
#include "dsp/real_fft.h"

typedef struct rv_voice_filter rv_voice_filter;

/* Spectra as pairs (re, im), one for each bin: of pulses, and of noise of variance 1. */
typedef struct rv_voice_response {
    float *tone, *air;
    bool sounds, voiced; /* sounds: not all is 0, otherwise both are */
} rv_voice_response;

RV_NODISCARD rv_status rv_voice_filter_new(rv_voice_filter **out, int rate,
                                           const rv_voice_take *take, rv_error *err);
void rv_voice_filter_free(rv_voice_filter *f);

/* Of the transform: its samples are twice as long as a response rings. */
size_t rv_voice_filter_size(const rv_voice_filter *f);
const rv_fft *rv_voice_filter_fft(const rv_voice_filter *f);

RV_NODISCARD rv_status rv_voice_response_new(rv_voice_response *r, const rv_voice_filter *f,
                                             rv_error *err);
void rv_voice_response_free(rv_voice_response *r);
void rv_voice_filter_response(rv_voice_filter *f, rv_voice_response *r, const rv_voice_control *c);

#endif
