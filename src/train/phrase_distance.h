/* phrase_distance.h - how far a resynthesis is from its phrase in what a listener follows.
 *
 *   loudness   mean absolute difference in dB, A-weighted, as magenta/ddsp measures loudness
 *   pitch      mean absolute difference in semitones between the pitch that the resynthesis was
 *              given and that which YIN finds in it, over the frames where both have one, as in J.
 *              Engel et al., "DDSP: Differentiable Digital Signal Processing", ICLR 2020
 *   lost       frames where the phrase has a pitch, and YIN finds none in the resynthesis: the
 *              more there are, the less the former says
 *
 * YIN misses the period of a high, bright tone that lies in the middle between two samples, and
 * finds two periods, the octave below: so it listens at twice the rate, and takes an aperiodicity
 * of 0.2 rather than 0.1. */
#ifndef TRAIN_PHRASE_DISTANCE_H
#define TRAIN_PHRASE_DISTANCE_H

#include "ravel/features.h"

#include <stdbool.h>

typedef struct rv_phrase_meter {
    int sample_rate;
    double frame_rate;
    rv_frame_align align;
    double f0_min, f0_max; /* Hz */
} rv_phrase_meter;

/* Sums over the frames of phrases; 0 at first. */
typedef struct rv_phrase_distance {
    double loudness;                   /* dB, of `frames` */
    double pitch;                      /* semitones, of `both` */
    size_t frames, voiced, both, lost; /* both + lost = voiced */
} rv_phrase_distance;

typedef struct rv_phrase_sound {
    const float *audio; /* [samples] */
    const float *f0;    /* [frames] Hz */
    const bool *voiced; /* [frames] */
    size_t samples, frames;
} rv_phrase_sound;

/* Add that of got [want->samples]. */
RV_NODISCARD rv_status rv_phrase_distance_add(rv_phrase_distance *d, const rv_phrase_meter *m,
                                              const float *got, const rv_phrase_sound *want,
                                              rv_error *err);

#endif
