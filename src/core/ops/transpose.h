/* transpose.h - a block of a matrix, transposed for a product with it. Internal to ops/. */
#ifndef CORE_OPS_TRANSPOSE_H
#define CORE_OPS_TRANSPOSE_H

#include "core/op.h"

/* block[i * row + q] = a[q * a_row + i], i < n, q < depth. Eight rows of a at a time, so that what
 * is written lies side by side. */
static inline void transpose_rows(real *restrict block, size_t row, const real *restrict a,
                                  size_t a_row, size_t n, size_t depth)
{
    size_t q = 0;
    for (; q + 8 <= depth; q += 8, a += 8 * a_row)
        for (size_t i = 0; i < n; i++)
            for (size_t k = 0; k < 8; k++)
                block[i * row + q + k] = a[k * a_row + i];
    for (; q < depth; q++, a += a_row)
        for (size_t i = 0; i < n; i++)
            block[i * row + q] = a[i];
}

#endif
