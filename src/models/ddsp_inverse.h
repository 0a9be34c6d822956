/* ddsp_inverse.h - see ddsp_inverse.c */
#ifndef MODELS_DDSP_INVERSE_H
#define MODELS_DDSP_INVERSE_H

#include "ddsp/harmonic_encoder.h"
#include "models/model.h"
#include "models/sinusoidal_encoder.h"

#define RV_INVERSE_CLASS "ravel.ddsp.Inverse"

typedef struct rv_inverse_config {
    rv_sinusoidal_encoder_config sinusoidal;
    rv_harmonic_encoder_config harmonic;
    bool through; /* gradients pass from the harmonic encoder into the other; not in magenta/ddsp */
} rv_inverse_config;

rv_inverse_config rv_inverse_defaults(void);

/* Fills all; what is absent takes its default (ddsp_inverse_config.c). Unknown arguments and values
 * out of range are errors that name the argument. */
RV_NODISCARD rv_status rv_inverse_configure(rv_inverse_config *c, const rv_args *args,
                                            rv_error *err);

typedef struct rv_inverse {
    rv_sinusoids_and_noise heard;
    rv_harmonic_controls harmonic;
    rv_sinusoidal_controls partials; /* of the harmonic sound */
    rv_node *pitch_shares;           /* [B,F,depth] what pitches count in f0 */
} rv_inverse;

/* audio [B,T] */
rv_inverse rv_inverse_encode(nn_builder *b, const rv_inverse_config *c, rv_node *audio);

/* Sinusoids, whose amplitudes are 0 where their frequencies are no less than half the sample rate,
 * and filtered noise: noise [B,T], magnitudes [B,F,K] -> [B,T]. */
rv_node *rv_inverse_audio(const rv_sinusoidal_controls *sinusoids, rv_node *magnitudes,
                          rv_node *noise, double sample_rate);

#endif
