/* ddsp_case.h - a case of tests/golden/ddsp*.safetensors: its tensors as inputs of a graph, and its
 * `out`. */
#ifndef TESTS_DDSP_CASE_H
#define TESTS_DDSP_CASE_H

#include "check.h"
#include "core/ops.h"
#include "io/checkpoint.h"

#include <stdlib.h>

enum { DDSP_MOST_INPUTS = 6 };

typedef struct {
    rv_checkpoint *golden;
    const char *name;
    rv_graph *graph;
    rv_node *in[DDSP_MOST_INPUTS];
    const rv_tensor *from[DDSP_MOST_INPUTS];
    size_t count;
} ddsp_case;

static const rv_tensor *ddsp_tensor(const ddsp_case *c, const char *name)
{
    char full[100];
    snprintf(full, sizeof full, "%s.%s", c->name, name);
    const rv_tensor *t = rv_checkpoint_find(c->golden, full);
    CHECK_MSG(t != NULL, "no tensor %s", full);
    return t;
}

static ddsp_case ddsp_open(const char *file, const char *name)
{
    ddsp_case c = { .name = name };
    char path[512];
    rv_error err = { 0 };
    const char *root = getenv("RV_TEST_SOURCE");
    snprintf(path, sizeof path, "%s/tests/golden/%s.safetensors", root ? root : ".", file);
    CHECK_OK(rv_checkpoint_open(&c.golden, path, &err), err);
    CHECK_OK(rv_graph_new(&c.graph, NULL, &err), err);
    return c;
}

/* The tensor of that name as an input. */
static rv_node *ddsp_input(ddsp_case *c, const char *name)
{
    const rv_tensor *t = ddsp_tensor(c, name);
    rv_shape shape = { .rank = t->rank };
    for (int i = 0; i < t->rank; i++)
        shape.d[i] = t->shape[i];
    CHECK(c->count < DDSP_MOST_INPUTS);
    c->from[c->count] = t;
    return c->in[c->count++] = rv_input(c->graph, shape);
}

static void ddsp_fill(const ddsp_case *c, const rv_plan *plan)
{
    rv_error err = { 0 };
    for (size_t i = 0; i < c->count; i++)
        if (rv_value(plan, c->in[i]))
            CHECK_OK(rv_checkpoint_read(c->golden, c->from[i], rv_value(plan, c->in[i]), &err),
                     err);
}

static void ddsp_close(ddsp_case *c)
{
    rv_graph_free(c->graph);
    rv_checkpoint_free(c->golden);
}

/* After a run: y is the tensor of that name, to 1e-5 of its peak. */
static void ddsp_compare(const ddsp_case *c, const rv_plan *plan, const char *name, rv_node *y)
{
    const rv_tensor *t = ddsp_tensor(c, name);
    rv_error err = { 0 };
    const size_t n = rv_shape_count(&y->shape);
    bool same = t->rank == y->shape.rank;
    for (int i = 0; same && i < t->rank; i++)
        same = t->shape[i] == y->shape.d[i];
    CHECK_MSG(same, "%s.%s: another shape", c->name, name);
    real *want = malloc(n * sizeof *want), peak = 0;
    CHECK_OK(rv_checkpoint_read(c->golden, t, want, &err), err);
    double off = 0;
    for (size_t i = 0; i < n; i++) {
        const double d = fabs((double)rv_value(plan, y)[i] - (double)want[i]);
        peak = fmaxf(peak, fabsf(want[i]));
        off = d > off || isnan(d) ? d : off;
    }
    print_message("# %s.%s: off by %.1e of %.3g\n", c->name, name, off / (double)peak,
                  (double)peak);
    CHECK_MSG(off <= 1e-5 * (double)peak, "%s.%s: off by %g of %g", c->name, name, off,
              (double)peak);
    free(want);
}

/* [B,N] -> [B,N / every]: the first sample of so many, as a long case keeps them. */
static inline rv_node *ddsp_each(rv_node *y, size_t every)
{
    const size_t batch = rv_extent(y, 0), kept = rv_extent(y, 1) / every;
    y = rv_slice(rv_reshape(y, RV_SHAPE(batch, kept, every)), 2, 0, 1);
    return rv_reshape(y, RV_SHAPE(batch, kept));
}

/* y is what the reference made of the same inputs. Closes the case. */
static inline void ddsp_check(ddsp_case *c, rv_node *y)
{
    rv_error err = { 0 };
    rv_plan *plan = NULL;
    rv_output(y);
    CHECK_OK(rv_graph_status(c->graph, &err), err);
    CHECK_OK(rv_plan_new(&plan, c->graph, NULL, &err), err);
    ddsp_fill(c, plan);
    rv_plan_run(plan);
    ddsp_compare(c, plan, "out", y);
    rv_plan_free(plan);
    ddsp_close(c);
}

#endif
