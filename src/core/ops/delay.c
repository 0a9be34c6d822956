/* delay.c - a delay line whose length changes, read by linear interpolation:
 *
 *     y[b,t] = (1 - w) x[b, t - d] + w x[b, t - d - 1],  d + w = length position[b,t]
 *
 * with the position from 0 to 1 (what lies outside is taken as the end that is nearer, with slope
 * 0) and x zero before its start: the modulated delay of ddsp (variable_length_delay). There, the
 * last sample of the line leads back to the first one, so it differs for positions above
 * 1 - 1 / length. */
#include "base/status.h"
#include "core/op.h"
#include "core/ops.h"

#include <string.h>

typedef struct {
    size_t length;
} delay_attr;

rv_node *rv_delay(rv_node *x, rv_node *position, size_t length)
{
    return RV_APPLY(&rv_op_delay, &(delay_attr){ length }, x, position);
}

static rv_status delay_shape(const rv_node *n, rv_shape *out, rv_error *err)
{
    *out = n->in[0]->shape;
    if (out->rank != 2 || !rv_shape_equal(out, &n->in[1]->shape) || out->d[1] == 0)
        return RV_FAIL(err, RV_ERR_SHAPE, "%s: expected two of [B,N]", n->op->name);
    return RV_OK;
}

/* Where sample t of a row reads. */
typedef struct {
    ptrdiff_t first; /* and the one before it */
    double share;    /* of the one before */
    bool inside;     /* the position is not beyond an end */
} reading;

static reading reading_of(const rv_call *c, size_t t, real position)
{
    const double length = (double)((const delay_attr *)c->node->attr)->length;
    const bool low = !(position > 0), high = position > 1;
    const double delay = low ? 0 : high ? length : length * (double)position;
    const ptrdiff_t whole = (ptrdiff_t)delay;
    return (reading){ (ptrdiff_t)t - whole, delay - (double)whole, !low && !high };
}

static double sample_at(const real *x, ptrdiff_t t)
{
    return t < 0 ? 0 : (double)x[t];
}

static void delay_range(const void *ctx, size_t from, size_t to, int worker)
{
    const rv_call *c = ctx;
    const size_t samples = rv_extent(c->node, 1);
    const bool slope = c->node->op == &rv_op_delay_slope;
    (void)worker;
    for (size_t i = from; i < to; i++) {
        const reading r = reading_of(c, i % samples, c->in[1][i]);
        const real *x = c->in[0] + i / samples * samples;
        const double first = sample_at(x, r.first), change = sample_at(x, r.first - 1) - first;
        const double length = (double)((const delay_attr *)c->node->attr)->length;
        c->out[i] = (real)(!slope ? first + r.share * change : r.inside ? length * change : 0);
    }
}

static void delay_run(const rv_call *c)
{
    rv_parallel(c->pool, rv_shape_count(&c->node->shape), RV_BLOCK(1 << 13), delay_range, c);
}

static void delay_grad(rv_node *n, rv_node *dy, rv_node *dx[])
{
    dx[0] = RV_APPLY(&rv_op_delay_adjoint, n->attr, dy, n->in[1]);
    dx[1] = rv_mul(dy, RV_APPLY(&rv_op_delay_slope, n->attr, n->in[0], n->in[1]));
}

const rv_op rv_op_delay = {
    .name = "delay",
    .n_in = 2,
    .attr_size = sizeof(delay_attr),
    .shape = delay_shape,
    .run = delay_run,
    .grad = delay_grad,
};

/* dy/dposition = length (x[t - d - 1] - x[t - d]) */
const rv_op rv_op_delay_slope = {
    .name = "delay_slope",
    .n_in = 2,
    .attr_size = sizeof(delay_attr),
    .shape = delay_shape,
    .run = delay_run,
};

/* The adjoint: dy goes back to the samples that y read. */
static void adjoint_rows(const void *ctx, size_t from, size_t to, int worker)
{
    const rv_call *c = ctx;
    const size_t samples = rv_extent(c->node, 1);
    (void)worker;
    for (size_t row = from; row < to; row++) {
        const real *dy = c->in[0] + row * samples, *position = c->in[1] + row * samples;
        real *dx = c->out + row * samples;
        memset(dx, 0, samples * sizeof *dx);
        for (size_t t = 0; t < samples; t++) {
            const reading r = reading_of(c, t, position[t]);
            if (r.first >= 0)
                dx[r.first] += dy[t] * (real)(1 - r.share);
            if (r.first >= 1)
                dx[r.first - 1] += dy[t] * (real)r.share;
        }
    }
}

static void adjoint_run(const rv_call *c)
{
    rv_parallel(c->pool, rv_extent(c->node, 0), 1, adjoint_rows, c);
}

static void adjoint_grad(rv_node *n, rv_node *dy, rv_node *dx[])
{
    dx[0] = RV_APPLY(&rv_op_delay, n->attr, dy, n->in[1]);
}

const rv_op rv_op_delay_adjoint = {
    .name = "delay_adjoint",
    .n_in = 2,
    .attr_size = sizeof(delay_attr),
    .shape = delay_shape,
    .run = adjoint_run,
    .grad = adjoint_grad,
};

#ifdef RV_SELFTEST
#    define CASE(operation, ...)                                                            \
        {                                                                                   \
            .label = #operation, .op = &rv_op_##operation,                                  \
            .in = { { 2, { 3, 17 } }, { 2, { 3, 17 } } }, .attr = &(const delay_attr){ 6 }, \
            .out = { 2, { 3, 17 } }, __VA_ARGS__                                            \
        }
const rv_op_case rv_cases_delay[] = {
    CASE(delay, .positive = true),
    CASE(delay, .positive = false),
    CASE(delay_slope, .not_derived = 3),
    CASE(delay_adjoint, .not_derived = 2),
    { 0 },
};
#endif
