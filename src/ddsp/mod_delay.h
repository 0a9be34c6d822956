/* mod_delay.h - see mod_delay.c */
#ifndef DDSP_MOD_DELAY_H
#define DDSP_MOD_DELAY_H

#include "core/ops.h"

typedef struct rv_mod_delay_config {
    double sample_rate, centre_ms, depth_ms;
    bool scale; /* gain and phase come from a network: rv_scale_amplitude() and a sigmoid */
    bool dry;   /* the audio itself is added */
} rv_mod_delay_config;

rv_mod_delay_config rv_mod_delay_defaults(double sample_rate); /* 15 and 10 ms; both */

/* audio [B,N]; gain, phase [B,N,1] -> [B,N]. Phase 0 is the centre, 1 the longest delay. */
rv_node *rv_mod_delay(const rv_mod_delay_config *c, rv_node *audio, rv_node *gain, rv_node *phase);

typedef struct rv_mod_delay_controls {
    rv_node *gain, *phase;
} rv_mod_delay_controls;

/* Scaled, of any shape; and the signal, of controls [B,N,1]. */
rv_mod_delay_controls rv_mod_delay_get_controls(const rv_mod_delay_config *c,
                                                const rv_mod_delay_controls *from);
rv_node *rv_mod_delay_get_signal(const rv_mod_delay_config *c, rv_node *audio,
                                 const rv_mod_delay_controls *controls);

/* The line is read at centre + depth phase, of its `length` samples. */
typedef struct rv_mod_delay_line {
    size_t length;
    double depth, centre;
} rv_mod_delay_line;

bool rv_mod_delay_is_valid(const rv_mod_delay_config *c);
rv_mod_delay_line rv_mod_delay_line_of(const rv_mod_delay_config *c);

#endif
