/* conv_grad.c - adjoints of conv.c with respect to its input and its weight.
 *
 *     dx[b,h,w,c]   = sum over p, q, o of dy[b,i,j,o] w[o,c,p,q]  where (i,j) reads (h,w)
 *     dw[o,c,p,q]   = sum over b, i, j of dy[b,i,j,o] x[what (i,j) reads at (p,q)]
 *
 * dx: products dy W give columns that are added to where their taps were read from.
 * dw: rows of x are gathered block by block and multiplied by dy^T; groups of blocks, cut
 * by size alone, are summed apart and added in order. */
#include "base/status.h"
#include "core/ops/conv_geometry.h"

#include <string.h>

enum {
    SPAN = RV_BLOCK(256), /* input positions of a task of dx */
    ROWS = RV_BLOCK(192), /* outputs that dw gathers at a time */
    MAX_GROUPS = 8        /* partial sums of dw */
};

typedef struct {
    conv_attr conv;
    rv_shape shape; /* of the result */
} grad_attr;

rv_node *rv_conv_dx(rv_node *dy, rv_node *weight, rv_shape x, const conv_attr *a)
{
    return RV_APPLY(&rv_op_conv_dx, (&(grad_attr){ *a, x }), dy, weight);
}

rv_node *rv_conv_dw(rv_node *dy, rv_node *x, rv_shape weight, const conv_attr *a)
{
    return RV_APPLY(&rv_op_conv_dw, (&(grad_attr){ *a, weight }), dy, x);
}

static rv_status given_shape(const rv_node *n, rv_shape *out, rv_error *err)
{
    (void)err;
    *out = ((const grad_attr *)n->attr)->shape;
    return RV_OK;
}

/* dx ---------------------------------------------------------------------------- */

static conv_geometry dx_geometry(const rv_node *n)
{
    const grad_attr *a = n->attr;
    return rv_conv_geometry(&n->shape, &n->in[1]->shape, &n->in[0]->shape, &a->conv);
}

/* Outputs that can read a span. */
static size_t span_outputs(const conv_geometry *g)
{
    return (SPAN + (g->KW - 1) * g->w.dilation) / g->w.stride + 2;
}

static size_t dx_prepared(const rv_node *n, const kern_table *kern)
{
    const conv_geometry g = dx_geometry(n);
    return g.KH * kern->packed_size(g.O, g.KW * g.C);
}

static size_t dx_scratch(const rv_node *n, int threads, const kern_table *kern)
{
    const conv_geometry g = dx_geometry(n);
    const size_t rows = (size_t)threads * span_outputs(&g);
    (void)kern;
    return g.KW * g.C * (g.O > rows ? g.O : rows);
}

static void dx_prepare(const rv_call *c)
{
    const conv_geometry g = dx_geometry(c->node);
    const size_t k = g.KW * g.C, packed = c->kern->packed_size(g.O, k);
    for (size_t p = 0; p < g.KH; p++) {
        for (size_t o = 0; o < g.O; o++)
            for (size_t q = 0; q < g.KW; q++)
                for (size_t i = 0; i < g.C; i++)
                    c->scratch[o * k + q * g.C + i] =
                        c->in[1][o * g.w_o + i * g.w_c + p * g.w_kh + q * g.w_kw];
        c->kern->pack(c->prepared + p * packed, c->scratch, g.O, k, k, 1);
    }
}

typedef struct {
    const rv_call *call;
    conv_geometry g;
    size_t packed, spans;
} dx_job;

/* Add the columns of outputs [j0, j1) to where they were read from, within [w0, w1). */
static void scatter(const conv_geometry *g, real *line, const real *columns, size_t j0, size_t j1,
                    size_t w0, size_t w1)
{
    for (size_t j = j0; j < j1; j++)
        for (size_t q = 0; q < g->KW; q++) {
            const size_t w = j * g->w.stride + q * g->w.dilation - g->w.before;
            const real *from = columns + ((j - j0) * g->KW + q) * g->C;
            if (w >= w0 && w < w1) /* false where w wrapped below 0 */
                for (size_t c = 0; c < g->C; c++)
                    line[w * g->C + c] += from[c];
        }
}

