/* correlation.h - correlations of signals for the lags that filters of some length need.
 *
 *     between(a, b, l) = sum over t of x_a[t] x_b[t + l],   -taps < l < taps, inputs a, b
 *     with(a, e, l)    = sum over t of x_a[t] y_e[t + l],       0 <= l < taps, targets e
 *
 * over a part of the signals, with zeros around it. By transforms of short blocks, whose cross
 * spectra are summed before they go back: the work is that of reading the signals, however long. */
#ifndef EVAL_CORRELATION_H
#define EVAL_CORRELATION_H

#include "base/pool.h"
#include "ravel/base.h"

typedef struct rv_signals {
    const float *const *inputs, *const *targets; /* [n_inputs], [n_targets], whole signals */
    size_t n_inputs, n_targets;
    size_t from, frames; /* the part */
} rv_signals;

typedef struct rv_correlations {
    size_t n_inputs, n_targets, taps;
    double *between; /* [n_inputs][n_inputs][2 taps - 1], lag l at l + taps - 1 */
    double *with;    /* [n_inputs][n_targets][taps] */
} rv_correlations;

/* taps: 1 to 2048. The bits do not depend on the pool, which may be NULL. */
RV_NODISCARD rv_status rv_correlate(rv_correlations *out, const rv_signals *s, size_t taps,
                                    rv_pool *pool, rv_error *err);
void rv_correlations_free(rv_correlations *c);

static inline const double *rv_between(const rv_correlations *c, size_t a, size_t b)
{
    return c->between + (a * c->n_inputs + b) * (2 * c->taps - 1);
}

static inline const double *rv_with(const rv_correlations *c, size_t a, size_t target)
{
    return c->with + (a * c->n_targets + target) * c->taps;
}

#endif
