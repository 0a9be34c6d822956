/* phrase_distance.h - how far a phrase is from another in what a listener follows: the mean
 * absolute differences of loudness and pitch (YIN's, which is fast). */
#ifndef TRAIN_PHRASE_DISTANCE_H
#define TRAIN_PHRASE_DISTANCE_H

#include "ravel/features.h"

typedef struct rv_phrase_meter {
    int sample_rate;
    double frame_rate;
    double f0_min, f0_max; /* Hz */
} rv_phrase_meter;

/* Sums over the frames of phrases; 0 at first. */
typedef struct rv_phrase_distance {
    double loudness; /* dB; A-weighted, as magenta/ddsp measures it */
    double pitch;    /* semitones, over the frames where the phrase wanted has a pitch */
    size_t frames, voiced;
} rv_phrase_distance;

/* Add that of got [n] to want [n]. */
RV_NODISCARD rv_status rv_phrase_distance_add(rv_phrase_distance *d, const rv_phrase_meter *m,
                                              const float *got, const float *want, size_t n,
                                              rv_error *err);

#endif
