/* norm.c - normalise groups of values to zero mean and unit variance.
 *
 *     y = (x - mean) / sqrt(variance + eps) gain[c] + bias[c]
 *
 * Group normalisation (Wu and He 2018, arXiv:1803.08494) and layer normalisation (Ba
 * et al. 2016, arXiv:1607.06450) differ in which values share their statistics. Here
 * x is seen as [items, rows, cells, width], and the statistics of a cell of an item
 * are over its rows and its width:
 *
 *                        items   rows    cells     width
 *     group norm         B       T (F)   groups    C / groups
 *       each frequency   B       T       F groups  C / groups
 *     layer norm         B T..   1       1         C
 *
 * So memory is read in order: once for the sums (in double, by chunks of rows, whose
 * sums are added in order), and once for y = x scale + offset. With h = dy gain and
 * z = (x - mean) / deviation the adjoint is
 *
 *     dx = (h - mean(h) - z mean(h z)) / deviation,  dgain = sum dy z,  dbias = sum dy */
#include "base/status.h"
#include "core/op.h"
#include "core/ops.h"

#include <math.h>
#include <string.h>

typedef enum { NORM_ALL, NORM_EACH_FREQUENCY, NORM_EACH_ROW } norm_kind;

typedef struct {
    norm_kind kind;
    size_t groups;
    double eps;
} norm_attr;

enum {
    CHUNK = RV_BLOCK(1 << 15), /* elements of a task, about */
    MAX_CHUNKS = 64,           /* of an item */
    NARROW = RV_BLOCK(32),     /* below this width the sums run over neighbouring cells */
    LANES = RV_BLOCK(512),     /* elements of such a run */
    TILE = RV_BLOCK(2048), /* elements of a row whose scale and offset stay in the first cache */
};

rv_node *rv_group_norm(rv_node *x, rv_node *gain, rv_node *bias, size_t groups, double eps,
                       bool each_frequency)
{
    const norm_attr a = { each_frequency ? NORM_EACH_FREQUENCY : NORM_ALL, groups, eps };
    return RV_APPLY(&rv_op_norm, &a, x, gain, bias);
}

rv_node *rv_layer_norm(rv_node *x, rv_node *gain, rv_node *bias, double eps)
{
    const norm_attr a = { NORM_EACH_ROW, 1, eps };
    return RV_APPLY(&rv_op_norm, &a, x, gain, bias);
}

/* x as [items, rows, cells, width] ------------------------------------------------ */

typedef struct {
    size_t items, rows, cells, width;
    size_t row;        /* cells * width: elements of a row */
    size_t channels;   /* of gain and bias: element i of a row has channel i % channels */
    size_t chunk_rows; /* rows whose sums one task adds up */
    size_t chunks;
} norm_view;

static norm_view view_of(const rv_node *n)
{
    const norm_attr *a = n->attr;
    const rv_shape *x = &n->in[0]->shape;
    const size_t channels = x->d[x->rank - 1], all = rv_shape_count(x);
    norm_view v = { .channels = channels, .cells = a->groups, .width = channels / a->groups };
    if (a->kind == NORM_EACH_FREQUENCY)
        v.cells *= x->d[2];
    v.row = v.cells * v.width;
    v.items = a->kind == NORM_EACH_ROW ? (v.row ? all / v.row : 0) : x->d[0];
    v.rows = v.row && v.items ? all / v.items / v.row : 0;
    v.chunk_rows = 1 + CHUNK / (v.row + 1);
    if (v.rows / MAX_CHUNKS >= v.chunk_rows)
        v.chunk_rows = v.rows / MAX_CHUNKS + 1;
    v.chunks = (v.rows + v.chunk_rows - 1) / v.chunk_rows;
    return v;
}

static rv_status check_channels(const rv_node *n, int i, size_t channels, rv_error *err)
{
    if (i < n->n_in && n->in[i] && rv_shape_count(&n->in[i]->shape) != channels)
        return RV_FAIL(err, RV_ERR_SHAPE, "%s: input %d has %zu values for %zu channels",
                       n->op->name, i, rv_shape_count(&n->in[i]->shape), channels);
    return RV_OK;
}

