/* feature_separation.h - what MCTN learns: pitch and loudness of each source of a mix.
 *
 * Inputs of its learner, of an example of F frames and S sources, in the order of
 * rv_feature_separation_input; the estimate is f0 in Hz, then loudness in dB, [1,F,2S]. */
#ifndef TRAIN_FEATURE_SEPARATION_H
#define TRAIN_FEATURE_SEPARATION_H

#include "train/learner.h"
#include "train/loss_features.h"

typedef enum rv_feature_separation_input {
    RV_FEATURE_SEPARATION_MIX,      /* [1, F hop] */
    RV_FEATURE_SEPARATION_F0,       /* [1,F,S] Hz */
    RV_FEATURE_SEPARATION_LOUDNESS, /* [1,F,S] dB */
    RV_FEATURE_SEPARATION_VOICED,   /* [1,F,S] 1 where there is a pitch, else 0 */
    RV_FEATURE_SEPARATION_INPUTS
} rv_feature_separation_input;

typedef struct rv_feature_separation {
    const rv_mctn_config *config; /* borrowed */
    size_t frames;                /* F */
    rv_feature_loss loss;
} rv_feature_separation;

/* Numbers of an input, of one example. */
size_t rv_feature_separation_size(const rv_feature_separation *s,
                                  rv_feature_separation_input input);

RV_NODISCARD rv_status rv_feature_separation_learner(rv_learner **out,
                                                     const rv_feature_separation *s, size_t batch,
                                                     bool recompute, rv_pool *pool, rv_error *err);

#endif
