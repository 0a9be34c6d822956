/* voice_analysis.h - a spoken syllable as source and filter: what is needed to sing it. */
#ifndef DATA_VOICE_ANALYSIS_H
#define DATA_VOICE_ANALYSIS_H

#include "data/espeak.h"

/* Bands in which harmonics and noise are told apart, and seconds from frame to frame. */
enum { RV_VOICE_BANDS = 5 };
#define RV_VOICE_STEP 0.005

typedef struct rv_voice_frame {
    float noise[RV_VOICE_BANDS]; /* share of the power that is noise, 0 to 1 */
    float level;                 /* ln of the mean power */
} rv_voice_frame;

typedef struct rv_voice_sound {
    size_t count, bins; /* frames; bins of the envelope from 0 Hz to rate/2 */
    int rate;
    float *envelope;             /* [count, bins]: ln of the power density */
    rv_voice_frame *frames;      /* [count] */
    size_t core_begin, core_end; /* the vowel: can be stretched; empty if all is unvoiced */
    float core_level;            /* ln of the mean power of the vowel */
} rv_voice_sound;

/* Upper edges in Hz of all bands but the last. */
extern const double rv_voice_band_edges[RV_VOICE_BANDS - 1];

/* Silence at the ends is left out. Speech that is all silence has one silent frame. */
RV_NODISCARD rv_status rv_voice_analyse(rv_voice_sound *out, const rv_speech *speech,
                                        rv_error *err);
void rv_voice_sound_free(rv_voice_sound *s);

#endif