static rv_status check_view(const rv_node *n, rv_shape *out, rv_error *err)
{
    const norm_attr *a = n->attr;
    const rv_shape *x = &n->in[0]->shape;
    const int least = a->kind == NORM_EACH_FREQUENCY ? 4 : a->kind == NORM_ALL ? 2 : 1;
    if (x->rank < least || (a->kind == NORM_EACH_FREQUENCY && x->rank != 4))
        return RV_FAIL(err, RV_ERR_SHAPE, "%s: rank %d", n->op->name, x->rank);
    if (a->groups == 0 || x->d[x->rank - 1] % a->groups)
        return RV_FAIL(err, RV_ERR_SHAPE, "%s: %zu channels in %zu groups", n->op->name,
                       x->d[x->rank - 1], a->groups);
    *out = *x;
    return RV_OK;
}

/* Sums ------------------------------------------------------------------------------ */

typedef struct {
    double x, xx; /* sum of x, of x^2 */
    double h, hx; /* of dy gain, of dy gain x: for the adjoint only */
} norm_sums;

typedef struct {
    const rv_call *call;
    norm_view view;
    const real *x, *dy; /* of this item */
    const real *gain, *bias;
    real *y;
    norm_sums *sums;     /* [chunks, cells] */
    real *scale, *shift; /* [row]: y = x scale + shift */
    norm_sums *cells;    /* [cells], for the adjoint: what the elements are made from */
} norm_job;

/* Narrow cells: one sum for each element of a run of whole cells, folded at the end. */
static void sum_narrow(const norm_view *v, norm_sums *sums, const real *x, size_t rows)
{
    const size_t step = LANES / v->width;
    for (size_t cell = 0; cell < v->cells; cell += step) {
        const size_t n = (v->cells - cell < step ? v->cells - cell : step) * v->width;
        double sum[LANES] = { 0 }, squares[LANES] = { 0 };
        for (size_t r = 0; r < rows; r++) {
            const real *row = x + r * v->row + cell * v->width;
            for (size_t i = 0; i < n; i++) {
                sum[i] += (double)row[i];
                squares[i] += (double)row[i] * (double)row[i];
            }
        }
        for (size_t i = 0; i < n; i++) {
            sums[cell + i / v->width].x += sum[i];
            sums[cell + i / v->width].xx += squares[i];
        }
    }
}

static void sum_chunk(const void *ctx, size_t from, size_t to, int worker)
{
    const norm_job *j = ctx;
    const norm_view *v = &j->view;
    norm_sums *sums = j->sums + from / v->chunk_rows * v->cells;
    const real *x = j->x + from * v->row;
    (void)worker;
    memset(sums, 0, v->cells * sizeof *sums);
    if (v->cells == 1)
        j->call->kern->moments(x, (to - from) * v->row, 0, &sums->x, &sums->xx);
    else if (v->width < NARROW)
        sum_narrow(v, sums, x, to - from);
    else
        for (size_t r = 0; r < to - from; r++)
            for (size_t k = 0; k < v->cells; k++)
                j->call->kern->moments(x + r * v->row + k * v->width, v->width, 0, &sums[k].x,
                                       &sums[k].xx);
}

/* All chunks' sums of one cell, in order. */
static norm_sums total(const norm_job *j, size_t cell)
{
    norm_sums t = { 0 };
    for (size_t k = 0; k < j->view.chunks; k++) {
        const norm_sums *s = &j->sums[k * j->view.cells + cell];
        t.x += s->x;
        t.xx += s->xx;
        t.h += s->h;
        t.hx += s->hx;
    }
    return t;
}

/* 1 / sqrt(variance + eps) of n values */
static double inverse_deviation(const rv_node *node, const norm_sums *s, double n, double *mean)
{
    const norm_attr *a = node->attr;
    *mean = s->x / n;
    const double variance = s->xx / n - *mean * *mean;
    return 1 / sqrt((variance > 0 ? variance : 0) + a->eps);
}

/* norm ------------------------------------------------------------------------------ */

