/* resynthesis.h - what an autoencoder learns: sound from its pitch and loudness; or from loudness
 * alone, where it finds the pitch in the sound itself (f0_encoder learned), and then f0 is not
 * looked at.
 *
 * Inputs of its learner, of an example of F frames and T = F hop samples, in the order of
 * rv_resynthesis_input; the estimate is the audio [1,T]. The examples of a step lie side by side in
 * one graph, as the GRU wants them. */
#ifndef TRAIN_RESYNTHESIS_H
#define TRAIN_RESYNTHESIS_H

#include "models/ddsp_autoencoder.h"
#include "train/learner.h"
#include "train/loss.h"

typedef enum rv_resynthesis_input {
    RV_RESYNTHESIS_AUDIO,        /* [1,T] what is to be heard */
    RV_RESYNTHESIS_LOUDNESS,     /* [1,F,1] dB */
    RV_RESYNTHESIS_F0,           /* [1,F,1] Hz */
    RV_RESYNTHESIS_NOISE,        /* [1,T] rv_noise_fill() */
    RV_RESYNTHESIS_REVERB_NOISE, /* [1,reverb_length] or, where none is wanted, [1,1]; likewise */
    RV_RESYNTHESIS_MFCC,         /* [1,F,30]; there for models with z alone */
    RV_RESYNTHESIS_INPUTS,
} rv_resynthesis_input;

typedef struct rv_resynthesis {
    const rv_autoencoder_config *config; /* borrowed, as the loss */
    const rv_loss_config *loss;
    size_t frames; /* F */
} rv_resynthesis;

/* Numbers of an input, of one example; 0: there is no such input. */
size_t rv_resynthesis_size(const rv_resynthesis *r, rv_resynthesis_input input);

RV_NODISCARD rv_status rv_resynthesis_learner(rv_learner **out, const rv_resynthesis *r,
                                              size_t batch, bool recompute, rv_pool *pool,
                                              rv_error *err);

#endif
