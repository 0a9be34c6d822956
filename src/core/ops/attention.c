/* attention.c - scaled dot-product attention (Vaswani et al. 2017, arXiv:1706.03762).
 *
 *     a[s,t] = softmax over t of (q[s] . k[t] / sqrt(E) - slope[s] |s - t|)
 *     y[s]   = sum over t of a[s,t] v[t]
 *
 * in each head, of E = D / heads channels. The penalty on distance, and the score of
 * exactly -100 where s == t (`not_self`), are those of the local attention of Hybrid
 * Demucs (Defossez 2021, arXiv:2111.03600).
 *
 * A task takes QUERIES queries of one head and goes over slices of DEPTH keys, so the scores stay
 * in cache and the matrix of all scores never exists: y is summed with weights relative to the
 * largest score so far, made smaller whenever a larger one comes, and divided by the sum of the
 * weights at the end (M. N. Rabe, C. Staats: Self-attention does not need O(n^2) memory,
 * arXiv:2112.05682). k and v are packed once for each head, slice by slice. */
#include "base/status.h"
#include "core/op.h"
#include "core/ops.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    QUERIES = RV_BLOCK(96),
    ROWS = RV_BLOCK(48), /* queries at a time in the gradient, where all scores of a row exist */
    DEPTH = RV_BLOCK(256),
    MASKED = -100,
    UNIT = 16 /* reals: a cache line */
};

typedef struct {
    size_t heads;
    bool not_self;
} attention_attr;

rv_node *rv_attention(rv_node *q, rv_node *k, rv_node *v, rv_node *slope, size_t heads,
                      bool not_self)
{
    return RV_APPLY(&rv_op_attention, (&(attention_attr){ heads, not_self }), q, k, v, slope);
}

/* Sizes of one node; `packed`: reals of a packed [E,T], slices packed [E,DEPTH] and [DEPTH,E],
 * and all slices [T,E]. */
typedef struct {
    size_t items, queries, keys, width, heads, size; /* size: E */
    size_t packed_wide, packed_keys, packed_slice, packed_tall;
} attention_view;

static size_t round_up(size_t n)
{
    return (n + UNIT - 1) / UNIT * UNIT;
}

static size_t slice_count(size_t keys)
{
    return (keys + DEPTH - 1) / DEPTH;
}

static attention_view view_of(const rv_node *n, const kern_table *kern)
{
    const attention_attr *a = n->attr;
    const rv_shape *q = &n->in[0]->shape;
    attention_view v = { .items = q->d[0],
                         .queries = q->d[1],
                         .keys = n->in[1]->shape.d[1],
                         .width = q->d[2],
                         .heads = a->heads,
                         .size = q->d[2] / a->heads };
    v.packed_wide = round_up(kern->packed_size(v.size, v.keys));
    v.packed_keys = round_up(kern->packed_size(v.size, v.keys < DEPTH ? v.keys : DEPTH));
    v.packed_slice = round_up(kern->packed_size(v.keys < DEPTH ? v.keys : DEPTH, v.size));
    v.packed_tall = v.packed_slice * slice_count(v.keys);
    return v;
}

static rv_status check_inputs(const rv_node *n, rv_error *err)
{
    const attention_attr *a = n->attr;
    const rv_shape *q = &n->in[0]->shape, *k = &n->in[1]->shape, *v = &n->in[2]->shape;
    if (q->rank != 3 || k->rank != 3 || !rv_shape_equal(k, v) || q->d[0] != k->d[0] ||
        q->d[2] != k->d[2] || k->d[1] == 0)
        return RV_FAIL(err, RV_ERR_SHAPE, "%s: q [%zu,%zu,%zu], k [%zu,%zu,%zu]", n->op->name,
                       q->d[0], q->d[1], q->d[2], k->d[0], k->d[1], k->d[2]);
    if (q->d[1] > INT_MAX || k->d[1] > INT_MAX)
        return RV_FAIL(err, RV_ERR_SHAPE, "%s: %zu queries, %zu keys", n->op->name, q->d[1],
                       k->d[1]);
    if (a->heads == 0 || q->d[2] % a->heads)
        return RV_FAIL(err, RV_ERR_SHAPE, "%s: %zu channels in %zu heads", n->op->name, q->d[2],
                       a->heads);
    const rv_shape slope = RV_SHAPE(q->d[0], q->d[1], a->heads);
    if (n->in[3] && !rv_shape_equal(&n->in[3]->shape, &slope))
        return RV_FAIL(err, RV_ERR_SHAPE, "%s: expected slopes [%zu,%zu,%zu]", n->op->name,
                       slope.d[0], slope.d[1], slope.d[2]);
    return RV_OK;
}

