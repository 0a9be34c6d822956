/* phase.c - the phase of an oscillator from its frequency: a running sum in double, of which the
 * whole turns are dropped, so that float keeps its digits for any length:
 *
 *     y[..., t] = s - round(s),  s = sum over i <= t of x[..., i] / rate      in turns
 *
 * The rate is divided by here, in double: rounded to float, a frequency would drift.
 *
 * Where the sum is not dropped, the slope is that of a running sum. */
#include "base/status.h"
#include "core/op.h"
#include "core/ops.h"

#include <math.h>

typedef struct {
    double rate;
} phase_attr;

rv_node *rv_phase(rv_node *frequency)
{
    return rv_phase_of(frequency, 1);
}

rv_node *rv_phase_of(rv_node *hz, double rate)
{
    return RV_APPLY(&rv_op_phase, &(phase_attr){ rate }, hz);
}

static rv_status phase_shape(const rv_node *n, rv_shape *out, rv_error *err)
{
    *out = n->in[0]->shape;
    return out->rank ? RV_OK : RV_FAIL(err, RV_ERR_SHAPE, "phase: rank 0");
}

static void phase_rows(const void *ctx, size_t from, size_t to, int worker)
{
    const rv_call *c = ctx;
    const size_t n = rv_extent(c->node, -1);
    const double rate = ((const phase_attr *)c->node->attr)->rate;
    (void)worker;
    for (size_t row = from; row < to; row++) {
        double turns = 0;
        for (size_t t = row * n; t < (row + 1) * n; t++) {
            turns += (double)c->in[0][t] / rate;
            turns -= rint(turns);
            c->out[t] = (real)turns;
        }
    }
}

static void phase_run(const rv_call *c)
{
    const size_t n = rv_extent(c->node, -1);
    if (n)
        rv_parallel(c->pool, rv_shape_count(&c->node->shape) / n, 1, phase_rows, c);
}

static void phase_grad(rv_node *n, rv_node *dy, rv_node *dx[])
{
    const phase_attr *a = n->attr;
    rv_node *sum = rv_cumsum_from_end(dy);
    dx[0] = a->rate == 1 ? sum : rv_scale(sum, 1 / a->rate, 0);
}

const rv_op rv_op_phase = {
    .name = "phase",
    .n_in = 1,
    .attr_size = sizeof(phase_attr),
    .shape = phase_shape,
    .run = phase_run,
    .grad = phase_grad,
    .in_place = true,
};

#ifdef RV_SELFTEST
const rv_op_case rv_cases_phase[] = {
    { .label = "phase",
      .op = &rv_op_phase,
      .in = { { 2, { 3, 7 } } },
      .attr = &(const phase_attr){ 1 },
      .out = { 2, { 3, 7 } } },
    { .label = "phase at a rate",
      .op = &rv_op_phase,
      .in = { { 2, { 2, 6 } } },
      .attr = &(const phase_attr){ 1.7 },
      .out = { 2, { 2, 6 } } },
    { 0 },
};
#endif
