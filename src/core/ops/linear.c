/* linear.c - y = x W^T + bias on the last axis: x [...,I], W [O,I], bias [O] -> [...,O].
 *
 * W is packed for the product once, when it is frozen. */
#include "base/status.h"
#include "core/op.h"
#include "core/ops.h"

enum { ROWS = RV_BLOCK(192) }; /* of a task, two blocks of the matrix product's */

rv_node *rv_linear(rv_node *x, rv_node *weight, rv_node *bias)
{
    return RV_APPLY(&rv_op_linear, NULL, x, weight, bias);
}

static rv_status linear_shape(const rv_node *n, rv_shape *out, rv_error *err)
{
    const rv_shape *x = &n->in[0]->shape, *w = &n->in[1]->shape;
    const size_t in = rv_extent(n->in[0], -1);
    if (x->rank < 1 || w->rank != 2 || w->d[1] != in)
        return RV_FAIL(err, RV_ERR_SHAPE, "linear: %zu channels by [%zu,%zu]", in, w->d[0],
                       w->d[1]);
    if (n->in[2] && rv_shape_count(&n->in[2]->shape) != w->d[0])
        return RV_FAIL(err, RV_ERR_SHAPE, "linear: bias of %zu for %zu outputs",
                       rv_shape_count(&n->in[2]->shape), w->d[0]);
    *out = *x;
    out->d[x->rank - 1] = w->d[0];
    return RV_OK;
}

static size_t linear_prepared(const rv_node *n, const kern_table *kern)
{
    const rv_shape *w = &n->in[1]->shape;
    return kern->packed_size(w->d[1], w->d[0]);
}

static void linear_prepare(const rv_call *c)
{
    const rv_shape *w = &c->node->in[1]->shape;
    c->kern->pack(c->prepared, c->in[1], w->d[1], w->d[0], 1, w->d[1]);
}

static void linear_rows(const void *ctx, size_t from, size_t to, int worker)
{
    const rv_call *c = ctx;
    const size_t k = c->node->in[1]->shape.d[1], n = c->node->in[1]->shape.d[0];
    (void)worker;
    c->kern->gemm(&(kern_gemm_args){ .y = c->out + from * n,
                                     .y_row = n,
                                     .a = c->in[0] + from * k,
                                     .a_row = k,
                                     .packed = c->prepared,
                                     .bias = c->in[2],
                                     .m = to - from,
                                     .n = n,
                                     .k = k });
}

static void linear_run(const rv_call *c)
{
    const size_t n = c->node->in[1]->shape.d[0];
    rv_parallel(c->pool, rv_shape_count(&c->node->shape) / (n ? n : 1), ROWS, linear_rows, c);
}

/* All axes but the last in one: [rows, channels]. */
static rv_node *as_rows(rv_node *x)
{
    const size_t n = rv_extent(x, -1);
    return rv_reshape(x, RV_SHAPE(rv_shape_count(&x->shape) / (n ? n : 1), n));
}

static void linear_grad(rv_node *n, rv_node *dy, rv_node *dx[])
{
    rv_node *rows = as_rows(dy);
    dx[0] = rv_reshape(rv_matmul(rows, n->in[1]), n->in[0]->shape);
    dx[1] = rv_matmul_tn(rows, as_rows(n->in[0]));
    if (n->in[2])
        dx[2] = rv_sum_to(dy, n->in[2]->shape);
}

const rv_op rv_op_linear = {
    .name = "linear",
    .n_in = 3,
    .shape = linear_shape,
    .run = linear_run,
    .grad = linear_grad,
    .prepared_size = linear_prepared,
    .prepare = linear_prepare,
    .packed = 1u << 1,
    .rounds = true,
};

#ifdef RV_SELFTEST
const rv_op_case rv_cases_linear[] = {
    { .label = "linear",
      .op = &rv_op_linear,
      .in = { { 3, { 2, 3, 5 } }, { 2, { 4, 5 } }, { 1, { 4 } } },
      .out = { 3, { 2, 3, 4 } } },
    { .label = "linear without bias",
      .op = &rv_op_linear,
      .in = { { 2, { 3, 5 } }, { 2, { 7, 5 } } },
      .out = { 2, { 3, 7 } } },
    { 0 },
};
#endif