static rv_status attention_shape(const rv_node *n, rv_shape *out, rv_error *err)
{
    *out = n->in[0]->shape;
    return check_inputs(n, err);
}

typedef struct {
    const rv_call *call;
    attention_view view;
    real *packs;  /* for each item and head: packed keys, packed values */
    size_t pack;  /* reals of one */
    real *blocks; /* for each worker */
    size_t block;
} attention_job;

/* For each slice: packed keys [E,DEPTH] and values [DEPTH,E]. */
static void pack_heads(const void *ctx, size_t from, size_t to, int worker)
{
    const attention_job *j = ctx;
    const attention_view *v = &j->view;
    (void)worker;
    for (size_t i = from; i < to; i++) {
        const size_t at = i / v->heads * v->keys * v->width + i % v->heads * v->size;
        real *packed = j->packs + i * j->pack;
        for (size_t t = 0; t < v->keys; t += DEPTH, packed += v->packed_keys + v->packed_slice) {
            const size_t n = v->keys - t < DEPTH ? v->keys - t : DEPTH;
            const size_t row = at + t * v->width;
            j->call->kern->pack(packed, j->call->in[1] + row, v->size, n, 1, v->width);
            j->call->kern->pack(packed + v->packed_keys, j->call->in[2] + row, n, v->size, v->width,
                                1);
        }
    }
}

/* The penalty on distance, and the mask, for the scores of query s with keys [t, t + n). */
static void weigh_row(const attention_job *j, real *score, size_t item, size_t s, size_t head,
                      size_t t, size_t n)
{
    const attention_view *v = &j->view;
    const attention_attr *a = j->call->node->attr;
    if (j->call->in[3]) {
        const real slope = j->call->in[3][(item * v->queries + s) * v->heads + head];
        const int ahead = (int)s - (int)t;
        for (int i = 0; i < (int)n; i++) /* int: converted in vectors */
            score[i] -= slope * (real)abs(ahead - i);
    }
    if (a->not_self && s >= t && s - t < n)
        score[s - t] = MASKED;
}

/* query [n,E] = q / sqrt(E) for queries [s, s + n) */
static void scale_queries(const attention_job *j, real *query, size_t item, size_t head, size_t s,
                          size_t n)
{
    const attention_view *v = &j->view;
    const real *q = j->call->in[0] + (item * v->queries + s) * v->width + head * v->size;
    const real scale = (real)(1 / sqrt((double)v->size));
    for (size_t i = 0; i < n; i++)
        for (size_t e = 0; e < v->size; e++)
            query[i * v->size + e] = scale * q[i * v->width + e];
}

/* What a task works on, and the state of its rows' softmax. */
typedef struct {
    const attention_job *job;
    size_t item, head, s, n; /* queries [s, s + n) */
    real *query, *scores;    /* [QUERIES,E], [QUERIES,DEPTH] */
    real *y;                 /* rows `width` apart */
    real max[QUERIES], sum[QUERIES], factor[QUERIES];
} attention_task;

/* y [n,E] = y factor[n] */
static void scale_rows(const attention_task *k, const real *factor)
{
    const attention_view *v = &k->job->view;
    for (size_t i = 0; i < k->n; i++)
        for (size_t e = 0; e < v->size; e++)
            k->y[i * v->width + e] *= factor[i];
}

