/* median.h - the median of numbers, and running medians: the middle of the values around each
 * sample.
 *
 *     y[i] = median of x[i - r .. i + r],  n = 2r + 1 values, mirrored at both ends
 *     (... x[1] x[0] | x[0] x[1] ... x[count-1] | x[count-1] ...) */
#ifndef DSP_MEDIAN_H
#define DSP_MEDIAN_H

#include <stddef.h>

/* The middle one of n > 0 numbers, or the mean of the two middle ones; sorts them. */
double rv_median_sort(double *x, size_t n);

/* Bytes of scratch for filters of `width` (odd, up to 2^15 - 1) over `count` values. */
size_t rv_median_scratch(size_t count, size_t width);

/* x [count] -> y [count]; y must not overlap x. The values must not be NaN. */
void rv_median(float *y, const float *x, size_t count, size_t width, void *scratch);

#endif
