/* complex_impl.h - products of complex numbers, which are pairs (re, im). */

static void complex_product(kern_real *restrict y, const kern_real *restrict a,
                            const kern_real *restrict b, size_t n)
{
    for (size_t i = 0; i < 2 * n; i += 2) {
        y[i] = a[i] * b[i] - a[i + 1] * b[i + 1];
        y[i + 1] = a[i] * b[i + 1] + a[i + 1] * b[i];
    }
}