/* Add the share of keys [t, t + n) to y. */
static void attend_slice(attention_task *k, const real *packed, size_t t, size_t n)
{
    const attention_view *v = &k->job->view;
    const kern_table *kern = k->job->call->kern;
    kern->gemm(&(kern_gemm_args){ .y = k->scores,
                                  .a = k->query,
                                  .packed = packed,
                                  .m = k->n,
                                  .n = n,
                                  .k = v->size,
                                  .y_row = n,
                                  .a_row = v->size });
    for (size_t i = 0; i < k->n; i++)
        weigh_row(k->job, k->scores + i * n, k->item, k->s + i, k->head, t, n);
    kern->softmax_part(k->scores, k->n, n, k->max, k->sum, k->factor);
    if (t > 0)
        scale_rows(k, k->factor);
    kern->gemm(&(kern_gemm_args){ .y = k->y,
                                  .a = k->scores,
                                  .packed = packed + v->packed_keys,
                                  .m = k->n,
                                  .n = v->size,
                                  .k = n,
                                  .y_row = v->width,
                                  .a_row = n,
                                  .accumulate = t > 0 });
}

static void attend_all(attention_task *k, const real *packed)
{
    const attention_view *v = &k->job->view;
    scale_queries(k->job, k->query, k->item, k->head, k->s, k->n);
    for (size_t i = 0; i < k->n; i++) {
        k->max[i] = -(real)INFINITY;
        k->sum[i] = 0;
    }
    for (size_t t = 0; t < v->keys; t += DEPTH, packed += v->packed_keys + v->packed_slice)
        attend_slice(k, packed, t, v->keys - t < DEPTH ? v->keys - t : DEPTH);
    for (size_t i = 0; i < k->n; i++)
        k->factor[i] = 1 / k->sum[i];
    scale_rows(k, k->factor);
}

static size_t block_count(const attention_view *v)
{
    return (v->queries + QUERIES - 1) / QUERIES;
}

/* Blocks of queries, of all heads of all items, numbered through. */
static void attend(const void *ctx, size_t from, size_t to, int worker)
{
    const attention_job *j = ctx;
    const attention_view *v = &j->view;
    attention_task k = { .job = j, .scores = j->blocks + (size_t)worker * j->block };
    k.query = k.scores + QUERIES * DEPTH;
    for (size_t i = from; i < to; i++) {
        const size_t pair = i / block_count(v);
        k.item = pair / v->heads;
        k.head = pair % v->heads;
        k.s = i % block_count(v) * QUERIES;
        k.n = v->queries - k.s < QUERIES ? v->queries - k.s : QUERIES;
        k.y = j->call->out + (k.item * v->queries + k.s) * v->width + k.head * v->size;
        attend_all(&k, j->packs + pair * j->pack);
    }
}

static size_t query_block(const attention_view *v)
{
    return round_up(QUERIES * (DEPTH + v->size));
}

/* Reals of all packed slices of one head. */
static size_t head_pack(const attention_view *v)
{
    return (v->packed_keys + v->packed_slice) * slice_count(v->keys);
}

static size_t attention_scratch(const rv_node *n, int threads, const kern_table *kern)
{
    const attention_view v = view_of(n, kern);
    return v.items * v.heads * head_pack(&v) + (size_t)threads * query_block(&v);
}

static void attention_run(const rv_call *c)
{
    attention_job j = { .call = c, .view = view_of(c->node, c->kern), .packs = c->scratch };
    const size_t pairs = j.view.items * j.view.heads;
    j.pack = head_pack(&j.view);
    j.blocks = c->scratch + pairs * j.pack;
    j.block = query_block(&j.view);
    rv_parallel(c->pool, pairs, 1, pack_heads, &j);
    rv_parallel(c->pool, pairs * block_count(&j.view), 1, attend, &j);
}

/* The adjoints come in one tensor; take part of it. */
static rv_node *part(rv_node *packed, size_t *at, const rv_node *like)
{
    const size_t n = rv_shape_count(&like->shape);
    rv_node *x = rv_reshape(rv_slice(packed, 0, *at, n), like->shape);
    *at += n;
    return x;
}