static rv_status norm_shape(const rv_node *n, rv_shape *out, rv_error *err)
{
    RV_TRY(check_view(n, out, err));
    const size_t channels = out->d[out->rank - 1];
    RV_TRY(check_channels(n, 1, channels, err));
    return check_channels(n, 2, channels, err);
}

/* scale and shift of one cell, whose first channel is `channel` */
static void set_cell(const norm_job *j, const norm_sums *s, size_t cell, real *scale, real *shift)
{
    const norm_view *v = &j->view;
    const size_t channel = cell * v->width % v->channels;
    double mean;
    const double inverse =
        inverse_deviation(j->call->node, s, (double)v->rows * (double)v->width, &mean);
    const real r = (real)inverse, m = (real)mean;
    const real *gain = j->gain ? j->gain + channel : NULL;
    const real *bias = j->bias ? j->bias + channel : NULL;
    for (size_t i = 0; i < v->width; i++)
        scale[i] = gain ? r * gain[i] : r;
    for (size_t i = 0; i < v->width; i++)
        shift[i] = bias ? bias[i] - m * scale[i] : -m * scale[i];
}

static void set_cells(const void *ctx, size_t from, size_t to, int worker)
{
    const norm_job *j = ctx;
    (void)worker;
    for (size_t k = from; k < to; k++) {
        const norm_sums s = total(j, k);
        const size_t at = k * j->view.width;
        set_cell(j, &s, k, j->scale + at, j->shift + at);
    }
}

static void apply_rows(const void *ctx, size_t from, size_t to, int worker)
{
    const norm_job *j = ctx;
    const size_t row = j->view.row;
    (void)worker;
    if (row <= TILE) {
        j->call->kern->affine(j->y + from * row, j->x + from * row, j->scale, j->shift, to - from,
                              row);
        return;
    }
    for (size_t at = 0; at < row; at += TILE)
        for (size_t r = from; r < to; r++)
            j->call->kern->affine(j->y + r * row + at, j->x + r * row + at, j->scale + at,
                                  j->shift + at, 1, row - at < TILE ? row - at : TILE);
}

/* Layer norm: each item is one row, and a task has its own scale and shift. */
static void run_rows(const void *ctx, size_t from, size_t to, int worker)
{
    const norm_job *j = ctx;
    const size_t n = j->view.row;
    real *scale = j->scale + (size_t)worker * 2 * n, *shift = scale + n;
    for (size_t i = from; i < to; i++) {
        norm_sums s = { 0 };
        j->call->kern->moments(j->x + i * n, n, 0, &s.x, &s.xx);
        set_cell(j, &s, 0, scale, shift);
        j->call->kern->affine(j->y + i * n, j->x + i * n, scale, shift, 1, n);
    }
}

static size_t sums_size(const norm_view *v)
{
    return v->chunks * v->cells * sizeof(norm_sums) / sizeof(real);
}

static size_t norm_scratch(const rv_node *n, int threads, const kern_table *kern)
{
    const norm_attr *a = n->attr;
    const norm_view v = view_of(n);
    (void)kern;
    return a->kind == NORM_EACH_ROW ? 2 * v.row * (size_t)threads : sums_size(&v) + 2 * v.row;
}

static void norm_run(const rv_call *c)
{
    const norm_attr *a = c->node->attr;
    norm_job j = { .call = c, .view = view_of(c->node), .x = c->in[0], .y = c->out };
    const norm_view *v = &j.view;
    j.gain = c->in[1];
    j.bias = c->in[2];
    if (a->kind == NORM_EACH_ROW) {
        j.scale = c->scratch;
        rv_parallel(c->pool, v->items, 1 + CHUNK / (v->row + 1), run_rows, &j);
        return;
    }
    j.sums = (norm_sums *)(void *)c->scratch;
    j.scale = c->scratch + sums_size(v);
    j.shift = j.scale + v->row;
    for (size_t i = 0; i < v->items; i++, j.x += v->rows * v->row, j.y += v->rows * v->row) {
        rv_parallel(c->pool, v->rows, v->chunk_rows, sum_chunk, &j);
        rv_parallel(c->pool, v->cells, 1 + CHUNK / (16 * v->width + 1), set_cells, &j);
        rv_parallel(c->pool, v->rows, v->chunk_rows, apply_rows, &j);
    }
}

