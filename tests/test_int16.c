/* test_int16.c - products of 16-bit integers: the error that their steps allow against plain loops
 * in double, the same bits from every variant, and what is no number. */
#include "kern_variants.h"

enum { PAD = 600, N_SHAPES = 40 };

static const double GROUP = 128; /* of gemm_int16_impl.h */

/* a [m,k] in rows a_row apart, b [k,n] -> y [m,n] */
typedef struct product {
    size_t m, n, k, a_row;
    kern_real *a, *b, *bias, *packed, *y;
} product;

static kern_table int16_table(int mask)
{
    kern_table t;
    kern_table_init(&t, mask);
    CHECK(kern_table_use_int16(&t));
    return t;
}

/* Values of very different sizes along k, so that groups differ. */
static kern_real *uneven(size_t n)
{
    kern_real *x = randoms(n);
    for (size_t i = 0; i < n; i++)
        x[i] *= (kern_real)exp2((double)below(6));
    return x;
}

static product product_of(size_t m, size_t n, size_t k)
{
    product p = { .m = m, .n = n, .k = k, .a_row = 1 + below(k + 3) };
    p.a = uneven(m * p.a_row + k);
    p.b = uneven(k * n);
    p.bias = below(2) ? randoms(n) : NULL;
    return p;
}

static void product_free(product *p)
{
    for (size_t i = 0; i < 5; i++)
        free((kern_real *[]){ p->a, p->b, p->bias, p->packed, p->y }[i]);
}

static kern_gemm_args args_of(const product *p)
{
    return (kern_gemm_args){ .y = p->y,
                             .a = p->a,
                             .packed = p->packed,
                             .bias = p->bias,
                             .m = p->m,
                             .n = p->n,
                             .k = p->k,
                             .y_row = p->n,
                             .a_row = p->a_row };
}

/* y and packed anew, by this variant. */
static void product_run(product *p, const kern_table *t)
{
    const size_t packed = t->packed_size(p->k, p->n);
    free(p->packed);
    free(p->y);
    p->packed = sentinels(packed + GUARD);
    p->y = sentinels(p->m * p->n + GUARD);
    t->pack(p->packed, p->b, p->k, p->n, p->n, 1);
    const kern_gemm_args g = args_of(p);
    t->gemm(&g);
    for (size_t i = 0; i < GUARD; i++)
        CHECK(p->packed[packed + i] == SENTINEL && p->y[p->m * p->n + i] == SENTINEL);
}

/* What a group adds to result (i,j), and how much rounding may change that: a by half of 2^-12 of
 * its largest, b by half of 2^-15 of its largest or 2^-18 of its sum, twice that where the power of
 * two lies badly. */
static void add_group(const product *p, size_t i, size_t j, size_t from, size_t to, double *sum,
                      double *allowed)
{
    double a_sum = 0, b_sum = 0, a_most = 0, b_most = 0;
    for (size_t q = from; q < to; q++) {
        const double a = (double)p->a[i * p->a_row + q], b = (double)p->b[q * p->n + j];
        *sum += a * b;
        a_sum += fabs(a);
        b_sum += fabs(b);
        a_most = fmax(a_most, fabs(a));
        b_most = fmax(b_most, fabs(b));
    }
    const double a_off = a_most / 8192, b_off = 1.002 * fmax(b_most / 32768, b_sum / 262144);
    *allowed += a_off * b_sum + b_off * a_sum + a_off * b_off * (double)(to - from) +
                ROUNDING * (a_most * b_sum + fabs(*sum));
}

/* Returns the largest error as a share of what is allowed. */
static double product_check(const product *p)
{
    double worst = 0;
    for (size_t i = 0; i < p->m; i++)
        for (size_t j = 0; j < p->n; j++) {
            double want = p->bias ? (double)p->bias[j] : 0, allowed = ROUNDING * fabs(want);
            for (size_t q = 0; q < p->k; q += (size_t)GROUP)
                add_group(p, i, j, q, p->k - q < GROUP ? p->k : q + (size_t)GROUP, &want, &allowed);
            const double off = fabs((double)p->y[i * p->n + j] - want);
            CHECK_MSG(off <= allowed, "[%zu,%zu,%zu] at %zu,%zu: off by %g, allowed %g", p->m, p->n,
                      p->k, i, j, off, allowed);
            worst = fmax(worst, off / allowed);
        }
    return worst;
}

static product random_product(void)
{
    const size_t n = below(4) ? 70 + below(70) : 1 + below(60);
    return product_of(1 + below(60), n, below(4) ? 70 + below(PAD) : below(60));
}