static void attention_grad(rv_node *n, rv_node *dy, rv_node *dx[])
{
    rv_node *all =
        RV_APPLY(&rv_op_attention_back, n->attr, n->in[0], n->in[1], n->in[2], n->in[3], dy);
    size_t at = 0;
    for (int i = 0; i < 4; i++)
        if (n->in[i])
            dx[i] = part(all, &at, n->in[i]);
}

const rv_op rv_op_attention = {
    .name = "attention",
    .n_in = 4,
    .attr_size = sizeof(attention_attr),
    .shape = attention_shape,
    .run = attention_run,
    .grad = attention_grad,
    .scratch_size = attention_scratch,
};

/* attention_back: q, k, v, slope, dy -> [dq, dk, dv, dslope], one after the other --------
 *
 *     da = dy v^T,  dscore = a (da - sum over t of a da), 0 where masked
 *     dq = dscore k / sqrt(E),  dk = dscore^T q / sqrt(E),  dv = a^T dy
 *     dslope[s] = -sum over t of dscore[s,t] |s - t|
 *
 * A task is one head; the weights a are computed again. dk and dv are summed transposed,
 * [E,T], as products with the packed blocks of dscore and a. */

static rv_status attention_back_shape(const rv_node *n, rv_shape *out, rv_error *err)
{
    RV_TRY(check_inputs(n, err));
    if (!rv_shape_equal(&n->in[4]->shape, &n->in[0]->shape))
        return RV_FAIL(err, RV_ERR_SHAPE, "attention_back: y and dy of different shapes");
    *out = RV_SHAPE(0);
    for (int i = 0; i < 4; i++)
        out->d[0] += n->in[i] ? rv_shape_count(&n->in[i]->shape) : 0;
    return RV_OK;
}

/* Pack m [T,E] (rows `width` apart) as the right-hand side of a product with [.., T]. */
static void pack_tall(const attention_job *j, real *packed, const real *m)
{
    const attention_view *v = &j->view;
    for (size_t t = 0; t < v->keys; t += DEPTH, packed += v->packed_slice)
        j->call->kern->pack(packed, m + t * v->width, v->keys - t < DEPTH ? v->keys - t : DEPTH,
                            v->size, v->width, 1);
}

/* Pack the transpose of m [T,E]. */
static void pack_wide(const attention_job *j, real *packed, const real *m)
{
    const attention_view *v = &j->view;
    j->call->kern->pack(packed, m, v->size, v->keys, 1, v->width);
}

/* y [n,E] (rows `width` apart) = a [n,T] m [T,E] */
static void multiply_tall(const attention_job *j, real *y, const real *a, const real *packed,
                          size_t n)
{
    const attention_view *v = &j->view;
    for (size_t t = 0; t < v->keys; t += DEPTH, packed += v->packed_slice)
        j->call->kern->gemm(&(kern_gemm_args){ .y = y,
                                               .a = a + t,
                                               .packed = packed,
                                               .m = n,
                                               .n = v->size,
                                               .k = v->keys - t < DEPTH ? v->keys - t : DEPTH,
                                               .y_row = v->width,
                                               .a_row = v->keys,
                                               .accumulate = t > 0 });
}

/* y [n,T] = a [n,E] m^T */
static void multiply_wide(const attention_job *j, real *y, const real *a, size_t a_row,
                          const real *packed, size_t n)
{
    const attention_view *v = &j->view;
    j->call->kern->gemm(&(kern_gemm_args){ .y = y,
                                           .a = a,
                                           .packed = packed,
                                           .m = n,
                                           .n = v->keys,
                                           .k = v->size,
                                           .y_row = v->keys,
                                           .a_row = a_row });
}

/* query [n,E] = q / sqrt(E) for queries [s, s + n), and their weights a [n,T]. */
static void weights_of(const attention_job *j, real *query, real *weights, const real *packed,
                       size_t item, size_t head, size_t s, size_t n)
{
    const attention_view *v = &j->view;
    scale_queries(j, query, item, head, s, n);
    multiply_wide(j, weights, query, v->size, packed, n);
    for (size_t i = 0; i < n; i++)
        weigh_row(j, weights + i * v->keys, item, s + i, head, 0, v->keys);
    j->call->kern->softmax(weights, weights, n, v->keys);
}

