/* learner.h - a network, its loss and their gradient: from a batch to one number and the gradient
 * of every parameter. What the network is and what it learns from, its builder knows
 * (train/separation.h).
 *
 * Parameters lie in one block in order of creation, gradients likewise. The graph is that of one
 * example, or of a few `together`, where a network wants that: a GRU reads its weights once for all
 * sequences that lie side by side. The graphs of a batch run each on a thread (a single one on all
 * threads), and their gradients are added in order: the same bits for any number of threads. */
#ifndef TRAIN_LEARNER_H
#define TRAIN_LEARNER_H

#include "nn/nn.h"

enum { RV_LEARNER_INPUTS = 6 };

/* Build the loss [1], the mean over the examples in its inputs, and set *estimate to what a
 * validation looks at. */
typedef rv_node *rv_learner_build_fn(const void *ctx, nn_builder *b, rv_node *const *in,
                                     rv_node **estimate);

typedef struct rv_learner_options {
    rv_learner_build_fn *build;
    const void *ctx;                    /* of build, which is done when rv_learner_new() returns */
    rv_shape inputs[RV_LEARNER_INPUTS]; /* [n_inputs] of one example, 1 first */
    size_t n_inputs;
    bool shared[RV_LEARNER_INPUTS]; /* the same for all examples of a step: stays [1,...] */
    size_t batch;                   /* examples of a step */
    size_t together;                /* of them side by side in one graph; divides batch; 0: 1 */
    bool recompute; /* compute values again for the gradient: less memory, more time */
    rv_pool *pool;  /* NULL: the calling thread alone; borrowed */
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

/* Running statistics of batch normalisation (nn/batch_norm.c) are parameters, too: a step moves
 * them by what its examples show, and leaves 0 as their gradient. */

/* in[i] [batch, ...] the examples' inputs one after the other (of a shared one, once): the mean
 * loss over the batch, whose gradient is added to rv_learner_gradients() times `share` after
 * clearing them if `clear`. */
double rv_learner_step(rv_learner *l, const float *const *in, bool clear, double share);

/* One example through the weights as they are now, without a gradient: the loss; *estimate is valid
 * until the next call. */
double rv_learner_estimate(rv_learner *l, const float *const *in, const float **estimate);

#endif