/* Not much less than is allowed either: then it would be a product of floats. */
static void check_errors(const kern_table *float_table)
{
    kern_table t = *float_table;
    CHECK(kern_table_use_int16(&t));
    for (size_t i = 0; i < N_SHAPES; i++) {
        product p = random_product();
        product_run(&p, &t);
        const double worst = product_check(&p);
        CHECK_MSG(p.k < 70 || p.n < 70 || p.m < 5 || worst > 0.02, "[%zu,%zu,%zu]: %g", p.m, p.n,
                  p.k, worst);
        product_free(&p);
    }
}

TEST(test_errors_are_those_of_rounding)
{
    each_variant(check_errors);
}

/* Every sum of a group at its largest: a has the signs of b. */
TEST(test_no_sum_overflows)
{
    static const double sizes[] = { 1, 1.9999, 1e-15, 3e15 };
    const kern_table t = int16_table(KERN_ISA_ALL), c = int16_table(KERN_ISA_NONE);
    for (size_t s = 0; s < 4; s++)
        for (size_t flat = 0; flat < 2; flat++) {
            product p = product_of(3, 50, 700);
            for (size_t i = 0; i < p.k * p.n; i++)
                p.b[i] = flat ? (kern_real)copysign(sizes[s], (double)p.b[i]) : p.b[i];
            for (size_t i = 0; i < p.m * p.a_row + p.k; i++)
                p.a[i] = (kern_real)sizes[s];
            for (size_t i = 0; i < p.k; i++)
                p.a[i] = (kern_real)copysign(sizes[s], (double)p.b[i * p.n + 7]);
            product_run(&p, &t);
            product_check(&p);
            product_run(&p, &c);
            product_check(&p);
            product_free(&p);
        }
}

/* Narrow ones are products of floats, whose bits may differ. */
TEST(test_variants_agree_in_every_bit)
{
    for (size_t i = 0; i < N_SHAPES; i++) {
        product p = product_of(1 + below(60), 70 + below(70), 70 + below(PAD));
        const kern_table plain = int16_table(KERN_ISA_NONE);
        product_run(&p, &plain);
        kern_real *const want = p.y;
        for (size_t v = 1; v < N_MASKS; v++) {
            const kern_table t = int16_table(MASKS[v]);
            p.y = NULL;
            product_run(&p, &t);
            CHECK(memcmp(p.y, want, p.m * p.n * sizeof *want) == 0);
            free(p.y);
        }
        p.y = want;
        product_free(&p);
    }
}

static void check_cuts(const kern_table *t, product *p)
{
    kern_real *cut = sentinels(p->m * p->n);
    for (size_t i = 0, m; i < p->m; i += m) {
        kern_gemm_args g = args_of(p);
        g.m = m = 1 + below(p->m - i < 15 ? p->m - i : 15);
        g.y = cut + i * p->n;
        g.a += i * p->a_row;
        t->gemm(&g);
    }
    CHECK(memcmp(cut, p->y, p->m * p->n * sizeof *cut) == 0);
    free(cut);
}

TEST(test_cuts_of_rows_change_no_bit)
{
    const kern_table t = int16_table(KERN_ISA_ALL);
    for (size_t i = 0; i < N_SHAPES; i++) {
        product p = random_product();
        product_run(&p, &t);
        check_cuts(&t, &p);
        product_free(&p);
    }
}

/* Pieces [first, first + pieces) of the rows of g, with zeros for the others: [m, b_pieces k]. */
static kern_real *gathered(const kern_gemm_args *g)
{
    const size_t depth = g->b_pieces * g->k;
    kern_real *rows = calloc(g->m * depth + 1, sizeof *rows);
    for (size_t i = 0; i < g->m; i++)
        for (size_t q = 0; q < g->pieces; q++)
            memcpy(rows + i * depth + (g->first + q) * g->k,
                   g->a + i * g->a_row + (ptrdiff_t)q * g->a_piece, g->k * sizeof *rows);
    return rows;
}

/* Rows in pieces, of which the first and last may be missing, are rows with zeros there. */
static void check_pieces(const kern_table *t)
{
    const size_t pieces = 1 + below(4), k = 25 + below(300), m = 1 + below(20), n = 70 + below(40);
    const size_t a_piece = below(2 * k), before = below(3), behind = below(3);
    const size_t depth = (before + pieces + behind) * k;
    kern_gemm_args g = { .m = m,
                         .n = n,
                         .k = k,
                         .y_row = n,
                         .a_row = 1 + below(k),
                         .pieces = pieces,
                         .b_pieces = before + pieces + behind,
                         .first = before,
                         .a_piece = (ptrdiff_t)a_piece,
                         .accumulate = below(2) };
    kern_real *a = uneven(m * g.a_row + pieces * a_piece + k), *b = uneven(depth * n);
    kern_real *packed = sentinels(t->packed_size(depth, n)), *y = sentinels(m * n);
    kern_real *want = sentinels(m * n);
    t->pack(packed, b, depth, n, n, 1);
    g.a = a;
    g.packed = packed;
    g.y = y;
    t->gemm(&g);
    kern_real *rows = gathered(&g);
    g = (kern_gemm_args){
        want, rows, packed, NULL, m, n, depth, n, depth, g.accumulate, 0, 0, 0, 0
    };
    t->gemm(&g);
    CHECK(memcmp(y, want, m * n * sizeof *y) == 0);
    for (size_t i = 0; i < 6; i++)
        free((kern_real *[]){ a, b, packed, y, want, rows }[i]);
}

