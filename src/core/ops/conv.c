/* conv.c - convolution (correlation, as in deep learning) along time and frequency:
 *
 *     y[b,i,j,o] = bias[o] + sum over p, q, c of
 *                  x[b, i sh + p dh - ph, j sw + q dw - pw, c] w[o,c,p,q]
 *
 * as a matrix product of KH pieces: with channels innermost, the KW taps of an output at
 * one p are one contiguous run of KW C numbers, so the pieces of the left-hand matrix are
 * overlapping views of x with row stride sw C. Nothing is copied, except rows that touch
 * the border, rows of short lines (so that products stay large) and dilated ones; these
 * are summed piece by piece. */
#include "base/status.h"
#include "core/ops/conv_geometry.h"

#include <string.h>

enum {
    ROWS = RV_BLOCK(192),    /* outputs of a task */
    LONG_LINE = RV_BLOCK(64) /* lines at least this long are not gathered */
};

static rv_conv_axis fill_in(rv_conv_axis a)
{
    a.stride = a.stride ? a.stride : 1;
    a.dilation = a.dilation ? a.dilation : 1;
    return a;
}

/* One tap, every step: a linear layer. */
static bool is_linear(const rv_node *weight, const rv_conv_axis *a, int axis)
{
    return rv_extent(weight, axis) == 1 && a->stride <= 1 && a->before + a->after == 0;
}

static rv_node *as_linear(rv_node *x, rv_node *weight, rv_node *bias)
{
    rv_node *w = rv_reshape(weight, RV_SHAPE(rv_extent(weight, 0), rv_extent(weight, 1)));
    return rv_linear(x, w, bias);
}

rv_node *rv_conv_time(rv_node *x, rv_node *weight, rv_node *bias, rv_conv_axis time)
{
    if (is_linear(weight, &time, 2))
        return as_linear(x, weight, bias);
    const conv_attr a = { fill_in(time), { 1, 1, 0, 0 }, false };
    return RV_APPLY(&rv_op_conv, &a, x, weight, bias);
}

rv_node *rv_conv2d(rv_node *x, rv_node *weight, rv_node *bias, rv_conv_axis time,
                   rv_conv_axis frequency)
{
    if (is_linear(weight, &frequency, 2) && is_linear(weight, &time, 3))
        return as_linear(x, weight, bias);
    const conv_attr a = { fill_in(time), fill_in(frequency), true };
    return RV_APPLY(&rv_op_conv, &a, x, weight, bias);
}

/* Outputs along an axis of n; 0 if it is too short. */
static size_t extent_out(size_t n, size_t taps, const rv_conv_axis *a)
{
    size_t reach, padded;
    if (taps == 0 || __builtin_mul_overflow(taps - 1, a->dilation, &reach) ||
        __builtin_add_overflow(n, a->before, &padded) ||
        __builtin_add_overflow(padded, a->after, &padded))
        return 0;
    return padded > reach ? (padded - reach - 1) / a->stride + 1 : 0;
}

static rv_status conv_shape(const rv_node *n, rv_shape *out, rv_error *err)
{
    const conv_attr *a = n->attr;
    const rv_shape *x = &n->in[0]->shape, *w = &n->in[1]->shape;
    if ((x->rank != 4 && (a->both || x->rank != 3)) || w->rank != (a->both ? 4 : 3) ||
        w->d[1] != x->d[x->rank - 1])
        return RV_FAIL(err, RV_ERR_SHAPE,
                       "conv: x of rank %d with %zu channels, weight of rank %d for %zu", x->rank,
                       rv_extent(n->in[0], -1), w->rank, w->rank > 1 ? w->d[1] : 0);
    if (n->in[2] && rv_shape_count(&n->in[2]->shape) != w->d[0])
        return RV_FAIL(err, RV_ERR_SHAPE, "conv: bias of %zu for %zu outputs",
                       rv_shape_count(&n->in[2]->shape), w->d[0]);
    *out = *x;
    out->d[1] = extent_out(x->d[1], w->d[w->rank - 1], &a->time);
    if (a->both)
        out->d[2] = extent_out(x->d[2], w->d[2], &a->frequency);
    out->d[x->rank - 1] = w->d[0];
    if (out->d[1] == 0 || out->d[2] == 0)
        return RV_FAIL(err, RV_ERR_SHAPE, "conv: %zu taps over %zu steps", w->d[w->rank - 1],
                       x->d[1]);
    return RV_OK;
}