static void norm_grad(rv_node *n, rv_node *dy, rv_node *dx[])
{
    rv_node *x = n->in[0], *gain = n->in[1];
    dx[0] = RV_APPLY(&rv_op_norm_back, n->attr, x, dy, gain);
    if (gain)
        dx[1] = rv_sum_to(rv_mul(dy, RV_APPLY(&rv_op_norm, n->attr, x)), gain->shape);
    if (n->in[2])
        dx[2] = rv_sum_to(dy, n->in[2]->shape);
}

const rv_op rv_op_norm = {
    .name = "norm",
    .n_in = 3,
    .attr_size = sizeof(norm_attr),
    .shape = norm_shape,
    .run = norm_run,
    .grad = norm_grad,
    .in_place = true,
    .scratch_size = norm_scratch,
};

/* norm_back: x, dy, gain -> dx ------------------------------------------------------- */

static rv_status norm_back_shape(const rv_node *n, rv_shape *out, rv_error *err)
{
    RV_TRY(check_view(n, out, err));
    if (!rv_shape_equal(&n->in[1]->shape, out))
        return RV_FAIL(err, RV_ERR_SHAPE, "norm_back: x and dy of different shapes");
    return check_channels(n, 2, out->d[out->rank - 1], err);
}

/* Sums of one cell in one row; gain from the cell's first channel on, or NULL */
static void add_back_sums(norm_sums *s, const real *x, const real *dy, const real *gain, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const double v = (double)x[i], h = (double)dy[i] * (gain ? (double)gain[i] : 1);
        s->x += v;
        s->xx += v * v;
        s->h += h;
        s->hx += h * v;
    }
}

/* Replace the sums by the factors in dx = xx h + x x + h (see back_row). */
static norm_sums back_factors(const rv_node *node, const norm_sums *s, double n)
{
    double mean;
    const double r = inverse_deviation(node, s, n, &mean);
    const double slope = -r * r * r * (s->hx - mean * s->h) / n;
    return (norm_sums){ .xx = r, .x = slope, .h = -r * s->h / n - slope * mean };
}

static void back_row(real *dx, const norm_sums *f, const real *x, const real *dy, const real *gain,
                     size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const double h = (double)dy[i] * (gain ? (double)gain[i] : 1);
        dx[i] = (real)(f->xx * h + f->x * (double)x[i] + f->h);
    }
}

static const real *cell_gain(const norm_job *j, size_t cell)
{
    return j->gain ? j->gain + cell * j->view.width % j->view.channels : NULL;
}

static void back_sum_chunk(const void *ctx, size_t from, size_t to, int worker)
{
    const norm_job *j = ctx;
    const norm_view *v = &j->view;
    norm_sums *sums = j->sums + from / v->chunk_rows * v->cells;
    (void)worker;
    memset(sums, 0, v->cells * sizeof *sums);
    for (size_t r = from; r < to; r++)
        for (size_t k = 0; k < v->cells; k++) {
            const size_t at = r * v->row + k * v->width;
            add_back_sums(&sums[k], j->x + at, j->dy + at, cell_gain(j, k), v->width);
        }
}

static void back_apply_rows(const void *ctx, size_t from, size_t to, int worker)
{
    const norm_job *j = ctx;
    const norm_view *v = &j->view;
    (void)worker;
    for (size_t r = from; r < to; r++)
        for (size_t k = 0; k < v->cells; k++) {
            const size_t at = r * v->row + k * v->width;
            back_row(j->y + at, &j->cells[k], j->x + at, j->dy + at, cell_gain(j, k), v->width);
        }
}

static void back_run_rows(const void *ctx, size_t from, size_t to, int worker)
{
    const norm_job *j = ctx;
    const size_t n = j->view.row;
    (void)worker;
    for (size_t i = from; i < to; i++) {
        norm_sums s = { 0 };
        add_back_sums(&s, j->x + i * n, j->dy + i * n, j->gain, n);
        s = back_factors(j->call->node, &s, (double)n);
        back_row(j->y + i * n, &s, j->x + i * n, j->dy + i * n, j->gain, n);
    }
}

