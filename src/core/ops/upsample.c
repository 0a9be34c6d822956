/* upsample.c - controls at the rate of frames to the rate of samples:
 *
 *     y[b,t,c] = (1 - w) x[b,f,c] + w x[b,f+1,c],  f + fraction = t F / T
 *
 * w is 0 (hold), the fraction (linear) or sin^2(pi/2 fraction), which is what overlapping Hann
 * windows add up to (ddsp.core.upsample_with_windows; Engel et al. 2020, arXiv 2001.04643). */
#include "core/ops/upsample.h"

#include "base/status.h"
#include "core/op.h"

typedef struct {
    rv_upsample_mode mode;
    size_t length; /* of the result: T, or F for the adjoint */
} upsample_attr;

rv_node *rv_upsample(rv_node *x, size_t samples, rv_upsample_mode mode)
{
    return RV_APPLY(&rv_op_upsample, (&(upsample_attr){ mode, samples }), x);
}

static rv_status resized(const rv_node *n, rv_shape *out, rv_error *err)
{
    const upsample_attr *a = n->attr;
    *out = n->in[0]->shape;
    if (out->rank != 3 || out->d[1] == 0 || a->length == 0)
        return RV_FAIL(err, RV_ERR_SHAPE, "%s: expected [B,F,C] with F > 0, and a length",
                       n->op->name);
    out->d[1] = a->length;
    return RV_OK;
}

static void upsample_rows(const void *ctx, size_t from, size_t to, int worker)
{
    const rv_call *c = ctx;
    const upsample_attr *a = c->node->attr;
    const size_t samples = a->length, frames = rv_extent(c->node->in[0], 1);
    const size_t channels = rv_extent(c->node, 2);
    (void)worker;
    for (size_t row = from; row < to; row++) {
        const size_t t = row % samples, f = t * frames / samples;
        const real w = (real)upsample_share_at(a->mode, t, frames, samples);
        const real *x = c->in[0] + (row / samples * frames + f) * channels;
        const real *next = x + (upsample_next(f, frames) - f) * channels;
        real *y = c->out + row * channels;
        for (size_t i = 0; i < channels; i++)
            y[i] = x[i] + w * (next[i] - x[i]);
    }
}

static void upsample_run(const rv_call *c)
{
    const size_t rows = rv_extent(c->node, 0) * rv_extent(c->node, 1);
    rv_parallel(c->pool, rows, RV_BLOCK(4096), upsample_rows, c);
}

static void upsample_grad(rv_node *n, rv_node *dy, rv_node *dx[])
{
    const upsample_attr *a = n->attr;
    dx[0] = RV_APPLY(&rv_op_upsample_adjoint, (&(upsample_attr){ a->mode, rv_extent(n->in[0], 1) }),
                     dy);
}

const rv_op rv_op_upsample = {
    .name = "upsample",
    .n_in = 1,
    .attr_size = sizeof(upsample_attr),
    .shape = resized,
    .run = upsample_run,
    .grad = upsample_grad,
};

/* The adjoint: dx[b,f,c] = sum over t of dy[b,t,c] times the share that frame f has in t. */

typedef struct {
    const rv_call *call;
    rv_upsample_mode mode;
    size_t frames, samples, channels;
} adjoint_job;

/* *to += the samples from frame `f` to the next, with the share of one of the two. */
static void add_samples(real *to, const adjoint_job *j, const real *dy, size_t f, bool next)
{
    const size_t end = upsample_start(f + 1, j->frames, j->samples);
    for (size_t t = upsample_start(f, j->frames, j->samples); t < end; t++) {
        const double share = upsample_share_at(j->mode, t, j->frames, j->samples);
        const real w = (real)(next ? share : 1 - share);
        for (size_t i = 0; i < j->channels; i++)
            to[i] += w * dy[t * j->channels + i];
    }
}

static void adjoint_frames(const void *ctx, size_t from, size_t to, int worker)
{
    const adjoint_job *j = ctx;
    (void)worker;
    for (size_t row = from; row < to; row++) {
        const size_t f = row % j->frames, last = j->frames - 1;
        const real *dy = j->call->in[0] + row / j->frames * j->samples * j->channels;
        real *dx = j->call->out + row * j->channels;
        for (size_t i = 0; i < j->channels; i++)
            dx[i] = 0;
        if (f > 0)
            add_samples(dx, j, dy, f - 1, true);
        add_samples(dx, j, dy, f, false);
        if (f == last)
            add_samples(dx, j, dy, f, true);
    }
}

static void adjoint_run(const rv_call *c)
{
    const upsample_attr *a = c->node->attr;
    const adjoint_job j = { c, a->mode, a->length, rv_extent(c->node->in[0], 1),
                            rv_extent(c->node, 2) };
    rv_parallel(c->pool, rv_extent(c->node, 0) * j.frames, RV_BLOCK(16), adjoint_frames, &j);
}

static void adjoint_grad(rv_node *n, rv_node *dy, rv_node *dx[])
{
    const upsample_attr *a = n->attr;
    dx[0] = rv_upsample(dy, rv_extent(n->in[0], 1), a->mode);
}

const rv_op rv_op_upsample_adjoint = {
    .name = "upsample_adjoint",
    .n_in = 1,
    .attr_size = sizeof(upsample_attr),
    .shape = resized,
    .run = adjoint_run,
    .grad = adjoint_grad,
};

#ifdef RV_SELFTEST
const rv_op_case rv_cases_upsample[] = {
    { .label = "hold",
      .op = &rv_op_upsample,
      .in = { { 3, { 2, 3, 2 } } },
      .attr = &(const upsample_attr){ RV_UPSAMPLE_HOLD, 7 },
      .out = { 3, { 2, 7, 2 } } },
    { .label = "linear, not a whole hop",
      .op = &rv_op_upsample,
      .in = { { 3, { 2, 4, 3 } } },
      .attr = &(const upsample_attr){ RV_UPSAMPLE_LINEAR, 13 },
      .out = { 3, { 2, 13, 3 } } },
    { .label = "hann",
      .op = &rv_op_upsample,
      .in = { { 3, { 1, 3, 1 } } },
      .attr = &(const upsample_attr){ RV_UPSAMPLE_HANN, 12 },
      .out = { 3, { 1, 12, 1 } } },
    { .label = "one frame, and fewer samples than frames",
      .op = &rv_op_upsample,
      .in = { { 3, { 1, 5, 2 } } },
      .attr = &(const upsample_attr){ RV_UPSAMPLE_HANN, 3 },
      .out = { 3, { 1, 3, 2 } } },
    { .label = "adjoint",
      .op = &rv_op_upsample_adjoint,
      .in = { { 3, { 2, 7, 2 } } },
      .attr = &(const upsample_attr){ RV_UPSAMPLE_LINEAR, 3 },
      .out = { 3, { 2, 3, 2 } } },
    { 0 },
};
#endif
