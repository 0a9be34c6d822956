/* comparison.h - figures of several methods on the same songs, and their paired differences. */
#ifndef EVAL_COMPARISON_H
#define EVAL_COMPARISON_H

#include "base/pool.h"
#include "eval/evaluation.h"

struct rv_comparison {
    rv_evaluation **methods; /* [n] */
    size_t n;
    rv_eval_difference *differences; /* [n][n][stems][RV_METRICS]; first below second alone */
    int resamples;
    uint64_t seed;
};

RV_NODISCARD rv_status rv_comparison_new(rv_comparison **out, size_t n, rv_error *err);

/* Fill in the differences; the bits do not depend on the pool. */
RV_NODISCARD rv_status rv_comparison_finish(rv_comparison *c, rv_pool *pool, rv_error *err);

/* Percentile bootstrap of the mean of x [n], n > 0: resample r draws song i as number
 * rv_rng_below(seed, r, i, n). means: scratch [resamples]. `better` and `median` are left
 * 0. */
rv_eval_difference rv_bootstrap(const double *x, size_t n, int resamples, uint64_t seed,
                                double *means);

#endif
