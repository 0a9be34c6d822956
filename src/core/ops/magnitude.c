/* magnitude.c - the absolute value of complex numbers, with a floor:
 *
 *     y = sqrt(max(re^2 + im^2, floor))        z [..., 2] -> [...]
 *
 * dz = dy z / y where the square is above the floor, else 0. So silence has the gradient 0,
 * not 0/0 as the composition of square, sum and root. */
#include "base/status.h"
#include "core/op.h"
#include "core/ops.h"

#include <math.h>

enum { BLOCK = RV_BLOCK(1 << 14) }; /* elements of a task */

typedef struct {
    double floor;
} magnitude_attr;

rv_node *rv_magnitude(rv_node *z, double floor)
{
    return RV_APPLY(&rv_op_magnitude, &(magnitude_attr){ floor }, z);
}

static rv_status magnitude_shape(const rv_node *n, rv_shape *out, rv_error *err)
{
    *out = n->in[0]->shape;
    if (out->rank < 2 || out->d[out->rank - 1] != 2)
        return RV_FAIL(err, RV_ERR_SHAPE, "magnitude: the last of %d axes is not 2", out->rank);
    out->rank--;
    return RV_OK;
}

static double square(const real *z)
{
    return (double)z[0] * (double)z[0] + (double)z[1] * (double)z[1];
}

static void magnitude_range(const void *ctx, size_t from, size_t to, int worker)
{
    const rv_call *c = ctx;
    const double floor = ((const magnitude_attr *)c->node->attr)->floor;
    (void)worker;
    for (size_t i = from; i < to; i++) {
        const double s = square(c->in[0] + 2 * i);
        c->out[i] = (real)sqrt(s < floor ? floor : s);
    }
}

static void magnitude_run(const rv_call *c)
{
    rv_parallel(c->pool, rv_shape_count(&c->node->shape), BLOCK, magnitude_range, c);
}

/* (dy [...], z [..., 2]) -> dz [..., 2]. Not differentiated again. */
static rv_status magnitude_back_shape(const rv_node *n, rv_shape *out, rv_error *err)
{
    (void)err;
    *out = n->in[1]->shape;
    return RV_OK;
}

static void magnitude_back_range(const void *ctx, size_t from, size_t to, int worker)
{
    const rv_call *c = ctx;
    const double floor = ((const magnitude_attr *)c->node->attr)->floor;
    (void)worker;
    for (size_t i = from; i < to; i++) {
        const real *z = c->in[1] + 2 * i;
        const double s = square(z);
        const double slope = s > 0 && s >= floor ? (double)c->in[0][i] / sqrt(s) : 0;
        c->out[2 * i] = (real)(slope * (double)z[0]);
        c->out[2 * i + 1] = (real)(slope * (double)z[1]);
    }
}

static void magnitude_back_run(const rv_call *c)
{
    rv_parallel(c->pool, rv_shape_count(&c->node->shape) / 2, BLOCK, magnitude_back_range, c);
}

static const rv_op magnitude_back = {
    .name = "magnitude_back",
    .n_in = 2,
    .attr_size = sizeof(magnitude_attr),
    .shape = magnitude_back_shape,
    .run = magnitude_back_run,
};

static void magnitude_grad(rv_node *n, rv_node *dy, rv_node *dx[])
{
    dx[0] = RV_APPLY(&magnitude_back, n->attr, dy, n->in[0]);
}

const rv_op rv_op_magnitude = {
    .name = "magnitude",
    .n_in = 1,
    .attr_size = sizeof(magnitude_attr),
    .shape = magnitude_shape,
    .run = magnitude_run,
    .grad = magnitude_grad,
};

#ifdef RV_SELFTEST
const rv_op_case rv_cases_magnitude[] = {
    { .label = "magnitude",
      .op = &rv_op_magnitude,
      .in = { { 3, { 2, 7, 2 } } },
      .attr = &(const magnitude_attr){ 0 },
      .out = { 2, { 2, 7 } } },
    { .label = "magnitude with a floor",
      .op = &rv_op_magnitude,
      .in = { { 2, { 9, 2 } } },
      .attr = &(const magnitude_attr){ 0.3 },
      .out = { 1, { 9 } } },
    { 0 },
};
#endif
