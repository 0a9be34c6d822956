/* depthwise.c - correlation along time, each channel on its own.
 *
 *     y[t, c] = bias[c] + sum over j of w[c, j] x[t - before + j dilation, c]
 *
 * x [B,T,C], w [C,1,K] -> y [B,T',C], T' = T + before + after - dilation (K - 1), zero
 * outside of x. No padded copy is made: taps that fall outside are left out, and rows
 * that miss the same taps are computed together. The adjoint in x is the same with the
 * taps reversed and other margins. Used by Conv-TasNet (Luo and Mesgarani 2019,
 * arXiv:1809.07454). */
#include "base/status.h"
#include "core/op.h"
#include "core/ops.h"

#include <string.h>

typedef struct {
    size_t dilation;
    ptrdiff_t before, after; /* zeros padded; negative: samples dropped */
} depthwise_attr;

enum { BLOCK = RV_BLOCK(1 << 15), /* elements of a task, about */ MAX_CHUNKS = 32 };

rv_node *rv_depthwise(rv_node *x, rv_node *weight, rv_node *bias, rv_conv_axis time)
{
    if (time.stride > 1)
        return rv_poison(x->graph, RV_ERR_ARG, __func__, "stride %zu is not supported",
                         time.stride);
    const depthwise_attr a = { time.dilation ? time.dilation : 1, (ptrdiff_t)time.before,
                               (ptrdiff_t)time.after };
    return RV_APPLY(&rv_op_depthwise, &a, x, weight, bias);
}

static rv_status depthwise_shape(const rv_node *n, rv_shape *out, rv_error *err)
{
    const depthwise_attr *a = n->attr;
    const rv_shape *x = &n->in[0]->shape, *w = &n->in[1]->shape;
    if (x->rank != 3 || w->rank != 3 || w->d[0] != x->d[2] || w->d[1] != 1 || w->d[2] == 0)
        return RV_FAIL(err, RV_ERR_SHAPE, "%s: weight [%zu,%zu,%zu] for %zu channels", n->op->name,
                       w->d[0], w->d[1], w->d[2], x->d[2]);
    if (n->in[2] && rv_shape_count(&n->in[2]->shape) != x->d[2])
        return RV_FAIL(err, RV_ERR_SHAPE, "%s: bias for %zu of %zu channels", n->op->name,
                       rv_shape_count(&n->in[2]->shape), x->d[2]);
    const ptrdiff_t padded = (ptrdiff_t)x->d[1] + a->before + a->after;
    const ptrdiff_t span = (ptrdiff_t)(a->dilation * (w->d[2] - 1));
    if (padded <= span)
        return RV_FAIL(err, RV_ERR_SHAPE, "%s: %zd padded samples for a kernel of %zd", n->op->name,
                       padded, span + 1);
    *out = RV_SHAPE(x->d[0], (size_t)(padded - span), x->d[2]);
    return RV_OK;
}

/* Prepared: taps [K,C], then the bias [C] (zeros if there is none). */
static size_t depthwise_prepared(const rv_node *n, const kern_table *kern)
{
    (void)kern;
    return rv_shape_count(&n->in[1]->shape) + n->in[1]->shape.d[0];
}

static void prepare_taps(const rv_call *c, bool reversed)
{
    const size_t channels = c->node->in[1]->shape.d[0], taps = c->node->in[1]->shape.d[2];
    for (size_t j = 0; j < taps; j++)
        for (size_t i = 0; i < channels; i++)
            c->prepared[(reversed ? taps - 1 - j : j) * channels + i] = c->in[1][i * taps + j];
    real *bias = c->prepared + taps * channels;
    for (size_t i = 0; i < channels; i++)
        bias[i] = c->in[2] ? c->in[2][i] : 0;
}

static void depthwise_prepare(const rv_call *c)
{
    prepare_taps(c, false);
}

static void depthwise_dx_prepare(const rv_call *c)
{
    prepare_taps(c, true);
}

/* The taps [*first, *end) that fall inside of x for row t; empty: *first == *end. */
static void taps_inside(const depthwise_attr *a, size_t length, size_t taps, size_t t,
                        size_t *first, size_t *end)
{
    const ptrdiff_t start = (ptrdiff_t)t - a->before, dilation = (ptrdiff_t)a->dilation;
    const ptrdiff_t left = (ptrdiff_t)length - start; /* samples of x from here on */
    const ptrdiff_t lo = start < 0 ? (-start + dilation - 1) / dilation : 0;
    const ptrdiff_t hi = left > 0 ? (left + dilation - 1) / dilation : 0;
    *end = (size_t)hi < taps ? (size_t)hi : taps;
    *first = (size_t)lo < *end ? (size_t)lo : *end;
}

