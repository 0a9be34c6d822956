/* complex_sums.h - sums of products of spectra, which are pairs (real, imaginary). Written out,
 * because C's complex product looks for infinities. */
#ifndef EVAL_COMPLEX_SUMS_H
#define EVAL_COMPLEX_SUMS_H

#include <stddef.h>

/* y[k] += a[k] b[k], k < n */
static inline void rv_add_product(double *restrict y, const double *restrict a,
                                  const double *restrict b, size_t n)
{
    for (size_t k = 0; k < 2 * n; k += 2) {
        y[k] += a[k] * b[k] - a[k + 1] * b[k + 1];
        y[k + 1] += a[k] * b[k + 1] + a[k + 1] * b[k];
    }
}

/* y[k] += conj(a[k]) b[k], k < n */
static inline void rv_add_conjugate_product(double *restrict y, const double *restrict a,
                                            const double *restrict b, size_t n)
{
    for (size_t k = 0; k < 2 * n; k += 2) {
        y[k] += a[k] * b[k] + a[k + 1] * b[k + 1];
        y[k + 1] += a[k] * b[k + 1] - a[k + 1] * b[k];
    }
}

#endif
