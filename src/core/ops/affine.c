/* affine.c - y[...,c] = x[...,c] gain[c] + bias[c], such as a batch normalisation whose statistics
 * are known. */
#include "base/status.h"
#include "core/op.h"
#include "core/ops.h"

enum { BLOCK = RV_BLOCK(1 << 14) }; /* elements of a task, about */

rv_node *rv_affine(rv_node *x, rv_node *gain, rv_node *bias)
{
    return RV_APPLY(&rv_op_affine, NULL, x, gain, bias);
}

static rv_status affine_shape(const rv_node *n, rv_shape *out, rv_error *err)
{
    const size_t channels = rv_extent(n->in[0], -1);
    for (int i = 1; i <= 2; i++)
        if (n->in[i]->shape.rank != 1 || n->in[i]->shape.d[0] != channels)
            return RV_FAIL(err, RV_ERR_SHAPE, "affine: %s of %zu for %zu channels",
                           i == 1 ? "gain" : "bias", rv_shape_count(&n->in[i]->shape), channels);
    *out = n->in[0]->shape;
    return RV_OK;
}

static void affine_rows(const void *ctx, size_t from, size_t to, int worker)
{
    const rv_call *c = ctx;
    const size_t channels = rv_extent(c->node, -1), at = from * channels;
    (void)worker;
    c->kern->affine(c->out + at, c->in[0] + at, c->in[1], c->in[2], to - from, channels);
}

static void affine_run(const rv_call *c)
{
    const size_t channels = rv_extent(c->node, -1);
    const size_t rows = rv_shape_count(&c->node->shape) / (channels ? channels : 1);
    rv_parallel(c->pool, rows, BLOCK / (channels ? channels : 1) + 1, affine_rows, c);
}

static void affine_grad(rv_node *n, rv_node *dy, rv_node *dx[])
{
    dx[0] = rv_mul(dy, n->in[1]);
    dx[1] = rv_sum_to(rv_mul(dy, n->in[0]), n->in[1]->shape);
    dx[2] = rv_sum_to(dy, n->in[2]->shape);
}

const rv_op rv_op_affine = {
    .name = "affine",
    .n_in = 3,
    .shape = affine_shape,
    .run = affine_run,
    .grad = affine_grad,
    .in_place = true,
};

#ifdef RV_SELFTEST
const rv_op_case rv_cases_affine[] = {
    { .label = "affine",
      .op = &rv_op_affine,
      .in = { { 3, { 2, 7, 3 } }, { 1, { 3 } }, { 1, { 3 } } },
      .out = { 3, { 2, 7, 3 } } },
    { .label = "affine of one channel",
      .op = &rv_op_affine,
      .in = { { 2, { 6, 1 } }, { 1, { 1 } }, { 1, { 1 } } },
      .out = { 2, { 6, 1 } } },
    { 0 },
};
#endif
