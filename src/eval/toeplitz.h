/* toeplitz.h - the filters that make targets of inputs, in the least-squares sense.
 *
 * The filters f[a][tau] of target y minimise sum over t of (y[t] - sum over a, tau of
 * f[a][tau] x_a[t - tau])^2: G f = d, where G, of taps * n_inputs rows, holds the inner products of
 * the delayed inputs, and d those with the target. G is block Toeplitz, so its Cholesky factor
 * takes O(n_inputs (taps n_inputs)^2) products instead of O((taps n_inputs)^3). */
#ifndef EVAL_TOEPLITZ_H
#define EVAL_TOEPLITZ_H

#include "eval/correlation.h"

typedef struct rv_filter_system {
    const rv_correlations *correlations;
    size_t first_input, n_inputs;
    size_t first_target, n_targets;
} rv_filter_system;

/* filters [n_targets][n_inputs][taps]. Inputs may be dependent: then the filters are some of those
 * that minimise the sum. */
RV_NODISCARD rv_status rv_solve_filters(double *filters, const rv_filter_system *s, rv_error *err);

#endif
