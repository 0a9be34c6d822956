/* reverb.h - see reverb.c */
#ifndef DDSP_REVERB_H
#define DDSP_REVERB_H

#include "ddsp/synth_noise.h"
#include "nn/nn.h"

/* audio [B,N] and response [B,M] or [1,M] -> [B,N]: what comes after the direct sound, whose sample
 * of the response is not looked at; and the audio itself, where `dry`. */
rv_node *rv_reverb(rv_node *audio, rv_node *response, bool dry);

/* Responses [1,M] or [B,M] for it. */

/* Learned: the parameter ir [M], which starts near 0. */
rv_node *rv_reverb_learned(nn_builder *b, size_t length);

/* Decaying noise: rv_scale_amplitude(gain) exp(-(2 + exp(decay)) t) noise, t from 0 to 1 over the M
 * samples; gain, decay [B,1] or [1,1], noise [1,M] from rv_noise_fill(). */
rv_node *rv_reverb_decay(rv_node *noise, rv_node *gain, rv_node *decay);
/* With learned gain [1] and decay [1], from 2 and 4. */
rv_node *rv_reverb_decay_learned(nn_builder *b, rv_node *noise);

/* rv_synth_noise() of noise [B,M] and magnitudes [B,F,K]; ddsp's bias is -3. And with learned
 * magnitudes [F,K], noise [1,M]. */
rv_noise_config rv_reverb_noise_defaults(void);
rv_node *rv_reverb_noise_learned(nn_builder *b, const rv_noise_config *c, rv_node *noise,
                                 size_t frames, size_t bands);

/* ddsp_pytorch's: learned noise [M,1], decay [1] and wet [1]. */
rv_node *rv_reverb_wet(nn_builder *b, size_t length, double sample_rate);

#endif
