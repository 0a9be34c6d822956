/* inversion.h - what pitch detection by inverse synthesis learns: the controls of sounds that it
 * has made itself, and to take real sound apart so that it can be put together again.
 *
 * Inputs of its learner, of an example of F frames and T = F hop samples, in the order of
 * rv_inversion_input; the estimate is f0 in Hz and amplitude of the made sound [1,F,2]. */
#ifndef TRAIN_INVERSION_H
#define TRAIN_INVERSION_H

#include "train/learner.h"
#include "train/loss_inverse.h"

typedef enum rv_inversion_input {
    RV_INVERSION_AMPLITUDE,    /* [1,F,1] of the made sound, as its other controls: */
    RV_INVERSION_DISTRIBUTION, /* [1,F,K] */
    RV_INVERSION_F0,           /* [1,F,1] Hz */
    RV_INVERSION_MAGNITUDES,   /* [1,F,bands] */
    RV_INVERSION_NOISE,        /* [1,T] rv_noise_fill() */
    RV_INVERSION_AUDIO,        /* [1,T] real sound; where `real` alone */
    RV_INVERSION_INPUTS,
} rv_inversion_input;

/* Weights of the terms of the loss. */
typedef struct rv_inversion_weights {
    double sinusoids;                   /* KDE, to those of the made sound */
    double amplitude, distribution, f0; /* to its controls */
    double noise;                       /* to its magnitudes */
    double pitch_shares;                /* of shares of pitches in f0 to f0 */
    double consistency; /* KDE of harmonics to the sinusoids that they were found in */
    double audio;       /* recipe's loss of what sinusoids, and harmonics, sound like */
    double deviation;   /* of KDE, semitones */
    double level;       /* of mean amplitudes within KDE */
} rv_inversion_weights;

typedef struct rv_inversion {
    const rv_inverse_config *config; /* borrowed, as the loss */
    const rv_loss_config *loss;
    rv_inversion_weights weights;
    size_t frames; /* F */
    bool real;
} rv_inversion;

/* Numbers of an input, of one example; 0: there is no such input. */
size_t rv_inversion_size(const rv_inversion *v, rv_inversion_input input);

RV_NODISCARD rv_status rv_inversion_learner(rv_learner **out, const rv_inversion *v, size_t batch,
                                            bool recompute, rv_pool *pool, rv_error *err);

#endif
