/* cumsum.c - running sum along the last axis, added in double:
 *
 *     y[..., k] = sum over i <= k of x[..., i]
 *
 * The adjoint is the same sum from the other end. */
#include "base/status.h"
#include "core/op.h"
#include "core/ops.h"

enum { BLOCK = RV_BLOCK(1 << 14) }; /* elements of a task */

typedef struct {
    bool from_end;
} cumsum_attr;

rv_node *rv_cumsum(rv_node *x)
{
    return RV_APPLY(&rv_op_cumsum, &(cumsum_attr){ false }, x);
}

rv_node *rv_cumsum_from_end(rv_node *x)
{
    return RV_APPLY(&rv_op_cumsum, &(cumsum_attr){ true }, x);
}

static rv_status cumsum_shape(const rv_node *n, rv_shape *out, rv_error *err)
{
    *out = n->in[0]->shape;
    return out->rank ? RV_OK : RV_FAIL(err, RV_ERR_SHAPE, "cumsum: rank 0");
}

static void cumsum_rows(const void *ctx, size_t from, size_t to, int worker)
{
    const rv_call *c = ctx;
    const cumsum_attr *a = c->node->attr;
    const size_t n = rv_extent(c->node, -1);
    (void)worker;
    for (size_t row = from; row < to; row++) {
        double sum = 0;
        for (size_t i = 0; i < n; i++) {
            const size_t at = row * n + (a->from_end ? n - 1 - i : i);
            sum += (double)c->in[0][at];
            c->out[at] = (real)sum;
        }
    }
}

static void cumsum_run(const rv_call *c)
{
    const size_t n = rv_extent(c->node, -1);
    if (n)
        rv_parallel(c->pool, rv_shape_count(&c->node->shape) / n, 1 + BLOCK / n, cumsum_rows, c);
}

static void cumsum_grad(rv_node *n, rv_node *dy, rv_node *dx[])
{
    const cumsum_attr *a = n->attr;
    dx[0] = RV_APPLY(&rv_op_cumsum, &(cumsum_attr){ !a->from_end }, dy);
}

const rv_op rv_op_cumsum = {
    .name = "cumsum",
    .n_in = 1,
    .attr_size = sizeof(cumsum_attr),
    .shape = cumsum_shape,
    .run = cumsum_run,
    .grad = cumsum_grad,
    .in_place = true,
};

#ifdef RV_SELFTEST
const rv_op_case rv_cases_cumsum[] = {
    { .label = "cumsum",
      .op = &rv_op_cumsum,
      .in = { { 3, { 2, 3, 7 } } },
      .attr = &(const cumsum_attr){ false },
      .out = { 3, { 2, 3, 7 } } },
    { .label = "cumsum from the end",
      .op = &rv_op_cumsum,
      .in = { { 2, { 7, 1 } } },
      .attr = &(const cumsum_attr){ true },
      .out = { 2, { 7, 1 } } },
    { 0 },
};
#endif