/* Rows [from, to) of one item, all of which use the taps [first, end). */
static void run_alike(const rv_call *c, const real *x, real *y, size_t from, size_t to,
                      size_t first, size_t end)
{
    const depthwise_attr *a = c->node->attr;
    const size_t n = c->node->shape.d[2], taps = c->node->in[1]->shape.d[2];
    const real *bias = c->prepared + taps * n;
    if (first == end) {
        for (size_t t = from; t < to; t++)
            memcpy(y + t * n, bias, n * sizeof *y);
        return;
    }
    const ptrdiff_t at = (ptrdiff_t)(from + first * a->dilation) - a->before;
    c->kern->depthwise(y + from * n, x + (size_t)at * n, c->prepared + first * n, bias, to - from,
                       n, end - first, a->dilation);
}

/* Rows of all items, numbered through. */
static void run_rows(const void *ctx, size_t from, size_t to, int worker)
{
    const rv_call *c = ctx;
    const size_t rows = c->node->shape.d[1], n = c->node->shape.d[2];
    const size_t length = c->node->in[0]->shape.d[1], taps = c->node->in[1]->shape.d[2];
    (void)worker;
    while (from < to) {
        const size_t item = from / rows, start = from % rows;
        const size_t limit = to - item * rows < rows ? to - item * rows : rows;
        size_t first, end, next_first, next_end, t = start + 1;
        taps_inside(c->node->attr, length, taps, start, &first, &end);
        for (; t < limit; t++) {
            taps_inside(c->node->attr, length, taps, t, &next_first, &next_end);
            if (next_first != first || next_end != end)
                break;
        }
        run_alike(c, c->in[0] + item * length * n, c->out + item * rows * n, start, t, first, end);
        from = item * rows + t;
    }
}

static void depthwise_run(const rv_call *c)
{
    const rv_shape *y = &c->node->shape;
    rv_parallel(c->pool, y->d[0] * y->d[1], 1 + BLOCK / (y->d[2] + 1), run_rows, c);
}

static void depthwise_grad(rv_node *n, rv_node *dy, rv_node *dx[])
{
    const depthwise_attr *a = n->attr;
    const ptrdiff_t span = (ptrdiff_t)(a->dilation * (n->in[1]->shape.d[2] - 1));
    const depthwise_attr back = { a->dilation, span - a->before, span - a->after };
    dx[0] = RV_APPLY(&rv_op_depthwise_dx, &back, dy, n->in[1]);
    dx[1] = rv_reshape(RV_APPLY(&rv_op_depthwise_dw, a, n->in[0], dy), n->in[1]->shape);
    if (n->in[2])
        dx[2] = rv_sum_to(dy, n->in[2]->shape);
}

const rv_op rv_op_depthwise = {
    .name = "depthwise",
    .n_in = 3,
    .attr_size = sizeof(depthwise_attr),
    .shape = depthwise_shape,
    .run = depthwise_run,
    .grad = depthwise_grad,
    .prepared_size = depthwise_prepared,
    .prepare = depthwise_prepare,
    .packed = 1u << 1 | 1u << 2,
};

/* With the taps reversed. */
const rv_op rv_op_depthwise_dx = {
    .name = "depthwise_dx",
    .n_in = 2,
    .attr_size = sizeof(depthwise_attr),
    .shape = depthwise_shape,
    .run = depthwise_run,
    .prepared_size = depthwise_prepared,
    .prepare = depthwise_dx_prepare,
};

/* dw[c, j] = sum over items and t of dy[t, c] x[t - before + j dilation, c]; x, dy -> [C,K] --- */

static size_t tap_count(const rv_node *n)
{
    const depthwise_attr *a = n->attr;
    const ptrdiff_t padded = (ptrdiff_t)n->in[0]->shape.d[1] + a->before + a->after;
    return (size_t)(padded - (ptrdiff_t)n->in[1]->shape.d[1]) / a->dilation + 1;
}

static rv_status dw_shape(const rv_node *n, rv_shape *out, rv_error *err)
{
    const depthwise_attr *a = n->attr;
    const rv_shape *x = &n->in[0]->shape, *dy = &n->in[1]->shape;
    if (x->rank != 3 || dy->rank != 3 || x->d[0] != dy->d[0] || x->d[2] != dy->d[2] ||
        (ptrdiff_t)x->d[1] + a->before + a->after < (ptrdiff_t)dy->d[1])
        return RV_FAIL(err, RV_ERR_SHAPE, "depthwise_dw: x and dy do not match");
    *out = RV_SHAPE(x->d[2], tap_count(n));
    return RV_OK;
}

