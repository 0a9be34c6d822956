/* learner.h - a model, its loss and their gradient: from a batch to one number and the
 * gradient of every parameter.
 *
 * Parameters lie in one block in order of creation, gradients likewise. The graph is that of one
 * example; those of a batch run side by side, each on a thread (a single one on all threads),
 * and their gradients are added in order: the same bits for any number of threads. */
#ifndef TRAIN_LEARNER_H
#define TRAIN_LEARNER_H

#include "models/model.h"

/* Build the loss [1] of an estimate [1,T,S*C] against the target of the same shape; T is the
 * number of frames that are scored. */
typedef rv_node *rv_loss_fn(void *ctx, rv_node *estimate, rv_node *target);

typedef struct rv_learner_options {
    const rv_model_def *def;
    const void *config; /* of the model, borrowed */
    const rv_model_info *info;
    size_t frames;  /* of an example */
    size_t scored;  /* the loss sees so many frames in the middle; 0: all. Demucs v2 has no
                       estimate beside the segment for which `frames` is the valid length. */
    size_t batch;   /* examples of a step */
    bool recompute; /* compute values again for the gradient: less memory, more time */
    rv_loss_fn *loss;
    void *loss_ctx;
    rv_pool *pool; /* NULL: the calling thread alone; borrowed */
} rv_learner_options;

typedef struct rv_learner rv_learner;

RV_NODISCARD rv_status rv_learner_new(rv_learner **out, const rv_learner_options *opt,
                                      rv_error *err);
void rv_learner_free(rv_learner *l);

size_t rv_learner_count(const rv_learner *l);           /* of scalars in all parameters */
const nn_param *rv_learner_params(const rv_learner *l); /* in order, at cumulative offsets */
real *rv_learner_values(rv_learner *l);                 /* [count], the caller may write */
real *rv_learner_gradients(rv_learner *l);              /* [count] */
size_t rv_learner_bytes(const rv_learner *l);           /* of memory, about */

/* Starting values, a function of the seed and the parameters' names. */
void rv_learner_initialise(rv_learner *l, uint64_t seed);

/* mix [batch,frames,C], target [batch,frames,S*C]: the mean loss over the batch, whose gradient
 * is added to rv_learner_gradients() times `share` after clearing them if `clear`. */
double rv_learner_step(rv_learner *l, const float *mix, const float *target, bool clear,
                       double share);

/* One example through the weights as they are now, without a gradient: mix [frames,C], target
 * [frames,S*C] -> the loss; *estimate [frames,S*C] is valid until the next call. */
double rv_learner_estimate(rv_learner *l, const float *mix, const float *target,
                           const float **estimate);
size_t rv_learner_frames(const rv_learner *l);
size_t rv_learner_scored(const rv_learner *l); /* of them, in the middle */

#endif