TEST(test_pieces)
{
    const kern_table t = int16_table(KERN_ISA_ALL), c = int16_table(KERN_ISA_NONE);
    for (size_t i = 0; i < N_SHAPES; i++) {
        check_pieces(&t);
        check_pieces(&c);
    }
}

static void check_parts(const kern_table *t, const product *p)
{
    const size_t size = t->packed_size(p->k, p->n), most = KERN_PACK_COLUMNS;
    kern_real *whole = sentinels(size), *parts = sentinels(size);
    t->pack(whole, p->b, p->k, p->n, p->n, 1);
    for (size_t j = 0; j < p->n; j += most) {
        const kern_part part = { p->k, p->n, j, p->n - j < most ? p->n - j : most };
        t->pack_part(parts, p->b + j, &part, p->n, 1);
    }
    CHECK(memcmp(whole, parts, size * sizeof *whole) == 0);
    free(whole);
    free(parts);
}

static void check_packed_in_parts(const kern_table *float_table)
{
    kern_table t = *float_table;
    CHECK(kern_table_use_int16(&t));
    for (size_t i = 0; i < N_SHAPES; i++) {
        product p = random_product();
        check_parts(float_table, &p);
        check_parts(&t, &p);
        product_free(&p);
    }
}

TEST(test_packed_in_parts)
{
    each_variant(check_packed_in_parts);
}

TEST(test_transposed_weights_are_the_same)
{
    const kern_table t = int16_table(KERN_ISA_ALL);
    product p = product_of(4, 61, 333);
    const size_t size = t.packed_size(p.k, p.n);
    kern_real *b = randoms(p.k * p.n), *packed = sentinels(size), *turned = sentinels(size);
    for (size_t i = 0; i < p.k; i++)
        for (size_t j = 0; j < p.n; j++)
            b[j * p.k + i] = p.b[i * p.n + j];
    t.pack(packed, p.b, p.k, p.n, p.n, 1);
    t.pack(turned, b, p.k, p.n, 1, p.k);
    CHECK(memcmp(packed, turned, size * sizeof *packed) == 0);
    CHECK(size * 10 < 6 * p.k * p.n + 10000); /* about half of the floats */
    free(b);
    free(packed);
    free(turned);
    product_free(&p);
}

/* Rows of a beside each other, one of them with `bad` in it. */
static void check_bad(const kern_table *t, kern_real bad)
{
    product p = product_of(9, 50, 300);
    free(p.a);
    p.a_row = p.k;
    p.a = uneven(p.m * p.k);
    p.a[4 * p.k + 270] = bad;
    memset(p.a + 6 * p.k, 0, p.k * sizeof *p.a);
    product_run(&p, t);
    for (size_t i = 0; i < p.m; i++)
        for (size_t j = 0; j < p.n; j++) {
            CHECK(isfinite(p.y[i * p.n + j]) == (i != 4));
            CHECK(i != 6 || p.y[i * p.n + j] == (p.bias ? p.bias[j] : 0));
        }
    product_free(&p);
    p = product_of(2, 50, 300);
    p.b[111 * p.n + 13] = bad;
    product_run(&p, t);
    for (size_t j = 0; j < p.n; j++)
        CHECK(isfinite(p.y[j]) == (j != 13));
    product_free(&p);
}

TEST(test_what_is_no_number_stays_so)
{
    const kern_table t = int16_table(KERN_ISA_ALL);
    check_bad(&t, (kern_real)NAN);
    check_bad(&t, (kern_real)INFINITY);
    check_bad(&t, -(kern_real)INFINITY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_errors_are_those_of_rounding),
        cmocka_unit_test(test_no_sum_overflows),
        cmocka_unit_test(test_variants_agree_in_every_bit),
        cmocka_unit_test(test_cuts_of_rows_change_no_bit),
        cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_packed_in_parts),
        cmocka_unit_test(test_transposed_weights_are_the_same),
        cmocka_unit_test(test_what_is_no_number_stays_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