conv_geometry rv_conv_geometry(const rv_shape *x, const rv_shape *w, const rv_shape *y,
                               const conv_attr *a)
{
    const size_t taps = w->d[w->rank - 1], taps_f = a->both ? w->d[2] : 1;
    conv_geometry g = { .B = x->d[0],
                        .C = w->d[1],
                        .O = w->d[0],
                        .w_o = w->d[1] * taps * taps_f,
                        .w_c = taps * taps_f };
    if (x->rank == 3) {
        g.H = g.HO = g.KH = 1;
        g.W = x->d[1], g.WO = y->d[1], g.KW = taps;
        g.h = (rv_conv_axis){ 1, 1, 0, 0 };
        g.w = a->time;
        g.w_kw = 1;
        return g;
    }
    g.H = x->d[1], g.HO = y->d[1], g.KH = taps;
    g.W = x->d[2], g.WO = y->d[2], g.KW = taps_f;
    g.h = a->time;
    g.w = a->frequency;
    g.w_kh = 1;
    g.w_kw = taps;
    return g;
}

static conv_geometry geometry_of(const rv_node *n)
{
    return rv_conv_geometry(&n->in[0]->shape, &n->in[1]->shape, &n->shape, n->attr);
}

/* Prepared weights: [KH KW C, O], packed. --------------------------------------------- */

static size_t conv_prepared(const rv_node *n, const kern_table *kern)
{
    const conv_geometry g = geometry_of(n);
    return kern->packed_size(g.KH * g.KW * g.C, g.O);
}

/* row [KH KW C, columns] <- w, the weights of so many outputs */
static void order_weights(const conv_geometry *g, real *row, const real *w, size_t columns)
{
    for (size_t p = 0; p < g->KH; p++)
        for (size_t q = 0; q < g->KW; q++)
            for (size_t i = 0; i < g->C; i++, row += columns)
                for (size_t o = 0; o < columns; o++)
                    row[o] = w[o * g->w_o + i * g->w_c + p * g->w_kh + q * g->w_kw];
}

static void conv_prepare(const rv_call *c)
{
    const conv_geometry g = geometry_of(c->node);
    kern_part part = { .k = g.KH * g.KW * g.C, .n = g.O };
    for (; part.first < g.O; part.first += KERN_PACK_COLUMNS) {
        part.columns = rv_columns_together(g.O - part.first);
        order_weights(&g, c->scratch, c->in[1] + part.first * g.w_o, part.columns);
        c->kern->pack_part(c->prepared, c->scratch, &part, part.columns, 1);
    }
}

/* Are all rows views of the input? */
static bool never_gathers(const conv_geometry *g)
{
    return g->WO >= LONG_LINE && g->w.dilation == 1 && g->w.before + g->w.after == 0 &&
           g->h.before + g->h.after == 0;
}

/* Scratch: weights on their way to be packed, or gathered rows of each thread. */
static size_t conv_scratch(const rv_node *n, int threads, const kern_table *kern)
{
    const conv_geometry g = geometry_of(n);
    const size_t k = g.KW * g.C, rows = never_gathers(&g) ? 0 : (size_t)threads * ROWS;
    const size_t columns = g.KH * rv_columns_together(g.O);
    (void)kern;
    return k * (columns > rows ? columns : rows);
}

typedef struct {
    const rv_call *call;
    conv_geometry g;
    bool flat; /* one tap along W, no stride or padding: whole planes are rows of a view */
} job;

/* Taps [p, end) of m outputs; those of one p are k numbers from a + p a_tap on. The first ones
 * start from the bias. */
