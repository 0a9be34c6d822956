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

#endif
