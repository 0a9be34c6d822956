/* wavetable.c - one period of a wave, read at a phase in turns:
 *
 *     y[b,t] = sum over i of (1 - s) table[b,f,i] near(i) + s table[b,f+1,i] near(i)
 *
 * s is the share of frame f + 1 (core/ops/upsample.h), near(i) what straight lines between the L
 * points of a table, the last of which is joined to the first, give point i at this phase:
 * with p = L (phase - floor(phase)), 1 - |p - i| where that is above 0, i taken modulo L
 * (ddsp.core.wavetable_synthesis and linear_lookup; Engel et al. 2020, arXiv 2001.04643). The
 * tables are read at four points, so that no [T,L] values exist.
 *
 * Tables [1,F,L] serve a whole batch; F = 1: tables that do not move. */
#include "core/ops/upsample.h"

#include "base/status.h"
#include "core/op.h"

#include <string.h>

typedef struct {
    rv_upsample_mode mode;
} wavetable_attr;

rv_node *rv_wavetable(rv_node *phase, rv_node *tables, rv_upsample_mode mode)
{
    return RV_APPLY(&rv_op_wavetable, &(wavetable_attr){ mode }, phase, tables);
}

static rv_status check_inputs(const rv_node *n, size_t at, rv_error *err)
{
    const rv_shape *p = &n->in[at]->shape, *w = &n->in[at + 1]->shape;
    const bool ranks = p->rank == 2 && w->rank == 3;
    if (!ranks || (w->d[0] != p->d[0] && w->d[0] != 1) || w->d[1] == 0 || w->d[2] == 0 ||
        p->d[1] == 0)
        return RV_FAIL(err, RV_ERR_SHAPE, "%s: expected phase [B,T] and tables [B,F,L] or [1,F,L]",
                       n->op->name);
    return RV_OK;
}

static rv_status wavetable_shape(const rv_node *n, rv_shape *out, rv_error *err)
{
    *out = n->in[0]->shape;
    return check_inputs(n, 0, err);
}

typedef struct {
    const rv_call *call;
    rv_upsample_mode mode;
    const real *phase, *tables;
    size_t batch, samples, frames, length;
    bool shared; /* tables [1,F,L] */
} reader;

static reader reader_of(const rv_call *c, size_t at)
{
    const rv_node *phase = c->node->in[at], *tables = c->node->in[at + 1];
    return (reader){ .call = c,
                     .mode = ((const wavetable_attr *)c->node->attr)->mode,
                     .phase = c->in[at],
                     .tables = c->in[at + 1],
                     .batch = rv_extent(phase, 0),
                     .samples = rv_extent(phase, 1),
                     .frames = rv_extent(tables, 1),
                     .length = rv_extent(tables, 2),
                     .shared = rv_extent(tables, 0) == 1 };
}

/* Where sample `row` = b T + t reads: point i and the next, of frame f and the next. A phase that
 * is no number reads point 0, and its share says so. */
typedef struct {
    size_t frame, next_frame, point, next_point; /* offsets in tables, offsets in a table */
    real share, point_share;
} place;

static place place_of(const reader *r, size_t row)
{
    const size_t t = row % r->samples, f = t * r->frames / r->samples;
    const size_t first = r->shared ? 0 : row / r->samples * r->frames;
    const real phase = r->phase[row], turn = phase - (real)floor((double)phase);
    const real at = turn * (real)r->length;
    const size_t point = at >= 0 && at < (real)r->length ? (size_t)at : 0;
    return (place){ .frame = (first + f) * r->length,
                    .next_frame = (first + upsample_next(f, r->frames)) * r->length,
                    .point = point,
                    .next_point = point + 1 < r->length ? point + 1 : 0,
                    .share = (real)upsample_share_at(r->mode, t, r->frames, r->samples),
                    .point_share = at < (real)r->length ? at - (real)point : turn - turn };
}

/* Point i of the mix of two tables */
static real mixed(const reader *r, const place *p, size_t i)
{
    const real here = r->tables[p->frame + i], next = r->tables[p->next_frame + i];
    return here + p->share * (next - here);
}

static void wavetable_rows(const void *ctx, size_t from, size_t to, int worker)
{
    const reader *r = ctx;
    (void)worker;
    for (size_t row = from; row < to; row++) {
        const place p = place_of(r, row);
        const real here = mixed(r, &p, p.point), next = mixed(r, &p, p.next_point);
        r->call->out[row] = here + p.point_share * (next - here);
    }
}

static void wavetable_run(const rv_call *c)
{
    const reader r = reader_of(c, 0);
    rv_parallel(c->pool, r.batch * r.samples, RV_BLOCK(2048), wavetable_rows, &r);
}

static void wavetable_grad(rv_node *n, rv_node *dy, rv_node *dx[])
{
    dx[0] = rv_mul(dy, RV_APPLY(&rv_op_wavetable_slope, n->attr, n->in[0], n->in[1]));
    dx[1] = RV_APPLY(&rv_op_wavetable_dtables, n->attr, dy, n->in[0], n->in[1]);
}

const rv_op rv_op_wavetable = {
    .name = "wavetable",
    .n_in = 2,
    .attr_size = sizeof(wavetable_attr),
    .shape = wavetable_shape,
    .run = wavetable_run,
    .grad = wavetable_grad,
};

/* dy/dphase = L (next point - this point) */

