/* conv_transpose.c - transposed convolution along time or frequency:
 *
 *     y[s j + k - before, o] += x[j, i] w[i,o,k]     plus bias[o], 0 <= position < length
 *
 * The s outputs from s q on depend on x[q - m + 1 .. q] alone, m = ceil(K / s). So it is a
 * product of overlapping rows of x (m I numbers, stride I) with a [m I, s O] matrix, and
 * its rows are s O contiguous outputs: no columns, no overlap-add. Rows at the ends of a
 * line, and all rows of short lines, go through scratch. */
#include "base/status.h"
#include "core/ops/conv_geometry.h"

#include <string.h>

enum {
    ROWS = RV_BLOCK(128),    /* of a task, each of s outputs */
    LONG_LINE = RV_BLOCK(64) /* lines at least this long are not gathered */
};

typedef struct {
    size_t stride, before, length;
    bool frequency; /* along axis 2 of [B,T,F,I] rather than axis 1 of [B,T,I] */
} transpose_attr;

rv_node *rv_conv_transpose_time(rv_node *x, rv_node *weight, rv_node *bias, size_t stride,
                                size_t before, size_t length)
{
    const transpose_attr a = { stride, before, length, false };
    return RV_APPLY(&rv_op_conv_transpose, &a, x, weight, bias);
}

rv_node *rv_conv_transpose_frequency(rv_node *x, rv_node *weight, rv_node *bias, size_t stride,
                                     size_t before, size_t length)
{
    const transpose_attr a = { stride, before, length, true };
    return RV_APPLY(&rv_op_conv_transpose, &a, x, weight, bias);
}

/* lines x n positions x I -> lines x length x O; q counts rows of a line, m taps of x */
typedef struct {
    size_t lines, n, I, O, K, s, m, q, before, length;
} geometry;

static geometry geometry_of(const rv_node *v)
{
    const transpose_attr *a = v->attr;
    const rv_shape *x = &v->in[0]->shape, *w = &v->in[1]->shape;
    geometry g = { .lines = a->frequency ? x->d[0] * x->d[1] : x->d[0],
                   .n = x->d[x->rank - 2],
                   .I = w->d[0],
                   .O = w->d[1],
                   .K = w->d[2],
                   .s = a->stride,
                   .before = a->before,
                   .length = a->length };
    g.m = (g.K + g.s - 1) / g.s;
    g.q = g.n + g.m - 1;
    return g;
}

static rv_status transpose_shape(const rv_node *v, rv_shape *out, rv_error *err)
{
    const transpose_attr *a = v->attr;
    const rv_shape *x = &v->in[0]->shape, *w = &v->in[1]->shape;
    const int rank = a->frequency ? 4 : 3;
    if (x->rank != rank || w->rank != rank || w->d[0] != x->d[rank - 1] || a->stride == 0 ||
        x->d[rank - 2] == 0 || (a->frequency && w->d[3] != 1))
        return RV_FAIL(err, RV_ERR_SHAPE,
                       "conv_transpose: x of rank %d with %zu channels, weight of rank %d for %zu",
                       x->rank, rv_extent(v->in[0], -1), w->rank, w->d[0]);
    const size_t whole = (x->d[rank - 2] - 1) * a->stride + w->d[2];
    if (a->before > whole || a->length > whole - a->before || a->length == 0)
        return RV_FAIL(err, RV_ERR_SHAPE, "conv_transpose: %zu from %zu of %zu", a->length,
                       a->before, whole);
    if (v->in[2] && rv_shape_count(&v->in[2]->shape) != w->d[1])
        return RV_FAIL(err, RV_ERR_SHAPE, "conv_transpose: bias of %zu for %zu outputs",
                       rv_shape_count(&v->in[2]->shape), w->d[1]);
    *out = *x;
    out->d[rank - 2] = a->length;
    out->d[rank - 1] = w->d[1];
    return RV_OK;
}

/* Prepared: the packed [m I, s O] matrix, then the bias s times. ---------------------- */

static size_t transpose_prepared(const rv_node *v, const kern_table *kern)
{
    const geometry g = geometry_of(v);
    return kern->packed_size(g.m * g.I, g.s * g.O) + g.s * g.O;
}