/* What a task of attention_back works on, in its part of scratch. */
typedef struct {
    real *keys, *keys_tall, *values; /* packed: k^T, k, v^T */
    real *weights, *dscore;          /* [ROWS,T] */
    real *query, *transposed;        /* [ROWS,E], [E,ROWS] */
    real *packed;                    /* a packed [ROWS,T] */
    real *dk, *dv;                   /* [E,T] */
} back_room;

static size_t lay_out(back_room *r, const attention_view *v, const kern_table *kern, real *base)
{
    const size_t sizes[] = { v->packed_wide,    v->packed_tall,
                             v->packed_wide,    ROWS * v->keys,
                             ROWS * v->keys,    ROWS * v->size,
                             ROWS * v->size,    kern->packed_size(ROWS, v->keys),
                             v->size * v->keys, v->size * v->keys };
    real **const parts[] = { &r->keys,  &r->keys_tall,  &r->values, &r->weights, &r->dscore,
                             &r->query, &r->transposed, &r->packed, &r->dk,      &r->dv };
    size_t at = 0;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        *parts[i] = base ? base + at : NULL;
        at += round_up(sizes[i]);
    }
    return at;
}

static size_t attention_back_scratch(const rv_node *n, int threads, const kern_table *kern)
{
    const attention_view v = view_of(n, kern);
    back_room r;
    return (size_t)threads * lay_out(&r, &v, kern, NULL);
}

/* sum [E,T] += x^T m, for x [n,E] with rows `row` apart and m [n,T] */
static void add_outer(const attention_job *j, const back_room *r, real *sum, const real *x,
                      size_t row, const real *m, size_t n)
{
    const attention_view *v = &j->view;
    for (size_t e = 0; e < v->size; e++)
        for (size_t i = 0; i < n; i++)
            r->transposed[e * ROWS + i] = x[i * row + e];
    j->call->kern->pack(r->packed, m, n, v->keys, v->keys, 1);
    j->call->kern->gemm(&(kern_gemm_args){ .y = sum,
                                           .a = r->transposed,
                                           .packed = r->packed,
                                           .m = v->size,
                                           .n = v->keys,
                                           .k = n,
                                           .y_row = v->keys,
                                           .a_row = ROWS,
                                           .accumulate = true });
}

/* da -> dscore in place for one query, given its weights; returns dslope */
static double back_through_softmax(const attention_job *j, const real *a, real *d, size_t s)
{
    const attention_view *v = &j->view;
    const attention_attr *attr = j->call->node->attr;
    double dot = 0, slope = 0;
    for (size_t t = 0; t < v->keys; t++)
        dot += (double)a[t] * (double)d[t];
    for (size_t t = 0; t < v->keys; t++)
        d[t] = (real)((double)a[t] * ((double)d[t] - dot));
    if (attr->not_self && s < v->keys)
        d[s] = 0;
    for (size_t t = 0; t < v->keys; t++)
        slope -= (double)d[t] * (double)(s > t ? s - t : t - s);
    return slope;
}

/* Queries [s, s + n) of one head: their dq and dslope, and their share of dk and dv. */
static void back_block(const attention_job *j, const back_room *r, size_t item, size_t head,
                       size_t s, size_t n)
{
    const attention_view *v = &j->view;
    const size_t row = item * v->queries + s, at = row * v->width + head * v->size;
    const size_t dq_size = v->items * v->queries * v->width,
                 dk_size = v->items * v->keys * v->width;
    const real scale = (real)(1 / sqrt((double)v->size));
    const real *dy = j->call->in[4] + at;
    weights_of(j, r->query, r->weights, r->keys, item, head, s, n);
    add_outer(j, r, r->dv, dy, v->width, r->weights, n);
    multiply_wide(j, r->dscore, dy, v->width, r->values, n);
    for (size_t i = 0; i < n; i++) {
        const double slope =
            back_through_softmax(j, r->weights + i * v->keys, r->dscore + i * v->keys, s + i);
        if (j->call->in[3])
            j->call->out[dq_size + 2 * dk_size + (row + i) * v->heads + head] = (real)slope;
    }
    add_outer(j, r, r->dk, r->query, v->size, r->dscore, n);
    real *dq = j->call->out + at;
    multiply_tall(j, dq, r->dscore, r->keys_tall, n);
    for (size_t i = 0; i < n; i++)
        for (size_t e = 0; e < v->size; e++)
            dq[i * v->width + e] *= scale;
}

