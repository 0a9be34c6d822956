/* refinement.h - what a network that refines stems learns: the stem as it is from the one that was
 * separated.
 *
 * Inputs of its learner, of an example of F frames and T = F hop samples, in the order of
 * rv_refinement_input; the estimate is the audio [1,T]. */
#ifndef TRAIN_REFINEMENT_H
#define TRAIN_REFINEMENT_H

#include "models/refiner.h"
#include "train/learner.h"
#include "train/loss.h"

typedef enum rv_refinement_input {
    RV_REFINEMENT_TARGET,   /* [1,T] the stem as it is */
    RV_REFINEMENT_STEM,     /* [1,T] as it was separated; what follows is of this one */
    RV_REFINEMENT_LOUDNESS, /* [1,F,1] dB */
    RV_REFINEMENT_F0,       /* [1,F,1] Hz */
    RV_REFINEMENT_NOISE,    /* [1,T] rv_noise_fill() */
    RV_REFINEMENT_INPUTS,
} rv_refinement_input;

typedef struct rv_refinement {
    const rv_refiner_config *config; /* borrowed, as the loss */
    const rv_loss_config *loss;
    size_t frames; /* F */
} rv_refinement;

/* Numbers of an input, of one example. */
size_t rv_refinement_size(const rv_refinement *r, rv_refinement_input input);

RV_NODISCARD rv_status rv_refinement_learner(rv_learner **out, const rv_refinement *r, size_t batch,
                                             bool recompute, rv_pool *pool, rv_error *err);

#endif
