/* harmonic_encoder.h - see harmonic_encoder.c */
#ifndef DDSP_HARMONIC_ENCODER_H
#define DDSP_HARMONIC_ENCODER_H

#include "ddsp/synth_harmonic.h"
#include "ddsp/synth_sinusoidal.h"
#include "nn/nn.h"

typedef struct rv_harmonic_encoder_config {
    double sample_rate;
    size_t hidden, layers; /* of the two stacks of linear layers */
    size_t recurrent;      /* units of the GRU between them */
    size_t n_harmonic;
    size_t depth; /* pitches that f0 is a mean of */
    double hz_min, hz_max;
} rv_harmonic_encoder_config;

/* magenta/ddsp's: 2 layers of 256 units, a GRU of 512, 2 layers; 100 harmonics, f0 from 20 to
 * 1200 Hz as a mean of 64; 16 kHz. */
rv_harmonic_encoder_config rv_harmonic_encoder_defaults(void);

/* Frequencies are Hz; what comes out is ready for synthesis (rv_harmonic_get_signal()).
 * pitch_shares [B,F,depth]: what the pitches count in f0; may be NULL. */
rv_harmonic_controls rv_harmonic_encoder(nn_builder *b, const rv_harmonic_encoder_config *c,
                                         const rv_sinusoidal_controls *sinusoids,
                                         rv_node **pitch_shares);

/* The sinusoids that a harmonic sound is, in Hz; amplitudes are 0 from half the sample rate on. */
rv_sinusoidal_controls rv_harmonic_to_sinusoids(const rv_harmonic_controls *c, double sample_rate);

#endif
