/* fixed.h - networks that are part of a graph but are not learned. */
#ifndef NN_FIXED_H
#define NN_FIXED_H

#include "nn/nn.h"

/* All parameters that `b` has made become constants of these values, in their order. */
void nn_fix(const nn_builder *b, const float *const *values);

#endif
