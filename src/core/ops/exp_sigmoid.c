/* exp_sigmoid.c - from what a network says to amplitudes that are above zero:
 *
 *     y = max sigmoid(x)^log(exponent) + threshold
 *
 * For x < 0, y falls by the factor `exponent` with each step of 1 (Engel et al. 2020,
 * arXiv 2001.04643, appendix B.2; with 10, 2 and 1e-7 also ddsp_pytorch's scale_function). */
#include "core/op.h"
#include "core/ops.h"

#include <math.h>

enum { BLOCK = RV_BLOCK(1 << 13), CHUNK = 64 }; /* elements of a task; of a local array */

typedef struct {
    double power, max, threshold;
} exp_sigmoid_attr;

rv_node *rv_exp_sigmoid(rv_node *x, double exponent, double max, double threshold)
{
    return RV_APPLY(&rv_op_exp_sigmoid, (&(exp_sigmoid_attr){ log(exponent), max, threshold }), x);
}

static rv_status same_shape(const rv_node *n, rv_shape *out, rv_error *err)
{
    (void)err;
    *out = n->in[0]->shape;
    return RV_OK;
}

static void exp_sigmoid_range(const void *ctx, size_t from, size_t to, int worker)
{
    const rv_call *c = ctx;
    const exp_sigmoid_attr *a = c->node->attr;
    real *y = c->out + from;
    (void)worker;
    c->kern->sigmoid(y, c->in[0] + from, to - from);
    for (size_t i = 0; i < to - from; i++)
        y[i] = (real)(a->power * log((double)y[i]));
    c->kern->exp(y, y, to - from);
    for (size_t i = 0; i < to - from; i++)
        y[i] = (real)a->max * y[i] + (real)a->threshold;
}

static void exp_sigmoid_run(const rv_call *c)
{
    rv_parallel(c->pool, rv_shape_count(&c->node->shape), BLOCK, exp_sigmoid_range, c);
}

/* dx = dy power (y - threshold) (1 - sigmoid(x)), of (dy, x, y) */
static void back_range(const void *ctx, size_t from, size_t to, int worker)
{
    const rv_call *c = ctx;
    const exp_sigmoid_attr *a = c->node->attr;
    (void)worker;
    for (size_t at = from, n; at < to; at += n) {
        real share[CHUNK];
        n = to - at < CHUNK ? to - at : CHUNK;
        c->kern->sigmoid(share, c->in[1] + at, n);
        for (size_t i = 0; i < n; i++)
            c->out[at + i] = c->in[0][at + i] * (real)a->power *
                             (c->in[2][at + i] - (real)a->threshold) * (1 - share[i]);
    }
}

static void back_run(const rv_call *c)
{
    rv_parallel(c->pool, rv_shape_count(&c->node->shape), BLOCK, back_range, c);
}

static const rv_op exp_sigmoid_back = {
    .name = "exp_sigmoid_back",
    .n_in = 3,
    .attr_size = sizeof(exp_sigmoid_attr),
    .shape = same_shape,
    .run = back_run,
    .in_place = true,
};

static void exp_sigmoid_grad(rv_node *n, rv_node *dy, rv_node *dx[])
{
    dx[0] = RV_APPLY(&exp_sigmoid_back, n->attr, dy, n->in[0], n);
}

const rv_op rv_op_exp_sigmoid = {
    .name = "exp_sigmoid",
    .n_in = 1,
    .attr_size = sizeof(exp_sigmoid_attr),
    .shape = same_shape,
    .run = exp_sigmoid_run,
    .grad = exp_sigmoid_grad,
    .in_place = true,
};

#ifdef RV_SELFTEST
const rv_op_case rv_cases_exp_sigmoid[] = {
    { .label = "exp_sigmoid",
      .op = &rv_op_exp_sigmoid,
      .in = { { 2, { 3, 31 } } },
      .attr = &(const exp_sigmoid_attr){ 2.3, 2, 0.1 },
      .out = { 2, { 3, 31 } } },
    { 0 },
};
#endif