static void multiply(const job *j, size_t row, size_t m, size_t p, size_t end, const real *a,
                     size_t a_row)
{
    const rv_call *c = j->call;
    const conv_geometry *g = &j->g;
    c->kern->gemm(&(kern_gemm_args){ .y = c->out + row * g->O,
                                     .y_row = g->O,
                                     .a = a,
                                     .a_row = a_row,
                                     .a_piece = (ptrdiff_t)(g->h.dilation * g->W * g->C),
                                     .packed = c->prepared,
                                     .bias = c->in[2],
                                     .m = m,
                                     .n = g->O,
                                     .k = g->KW * g->C,
                                     .pieces = end - p,
                                     .b_pieces = g->KH,
                                     .first = p });
}

/* The same for gathered rows of one p, added to what was summed before. */
static void multiply_gathered(const job *j, size_t row, size_t m, size_t p, const real *a)
{
    const rv_call *c = j->call;
    const conv_geometry *g = &j->g;
    c->kern->gemm(&(kern_gemm_args){ .y = c->out + row * g->O,
                                     .y_row = g->O,
                                     .a = a,
                                     .a_row = g->KW * g->C,
                                     .packed = c->prepared,
                                     .bias = c->in[2],
                                     .m = m,
                                     .n = g->O,
                                     .k = g->KW * g->C,
                                     .b_pieces = g->KH,
                                     .first = p,
                                     .accumulate = p > 0 });
}

/* Outputs all of whose taps are padding. */
static void only_bias(const job *j, size_t from, size_t to)
{
    const size_t n = j->g.O;
    const real *bias = j->call->in[2];
    for (size_t r = from; r < to; r++)
        if (bias)
            memcpy(j->call->out + r * n, bias, n * sizeof(real));
        else
            memset(j->call->out + r * n, 0, n * sizeof(real));
}

/* Time step that tap p of output step i reads; H or more if that is padding. */
static size_t input_step(const conv_geometry *g, size_t i, size_t p)
{
    return i * g->h.stride + p * g->h.dilation - g->h.before; /* wraps below 0 */
}

/* The taps [*p, *end) of output step i that read no padding. */
static void clear_taps(const conv_geometry *g, size_t i, size_t *p, size_t *end)
{
    const size_t step = i * g->h.stride, reach = g->H + g->h.before;
    *p = step < g->h.before ? (g->h.before - step + g->h.dilation - 1) / g->h.dilation : 0;
    *end = step < reach ? (reach - step + g->h.dilation - 1) / g->h.dilation : 0;
    *end = *end < g->KH ? *end : g->KH;
}

/* Rows of whole lines with the same clear taps, all in one view: from `row` on, fewer than `to`.
 * Returns the row behind them. */
static size_t flat_part(const job *j, size_t row, size_t to)
{
    const conv_geometry *g = &j->g;
    const size_t plane = g->HO * g->WO, item = row / plane, i = row % plane / g->WO;
    size_t p, end, last = i, p_last, end_last;
    clear_taps(g, i, &p, &end);
    do {
        last++;
        clear_taps(g, last, &p_last, &end_last);
    } while (last < g->HO && p_last == p && end_last == end);
    const size_t behind = (item * g->HO + last) * g->WO, stop = behind < to ? behind : to;
    if (p < end)
        multiply(j, row, stop - row, p, end,
                 j->call->in[0] + (item * g->H * g->W + row % plane + p * g->h.dilation * g->W -
                                   g->h.before * g->W) *
                                      g->C,
                 g->C);
    else
        only_bias(j, row, stop);
    return stop;
}

/* The KW taps of output (i, k) at tap p, zeros where they are padding. */
static void gather_row(const conv_geometry *g, real *a, const real *item, size_t i, size_t k,
                       size_t p)
{
    const size_t h = input_step(g, i, p);
    for (size_t q = 0; q < g->KW; q++) {
        const size_t w = k * g->w.stride + q * g->w.dilation - g->w.before;
        if (h < g->H && w < g->W)
            memcpy(a + q * g->C, item + (h * g->W + w) * g->C, g->C * sizeof *a);
        else
            memset(a + q * g->C, 0, g->C * sizeof *a);
    }
}

