/* synth_harmonic.h - see synth_harmonic.c */
#ifndef DDSP_SYNTH_HARMONIC_H
#define DDSP_SYNTH_HARMONIC_H

#include "core/ops.h"

typedef struct rv_harmonic_config {
    double sample_rate;
    size_t samples; /* T */
    bool scale;     /* controls come from a network: rv_scale_amplitude() */
    bool limit;     /* shares are those of the harmonics below Nyquist's frequency */
    double leak;    /* of the harmonics above it, see rv_normalise_harmonics() */
    rv_upsample_mode frequency, amplitude; /* from frames to samples */
} rv_harmonic_config;

/* ddsp: linear in frequency, Hann windows for amplitudes, nothing above Nyquist's frequency. */
rv_harmonic_config rv_harmonic_defaults(double sample_rate, size_t samples);
/* ddsp_pytorch: all held for a frame; a leak of 1e-4. */
rv_harmonic_config rv_harmonic_held(double sample_rate, size_t samples);

typedef struct rv_harmonic_controls {
    rv_node *amplitude;    /* [B,F,1] */
    rv_node *distribution; /* [B,F,K], adds up to 1 */
    rv_node *f0;           /* [B,F,1] Hz */
    rv_node *phase;        /* [B,1] or NULL: turns before the first sample */
} rv_harmonic_controls;

/* Scaled and normalised; and the signal [B,T]. */
rv_harmonic_controls rv_harmonic_get_controls(const rv_harmonic_config *c,
                                              const rv_harmonic_controls *from);
rv_node *rv_harmonic_get_signal(const rv_harmonic_config *c, const rv_harmonic_controls *controls);

/* Of each harmonic [B,F,K], with nothing above Nyquist's frequency. */
rv_node *rv_harmonic_amplitudes(const rv_harmonic_config *c, const rv_harmonic_controls *controls);

/* Both. */
rv_node *rv_synth_harmonic(const rv_harmonic_config *c, const rv_harmonic_controls *from);

#endif
