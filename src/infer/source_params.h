/* source_params.h - see source_params.c */
#ifndef INFER_SOURCE_PARAMS_H
#define INFER_SOURCE_PARAMS_H

#include "dsp/spectral_pitch.h"
#include "models/ddsp_autoencoder.h"

enum { RV_SOURCE_HARMONICS = 60, RV_SOURCE_BANDS = 65 };

/* The pitches that a source of this name may have: those of basses and drums are low. */
rv_pitch_range rv_source_pitches(const char *name, double sample_rate);

/* How clear a pitch must be. */
extern const double rv_source_clarity;

typedef struct rv_source_params {
    float f0, loudness, amplitude; /* Hz, 0: none; dB; of all harmonics */
    float distribution[RV_SOURCE_HARMONICS], magnitudes[RV_SOURCE_BANDS];
} rv_source_params;

typedef struct rv_source_meter {
    const rv_spectral_pitch *pitch;
    const float *weight; /* [size/2+1] of power, for loudness */
    size_t size;         /* samples of a frame, under a Hann window */
    double sample_rate;
} rv_source_meter;

/* magnitude [size/2+1], which is written over; scratch: rv_spectral_pitch_scratch() and size/2+1
 * floats. */
void rv_source_measure(const rv_source_meter *m, rv_pitch_range range, float *magnitude,
                       float *scratch, rv_source_params *out);

/* A-weighting of power, and what makes loudness that of magenta/ddsp's frames. weight [size/2+1] */
void rv_source_weights(float *weight, size_t size, double sample_rate);

/* What a file of parameters says of itself. */
rv_autoencoder_config rv_source_params_format(size_t sample_rate, size_t hop);

#endif