static void gathered_tap(const job *j, size_t from, size_t to, size_t p, int worker)
{
    const conv_geometry *g = &j->g;
    const size_t k = g->KW * g->C, plane = g->HO * g->WO;
    real *a = j->call->scratch + (size_t)worker * ROWS * k;
    for (size_t r = from; r < to; r++) {
        const size_t item = r / plane, at = r % plane;
        gather_row(g, a + (r - from) * k, j->call->in[0] + item * g->H * g->W * g->C, at / g->WO,
                   at % g->WO, p);
    }
    multiply_gathered(j, from, to - from, p, a);
}

/* Are outputs [k0, k1) of a line clear of the padding, their taps contiguous? */
static bool is_view(const conv_geometry *g, size_t k0, size_t k1)
{
    return g->w.dilation == 1 && k0 * g->w.stride >= g->w.before &&
           (k1 - 1) * g->w.stride + g->KW <= g->W + g->w.before;
}

/* Outputs of one line, or of several that are short. */
static void line_part(const job *j, size_t from, size_t to, int worker)
{
    const conv_geometry *g = &j->g;
    const size_t line = from / g->WO, item = line / g->HO, i = line % g->HO;
    const size_t k0 = from % g->WO, k1 = k0 + (to - from);
    size_t p, end;
    clear_taps(g, i, &p, &end);
    if (to > (line + 1) * g->WO || !is_view(g, k0, k1))
        for (p = 0; p < g->KH; p++)
            gathered_tap(j, from, to, p, worker);
    else if (p < end)
        multiply(j, from, to - from, p, end,
                 j->call->in[0] +
                     ((item * g->H + input_step(g, i, p)) * g->W + k0 * g->w.stride - g->w.before) *
                         g->C,
                 g->w.stride * g->C);
    else
        only_bias(j, from, to);
}

static void flat_rows(const void *ctx, size_t from, size_t to, int worker)
{
    const job *j = ctx;
    (void)worker;
    while (from < to)
        from = flat_part(j, from, to);
}

/* Long lines are cut at their ends and where they leave the border, short ones are not. */
static size_t cut_line(const conv_geometry *g, size_t from, size_t to)
{
    const size_t k = from % g->WO, end = from - k + g->WO;
    const size_t first = (g->w.before + g->w.stride - 1) / g->w.stride; /* first clear output */
    const size_t reach = g->W + g->w.before;
    const size_t last = reach >= g->KW ? (reach - g->KW) / g->w.stride + 1 : 0; /* first unclear */
    size_t cut = end < to ? end : to;
    if (k < first && from - k + first < cut)
        cut = from - k + first;
    else if (k < last && from - k + last < cut)
        cut = from - k + last;
    return cut;
}

static void conv_rows(const void *ctx, size_t from, size_t to, int worker)
{
    const job *j = ctx;
    while (from < to) {
        const size_t end = j->g.WO >= LONG_LINE ? cut_line(&j->g, from, to) : to;
        line_part(j, from, end, worker);
        from = end;
    }
}

static void conv_run(const rv_call *c)
{
    job j = { .call = c, .g = geometry_of(c->node) };
    const conv_geometry *g = &j.g;
    j.flat = g->KH > 1 && g->KW == 1 && g->w.stride == 1 && g->h.stride == 1 && g->WO == g->W;
    rv_parallel(c->pool, g->B * g->HO * g->WO, ROWS, j.flat ? flat_rows : conv_rows, &j);
}

static void conv_grad(rv_node *n, rv_node *dy, rv_node *dx[])
{
    dx[0] = rv_conv_dx(dy, n->in[1], n->in[0]->shape, n->attr);
    dx[1] = rv_conv_dw(dy, n->in[0], n->in[1]->shape, n->attr);
    if (n->in[2])
        dx[2] = rv_sum_to(dy, n->in[2]->shape);
}

const rv_op rv_op_conv = {
    .name = "conv",
    .n_in = 3,
    .attr_size = sizeof(conv_attr),
    .shape = conv_shape,
    .run = conv_run,
    .grad = conv_grad,
    .scratch_size = conv_scratch,
    .prepared_size = conv_prepared,
    .prepare = conv_prepare,
    .packed = 1u << 1,
    .rounds = true,
};