static size_t norm_back_scratch(const rv_node *n, int threads, const kern_table *kern)
{
    const norm_view v = view_of(n);
    (void)threads;
    (void)kern;
    return sums_size(&v) + v.cells * sizeof(norm_sums) / sizeof(real);
}

static void norm_back_run(const rv_call *c)
{
    const norm_attr *a = c->node->attr;
    norm_job j = { .call = c, .view = view_of(c->node), .x = c->in[0], .dy = c->in[1] };
    const norm_view *v = &j.view;
    const size_t item = v->rows * v->row;
    j.gain = c->in[2];
    j.y = c->out;
    if (a->kind == NORM_EACH_ROW) {
        rv_parallel(c->pool, v->items, 1 + CHUNK / (v->row + 1), back_run_rows, &j);
        return;
    }
    j.sums = (norm_sums *)(void *)c->scratch;
    j.cells = j.sums + v->chunks * v->cells;
    for (size_t i = 0; i < v->items; i++, j.x += item, j.dy += item, j.y += item) {
        rv_parallel(c->pool, v->rows, v->chunk_rows, back_sum_chunk, &j);
        for (size_t k = 0; k < v->cells; k++) {
            const norm_sums s = total(&j, k);
            j.cells[k] = back_factors(c->node, &s, (double)v->rows * (double)v->width);
        }
        rv_parallel(c->pool, v->rows, v->chunk_rows, back_apply_rows, &j);
    }
}

const rv_op rv_op_norm_back = {
    .name = "norm_back",
    .n_in = 3,
    .attr_size = sizeof(norm_attr),
    .shape = norm_back_shape,
    .run = norm_back_run,
    .scratch_size = norm_back_scratch,
};

#ifdef RV_SELFTEST
static const norm_attr case_one_group = { NORM_ALL, 1, 1e-5 };
static const norm_attr case_four_groups = { NORM_ALL, 4, 1e-5 };
static const norm_attr case_each_frequency = { NORM_EACH_FREQUENCY, 2, 1e-5 };
static const norm_attr case_each_row = { NORM_EACH_ROW, 1, 1e-5 };

const rv_op_case rv_cases_norm[] = {
    { .label = "one group",
      .op = &rv_op_norm,
      .in = { { 3, { 2, 5, 6 } }, { 1, { 6 } }, { 1, { 6 } } },
      .attr = &case_one_group,
      .out = { 3, { 2, 5, 6 } } },
    { .label = "four groups, with frequency",
      .op = &rv_op_norm,
      .in = { { 4, { 2, 3, 2, 8 } }, { 1, { 8 } }, { 1, { 8 } } },
      .attr = &case_four_groups,
      .out = { 4, { 2, 3, 2, 8 } } },
    { .label = "each frequency on its own",
      .op = &rv_op_norm,
      .in = { { 4, { 2, 3, 2, 4 } }, { 1, { 4 } }, { 1, { 4 } } },
      .attr = &case_each_frequency,
      .out = { 4, { 2, 3, 2, 4 } } },
    { .label = "wide cells",
      .op = &rv_op_norm,
      .in = { { 3, { 1, 2, 66 } } },
      .attr = &case_each_row,
      .out = { 3, { 1, 2, 66 } } },
    { .label = "layer norm",
      .op = &rv_op_norm,
      .in = { { 3, { 2, 3, 7 } }, { 1, { 7 } }, { 1, { 7 } } },
      .attr = &case_each_row,
      .out = { 3, { 2, 3, 7 } } },
    { .label = "adjoint, each frequency",
      .op = &rv_op_norm_back,
      .in = { { 4, { 2, 3, 2, 4 } }, { 4, { 2, 3, 2, 4 } }, { 1, { 4 } } },
      .attr = &case_each_frequency,
      .out = { 4, { 2, 3, 2, 4 } } },
    { .label = "adjoint, layer norm",
      .op = &rv_op_norm_back,
      .in = { { 2, { 3, 7 } }, { 2, { 3, 7 } } },
      .attr = &case_each_row,
      .out = { 2, { 3, 7 } } },
    { 0 },
};
#endif
