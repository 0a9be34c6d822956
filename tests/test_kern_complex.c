/* test_kern_complex.c - every variant of the product of complex numbers against a plain loop in
 * double. */
#include "kern_variants.h"

static void check_product(const kern_table *t, size_t n)
{
    kern_real *a = randoms(2 * n), *b = randoms(2 * n), *y = sentinels(2 * n + GUARD);
    t->complex_product(y, a, b, n);
    for (size_t i = 0; i < n; i++) {
        const double re = (double)a[2 * i], im = (double)a[2 * i + 1];
        const double x = (double)b[2 * i], z = (double)b[2 * i + 1];
        CHECK_CLOSE(y[2 * i], re * x - im * z, 4 * ROUNDING * (1 + fabs(re * x) + fabs(im * z)));
        CHECK_CLOSE(y[2 * i + 1], re * z + im * x,
                    4 * ROUNDING * (1 + fabs(re * z) + fabs(im * x)));
    }
    for (size_t i = 2 * n; i < 2 * n + GUARD; i++)
        CHECK(y[i] == SENTINEL);
    free(a);
    free(b);
    free(y);
}

static void check_products(const kern_table *t)
{
    for (size_t n = 0; n < 40; n++)
        check_product(t, n + 40 * below(3));
}

TEST(test_complex_product)
{
    each_variant(check_products);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_complex_product) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
