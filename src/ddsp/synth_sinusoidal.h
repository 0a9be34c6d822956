/* synth_sinusoidal.h - see synth_sinusoidal.c */
#ifndef DDSP_SYNTH_SINUSOIDAL_H
#define DDSP_SYNTH_SINUSOIDAL_H

#include "core/ops.h"

typedef enum rv_sinusoidal_scale {
    RV_SINUSOIDAL_HERTZ,   /* frequencies are Hz [B,F,K] */
    RV_SINUSOIDAL_SIGMOID, /* of a network [B,F,K depth]: rv_frequencies_sigmoid(); ddsp */
    RV_SINUSOIDAL_SOFTMAX, /* rv_frequencies_softmax() */
} rv_sinusoidal_scale;

typedef struct rv_sinusoidal_config {
    double sample_rate;
    size_t samples; /* T */
    bool scale;     /* amplitudes come from a network: rv_scale_amplitude() */
    rv_sinusoidal_scale frequencies;
    size_t depth;               /* of the frequencies */
    double hz_min, hz_max;      /* of the frequencies */
    rv_upsample_mode amplitude; /* from frames to samples */
} rv_sinusoidal_config;

/* ddsp: sigmoids of depth 1, 0 to 8000 Hz, Hann windows for amplitudes. */
rv_sinusoidal_config rv_sinusoidal_defaults(double sample_rate, size_t samples);

typedef struct rv_sinusoidal_controls {
    rv_node *amplitudes;  /* [B,F,K] */
    rv_node *frequencies; /* [B,F,K] Hz, or what `frequencies` of the config says */
} rv_sinusoidal_controls;

/* Scaled, without what lies above Nyquist's frequency; and the signal [B,T]. */
rv_sinusoidal_controls rv_sinusoidal_get_controls(const rv_sinusoidal_config *c,
                                                  const rv_sinusoidal_controls *from);
rv_node *rv_sinusoidal_get_signal(const rv_sinusoidal_config *c,
                                  const rv_sinusoidal_controls *controls);

/* Both. */
rv_node *rv_synth_sinusoidal(const rv_sinusoidal_config *c, const rv_sinusoidal_controls *from);

#endif
