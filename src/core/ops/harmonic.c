/* harmonic.c - additive synthesis from a phase in turns and amplitudes in frames:
 *
 *     y[b,t] = sum over k = 1 .. K of a[b,t,k] sin(2 pi k phase[b,t])
 *
 * (ddsp's harmonic synthesiser; Engel et al. 2020, arXiv 2001.04643). The amplitudes are brought to
 * the rate of samples (core/ops/upsample.h) after the sum over k rather than before: between two
 * frames, y is a mix of two sums with constant amplitudes, so no [T,K] values exist. */
#include "core/ops/upsample.h"

#include "base/status.h"
#include "core/op.h"

#include <string.h>

typedef struct {
    rv_upsample_mode mode;
    size_t frames; /* of harmonic_damplitude's result */
} harmonic_attr;

enum { CHUNK = 64 }; /* samples of which sums are kept at a time */

typedef struct {
    const rv_call *call;
    rv_upsample_mode mode;
    bool slope;
    size_t frames, samples, count;
    real *scratch; /* each worker's own part */
    size_t scratch_size;
} harmonic_job;

rv_node *rv_harmonic(rv_node *phase, rv_node *amplitudes, rv_upsample_mode mode)
{
    return RV_APPLY(&rv_op_harmonic, (&(harmonic_attr){ mode, 0 }), phase, amplitudes);
}

static rv_status check_inputs(const rv_node *n, size_t at, rv_error *err)
{
    const rv_shape *p = &n->in[at]->shape, *a = &n->in[at + 1]->shape;
    if (p->rank != 2 || a->rank != 3 || p->d[0] != a->d[0] || a->d[1] == 0 || p->d[1] == 0)
        return RV_FAIL(err, RV_ERR_SHAPE, "%s: expected phase [B,T] and amplitudes [B,F,K]",
                       n->op->name);
    return RV_OK;
}

static rv_status harmonic_shape(const rv_node *n, rv_shape *out, rv_error *err)
{
    *out = n->in[0]->shape;
    return check_inputs(n, 0, err);
}

/* Samples [start, end) between frame f and the next: y and scratch, mixed into y. */
static void mix_frame(const harmonic_job *j, real *y, real *next, size_t start, size_t end)
{
    for (size_t t = start; t < end; t++) {
        const real w = (real)upsample_share_at(j->mode, t, j->frames, j->samples);
        y[t - start] += w * (next[t - start] - y[t - start]);
    }
}

/* Of a sum of cosines, as the slope needs it, harmonic k has 2 pi k times the amplitude. */
static void copy_amplitudes(real *to, const real *a, size_t count, bool slope)
{
    for (size_t k = 0; k < count; k++)
        to[k] = slope ? a[k] * (real)(2 * M_PI * (double)(k + 1)) : a[k];
}

static void harmonic_frames(const void *ctx, size_t from, size_t to, int worker)
{
    const harmonic_job *j = ctx;
    const rv_call *c = j->call;
    real *a = j->scratch + (size_t)worker * j->scratch_size, *next = a + j->count;
    for (size_t row = from; row < to; row++) {
        const size_t b = row / j->frames, f = row % j->frames;
        const size_t end = upsample_start(f + 1, j->frames, j->samples);
        const real *in = c->in[1] + row * j->count;
        copy_amplitudes(a, in, j->count, j->slope);
        copy_amplitudes(next, in + (upsample_next(f, j->frames) - f) * j->count, j->count,
                        j->slope);
        size_t t = upsample_start(f, j->frames, j->samples);
        for (size_t stop; t < end; t = stop) {
            real beside[CHUNK], *y = c->out + b * j->samples + t;
            stop = end - t < CHUNK ? end : t + CHUNK;
            c->kern->harmonics(y, beside, c->in[0] + b * j->samples + t, stop - t, a, next,
                               j->count, j->slope);
            mix_frame(j, y, beside, t, stop);
        }
    }
}

static harmonic_job job_of(const rv_call *c, const rv_node *phase, const rv_node *amplitudes)
{
    return (harmonic_job){ .call = c,
                           .mode = ((const harmonic_attr *)c->node->attr)->mode,
                           .frames = rv_extent(amplitudes, 1),
                           .samples = rv_extent(phase, 1),
                           .count = rv_extent(amplitudes, 2),
                           .scratch = c->scratch };
}

static size_t harmonic_scratch(const rv_node *n, int threads, const kern_table *kern)
{
    (void)kern;
    return (size_t)threads * 2 * rv_extent(n->in[1], 2);
}

static void harmonic_run(const rv_call *c)
{
    harmonic_job j = job_of(c, c->node->in[0], c->node->in[1]);
    j.slope = c->node->op == &rv_op_harmonic_slope;
    j.scratch_size = 2 * j.count;
    rv_parallel(c->pool, rv_extent(c->node, 0) * j.frames, RV_BLOCK(8), harmonic_frames, &j);
}

static void harmonic_grad(rv_node *n, rv_node *dy, rv_node *dx[])
{
    const harmonic_attr *a = n->attr;
    const harmonic_attr with_frames = { a->mode, rv_extent(n->in[1], 1) };
    rv_node *slope = RV_APPLY(&rv_op_harmonic_slope, a, n->in[0], n->in[1]);
    dx[0] = rv_mul(dy, slope);
    dx[1] = RV_APPLY(&rv_op_harmonic_damplitude, &with_frames, dy, n->in[0], n->in[1]);
}

const rv_op rv_op_harmonic = {
    .name = "harmonic",
    .n_in = 2,
    .attr_size = sizeof(harmonic_attr),
    .shape = harmonic_shape,
    .run = harmonic_run,
    .grad = harmonic_grad,
    .scratch_size = harmonic_scratch,
};

