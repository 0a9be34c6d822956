/* level.h - mean and deviation of a track, which networks want taken out.
 *
 * Of the mean over the channels, r: mean(r) and the unbiased standard deviation
 * sqrt(sum (r - mean)^2 / (n - 1)), plus 1e-8 as in demucs.separate, so that silence stays finite.
 * Sums in double, of the distance to the first frame. */
#ifndef DSP_LEVEL_H
#define DSP_LEVEL_H

#include "ravel/base.h"

typedef struct rv_level {
    double first, sum, squares;
    uint64_t frames;
} rv_level;

/* Start from zeros. */
void rv_level_add(rv_level *l, const float *const *x, size_t channels, size_t frames);
void rv_level_result(const rv_level *l, float *mean, float *deviation);

#endif