#ifdef RV_SELFTEST
const rv_op_case rv_cases_conv[] = {
    { .label = "conv along time, stride and padding",
      .op = &rv_op_conv,
      .in = { { 3, { 2, 13, 3 } }, { 3, { 4, 3, 5 } }, { 1, { 4 } } },
      .attr = &(const conv_attr){ { 2, 1, 3, 1 }, { 1, 1, 0, 0 }, false },
      .out = { 3, { 2, 7, 4 } } },
    { .label = "conv along a long line",
      .op = &rv_op_conv,
      .in = { { 3, { 1, 141, 1 } }, { 3, { 2, 1, 4 } }, { 1, { 2 } } },
      .attr = &(const conv_attr){ { 2, 1, 3, 5 }, { 1, 1, 0, 0 }, false },
      .out = { 3, { 1, 73, 2 } } },
    { .label = "conv along a long line without padding",
      .op = &rv_op_conv,
      .in = { { 3, { 2, 29, 1 } }, { 3, { 2, 1, 4 } } },
      .attr = &(const conv_attr){ { 2, 1, 0, 0 }, { 1, 1, 0, 0 }, false },
      .out = { 3, { 2, 13, 2 } } },
    { .label = "conv along time, dilated",
      .op = &rv_op_conv,
      .in = { { 3, { 1, 9, 2 } }, { 3, { 3, 2, 3 } } },
      .attr = &(const conv_attr){ { 1, 2, 2, 2 }, { 1, 1, 0, 0 }, false },
      .out = { 3, { 1, 9, 3 } } },
    { .label = "conv along time for each frequency, dilated",
      .op = &rv_op_conv,
      .in = { { 4, { 2, 5, 3, 2 } }, { 3, { 3, 2, 3 } }, { 1, { 3 } } },
      .attr = &(const conv_attr){ { 1, 2, 2, 2 }, { 1, 1, 0, 0 }, false },
      .out = { 4, { 2, 5, 3, 3 } } },
    { .label = "conv along time for each frequency, padded past the end",
      .op = &rv_op_conv,
      .in = { { 4, { 1, 2, 3, 2 } }, { 3, { 3, 2, 3 } } },
      .attr = &(const conv_attr){ { 1, 4, 5, 5 }, { 1, 1, 0, 0 }, false },
      .out = { 4, { 1, 4, 3, 3 } } },
    { .label = "conv along frequency",
      .op = &rv_op_conv,
      .in = { { 4, { 1, 3, 8, 2 } }, { 4, { 3, 2, 4, 1 } }, { 1, { 3 } } },
      .attr = &(const conv_attr){ { 1, 1, 0, 0 }, { 2, 1, 1, 1 }, true },
      .out = { 4, { 1, 3, 4, 3 } } },
    { .label = "conv along both",
      .op = &rv_op_conv,
      .in = { { 4, { 2, 4, 5, 2 } }, { 4, { 3, 2, 3, 3 } }, { 1, { 3 } } },
      .attr = &(const conv_attr){ { 1, 1, 1, 1 }, { 1, 1, 1, 1 }, true },
      .out = { 4, { 2, 4, 5, 3 } } },
    { .label = "conv to more outputs than are packed together",
      .op = &rv_op_conv,
      .in = { { 4, { 1, 3, 4, 2 } }, { 4, { 35, 2, 2, 3 } }, { 1, { 35 } } },
      .attr = &(const conv_attr){ { 1, 1, 1, 1 }, { 2, 1, 0, 0 }, true },
      .out = { 4, { 1, 3, 2, 35 } } },
    { .label = "conv along both, long lines, strides",
      .op = &rv_op_conv,
      .in = { { 4, { 1, 3, 131, 1 } }, { 4, { 1, 1, 3, 2 } } },
      .attr = &(const conv_attr){ { 2, 1, 1, 0 }, { 2, 1, 1, 1 }, true },
      .out = { 4, { 1, 2, 66, 1 } } },
    { 0 },
};
#endif