/* dy/dphase = 2 pi sum over k of k a[k] cos(2 pi k phase) */

const rv_op rv_op_harmonic_slope = {
    .name = "harmonic_slope",
    .n_in = 2,
    .attr_size = sizeof(harmonic_attr),
    .shape = harmonic_shape,
    .run = harmonic_run,
    .scratch_size = harmonic_scratch,
};

/* da[b,f,k] = sum over t of dy[b,t] (share of frame f in t) sin(2 pi k phase[b,t]) */

static rv_status damplitude_shape(const rv_node *n, rv_shape *out, rv_error *err)
{
    *out = n->in[2]->shape;
    if (!rv_shape_equal(&n->in[0]->shape, &n->in[1]->shape))
        return RV_FAIL(err, RV_ERR_SHAPE, "harmonic_damplitude: dy and phase differ in shape");
    return check_inputs(n, 1, err);
}

static size_t damplitude_scratch(const rv_node *n, int threads, const kern_table *kern)
{
    const size_t sums = sizeof(double) / sizeof(real);
    return (size_t)threads * rv_extent(n, 2) * (kern->lanes + sums);
}

/* Adds what the samples between frame f and the next say about one of the two. */
static void add_weights(const harmonic_job *j, double *sums, real *lanes, size_t b, size_t f,
                        bool next)
{
    const rv_call *c = j->call;
    const size_t end = upsample_start(f + 1, j->frames, j->samples);
    size_t t = upsample_start(f, j->frames, j->samples);
    for (size_t stop; t < end; t = stop) {
        const size_t at = b * j->samples + t;
        real weights[CHUNK];
        stop = end - t < CHUNK ? end : t + CHUNK;
        for (size_t i = t; i < stop; i++) {
            const double share = upsample_share_at(j->mode, i, j->frames, j->samples);
            weights[i - t] = c->in[0][b * j->samples + i] * (real)(next ? share : 1 - share);
        }
        c->kern->harmonic_weights(sums, c->in[1] + at, weights, stop - t, j->count, lanes);
    }
}

static void damplitude_frames(const void *ctx, size_t from, size_t to, int worker)
{
    const harmonic_job *j = ctx;
    const size_t sums_size = j->count * sizeof(double) / sizeof(real);
    real *own = j->scratch + (size_t)worker * j->scratch_size;
    double *sums = (double *)(void *)own;
    for (size_t row = from; row < to; row++) {
        const size_t b = row / j->frames, f = row % j->frames;
        memset(sums, 0, j->count * sizeof *sums);
        if (f > 0)
            add_weights(j, sums, own + sums_size, b, f - 1, true);
        add_weights(j, sums, own + sums_size, b, f, false);
        if (f + 1 == j->frames)
            add_weights(j, sums, own + sums_size, b, f, true);
        for (size_t k = 0; k < j->count; k++)
            j->call->out[row * j->count + k] = (real)sums[k];
    }
}

static void damplitude_run(const rv_call *c)
{
    harmonic_job j = job_of(c, c->node->in[1], c->node->in[2]);
    j.scratch_size = j.count * (c->kern->lanes + sizeof(double) / sizeof(real));
    rv_parallel(c->pool, rv_extent(c->node, 0) * j.frames, RV_BLOCK(8), damplitude_frames, &j);
}

const rv_op rv_op_harmonic_damplitude = {
    .name = "harmonic_damplitude",
    .n_in = 3,
    .attr_size = sizeof(harmonic_attr),
    .shape = damplitude_shape,
    .run = damplitude_run,
    .scratch_size = damplitude_scratch,
};

#ifdef RV_SELFTEST
const rv_op_case rv_cases_harmonic[] = {
    { .label = "hann",
      .op = &rv_op_harmonic,
      .in = { { 2, { 2, 21 } }, { 3, { 2, 3, 5 } } },
      .attr = &(const harmonic_attr){ RV_UPSAMPLE_HANN, 0 },
      .out = { 2, { 2, 21 } } },
    { .label = "linear, not a whole hop, even number",
      .op = &rv_op_harmonic,
      .in = { { 2, { 1, 11 } }, { 3, { 1, 4, 4 } } },
      .attr = &(const harmonic_attr){ RV_UPSAMPLE_LINEAR, 0 },
      .out = { 2, { 1, 11 } } },
    { .label = "hold, one harmonic",
      .op = &rv_op_harmonic,
      .in = { { 2, { 1, 9 } }, { 3, { 1, 2, 1 } } },
      .attr = &(const harmonic_attr){ RV_UPSAMPLE_HOLD, 0 },
      .out = { 2, { 1, 9 } } },
    { .label = "one long frame",
      .op = &rv_op_harmonic,
      .in = { { 2, { 1, 150 } }, { 3, { 1, 1, 3 } } },
      .attr = &(const harmonic_attr){ RV_UPSAMPLE_LINEAR, 0 },
      .out = { 2, { 1, 150 } } },
    { .label = "slope",
      .op = &rv_op_harmonic_slope,
      .in = { { 2, { 1, 9 } }, { 3, { 1, 2, 3 } } },
      .attr = &(const harmonic_attr){ RV_UPSAMPLE_HANN, 0 },
      .out = { 2, { 1, 9 } },
      .not_derived = 3 },
    { .label = "damplitude",
      .op = &rv_op_harmonic_damplitude,
      .in = { { 2, { 1, 9 } }, { 2, { 1, 9 } }, { 3, { 1, 2, 3 } } },
      .attr = &(const harmonic_attr){ RV_UPSAMPLE_HANN, 0 },
      .out = { 3, { 1, 2, 3 } },
      .not_derived = 7 },
    { 0 },
};
#endif
