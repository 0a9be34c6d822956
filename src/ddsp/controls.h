/* controls.h - see controls.c. Shapes: x [B,F,...], where nothing else is said. */
#ifndef DDSP_CONTROLS_H
#define DDSP_CONTROLS_H

#include "core/ops.h"

/* 2 sigmoid(x)^log(10) + 1e-7: ddsp's exp_sigmoid, ddsp_pytorch's scale_function */
rv_node *rv_scale_amplitude(rv_node *x);

rv_node *rv_softplus(rv_node *x); /* log(1 + exp(x)) */

/* Shares [B,F,K] that add up to 1. With a sample rate, harmonics of f0 [B,F,1] below half of it
 * are multiplied by 1 + leak before, the others by leak (ddsp 0, ddsp_pytorch 1e-4); rate 0: f0 is
 * not looked at. */
rv_node *rv_normalise_harmonics(rv_node *distribution, rv_node *f0, double sample_rate,
                                double leak);

/* MIDI's scale of pitch: 69 is 440 Hz, an octave 12; 0 Hz and less is note 0. And the share of
 * the way from one pitch to another. */
double rv_note_of(double hz);
rv_node *rv_hz_to_midi(rv_node *hz);
rv_node *rv_midi_to_hz(rv_node *note);
rv_node *rv_midi_to_unit(rv_node *note, double note_min, double note_max);
rv_node *rv_unit_to_midi(rv_node *unit, double note_min, double note_max);
rv_node *rv_hz_to_unit(rv_node *hz, double hz_min, double hz_max);
rv_node *rv_unit_to_hz(rv_node *unit, double hz_min, double hz_max);

/* Frequencies of N sinusoids from what a network says: x [B,F,N depth] -> Hz [B,F,N].
 * softmax: a mean of `depth` pitches from hz_min to hz_max, weighted by a softmax.
 * sigmoid: a sum of `depth` frequencies, each over a smaller range.
 * critical_bands: around N centres, as far as hearing separates. */
rv_node *rv_frequencies_softmax(rv_node *x, size_t depth, double hz_min, double hz_max);
rv_node *rv_frequencies_sigmoid(rv_node *x, size_t depth, double hz_min, double hz_max);

typedef struct rv_critical_bands {
    size_t depth;
    double depth_scale;     /* each further component has this much less influence */
    double bandwidth_scale; /* of the range of a sinusoid: 1 for an ERB to each side */
    double hz_min, hz_max;
    bool mel; /* centres are spaced evenly in mel, else in bark */
} rv_critical_bands;

rv_critical_bands rv_critical_bands_defaults(void); /* depth 1, 10, 1, 20 to 8000 Hz, bark */
rv_node *rv_frequencies_critical_bands(rv_node *x, const rv_critical_bands *c);

#endif
