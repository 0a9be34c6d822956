/* gates.c - glu, prelu, softmax: pointwise but for a second operand or a row.
 *
 *     glu(x)      = a sigmoid(b), x = [a, b]     Y. Dauphin et al., arXiv:1612.08083
 *     prelu(x, s) = x > 0 ? x : s x              K. He et al., arXiv:1502.01852
 *     softmax(x)  = exp(x) / sum exp(x)          over the last axis */
#include "base/status.h"
#include "core/op.h"
#include "core/ops.h"

#include <math.h>

enum { BLOCK = RV_BLOCK(1 << 14) }; /* elements of a task */

static size_t last_extent(const rv_node *x)
{
    return x->shape.rank ? x->shape.d[x->shape.rank - 1] : 1;
}

/* Rows of the node's result for each task. */
static void over_rows(const rv_call *c, rv_range_fn *fn)
{
    const size_t n = last_extent(c->node), rows = rv_shape_count(&c->node->shape) / (n ? n : 1);
    rv_parallel(c->pool, rows, 1 + BLOCK / (n ? n : 1), fn, c);
}

static rv_status same_shape(const rv_node *n, rv_shape *out, rv_error *err)
{
    (void)err;
    *out = n->in[0]->shape;
    return RV_OK;
}

/* glu --------------------------------------------------------------------------- */

rv_node *rv_glu(rv_node *x)
{
    return RV_APPLY(&rv_op_glu, NULL, x);
}

static rv_status glu_shape(const rv_node *n, rv_shape *out, rv_error *err)
{
    const rv_shape *x = &n->in[0]->shape;
    if (x->rank < 1 || x->d[x->rank - 1] % 2)
        return RV_FAIL(err, RV_ERR_SHAPE, "glu: %zu channels, expected an even number",
                       last_extent(n->in[0]));
    *out = *x;
    out->d[x->rank - 1] /= 2;
    return RV_OK;
}

static void glu_rows(const void *ctx, size_t from, size_t to, int worker)
{
    const rv_call *c = ctx;
    const size_t n = last_extent(c->node);
    (void)worker;
    c->kern->glu(c->out + from * n, c->in[0] + from * 2 * n, to - from, n);
}

typedef struct {
    const rv_call *call;
    size_t first;
} glu_part;

static void glu_part_rows(const void *ctx, size_t from, size_t to, int worker)
{
    const glu_part *p = ctx;
    glu_rows(p->call, p->first + from, p->first + to, worker);
}

/* Over its input. Row r is written where row r / 2 was read, so up to r in order, then [r,2r),
 * whose results lie where [r/2,r) were, and so on: each part is free for all threads. */
static void glu_over_input(const rv_call *c)
{
    const size_t n = last_extent(c->node), rows = rv_shape_count(&c->node->shape) / (n ? n : 1);
    const size_t block = 1 + BLOCK / (n ? n : 1);
    for (size_t first = 0, count; first < rows; first += count) {
        const size_t most = first ? first : block;
        count = rows - first < most ? rows - first : most;
        rv_parallel(c->pool, count, block, glu_part_rows, &(glu_part){ c, first });
    }
}

static void glu_run(const rv_call *c)
{
    if (c->out == c->in[0])
        glu_over_input(c);
    else
        over_rows(c, glu_rows);
}

/* da = dy s, db = dy a s (1 - s), s = sigmoid(b) */
static void glu_grad(rv_node *n, rv_node *dy, rv_node *dx[])
{
    const size_t half = last_extent(n);
    rv_node *s = rv_sigmoid(rv_slice(n->in[0], -1, half, half));
    rv_node *da = rv_mul(dy, s);
    rv_node *db = rv_mul(rv_mul(dy, n), rv_scale(s, -1, 1));
    dx[0] = rv_concat(-1, 2, (rv_node *[]){ da, db });
}

const rv_op rv_op_glu = {
    .name = "glu",
    .n_in = 1,
    .shape = glu_shape,
    .run = glu_run,
    .grad = glu_grad,
    .in_place = true,
};

/* prelu ------------------------------------------------------------------------- */

rv_node *rv_prelu(rv_node *x, rv_node *slope)
{
    return RV_APPLY(&rv_op_prelu, NULL, x, slope);
}

static rv_status prelu_shape(const rv_node *n, rv_shape *out, rv_error *err)
{
    const size_t slopes = rv_shape_count(&n->in[1]->shape);
    if (slopes != 1 && slopes != last_extent(n->in[0]))
        return RV_FAIL(err, RV_ERR_SHAPE, "prelu: %zu slopes for %zu channels", slopes,
                       last_extent(n->in[0]));
    return same_shape(n, out, err);
}