static void dx_span(void *ctx, size_t task, int worker)
{
    const dx_job *t = ctx;
    const conv_geometry *g = &t->g;
    const rv_call *c = t->call;
    const size_t line = task / t->spans, item = line / g->H, h = line % g->H, k = g->KW * g->C;
    const size_t w0 = task % t->spans * SPAN, w1 = w0 + SPAN < g->W ? w0 + SPAN : g->W;
    const size_t reach = (g->KW - 1) * g->w.dilation, low = w0 + g->w.before;
    const size_t j0 = low > reach ? (low - reach + g->w.stride - 1) / g->w.stride : 0;
    size_t j1 = (w1 - 1 + g->w.before) / g->w.stride + 1;
    j1 = j1 < g->WO ? j1 : g->WO;
    real *columns = c->scratch + (size_t)worker * span_outputs(g) * k,
         *out = c->out + line * g->W * g->C;
    memset(out + w0 * g->C, 0, (w1 - w0) * g->C * sizeof *out);
    for (size_t p = 0; p < g->KH && j0 < j1; p++) {
        const size_t ahead = h + g->h.before - p * g->h.dilation, i = ahead / g->h.stride;
        if (ahead % g->h.stride || i >= g->HO)
            continue;
        const real *dy = c->in[0] + ((item * g->HO + i) * g->WO + j0) * g->O;
        c->kern->gemm(&(kern_gemm_args){ .y = columns,
                                         .y_row = k,
                                         .a = dy,
                                         .a_row = g->O,
                                         .packed = c->prepared + p * t->packed,
                                         .m = j1 - j0,
                                         .n = k,
                                         .k = g->O });
        scatter(g, out, columns, j0, j1, w0, w1);
    }
}

static void dx_run(const rv_call *c)
{
    dx_job t = { .call = c, .g = dx_geometry(c->node) };
    t.packed = c->kern->packed_size(t.g.O, t.g.KW * t.g.C);
    t.spans = (t.g.W + SPAN - 1) / SPAN;
    rv_pool_run(c->pool, t.g.B * t.g.H * t.spans, dx_span, &t);
}

const rv_op rv_op_conv_dx = {
    .name = "conv_dx",
    .n_in = 2,
    .attr_size = sizeof(grad_attr),
    .shape = given_shape,
    .run = dx_run,
    .scratch_size = dx_scratch,
    .prepared_size = dx_prepared,
    .prepare = dx_prepare,
};

/* dw ---------------------------------------------------------------------------- */

static conv_geometry dw_geometry(const rv_node *n)
{
    const grad_attr *a = n->attr;
    return rv_conv_geometry(&n->in[1]->shape, &n->shape, &n->in[0]->shape, &a->conv);
}

static size_t group_count(const conv_geometry *g)
{
    const size_t blocks = (g->B * g->HO * g->WO + ROWS - 1) / ROWS;
    return blocks < MAX_GROUPS ? blocks : MAX_GROUPS;
}

typedef struct {
    const rv_call *call;
    conv_geometry g;
    size_t groups, sums, room; /* reals: of one group's sums, of one thread's workspace */
} dw_job;

static dw_job dw_job_of(const rv_call *c, const rv_node *n, const kern_table *kern)
{
    dw_job t = { .call = c, .g = dw_geometry(n) };
    const size_t k = t.g.KW * t.g.C;
    t.groups = group_count(&t.g);
    t.sums = t.g.KH * t.g.O * k;
    t.room = ROWS * k + ROWS * t.g.O + kern->packed_size(ROWS, k);
    return t;
}

static size_t dw_scratch(const rv_node *n, int threads, const kern_table *kern)
{
    const dw_job t = dw_job_of(NULL, n, kern);
    return t.groups * t.sums + (size_t)threads * t.room;
}

