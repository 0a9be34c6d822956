/* synth_noise.h - see synth_noise.c */
#ifndef DDSP_SYNTH_NOISE_H
#define DDSP_SYNTH_NOISE_H

#include "core/ops.h"

typedef struct rv_noise_config {
    bool scale;    /* magnitudes come from a network: rv_scale_amplitude(magnitudes + bias) */
    double bias;   /* so that an untrained network makes little noise */
    size_t window; /* see rv_impulse_response() */
    bool wrapped;  /* as ddsp_pytorch: rv_impulse_response_wrapped(), which end with their frames */
} rv_noise_config;

rv_noise_config rv_noise_defaults(void); /* ddsp: bias -5, window 257 */
rv_noise_config rv_noise_wrapped(void);  /* ddsp_pytorch: bias -5 */

/* noise [B,N], an input that rv_noise_fill() fills; magnitudes [B,F,K] -> [B,N] */
rv_node *rv_synth_noise(const rv_noise_config *c, rv_node *noise, rv_node *magnitudes);

/* Its filters: magnitudes [B,F,K] for frames of `hop` samples -> responses [B,F,M] */
rv_node *rv_noise_response(const rv_noise_config *c, rv_node *magnitudes, size_t hop);

/* n samples, uniform in [-1, 1), a function of seed and step alone. */
void rv_noise_fill(real *to, size_t n, uint64_t seed, uint64_t step);

#endif
