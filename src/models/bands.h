/* bands.h - see bands.c */
#ifndef MODELS_BANDS_H
#define MODELS_BANDS_H

#include "core/ops.h"

enum { BANDS_MOST = RV_BANDS_MOST };

/* Band i has the bins [edge[i], edge[i + 1]). */
typedef struct bands {
    size_t n, edge[BANDS_MOST + 1];
} bands;

/* n bands of equal width in Bark over `bins` bins up to half of `rate`, n <= bins; at least one bin
 * in each. */
bands bands_by_bark(size_t n, size_t bins, double rate);

/* Bands `width` Hz wide from where the step before ends up to `until`; a list ends with 0. */
typedef struct bands_step {
    double until, width;
} bands_step;

/* What is above the last step is one band. A band that has no bin is left out. */
bands bands_by_steps(const bands_step *steps, size_t bins, double rate);

/* x [1,T,F,C] -> [1,T,width,C], the bins of band i */
rv_node *bands_take(const bands *b, rv_node *x, size_t i);

/* One after the other along an axis, however many. */
rv_node *bands_concat(int axis, size_t n, rv_node *const *x);

#endif