/* row [m I, columns] <- columns of the matrix from `first` on */
static void order_weights(const geometry *g, real *row, const real *w, size_t first, size_t columns)
{
    for (size_t j = 0; j < g->m; j++)
        for (size_t i = 0; i < g->I; i++, row += columns) {
            size_t o = first % g->O, tap = g->s * (g->m - 1 - j) + first / g->O;
            for (size_t c = 0; c < columns; c++) {
                row[c] = tap < g->K ? w[(i * g->O + o) * g->K + tap] : 0;
                if (++o == g->O)
                    o = 0, tap++;
            }
        }
}

static void transpose_prepare(const rv_call *c)
{
    const geometry g = geometry_of(c->node);
    kern_part part = { .k = g.m * g.I, .n = g.s * g.O };
    real *bias = c->prepared + c->kern->packed_size(part.k, part.n);
    for (; part.first < part.n; part.first += KERN_PACK_COLUMNS) {
        part.columns = rv_columns_together(part.n - part.first);
        order_weights(&g, c->scratch, c->in[1], part.first, part.columns);
        c->kern->pack_part(c->prepared, c->scratch, &part, part.columns, 1);
    }
    for (size_t i = 0; i < part.n; i++)
        bias[i] = c->in[2] ? c->in[2][i % g.O] : 0;
}

/* Scratch: weights on their way to be packed, or each thread's gathered rows and results. */
static size_t transpose_scratch(const rv_node *v, int threads, const kern_table *kern)
{
    const geometry g = geometry_of(v);
    const size_t k = g.m * g.I, n = g.s * g.O, rows = (size_t)threads * ROWS * (k + n);
    const size_t packing = k * rv_columns_together(n);
    (void)kern;
    return packing > rows ? packing : rows;
}

typedef struct {
    const rv_call *call;
    geometry g;
} job;

static void multiply(const job *j, real *y, const real *a, size_t a_row, size_t m)
{
    const size_t k = j->g.m * j->g.I, n = j->g.s * j->g.O;
    const real *bias = j->call->prepared + j->call->kern->packed_size(k, n);
    j->call->kern->gemm(&(kern_gemm_args){ .y = y,
                                           .y_row = n,
                                           .a = a,
                                           .a_row = a_row,
                                           .packed = j->call->prepared,
                                           .bias = bias,
                                           .m = m,
                                           .n = n,
                                           .k = k });
}

/* x[q - m + 1 .. q] of a line, zeros outside */
static void gather_row(const geometry *g, real *a, const real *line, size_t q)
{
    for (size_t j = 0; j < g->m; j++, a += g->I) {
        const size_t at = q + j - (g->m - 1);
        if (at < g->n)
            memcpy(a, line + at * g->I, g->I * sizeof *a);
        else
            memset(a, 0, g->I * sizeof *a);
    }
}

/* Copy the outputs of row q that exist. */
static void put_row(const geometry *g, real *line, const real *y, size_t q)
{
    const size_t at = q * g->s, end = g->before + g->length;
    const size_t from = at < g->before ? g->before : at, to = at + g->s < end ? at + g->s : end;
    if (from < to)
        memcpy(line + (from - g->before) * g->O, y + (from - at) * g->O,
               (to - from) * g->O * sizeof *y);
}

static void gathered_rows(const job *j, size_t from, size_t to, int worker)
{
    const geometry *g = &j->g;
    const size_t k = g->m * g->I, n = g->s * g->O;
    real *a = j->call->scratch + (size_t)worker * ROWS * (k + n), *y = a + ROWS * k;
    for (size_t r = from; r < to; r++)
        gather_row(g, a + (r - from) * k, j->call->in[0] + r / g->q * g->n * g->I, r % g->q);
    multiply(j, y, a, k, to - from);
    for (size_t r = from; r < to; r++)
        put_row(g, j->call->out + r / g->q * g->length * g->O, y + (r - from) * n, r % g->q);
}

/* The rows of a line that need no care at either end: [*first, *last). */
static void clear_rows(const geometry *g, size_t *first, size_t *last)
{
    const size_t starts = (g->before + g->s - 1) / g->s, ends = (g->before + g->length) / g->s;
    *first = g->m - 1 > starts ? g->m - 1 : starts;
    *last = g->n < ends ? g->n : ends;
}

