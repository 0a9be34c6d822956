/* test_conv.c - convolutions of many geometries against plain loops, in the engine that
 * ships (large blocks, float), for 1 to 3 threads. */
#include "base/rng.h"
#include "check.h"
#include "core/ops.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    size_t B, T, F, I, O, KT, KF; /* F = 0: x is [B,T,I] */
    rv_conv_axis time, frequency;
} conv_case;

typedef struct {
    rv_graph *graph;
    rv_node *x, *w, *bias, *y;
    float *wv, *bv;
} fixture;

static float *random_values(float *v, size_t n, uint64_t stream)
{
    for (size_t i = 0; i < n; i++)
        v[i] = (float)(2 * rv_rng_uniform(7, stream, i) - 1);
    return v;
}

static void leaves(fixture *f, rv_shape x, rv_shape w, size_t outputs)
{
    rv_error err = { 0 };
    CHECK_OK(rv_graph_new(&f->graph, NULL, &err), err);
    f->x = rv_input(f->graph, x);
    f->w = rv_param(f->graph, w);
    f->bias = rv_param(f->graph, RV_SHAPE(outputs));
    f->wv = random_values(malloc(rv_shape_count(&w) * sizeof(float)), rv_shape_count(&w), 1);
    f->bv = random_values(malloc(outputs * sizeof(float)), outputs, 2);
}

static void tear_down(fixture *f)
{
    rv_graph_free(f->graph);
    free(f->wv);
    free(f->bv);
}

/* Run y for some numbers of threads and compare each element with want(). */
typedef double want_fn(const void *c, const fixture *f, const float *x, size_t i);

static void compare(fixture *f, const void *c, want_fn *want)
{
    const size_t n = rv_shape_count(&f->y->shape);
    float *first = malloc(n * sizeof *first);
    for (int threads = 1; threads <= 3; threads++) {
        rv_error err = { 0 };
        rv_pool *pool = NULL;
        rv_plan *plan = NULL;
        CHECK_OK(rv_pool_new(&pool, threads, NULL, &err), err);
        const rv_plan_options opt = { .isa_mask = KERN_ISA_ALL, .pool = pool, .frozen = true };
        CHECK_OK(rv_plan_new(&plan, f->graph, &opt, &err), err);
        rv_plan_bind(plan, f->w, f->wv);
        rv_plan_bind(plan, f->bias, f->bv);
        rv_plan_prepare(plan);
        random_values(rv_value(plan, f->x), rv_shape_count(&f->x->shape), 3);
        rv_plan_run(plan);
        const float *y = rv_value(plan, f->y);
        if (threads == 1) {
            for (size_t i = 0; i < n; i++)
                CHECK_CLOSE(y[i], want(c, f, rv_value(plan, f->x), i), 1e-5);
            memcpy(first, y, n * sizeof *first);
        }
        CHECK_MSG(!memcmp(y, first, n * sizeof *first), "%d threads differ", threads);
        rv_plan_free(plan);
        rv_pool_free(pool);
    }
    free(first);
}

static bool input_index(size_t out, size_t tap, const rv_conv_axis *a, size_t n, size_t *in)
{
    *in = out * a->stride + tap * a->dilation - a->before;
    return *in < n;
}

static double conv_at(const void *ctx, const fixture *f, const float *x, size_t i)
{
    const conv_case *c = ctx;
    const size_t F = c->F ? c->F : 1, KF = c->KF ? c->KF : 1, O = c->O;
    const size_t FO = c->F ? f->y->shape.d[2] : 1, TO = f->y->shape.d[1];
    const size_t o = i % O, k = i / O % FO, j = i / O / FO % TO, b = i / O / FO / TO;
    double sum = (double)f->bv[o];
    for (size_t p = 0; p < c->KT; p++)
        for (size_t q = 0; q < KF; q++) {
            size_t t, g;
            if (!input_index(j, p, &c->time, c->T, &t) || !input_index(k, q, &c->frequency, F, &g))
                continue;
            for (size_t ch = 0; ch < c->I; ch++)
                sum += (double)x[((b * c->T + t) * F + g) * c->I + ch] *
                       (double)f->wv[((o * c->I + ch) * KF + q) * c->KT + p];
        }
    return sum;
}