static void slope_rows(const void *ctx, size_t from, size_t to, int worker)
{
    const reader *r = ctx;
    (void)worker;
    for (size_t row = from; row < to; row++) {
        const place p = place_of(r, row);
        const real rise = mixed(r, &p, p.next_point) - mixed(r, &p, p.point);
        r->call->out[row] = (real)r->length * rise;
    }
}

static void slope_run(const rv_call *c)
{
    const reader r = reader_of(c, 0);
    rv_parallel(c->pool, r.batch * r.samples, RV_BLOCK(2048), slope_rows, &r);
}

const rv_op rv_op_wavetable_slope = {
    .name = "wavetable_slope",
    .n_in = 2,
    .attr_size = sizeof(wavetable_attr),
    .shape = wavetable_shape,
    .run = slope_run,
};

/* dtables[b,f,i]: what the samples of frames f - 1 and f say about its points; of shared tables,
 * those of the whole batch. Sums in double. */

static rv_status dtables_shape(const rv_node *n, rv_shape *out, rv_error *err)
{
    *out = n->in[2]->shape;
    if (!rv_shape_equal(&n->in[0]->shape, &n->in[1]->shape))
        return RV_FAIL(err, RV_ERR_SHAPE, "wavetable_dtables: dy and phase differ in shape");
    return check_inputs(n, 1, err);
}

static size_t dtables_scratch(const rv_node *n, int threads, const kern_table *kern)
{
    (void)kern;
    return (size_t)threads * rv_extent(n, 2) * sizeof(double) / sizeof(real);
}

static void add_samples(const reader *r, double *sums, size_t b, size_t f, bool next)
{
    const size_t end = upsample_start(f + 1, r->frames, r->samples);
    for (size_t t = upsample_start(f, r->frames, r->samples); t < end; t++) {
        const place p = place_of(r, b * r->samples + t);
        const double share = (double)(next ? p.share : 1 - p.share);
        const double dy = share * (double)r->call->in[0][b * r->samples + t];
        sums[p.point] += dy * (1 - (double)p.point_share);
        sums[p.next_point] += dy * (double)p.point_share;
    }
}

static void dtables_frames(const void *ctx, size_t from, size_t to, int worker)
{
    const reader *r = ctx;
    double *sums = (double *)(void *)r->call->scratch + (size_t)worker * r->length;
    for (size_t row = from; row < to; row++) {
        const size_t f = row % r->frames, b = row / r->frames, n = r->shared ? r->batch : 1;
        memset(sums, 0, r->length * sizeof *sums);
        for (size_t i = b; i < b + n; i++) {
            if (f > 0)
                add_samples(r, sums, i, f - 1, true);
            add_samples(r, sums, i, f, false);
            if (f + 1 == r->frames)
                add_samples(r, sums, i, f, true);
        }
        for (size_t i = 0; i < r->length; i++)
            r->call->out[row * r->length + i] = (real)sums[i];
    }
}

static void dtables_run(const rv_call *c)
{
    const reader r = reader_of(c, 1);
    rv_parallel(c->pool, (r.shared ? 1 : r.batch) * r.frames, 1, dtables_frames, &r);
}

const rv_op rv_op_wavetable_dtables = {
    .name = "wavetable_dtables",
    .n_in = 3,
    .attr_size = sizeof(wavetable_attr),
    .shape = dtables_shape,
    .run = dtables_run,
    .scratch_size = dtables_scratch,
};

#ifdef RV_SELFTEST
const rv_op_case rv_cases_wavetable[] = {
    { .label = "a table for each frame",
      .op = &rv_op_wavetable,
      .in = { { 2, { 2, 13 } }, { 3, { 2, 3, 5 } } },
      .attr = &(const wavetable_attr){ RV_UPSAMPLE_HANN },
      .out = { 2, { 2, 13 } } },
    { .label = "tables for a whole batch",
      .op = &rv_op_wavetable,
      .in = { { 2, { 3, 9 } }, { 3, { 1, 2, 4 } } },
      .attr = &(const wavetable_attr){ RV_UPSAMPLE_LINEAR },
      .out = { 2, { 3, 9 } } },
    { .label = "one table",
      .op = &rv_op_wavetable,
      .in = { { 2, { 2, 9 } }, { 3, { 1, 1, 7 } } },
      .attr = &(const wavetable_attr){ RV_UPSAMPLE_HOLD },
      .out = { 2, { 2, 9 } } },
    { .label = "table of one point",
      .op = &rv_op_wavetable,
      .in = { { 2, { 1, 3 } }, { 3, { 1, 1, 1 } } },
      .attr = &(const wavetable_attr){ RV_UPSAMPLE_LINEAR },
      .out = { 2, { 1, 3 } } },
    { .label = "wavetable slope",
      .op = &rv_op_wavetable_slope,
      .in = { { 2, { 2, 9 } }, { 3, { 2, 2, 5 } } },
      .attr = &(const wavetable_attr){ RV_UPSAMPLE_LINEAR },
      .out = { 2, { 2, 9 } },
      .not_derived = 3 },
    { .label = "wavetable dtables",
      .op = &rv_op_wavetable_dtables,
      .in = { { 2, { 2, 9 } }, { 2, { 2, 9 } }, { 3, { 1, 2, 5 } } },
      .attr = &(const wavetable_attr){ RV_UPSAMPLE_LINEAR },
      .out = { 3, { 1, 2, 5 } },
      .not_derived = 7 },
    { 0 },
};
#endif