static void transpose_rows(const void *ctx, size_t from, size_t to, int worker)
{
    const job *j = ctx;
    const geometry *g = &j->g;
    size_t first, last;
    clear_rows(g, &first, &last);
    if (g->q < LONG_LINE || first >= last) {
        gathered_rows(j, from, to, worker);
        return;
    }
    while (from < to) {
        const size_t line = from / g->q, q = from % g->q, room = to - from;
        const size_t next = q < first ? first : q < last ? last : g->q;
        const size_t m = next - q < room ? next - q : room;
        if (q >= first && q < last)
            multiply(j, j->call->out + (line * g->length + q * g->s - g->before) * g->O,
                     j->call->in[0] + (line * g->n + q - (g->m - 1)) * g->I, g->I, m);
        else
            gathered_rows(j, from, from + m, worker);
        from += m;
    }
}

static void transpose_run(const rv_call *c)
{
    const job j = { c, geometry_of(c->node) };
    rv_parallel(c->pool, j.g.lines * j.g.q, ROWS, transpose_rows, &j);
}

/* Its adjoint is the convolution that it transposes. */
static void transpose_grad(rv_node *v, rv_node *dy, rv_node *dx[])
{
    const geometry g = geometry_of(v);
    const transpose_attr *a = v->attr;
    const rv_conv_axis axis = { g.s, 1, g.before, (g.n - 1) * g.s + g.K - g.length - g.before };
    const rv_conv_axis still = { 1, 1, 0, 0 };
    const conv_attr conv = { a->frequency ? still : axis, a->frequency ? axis : still,
                             a->frequency };
    dx[0] = a->frequency ? rv_conv2d(dy, v->in[1], NULL, still, axis)
                         : rv_conv_time(dy, v->in[1], NULL, axis);
    dx[1] = rv_conv_dw(v->in[0], dy, v->in[1]->shape, &conv);
    if (v->in[2])
        dx[2] = rv_sum_to(dy, v->in[2]->shape);
}

const rv_op rv_op_conv_transpose = {
    .name = "conv_transpose",
    .n_in = 3,
    .attr_size = sizeof(transpose_attr),
    .shape = transpose_shape,
    .run = transpose_run,
    .grad = transpose_grad,
    .scratch_size = transpose_scratch,
    .prepared_size = transpose_prepared,
    .prepare = transpose_prepare,
    .packed = 1u << 1 | 1u << 2,
    .rounds = true,
};

#ifdef RV_SELFTEST
const rv_op_case rv_cases_conv_transpose[] = {
    { .label = "conv_transpose along time",
      .op = &rv_op_conv_transpose,
      .in = { { 3, { 2, 5, 3 } }, { 3, { 3, 2, 8 } }, { 1, { 2 } } },
      .attr = &(const transpose_attr){ 4, 0, 24, false },
      .out = { 3, { 2, 24, 2 } } },
    { .label = "conv_transpose, trimmed, odd kernel",
      .op = &rv_op_conv_transpose,
      .in = { { 3, { 1, 5, 3 } }, { 3, { 3, 2, 5 } } },
      .attr = &(const transpose_attr){ 2, 3, 9, false },
      .out = { 3, { 1, 9, 2 } } },
    { .label = "conv_transpose along a long line",
      .op = &rv_op_conv_transpose,
      .in = { { 3, { 2, 70, 1 } }, { 3, { 1, 2, 4 } }, { 1, { 2 } } },
      .attr = &(const transpose_attr){ 2, 1, 139, false },
      .out = { 3, { 2, 139, 2 } } },
    { .label = "conv_transpose cut short",
      .op = &rv_op_conv_transpose,
      .in = { { 3, { 1, 9, 1 } }, { 3, { 1, 2, 2 } } },
      .attr = &(const transpose_attr){ 2, 0, 13, false },
      .out = { 3, { 1, 13, 2 } } },
    { .label = "conv_transpose to more columns than are packed together",
      .op = &rv_op_conv_transpose,
      .in = { { 3, { 1, 3, 2 } }, { 3, { 2, 5, 9 } }, { 1, { 5 } } },
      .attr = &(const transpose_attr){ 7, 1, 22, false },
      .out = { 3, { 1, 22, 5 } } },
    { .label = "conv_transpose along frequency",
      .op = &rv_op_conv_transpose,
      .in = { { 4, { 1, 3, 4, 2 } }, { 4, { 2, 3, 8, 1 } }, { 1, { 3 } } },
      .attr = &(const transpose_attr){ 4, 2, 16, true },
      .out = { 4, { 1, 3, 16, 3 } } },
    { 0 },
};
#endif
