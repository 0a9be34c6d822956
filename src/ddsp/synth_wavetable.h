/* synth_wavetable.h - see synth_wavetable.c */
#ifndef DDSP_SYNTH_WAVETABLE_H
#define DDSP_SYNTH_WAVETABLE_H

#include "core/ops.h"

typedef struct rv_wavetable_config {
    double sample_rate;
    size_t samples; /* T */
    bool scale;     /* controls come from a network: rv_scale_amplitude() */
    rv_upsample_mode frequency, amplitude, table; /* from frames to samples */
} rv_wavetable_config;

/* ddsp: linear in frequency and tables, Hann windows for amplitudes. */
rv_wavetable_config rv_wavetable_defaults(double sample_rate, size_t samples);

typedef struct rv_wavetable_controls {
    rv_node *amplitude; /* [B,F,1] */
    rv_node *tables;    /* [B,F,L], or [B,1,L] or [1,1,L] that do not move */
    rv_node *f0;        /* [B,F,1] Hz */
} rv_wavetable_controls;

/* Scaled; and the signal [B,T]. */
rv_wavetable_controls rv_wavetable_get_controls(const rv_wavetable_config *c,
                                                const rv_wavetable_controls *from);
rv_node *rv_wavetable_get_signal(const rv_wavetable_config *c,
                                 const rv_wavetable_controls *controls);

/* Both. */
rv_node *rv_synth_wavetable(const rv_wavetable_config *c, const rv_wavetable_controls *from);

#endif
