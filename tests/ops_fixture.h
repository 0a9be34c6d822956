/* ops_fixture.h - an operation on random values, in the engine that ships, to be compared with its
 * definition as plain loops in double; equal bits for 1 and 3 threads. */
#ifndef TESTS_OPS_FIXTURE_H
#define TESTS_OPS_FIXTURE_H

#include "base/rng.h"
#include "check.h"
#include "core/ops.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    rv_graph *graph;
    rv_node *leaf[RV_MAX_IN];
    float *data[RV_MAX_IN]; /* uniform in (-1, 1) */
    int n;
} fixture;

static void set_up(fixture *f)
{
    rv_error err = { 0 };
    *f = (fixture){ 0 };
    CHECK_OK(rv_graph_new(&f->graph, NULL, &err), err);
}

static rv_node *leaf(fixture *f, rv_shape shape)
{
    const size_t n = rv_shape_count(&shape);
    float *x = malloc(n * sizeof *x);
    for (size_t i = 0; i < n; i++)
        x[i] = (float)(2 * rv_rng_uniform(3, (uint64_t)f->n, i) - 1);
    f->data[f->n] = x;
    return f->leaf[f->n++] = rv_param(f->graph, shape);
}

static float *run_with(fixture *f, rv_node *y, int threads)
{
    rv_error err = { 0 };
    rv_pool *pool = NULL;
    rv_plan *plan = NULL;
    const size_t bytes = rv_shape_count(&y->shape) * sizeof(float);
    float *values = malloc(bytes);
    CHECK_OK(rv_pool_new(&pool, threads, NULL, &err), err);
    const rv_plan_options opt = { .isa_mask = KERN_ISA_ALL, .pool = pool, .frozen = true };
    CHECK_OK(rv_plan_new(&plan, f->graph, &opt, &err), err);
    for (int i = 0; i < f->n; i++)
        rv_plan_bind(plan, f->leaf[i], f->data[i]);
    rv_plan_prepare(plan);
    rv_plan_run(plan);
    memcpy(values, rv_value(plan, y), bytes);
    rv_plan_free(plan);
    rv_pool_free(pool);
    return values;
}

/* Compare y with n values, then tear the fixture down. Frees `want`. */
static void finish(fixture *f, rv_node *y, double *want, size_t n, double tolerance)
{
    rv_error err = { 0 };
    rv_output(y);
    CHECK_OK(rv_graph_status(f->graph, &err), err);
    CHECK(rv_shape_count(&y->shape) == n);
    float *one = run_with(f, y, 1), *three = run_with(f, y, 3);
    CHECK(!memcmp(one, three, n * sizeof *one));
    for (size_t i = 0; i < n; i++)
        CHECK_CLOSE(one[i], want[i], tolerance);
    for (int i = 0; i < f->n; i++)
        free(f->data[i]);
    free(one);
    free(three);
    free(want);
    rv_graph_free(f->graph);
}

#endif