/* What outputs [from, to) read at tap p -> rows [to - from, KW C] */
static void gather(const dw_job *t, real *rows, size_t from, size_t to, size_t p)
{
    const conv_geometry *g = &t->g;
    for (size_t r = from; r < to; r++)
        for (size_t q = 0; q < g->KW; q++, rows += g->C) {
            const size_t line = r / g->WO, item = line / g->HO;
            const size_t h = line % g->HO * g->h.stride + p * g->h.dilation - g->h.before;
            const size_t w = r % g->WO * g->w.stride + q * g->w.dilation - g->w.before;
            if (h < g->H && w < g->W)
                memcpy(rows, t->call->in[1] + ((item * g->H + h) * g->W + w) * g->C,
                       g->C * sizeof *rows);
            else
                memset(rows, 0, g->C * sizeof *rows);
        }
}

static void add_block(const dw_job *t, real *sums, real *room, size_t from, size_t to)
{
    const conv_geometry *g = &t->g;
    const rv_call *c = t->call;
    const size_t k = g->KW * g->C, m = to - from;
    real *rows = room, *dy = rows + ROWS * k, *packed = dy + ROWS * g->O;
    for (size_t o = 0; o < g->O; o++)
        for (size_t r = 0; r < m; r++)
            dy[o * m + r] = c->in[0][(from + r) * g->O + o];
    for (size_t p = 0; p < g->KH; p++) {
        gather(t, rows, from, to, p);
        c->kern->pack(packed, rows, m, k, k, 1);
        c->kern->gemm(&(kern_gemm_args){ .y = sums + p * g->O * k,
                                         .y_row = k,
                                         .a = dy,
                                         .a_row = m,
                                         .packed = packed,
                                         .m = g->O,
                                         .n = k,
                                         .k = m,
                                         .accumulate = true });
    }
}

static void dw_group(void *ctx, size_t group, int worker)
{
    const dw_job *t = ctx;
    const size_t rows = t->g.B * t->g.HO * t->g.WO, blocks = (rows + ROWS - 1) / ROWS;
    real *sums = t->call->scratch + group * t->sums;
    real *room = t->call->scratch + t->groups * t->sums + (size_t)worker * t->room;
    memset(sums, 0, t->sums * sizeof *sums);
    for (size_t b = blocks * group / t->groups; b < blocks * (group + 1) / t->groups; b++)
        add_block(t, sums, room, b * ROWS, b * ROWS + ROWS < rows ? b * ROWS + ROWS : rows);
}

static void dw_run(const rv_call *c)
{
    dw_job t = dw_job_of(c, c->node, c->kern);
    const conv_geometry *g = &t.g;
    rv_pool_run(c->pool, t.groups, dw_group, &t);
    for (size_t p = 0; p < g->KH; p++)
        for (size_t o = 0; o < g->O; o++)
            for (size_t q = 0; q < g->KW; q++)
                for (size_t i = 0; i < g->C; i++) {
                    const size_t at = ((p * g->O + o) * g->KW + q) * g->C + i;
                    real s = 0;
                    for (size_t k = 0; k < t.groups; k++)
                        s += c->scratch[k * t.sums + at];
                    c->out[o * g->w_o + i * g->w_c + p * g->w_kh + q * g->w_kw] = s;
                }
}

const rv_op rv_op_conv_dw = {
    .name = "conv_dw",
    .n_in = 2,
    .attr_size = sizeof(grad_attr),
    .shape = given_shape,
    .run = dw_run,
    .scratch_size = dw_scratch,
};

#ifdef RV_SELFTEST
const rv_op_case rv_cases_conv_grad[] = {
    { .label = "conv_dx",
      .op = &rv_op_conv_dx,
      .in = { { 3, { 2, 7, 4 } }, { 3, { 4, 3, 5 } } },
      .attr = &(const grad_attr){ { { 2, 1, 3, 1 }, { 1, 1, 0, 0 }, false }, { 3, { 2, 13, 3 } } },
      .out = { 3, { 2, 13, 3 } } },
    { .label = "conv_dw",
      .op = &rv_op_conv_dw,
      .in = { { 3, { 2, 7, 4 } }, { 3, { 2, 13, 3 } } },
      .attr = &(const grad_attr){ { { 2, 1, 3, 1 }, { 1, 1, 0, 0 }, false }, { 3, { 4, 3, 5 } } },
      .out = { 3, { 4, 3, 5 } } },
    { 0 },
};
#endif
