/* interpolation.h - see interpolation.c */
#ifndef MODELS_INTERPOLATION_H
#define MODELS_INTERPOLATION_H

#include "core/ops.h"

/* x [B,F,C] -> [B,n,C] */
rv_node *rv_interpolate(rv_node *x, size_t n);

#endif
