/* recurrent_grad.c - the gradient of a recurrent layer, from the adjoint dp of its pre-activations:
 * see recurrent.h.
 *
 *     dWh = sum over t of dp[t] h[t-1]^T,  dbh = sum over t of dp[t],  dx = Wi^T dp
 *
 * dWh is one product over all steps of all sequences. It reads dp and h where they lie: h[t-1] is
 * the row before that of h[t], and what a sequence's first step would find there counts as zeros.
 */
#include "base/status.h"
#include "core/ops/recurrent.h"
#include "core/ops/transpose.h"

#include <string.h>

enum {
    ROWS = RV_BLOCK(96),   /* of dWh in a task */
    DEPTH = RV_BLOCK(384), /* steps that are taken at a time */
    UNIT = 16,             /* reals: a cache line */
};

/* recurrent_dw: dp [B,T,R] and y [B,T,D H] -> dWh [GH,H] -------------------------------------- */

typedef struct {
    const rv_call *call;
    size_t items, steps, units, gated, joint, row, width, direction;
    size_t at, depth; /* rows of dp that are taken now */
    const real *packed;
    real *blocks;
} weights_job;

static weights_job weights_view(const rv_node *n)
{
    const recurrent_attr *a = n->attr;
    const rv_shape *dp = &n->in[0]->shape;
    weights_job j = { .items = dp->d[0], .steps = dp->d[1], .row = dp->d[2] };
    j.units = j.row / (2 * a->gates - a->joint);
    j.gated = a->gates * j.units;
    j.joint = a->joint * j.units;
    j.width = n->in[1]->shape.d[2];
    j.direction = a->direction;
    return j;
}

static rv_status weights_shape(const rv_node *n, rv_shape *out, rv_error *err)
{
    const rv_shape *dp = &n->in[0]->shape, *y = &n->in[1]->shape;
    const weights_job j = weights_view(n);
    if (dp->rank != 3 || y->rank != 3 || dp->d[0] != y->d[0] || dp->d[1] != y->d[1] ||
        (j.direction + 1) * j.units > j.width)
        return RV_FAIL(err, RV_ERR_SHAPE, "%s: dp and y do not match", n->op->name);
    *out = RV_SHAPE(j.gated, j.units);
    return RV_OK;
}

/* From a row of a transposed block to the next: an odd number of cache lines. */
static size_t block_row(void)
{
    return ((DEPTH / UNIT + 1) | 1) * UNIT;
}

static size_t weights_scratch(const rv_node *n, int threads, const kern_table *kern)
{
    return kern->packed_size(DEPTH, weights_view(n).units) + ROWS * block_row() * (size_t)threads;
}

/* Rows [from, to) of dWh, before `joint` or behind it, of dp: transposed, and 0 where a step has
 * none before it. */
static void take_block(const weights_job *j, real *block, size_t from, size_t to)
{
    const size_t shift = from < j->joint ? 0 : j->row - j->gated;
    const size_t alone = j->direction ? j->steps - 1 : 0;
    transpose_rows(block, block_row(), j->call->in[0] + j->at * j->row + from + shift, j->row,
                   to - from, j->depth);
    for (size_t q = (alone + j->steps - j->at % j->steps) % j->steps; q < j->depth; q += j->steps)
        for (size_t i = 0; i < to - from; i++)
            block[i * block_row() + q] = 0;
}

static void multiply_part(const weights_job *j, real *block, size_t from, size_t to)
{
    take_block(j, block, from, to);
    j->call->kern->gemm(&(kern_gemm_args){ .y = j->call->out + from * j->units,
                                           .y_row = j->units,
                                           .a = block,
                                           .a_row = block_row(),
                                           .packed = j->packed,
                                           .m = to - from,
                                           .n = j->units,
                                           .k = j->depth,
                                           .accumulate = true });
}

static void multiply_rows(const void *ctx, size_t from, size_t to, int worker)
{
    const weights_job *j = ctx;
    real *block = j->blocks + (size_t)worker * ROWS * block_row();
    const size_t cut = from < j->joint && j->joint < to ? j->joint : to;
    multiply_part(j, block, from, cut);
    if (cut < to)
        multiply_part(j, block, cut, to);
}

/* The first row of all has none before it, and backwards the last none behind it. */
static void weights_run(const rv_call *c)
{
    weights_job j = weights_view(c->node);
    const size_t rows = j.items * j.steps, end = j.direction ? rows - 1 : rows;
    real *packed = c->scratch;
    j.call = c;
    j.packed = packed;
    j.blocks = packed + c->kern->packed_size(DEPTH, j.units);
    memset(c->out, 0, j.gated * j.units * sizeof *c->out);
    for (j.at = !j.direction; j.at < end; j.at += j.depth) {
        j.depth = end - j.at < DEPTH ? end - j.at : DEPTH;
        const real *h = c->in[1] + (j.direction ? j.at + 1 : j.at - 1) * j.width;
        c->kern->pack(packed, h + j.direction * j.units, j.depth, j.units, j.width, 1);
        rv_parallel(c->pool, j.gated, ROWS, multiply_rows, &j);
    }
}

const rv_op rv_op_recurrent_dw = {
    .name = "recurrent_dw",
    .n_in = 2,
    .attr_size = sizeof(recurrent_attr),
    .shape = weights_shape,
    .run = weights_run,
    .scratch_size = weights_scratch,
};

/* recurrent_gates: dp [B,T,R] of one direction or both -> what Wi x + bi gets [B,T,D GH] ---------
 */