static void back_heads(const void *ctx, size_t from, size_t to, int worker)
{
    const attention_job *j = ctx;
    const attention_view *v = &j->view;
    back_room r;
    lay_out(&r, v, j->call->kern, j->blocks + (size_t)worker * j->block);
    for (size_t pair = from; pair < to; pair++) {
        const size_t item = pair / v->heads, head = pair % v->heads;
        const size_t at = item * v->keys * v->width + head * v->size;
        real *dk = j->call->out + v->items * v->queries * v->width + at;
        real *dv = dk + v->items * v->keys * v->width;
        pack_wide(j, r.keys, j->call->in[1] + at);
        pack_tall(j, r.keys_tall, j->call->in[1] + at);
        pack_wide(j, r.values, j->call->in[2] + at);
        memset(r.dk, 0, v->size * v->keys * sizeof(real));
        memset(r.dv, 0, v->size * v->keys * sizeof(real));
        for (size_t s = 0; s < v->queries; s += ROWS)
            back_block(j, &r, item, head, s, v->queries - s < ROWS ? v->queries - s : ROWS);
        for (size_t t = 0; t < v->keys; t++)
            for (size_t e = 0; e < v->size; e++) {
                dk[t * v->width + e] = r.dk[e * v->keys + t];
                dv[t * v->width + e] = r.dv[e * v->keys + t];
            }
    }
}

static void attention_back_run(const rv_call *c)
{
    attention_job j = { .call = c, .view = view_of(c->node, c->kern), .blocks = c->scratch };
    back_room r;
    j.block = lay_out(&r, &j.view, c->kern, NULL);
    rv_parallel(c->pool, j.view.items * j.view.heads, 1, back_heads, &j);
}

const rv_op rv_op_attention_back = {
    .name = "attention_back",
    .n_in = 5,
    .attr_size = sizeof(attention_attr),
    .shape = attention_back_shape,
    .run = attention_back_run,
    .scratch_size = attention_back_scratch,
};

#ifdef RV_SELFTEST
const rv_op_case rv_cases_attention[] = {
    { .label = "two heads, more keys than queries",
      .op = &rv_op_attention,
      .in = { { 3, { 2, 3, 6 } }, { 3, { 2, 5, 6 } }, { 3, { 2, 5, 6 } } },
      .attr = &(const attention_attr){ .heads = 2 },
      .out = { 3, { 2, 3, 6 } } },
    { .label = "penalty on distance, not to itself",
      .op = &rv_op_attention,
      .in = { { 3, { 1, 5, 4 } }, { 3, { 1, 5, 4 } }, { 3, { 1, 5, 4 } }, { 3, { 1, 5, 2 } } },
      .attr = &(const attention_attr){ .heads = 2, .not_self = true },
      .out = { 3, { 1, 5, 4 } } },
    { .label = "more than one block",
      .op = &rv_op_attention,
      .in = { { 3, { 1, 37, 2 } }, { 3, { 1, 3, 2 } }, { 3, { 1, 3, 2 } } },
      .attr = &(const attention_attr){ .heads = 1, .not_self = true },
      .out = { 3, { 1, 37, 2 } } },
    { .label = "adjoint",
      .op = &rv_op_attention_back,
      .in = { { 3, { 1, 3, 4 } },
              { 3, { 1, 5, 4 } },
              { 3, { 1, 5, 4 } },
              { 3, { 1, 3, 2 } },
              { 3, { 1, 3, 4 } } },
      .attr = &(const attention_attr){ .heads = 2 },
      .out = { 1, { 12 + 20 + 20 + 6 } } },
    { 0 },
};
#endif