TEST(test_conv)
{
    static const conv_case cases[] = {
        { 1, 1003, 0, 2, 9, 8, 0, { 4, 1, 2, 2 }, { 1, 1, 0, 0 } }, /* a time encoder */
        { 2, 300, 0, 5, 7, 3, 0, { 1, 1, 1, 1 }, { 1, 1, 0, 0 } },  /* a rewrite */
        { 1, 400, 0, 6, 3, 3, 0, { 1, 2, 2, 2 }, { 1, 1, 0, 0 } },  /* DConv */
        { 1, 150, 0, 6, 3, 1, 0, { 1, 1, 0, 0 }, { 1, 1, 0, 0 } },  /* linear */
        { 1, 150, 0, 6, 3, 1, 0, { 1, 1, 2, 1 }, { 1, 1, 0, 0 } },  /* padded, one tap */
        { 2, 37, 19, 6, 3, 3, 0, { 1, 2, 2, 2 }, { 1, 1, 0, 0 } },  /* DConv by frequency */
        { 1, 50, 90, 4, 6, 3, 0, { 1, 1, 1, 1 }, { 1, 1, 0, 0 } },  /* ... */
        { 1, 9, 512, 4, 8, 1, 8, { 1, 1, 0, 0 }, { 4, 1, 2, 2 } },  /* a spectral encoder */
        { 1, 33, 8, 12, 10, 3, 3, { 1, 1, 1, 1 }, { 1, 1, 1, 1 } }, /* its decoder's rewrite */
        { 2, 5, 130, 3, 4, 3, 3, { 1, 1, 1, 1 }, { 1, 1, 1, 1 } },  /* ... on long lines */
        { 1, 21, 70, 3, 4, 3, 2, { 2, 2, 3, 0 }, { 3, 2, 1, 4 } },  /* everything at once */
        { 1, 7, 8, 5, 6, 1, 8, { 1, 1, 0, 0 }, { 4, 1, 0, 0 } },    /* the last layer */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const conv_case *c = &cases[i];
        fixture f;
        leaves(&f, c->F ? RV_SHAPE(c->B, c->T, c->F, c->I) : RV_SHAPE(c->B, c->T, c->I),
               c->KF ? RV_SHAPE(c->O, c->I, c->KF, c->KT) : RV_SHAPE(c->O, c->I, c->KT), c->O);
        f.y = rv_output(c->KF ? rv_conv2d(f.x, f.w, f.bias, c->time, c->frequency)
                              : rv_conv_time(f.x, f.w, f.bias, c->time));
        compare(&f, c, conv_at);
        tear_down(&f);
    }
}

typedef struct {
    size_t B, T, F, I, O, K, stride, before, length; /* F = 0: along time */
} transpose_case;

static double transpose_at(const void *ctx, const fixture *f, const float *x, size_t i)
{
    const transpose_case *c = ctx;
    const size_t n = c->F ? c->F : c->T, o = i % c->O, at = i / c->O % c->length + c->before;
    const size_t line = i / c->O / c->length;
    double sum = (double)f->bv[o];
    for (size_t j = 0; j < n; j++) {
        const size_t k = at - j * c->stride;
        for (size_t ch = 0; ch < c->I && k < c->K; ch++)
            sum +=
                (double)x[(line * n + j) * c->I + ch] * (double)f->wv[(ch * c->O + o) * c->K + k];
    }
    return sum;
}

TEST(test_conv_transpose)
{
    static const transpose_case cases[] = {
        { 1, 400, 0, 5, 3, 8, 4, 2, 1600 }, { 2, 70, 0, 5, 3, 8, 4, 0, 284 },
        { 1, 90, 0, 4, 2, 5, 2, 3, 170 },   { 1, 6, 8, 5, 3, 8, 4, 2, 32 },
        { 2, 3, 128, 4, 8, 8, 4, 2, 512 },  { 1, 5, 1, 6, 4, 8, 4, 0, 8 },
        { 1, 300, 0, 2, 2, 3, 4, 1, 1197 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const transpose_case *c = &cases[i];
        fixture f;
        leaves(&f, c->F ? RV_SHAPE(c->B, c->T, c->F, c->I) : RV_SHAPE(c->B, c->T, c->I),
               c->F ? RV_SHAPE(c->I, c->O, c->K, 1) : RV_SHAPE(c->I, c->O, c->K), c->O);
        f.y = rv_output(
            c->F ? rv_conv_transpose_frequency(f.x, f.w, f.bias, c->stride, c->before, c->length)
                 : rv_conv_transpose_time(f.x, f.w, f.bias, c->stride, c->before, c->length));
        compare(&f, c, transpose_at);
        tear_down(&f);
    }
}

TEST(test_shapes_that_do_not_fit_are_errors)
{
    rv_error err = { 0 };
    rv_graph *g;
    CHECK_OK(rv_graph_new(&g, NULL, &err), err);
    rv_node *x = rv_input(g, RV_SHAPE(1, 4, 3)), *w = rv_param(g, RV_SHAPE(2, 3, 8));
    rv_node *y = rv_conv_time(x, w, NULL, (rv_conv_axis){ 1, 1, 0, 0 });
    CHECK(rv_extent(y, 0) == 0); /* the poison node */
    CHECK(rv_graph_status(g, &err) == RV_ERR_SHAPE);
    rv_relu(rv_add(y, x)); /* building goes on, the first error stays */
    CHECK(strstr(err.text, "conv: 8 taps over 4 steps"));
    rv_graph_free(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_conv),
        cmocka_unit_test(test_conv_transpose),
        cmocka_unit_test(test_shapes_that_do_not_fit_are_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