static size_t dw_chunk(const rv_node *n)
{
    const size_t rows = n->in[1]->shape.d[0] * n->in[1]->shape.d[1];
    const size_t least = 1 + BLOCK / (n->shape.d[0] + 1), most = rows / MAX_CHUNKS + 1;
    return least > most ? least : most;
}

static size_t dw_scratch(const rv_node *n, int threads, const kern_table *kern)
{
    const size_t rows = n->in[1]->shape.d[0] * n->in[1]->shape.d[1], chunk = dw_chunk(n);
    (void)threads;
    (void)kern;
    return (rows + chunk - 1) / chunk * rv_shape_count(&n->shape) * (sizeof(double) / sizeof(real));
}

/* The sums [K,C] over some rows of dy, in double. */
static void dw_rows(const void *ctx, size_t from, size_t to, int worker)
{
    const rv_call *c = ctx;
    const depthwise_attr *a = c->node->attr;
    const size_t n = c->node->shape.d[0], taps = c->node->shape.d[1];
    const size_t rows = c->node->in[1]->shape.d[1], length = c->node->in[0]->shape.d[1];
    double *sum = (double *)(void *)c->scratch + from / dw_chunk(c->node) * n * taps;
    (void)worker;
    memset(sum, 0, n * taps * sizeof *sum);
    for (size_t r = from; r < to; r++) {
        const size_t item = r / rows, t = r % rows;
        size_t first, end;
        taps_inside(a, length, taps, t, &first, &end);
        for (size_t j = first; j < end; j++) {
            const ptrdiff_t at = (ptrdiff_t)(t + j * a->dilation) - a->before;
            const real *x = c->in[0] + (item * length + (size_t)at) * n, *dy = c->in[1] + r * n;
            for (size_t i = 0; i < n; i++)
                sum[j * n + i] += (double)dy[i] * (double)x[i];
        }
    }
}

static void dw_run(const rv_call *c)
{
    const size_t rows = c->node->in[1]->shape.d[0] * c->node->in[1]->shape.d[1];
    const size_t n = c->node->shape.d[0], taps = c->node->shape.d[1], chunk = dw_chunk(c->node);
    const double *sums = (const double *)(const void *)c->scratch;
    rv_parallel(c->pool, rows, chunk, dw_rows, c);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < taps; j++) {
            double s = 0;
            for (size_t k = 0; k < (rows + chunk - 1) / chunk; k++)
                s += sums[(k * taps + j) * n + i];
            c->out[i * taps + j] = (real)s;
        }
}

const rv_op rv_op_depthwise_dw = {
    .name = "depthwise_dw",
    .n_in = 2,
    .attr_size = sizeof(depthwise_attr),
    .shape = dw_shape,
    .run = dw_run,
    .scratch_size = dw_scratch,
};

#ifdef RV_SELFTEST
const rv_op_case rv_cases_depthwise[] = {
    { .label = "padded, dilated",
      .op = &rv_op_depthwise,
      .in = { { 3, { 2, 7, 3 } }, { 3, { 3, 1, 3 } }, { 1, { 3 } } },
      .attr = &(const depthwise_attr){ .dilation = 2, .before = 2, .after = 2 },
      .out = { 3, { 2, 7, 3 } } },
    { .label = "no padding, even kernel, no bias",
      .op = &rv_op_depthwise,
      .in = { { 3, { 1, 6, 2 } }, { 3, { 2, 1, 4 } } },
      .attr = &(const depthwise_attr){ .dilation = 1 },
      .out = { 3, { 1, 3, 2 } } },
    { .label = "rows that see no sample",
      .op = &rv_op_depthwise,
      .in = { { 3, { 1, 2, 2 } }, { 3, { 2, 1, 3 } }, { 1, { 2 } } },
      .attr = &(const depthwise_attr){ .dilation = 3, .before = 8, .after = 7 },
      .out = { 3, { 1, 11, 2 } } },
    { .label = "adjoint in x",
      .op = &rv_op_depthwise_dx,
      .in = { { 3, { 2, 7, 3 } }, { 3, { 3, 1, 3 } } },
      .attr = &(const depthwise_attr){ .dilation = 2, .before = 2, .after = 2 },
      .out = { 3, { 2, 7, 3 } } },
    { .label = "adjoint in the weight",
      .op = &rv_op_depthwise_dw,
      .in = { { 3, { 2, 7, 3 } }, { 3, { 2, 5, 3 } } },
      .attr = &(const depthwise_attr){ .dilation = 2, .before = 1, .after = 1 },
      .out = { 2, { 3, 3 } } },
    { 0 },
};
#endif