/* y = condition[i] > 0 ? x[i] : slope x[i] */
static void select_row(real *y, const real *x, const real *condition, const real *slope,
                       size_t step, size_t n)
{
    if (step)
        for (size_t i = 0; i < n; i++)
            y[i] = condition[i] > 0 ? x[i] : slope[i] * x[i];
    else
        for (size_t i = 0; i < n; i++)
            y[i] = condition[i] > 0 ? x[i] : slope[0] * x[i];
}

/* The same for condition == x, as max(x, 0) + slope min(x, 0) by absolute values, which is exact:
 * signs are random, so branches would be mispredicted half of the time. */
static void prelu_row(real *y, const real *x, const real *slope, size_t step, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const real size = (real)fabs((double)x[i]);
        y[i] = (real)0.5 * ((x[i] + size) + slope[i * step] * (x[i] - size));
    }
}

static void prelu_rows(const void *ctx, size_t from, size_t to, int worker)
{
    const rv_call *c = ctx;
    const size_t n = last_extent(c->node), step = rv_shape_count(&c->node->in[1]->shape) > 1;
    (void)worker;
    for (size_t r = from; r < to; r++)
        prelu_row(c->out + r * n, c->in[0] + r * n, c->in[1], step, n);
}

static void prelu_run(const rv_call *c)
{
    over_rows(c, prelu_rows);
}

/* (dy, slope, x) -> dy where x > 0, else slope dy */
static void prelu_back_rows(const void *ctx, size_t from, size_t to, int worker)
{
    const rv_call *c = ctx;
    const size_t n = last_extent(c->node), step = rv_shape_count(&c->node->in[1]->shape) > 1;
    (void)worker;
    for (size_t r = from; r < to; r++)
        select_row(c->out + r * n, c->in[0] + r * n, c->in[2] + r * n, c->in[1], step, n);
}

static void prelu_back_run(const rv_call *c)
{
    over_rows(c, prelu_back_rows);
}

static const rv_op prelu_back = {
    .name = "prelu_back", .n_in = 3, .shape = same_shape, .run = prelu_back_run
};

static void prelu_grad(rv_node *n, rv_node *dy, rv_node *dx[])
{
    rv_node *x = n->in[0], *slope = n->in[1];
    dx[0] = RV_APPLY(&prelu_back, NULL, dy, slope, x);
    if (slope->leaf == RV_CONSTANT)
        return;
    rv_node *negative = rv_scale(rv_relu(rv_scale(x, -1, 0)), -1, 0); /* min(x, 0) */
    dx[1] = rv_sum_to(rv_mul(dy, negative), slope->shape);
}

const rv_op rv_op_prelu = {
    .name = "prelu",
    .n_in = 2,
    .shape = prelu_shape,
    .run = prelu_run,
    .grad = prelu_grad,
    .in_place = true,
};

/* softmax ------------------------------------------------------------------------ */

rv_node *rv_softmax(rv_node *x)
{
    return RV_APPLY(&rv_op_softmax, NULL, x);
}

static void softmax_rows(const void *ctx, size_t from, size_t to, int worker)
{
    const rv_call *c = ctx;
    const size_t n = last_extent(c->node);
    (void)worker;
    c->kern->softmax(c->out + from * n, c->in[0] + from * n, to - from, n);
}

static void softmax_run(const rv_call *c)
{
    over_rows(c, softmax_rows);
}

/* dx = y (dy - sum(dy y)) */
static void softmax_grad(rv_node *n, rv_node *dy, rv_node *dx[])
{
    rv_shape one = n->shape;
    one.d[one.rank - 1] = 1;
    rv_node *inner = rv_sum_to(rv_mul(dy, n), one);
    dx[0] = rv_mul(n, rv_sub(dy, inner));
}

const rv_op rv_op_softmax = {
    .name = "softmax",
    .n_in = 1,
    .shape = same_shape,
    .run = softmax_run,
    .grad = softmax_grad,
    .in_place = true,
};

#ifdef RV_SELFTEST
const rv_op_case rv_cases_gates[] = {
    { .label = "glu", .op = &rv_op_glu, .in = { { 3, { 2, 3, 10 } } }, .out = { 3, { 2, 3, 5 } } },
    { .label = "prelu, one slope",
      .op = &rv_op_prelu,
      .in = { { 2, { 4, 5 } }, { 1, { 1 } } },
      .out = { 2, { 4, 5 } } },
    { .label = "prelu, a slope for each channel",
      .op = &rv_op_prelu,
      .in = { { 2, { 4, 5 } }, { 1, { 5 } } },
      .out = { 2, { 4, 5 } } },
    { .label = "softmax",
      .op = &rv_op_softmax,
      .in = { { 3, { 2, 3, 7 } } },
      .out = { 3, { 2, 3, 7 } } },
    { 0 },
};
#endif
