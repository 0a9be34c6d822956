/* average.h - exponential moving averages of the parameters, for validation and for release.
 *
 *     count <- decay count + 1,   average <- (1 - 1 / count) average + parameters / count
 *
 * so that all steps so far weigh as in the limit, however few they are; without this correction
 * 1 / count is 1 - decay throughout. The rule of ModelEMA in Demucs (demucs/ema.py). */
#ifndef TRAIN_AVERAGE_H
#define TRAIN_AVERAGE_H

#include "base/status.h"
#include "core/graph.h"

typedef struct rv_average rv_average;

/* The average starts as a copy of parameters [n]. decay in [0, 1); mem NULL: malloc. */
RV_NODISCARD rv_status rv_average_new(rv_average **out, double decay, bool unbiased,
                                      const real *parameters, size_t n, const rv_alloc *mem,
                                      rv_error *err);
void rv_average_free(rv_average *a);

/* After each step (or epoch). */
void rv_average_update(rv_average *a, const real *parameters, rv_pool *pool);

/* Exchange the average and the parameters: call it before and after a validation. */
void rv_average_swap(rv_average *a, real *parameters, rv_pool *pool);

/* What a checkpoint must keep: the block [n], which may be written, and the count. */
real *rv_average_data(rv_average *a, size_t *n);
double rv_average_count(const rv_average *a);
void rv_average_set_count(rv_average *a, double count);
double rv_average_decay(const rv_average *a);

#endif