static size_t gated_of(const rv_node *n)
{
    const recurrent_attr *a = n->attr;
    return n->in[0]->shape.d[2] / (2 * a->gates - a->joint) * a->gates;
}

static rv_status gates_shape(const rv_node *n, rv_shape *out, rv_error *err)
{
    const rv_shape *dp = &n->in[0]->shape;
    if (dp->rank != 3 || (n->in[1] && !rv_shape_equal(dp, &n->in[1]->shape)))
        return RV_FAIL(err, RV_ERR_SHAPE, "%s: dp of different shapes", n->op->name);
    *out = RV_SHAPE(dp->d[0], dp->d[1], gated_of(n) * (n->in[1] ? 2 : 1));
    return RV_OK;
}

static void copy_gates(const void *ctx, size_t from, size_t to, int worker)
{
    const rv_call *c = ctx;
    const size_t gated = gated_of(c->node), row = c->node->in[0]->shape.d[2];
    const size_t directions = c->node->in[1] ? 2 : 1;
    (void)worker;
    for (size_t r = from; r < to; r++)
        for (size_t d = 0; d < directions; d++)
            memcpy(c->out + (r * directions + d) * gated, c->in[d] + r * row,
                   gated * sizeof *c->out);
}

static void gates_run(const rv_call *c)
{
    const rv_shape *dp = &c->node->in[0]->shape;
    rv_parallel(c->pool, dp->d[0] * dp->d[1], RV_BLOCK(256), copy_gates, c);
}

const rv_op rv_op_recurrent_gates = {
    .name = "recurrent_gates",
    .n_in = 2,
    .attr_size = sizeof(recurrent_attr),
    .shape = gates_shape,
    .run = gates_run,
};

/* All of it ----------------------------------------------------------------------------------- */

/* What bh gets of the sums [R] of dp. */
static rv_node *bias_grad(const recurrent_view *v, rv_node *dp)
{
    rv_node *sums = rv_sum_to(dp, RV_SHAPE(v->row));
    rv_node *parts[] = { rv_slice(sums, 0, 0, v->joint), rv_slice(sums, 0, v->gated, v->apart) };
    return v->apart ? rv_concat(0, 2, parts) : sums;
}

/* What x, Wi and bi get of the adjoint [B,T,GH] of Wi x + bi. */
static rv_node *input_grad(rv_node *gates, rv_node *x, rv_node *const *w, rv_node **dw)
{
    const size_t rows = rv_extent(x, 0) * rv_extent(x, 1);
    rv_node *flat = rv_reshape(x, RV_SHAPE(rows, rv_extent(x, 2)));
    gates = rv_reshape(gates, RV_SHAPE(rows, rv_extent(gates, 2)));
    dw[0] = rv_matmul_tn(gates, flat);
    dw[2] = rv_sum_to(gates, w[2]->shape);
    return rv_reshape(rv_matmul(gates, w[0]), x->shape);
}

void recurrent_grad(rv_node *n, rv_node *dy, rv_node *dx[], const rv_op *back)
{
    rv_node *x = n->in[0], *dp[2] = { NULL, NULL }, *from[2];
    if (n->in[9])
        rv_poison(x->graph, RV_ERR_UNSUPPORTED, __func__, "%s: no gradient from a given state",
                  n->op->name);
    const recurrent_view v = recurrent_sizes(n, n->in[2]);
    const size_t directions = n->in[6] ? 2 : 1;
    recurrent_attr a = *(const recurrent_attr *)n->attr;
    for (a.direction = 0; a.direction < directions; a.direction++) {
        const size_t d = a.direction;
        rv_node **w = n->in + 1 + 4 * d, **dw = dx + 1 + 4 * d;
        dp[d] = RV_APPLY(back, &a, x, n, dy, w[0], w[1], w[2], w[3]);
        dw[1] = RV_APPLY(&rv_op_recurrent_dw, &a, dp[d], n);
        dw[3] = bias_grad(&v, dp[d]);
        if (!v.projected)
            from[d] =
                input_grad(v.apart ? RV_APPLY(&rv_op_recurrent_gates, &a, dp[d]) : dp[d], x, w, dw);
    }
    if (v.projected)
        dx[0] = rv_apply(&rv_op_recurrent_gates, &a, (int)directions, dp);
    else
        dx[0] = directions == 2 ? rv_add(from[0], from[1]) : from[0];
}

#ifdef RV_SELFTEST
#    define GRU(d)                                                    \
        &(const recurrent_attr)                                       \
        {                                                             \
            .gates = 3, .joint = 2, .projected = true, .direction = d \
        }

const rv_op_case rv_cases_recurrent_grad[] = {
    { .label = "of weights, forwards",
      .op = &rv_op_recurrent_dw,
      .attr = GRU(0),
      .in = { { 3, { 4, 3, 8 } }, { 3, { 4, 3, 4 } } },
      .out = { 2, { 6, 2 } } },
    { .label = "of weights, backwards",
      .op = &rv_op_recurrent_dw,
      .attr = GRU(1),
      .in = { { 3, { 4, 3, 8 } }, { 3, { 4, 3, 4 } } },
      .out = { 2, { 6, 2 } } },
    { .label = "of both directions' gates",
      .op = &rv_op_recurrent_gates,
      .attr = GRU(0),
      .in = { { 3, { 4, 3, 8 } }, { 3, { 4, 3, 8 } } },
      .out = { 3, { 4, 3, 12 } } },
    { 0 },
};
#endif
