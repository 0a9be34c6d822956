/* stft.c - short-time Fourier transform and its inverse.
 *
 *     stft   X[f,k] = scale sum over m < n of w[m] x[f hop + m] exp(-2 pi i k m / n)
 *     istft  y[t] = sum over f of w[t - f hop] irfft(X[f] / scale)[t - f hop] / e[t],
 *            e[t] = sum over f of w[t - f hop]^2
 *
 * with the periodic Hann window w. The inverse is the signal whose transform is nearest
 * to X (D. Griffin and J. Lim, "Signal estimation from modified short-time Fourier
 * transform", 1984). Complex numbers are pairs (re, im).
 *
 * Both are linear, so the gradient of each is its transpose. That of the real FFT is a
 * complex-to-real one without its doubling of the bins that stand for two, which are all
 * but the first and, for even n, the last; and the other way around:
 *
 *     stft_adjoint   dx[t] = sum over f of w[t - f hop] scale c2r(dX[f] / c)[t - f hop]
 *     istft_adjoint  dX[f,k] = c[k] / (n scale) sum over m of (w dy / e) exp(-2 pi i k m / n)
 *
 * with c = 2 for those bins, else 1, where c2r doubles them. So there are two procedures
 * here, to bins and from bins, and each operation sets their factors. */
#include "base/planner.h"
#include "base/status.h"
#include "core/fft.h"
#include "core/op.h"
#include "core/ops.h"

#include <math.h>
#include <string.h>

typedef struct {
    size_t n_fft, hop;
    double scale;
    size_t length; /* stft_adjoint: of the signal, which may end after the last frame */
    size_t window; /* of the Hann window in the middle of the frame, zeros around it; 0: n_fft */
} stft_attr;

enum {
    UNIT = 64,                 /* bytes: FFTW's arrays begin at multiples of this */
    FRAME_BLOCK = RV_BLOCK(8), /* frames of a task */
    HOP_BLOCK = RV_BLOCK(64)   /* hops between frames: samples of a task */
};

static const double least_envelope = 1e-11;

typedef struct {
    FFT(plan) plan;
    real *window;      /* [n_fft], times the factor of the operation */
    double *inverse_e; /* [length] 1 / e, or 0 where e is not above least_envelope; may be NULL */
} stft_state;

rv_node *rv_stft(rv_node *x, size_t n_fft, size_t hop, double scale)
{
    return RV_APPLY(&rv_op_stft, (&(stft_attr){ n_fft, hop, scale, 0, 0 }), x);
}

rv_node *rv_stft_windowed(rv_node *x, size_t n_fft, size_t hop, size_t window, double scale)
{
    return RV_APPLY(&rv_op_stft, (&(stft_attr){ n_fft, hop, scale, 0, window }), x);
}

rv_node *rv_istft(rv_node *z, size_t n_fft, size_t hop, double scale)
{
    return RV_APPLY(&rv_op_istft, (&(stft_attr){ n_fft, hop, scale, 0, 0 }), z);
}

/* Shapes -------------------------------------------------------------------------- */

static size_t bin_count(const stft_attr *a)
{
    return a->n_fft / 2 + 1;
}

/* [B,N] -> [B,frames,bins,2] */
static rv_status to_bins_shape(const rv_node *n, rv_shape *out, rv_error *err)
{
    const stft_attr *a = n->attr;
    const rv_shape *x = &n->in[0]->shape;
    if (x->rank != 2 || a->hop == 0 || a->n_fft < 2 || a->n_fft > (1 << 24))
        return RV_FAIL(err, RV_ERR_SHAPE, "%s: rank %d, %zu samples, hop %zu", n->op->name, x->rank,
                       a->n_fft, a->hop);
    if (a->window > a->n_fft)
        return RV_FAIL(err, RV_ERR_SHAPE, "%s: a window of %zu for a frame of %zu", n->op->name,
                       a->window, a->n_fft);
    if (x->d[1] < a->n_fft)
        return RV_FAIL(err, RV_ERR_SHAPE, "%s: %zu samples for a frame of %zu", n->op->name,
                       x->d[1], a->n_fft);
    *out = RV_SHAPE(x->d[0], (x->d[1] - a->n_fft) / a->hop + 1, bin_count(a), 2);
    return RV_OK;
}

/* Samples under the frames of z [B,frames,bins,2] */
static size_t covered(const rv_node *z, const stft_attr *a)
{
    return (z->shape.d[1] - 1) * a->hop + a->n_fft;
}

/* [B,frames,bins,2] -> [B,N] */
static rv_status from_bins_shape(const rv_node *n, rv_shape *out, rv_error *err)
{
    const stft_attr *a = n->attr;
    const rv_shape *z = &n->in[0]->shape;
    if (z->rank != 4 || z->d[3] != 2 || z->d[2] != bin_count(a) || z->d[1] == 0 || a->hop == 0 ||
        a->n_fft < 2 || a->n_fft > (1 << 24))
        return RV_FAIL(err, RV_ERR_SHAPE, "%s: rank %d, %zu samples, hop %zu", n->op->name, z->rank,
                       a->n_fft, a->hop);
    const size_t samples = covered(n->in[0], a);
    if (a->length && a->length < samples)
        return RV_FAIL(err, RV_ERR_SHAPE, "%s: frames over %zu samples for %zu", n->op->name,
                       samples, a->length);
    *out = RV_SHAPE(z->d[0], a->length ? a->length : samples);
    return RV_OK;
}

/* Plans, windows -------------------------------------------------------------------- */

static double hann(size_t m, size_t n)
{
    return 0.5 - 0.5 * cos(2 * M_PI * (double)m / (double)n);
}

/* Sample m of the window of a frame. */
static double window_at(const stft_attr *a, size_t m)
{
    const size_t width = a->window ? a->window : a->n_fft, start = (a->n_fft - width) / 2;
    return m < start || m - start >= width ? 0 : hann(m - start, width);
}

/* Reals from one of FFTW's arrays of n samples, or their bins, to the next. */
static size_t fft_row(size_t n_fft)
{
    const size_t unit = UNIT / sizeof(real);
    return (2 * (n_fft / 2 + 1) + unit - 1) / unit * unit;
}

static bool make_plan(stft_state *s, size_t n_fft, bool to_bins, const rv_alloc *mem)
{
    real *x = mem->alloc(mem->ctx, 2 * fft_row(n_fft) * sizeof *x, UNIT);
    if (!x)
        return false;
    FFT(complex) *z = (FFT(complex) *)(x + fft_row(n_fft));
    rv_planner_lock();
    s->plan = to_bins ? FFT(plan_dft_r2c_1d)((int)n_fft, x, z, FFTW_ESTIMATE)
                      : FFT(plan_dft_c2r_1d)((int)n_fft, z, x, FFTW_ESTIMATE);
    rv_planner_unlock();
    mem->free(mem->ctx, x);
    return s->plan != NULL;
}

/* 1 / e over `frames` frames */
static bool make_inverse_envelope(stft_state *s, const stft_attr *a, size_t frames,
                                  const rv_alloc *mem)
{
    const size_t length = (frames - 1) * a->hop + a->n_fft;
    double *e = mem->alloc(mem->ctx, length * sizeof *e, UNIT);
    s->inverse_e = e;
    if (!e)
        return false;
    memset(e, 0, length * sizeof *e);
    for (size_t m = 0; m < a->n_fft; m++) {
        const double w = hann(m, a->n_fft);
        for (size_t f = 0; f < frames; f++)
            e[f * a->hop + m] += w * w;
    }
    for (size_t t = 0; t < length; t++)
        e[t] = e[t] > least_envelope ? 1 / e[t] : 0;
    return true;
}

static void stft_close(void *state, const rv_alloc *mem)
{
    stft_state *s = state;
    rv_planner_lock();
    if (s->plan)
        FFT(destroy_plan)(s->plan);
    rv_planner_unlock();
    mem->free(mem->ctx, s->window);
    mem->free(mem->ctx, s->inverse_e);
    mem->free(mem->ctx, s);
}

/* frames: of the envelope, 0 if the operation needs none */
static rv_status open_state(const rv_node *n, void **state, const rv_alloc *mem, bool to_bins,
                            double factor, size_t frames, rv_error *err)
{
    const stft_attr *a = n->attr;
    stft_state *s = mem->alloc(mem->ctx, sizeof *s, UNIT);
    if (!s)
        return RV_FAIL(err, RV_ERR_NOMEM, "%s", n->op->name);
    *s = (stft_state){ .window = mem->alloc(mem->ctx, a->n_fft * sizeof(real), UNIT) };
    if (!s->window || !make_plan(s, a->n_fft, to_bins, mem) ||
        (frames && !make_inverse_envelope(s, a, frames, mem))) {
        stft_close(s, mem);
        return RV_FAIL(err, RV_ERR_NOMEM, "%s of %zu samples", n->op->name, a->n_fft);
    }
    for (size_t m = 0; m < a->n_fft; m++)
        s->window[m] = (real)(factor * window_at(a, m));
    *state = s;
    return RV_OK;
}

/* To bins ---------------------------------------------------------------------------- */

typedef struct {
    const rv_call *call;
    real pair; /* factor of the bins that stand for two */
} bins_job;

static void copy_bins(const stft_attr *a, real *to, const real *from, real pair)
{
    const size_t n = 2 * bin_count(a), last = a->n_fft % 2 ? n : n - 2;
    to[0] = from[0];
    to[1] = 0; /* of a real signal */
    for (size_t i = 2; i < last; i++)
        to[i] = pair * from[i];
    if (last < n) {
        to[last] = from[last];
        to[last + 1] = 0;
    }
}

/* Frames of all items, numbered through. */
static void frames_to_bins(const void *ctx, size_t from, size_t to, int worker)
{
    const bins_job *j = ctx;
    const rv_call *c = j->call;
    const stft_attr *a = c->node->attr;
    const stft_state *s = c->state;
    const size_t frames = c->node->shape.d[1], length = c->node->in[0]->shape.d[1];
    real *x = c->scratch + (size_t)worker * 2 * fft_row(a->n_fft), *z = x + fft_row(a->n_fft);
    for (size_t i = from; i < to; i++) {
        const size_t at = i % frames * a->hop;
        const real *samples = c->in[0] + i / frames * length + at;
        if (s->inverse_e)
            for (size_t m = 0; m < a->n_fft; m++)
                x[m] = (real)((double)(s->window[m] * samples[m]) * s->inverse_e[at + m]);
        else
            for (size_t m = 0; m < a->n_fft; m++)
                x[m] = s->window[m] * samples[m];
        FFT(execute_dft_r2c)(s->plan, x, (FFT(complex) *)z);
        copy_bins(a, c->out + i * 2 * bin_count(a), z, j->pair);
    }
}

/* Samples and bins of a frame for each worker */
static size_t stft_scratch(const rv_node *n, int threads, const kern_table *kern)
{
    const stft_attr *a = n->attr;
    (void)kern;
    return (size_t)threads * 2 * fft_row(a->n_fft);
}

static void run_to_bins(const rv_call *c, real pair)
{
    const rv_shape *z = &c->node->shape;
    rv_parallel(c->pool, z->d[0] * z->d[1], FRAME_BLOCK, frames_to_bins, &(bins_job){ c, pair });
}

/* From bins -------------------------------------------------------------------------- */

typedef struct {
    const rv_call *call;
    real pair;
    size_t parts; /* of each signal */
} signal_job;

/* to = the samples of a frame, windowed; z is used up. */
static void frame_of_bins(const signal_job *j, real *to, real *z, const real *bins)
{
    const stft_attr *a = j->call->node->attr;
    const stft_state *s = j->call->state;
    copy_bins(a, z, bins, j->pair);
    FFT(execute_dft_c2r)(s->plan, (FFT(complex) *)z, to);
    for (size_t m = 0; m < a->n_fft; m++)
        to[m] *= s->window[m];
}

/* y = samples [from, to) of a signal: the frames over each are added in order. */
static void overlap_add(const signal_job *j, real *y, const real *bins, size_t from, size_t to,
                        int worker)
{
    const stft_attr *a = j->call->node->attr;
    const stft_state *s = j->call->state;
    const size_t frames = j->call->node->in[0]->shape.d[1], row = fft_row(a->n_fft);
    real *z = j->call->scratch + (size_t)worker * 2 * row, *x = z + row;
    memset(y, 0, (to - from) * sizeof *y);
    for (size_t f = from < a->n_fft ? 0 : (from - a->n_fft) / a->hop + 1; f < frames; f++) {
        const size_t start = f * a->hop, end = start + a->n_fft;
        const size_t lo = start > from ? start : from, hi = end < to ? end : to;
        if (start >= to)
            break;
        frame_of_bins(j, x, z, bins + f * 2 * bin_count(a));
        for (size_t t = lo; t < hi; t++)
            y[t - from] += x[t - start];
    }
    for (size_t t = from; t < to && s->inverse_e; t++)
        y[t - from] = (real)((double)y[t - from] * s->inverse_e[t]);
}

/* Parts of all signals, numbered through. A part transforms all frames that reach into it, those at
 * its ends as does the next part: less work than to keep them. */
static void signal_parts(const void *ctx, size_t from, size_t to, int worker)
{
    const signal_job *j = ctx;
    const stft_attr *a = j->call->node->attr;
    const rv_shape *z = &j->call->node->in[0]->shape;
    const size_t length = j->call->node->shape.d[1], part = HOP_BLOCK * a->hop;
    for (size_t i = from; i < to; i++) {
        const size_t item = i / j->parts, start = i % j->parts * part;
        overlap_add(j, j->call->out + item * length + start,
                    j->call->in[0] + item * z->d[1] * z->d[2] * 2, start,
                    length - start < part ? length : start + part, worker);
    }
}

static void run_from_bins(const rv_call *c, real pair)
{
    const stft_attr *a = c->node->attr;
    const size_t part = HOP_BLOCK * a->hop, length = c->node->shape.d[1];
    const signal_job j = { .call = c, .pair = pair, .parts = (length + part - 1) / part };
    rv_parallel(c->pool, c->node->shape.d[0] * j.parts, 1, signal_parts, &j);
}

/* The four operations ------------------------------------------------------------------ */

static rv_status stft_open(const rv_node *n, void **state, const rv_alloc *mem, rv_error *err)
{
    const stft_attr *a = n->attr;
    return open_state(n, state, mem, true, a->scale, 0, err);
}

static void stft_run(const rv_call *c)
{
    run_to_bins(c, 1);
}

static void stft_grad(rv_node *n, rv_node *dy, rv_node *dx[])
{
    stft_attr a = *(const stft_attr *)n->attr;
    a.length = n->in[0]->shape.d[1];
    dx[0] = RV_APPLY(&rv_op_stft_adjoint, &a, dy);
}

const rv_op rv_op_stft = {
    .name = "stft",
    .n_in = 1,
    .attr_size = sizeof(stft_attr),
    .shape = to_bins_shape,
    .run = stft_run,
    .grad = stft_grad,
    .scratch_size = stft_scratch,
    .open = stft_open,
    .close = stft_close,
};

static rv_status stft_adjoint_open(const rv_node *n, void **state, const rv_alloc *mem,
                                   rv_error *err)
{
    const stft_attr *a = n->attr;
    return open_state(n, state, mem, false, a->scale, 0, err);
}

static void stft_adjoint_run(const rv_call *c)
{
    run_from_bins(c, (real)0.5);
}

static void stft_adjoint_grad(rv_node *n, rv_node *dy, rv_node *dx[])
{
    dx[0] = RV_APPLY(&rv_op_stft, n->attr, dy);
}

const rv_op rv_op_stft_adjoint = {
    .name = "stft_adjoint",
    .n_in = 1,
    .attr_size = sizeof(stft_attr),
    .shape = from_bins_shape,
    .run = stft_adjoint_run,
    .grad = stft_adjoint_grad,
    .scratch_size = stft_scratch,
    .open = stft_adjoint_open,
    .close = stft_close,
};

static rv_status istft_open(const rv_node *n, void **state, const rv_alloc *mem, rv_error *err)
{
    const stft_attr *a = n->attr;
    return open_state(n, state, mem, false, 1 / (a->scale * (double)a->n_fft), n->in[0]->shape.d[1],
                      err);
}

static void istft_run(const rv_call *c)
{
    run_from_bins(c, 1);
}

static void istft_grad(rv_node *n, rv_node *dy, rv_node *dx[])
{
    dx[0] = RV_APPLY(&rv_op_istft_adjoint, n->attr, dy);
}

const rv_op rv_op_istft = {
    .name = "istft",
    .n_in = 1,
    .attr_size = sizeof(stft_attr),
    .shape = from_bins_shape,
    .run = istft_run,
    .grad = istft_grad,
    .scratch_size = stft_scratch,
    .open = istft_open,
    .close = stft_close,
};

static rv_status istft_adjoint_open(const rv_node *n, void **state, const rv_alloc *mem,
                                    rv_error *err)
{
    const stft_attr *a = n->attr;
    return open_state(n, state, mem, true, 1 / (a->scale * (double)a->n_fft), n->shape.d[1], err);
}

static void istft_adjoint_run(const rv_call *c)
{
    run_to_bins(c, 2);
}

static void istft_adjoint_grad(rv_node *n, rv_node *dy, rv_node *dx[])
{
    dx[0] = RV_APPLY(&rv_op_istft, n->attr, dy);
}

const rv_op rv_op_istft_adjoint = {
    .name = "istft_adjoint",
    .n_in = 1,
    .attr_size = sizeof(stft_attr),
    .shape = to_bins_shape,
    .run = istft_adjoint_run,
    .grad = istft_adjoint_grad,
    .scratch_size = stft_scratch,
    .open = istft_adjoint_open,
    .close = stft_close,
};

#ifdef RV_SELFTEST
/* istft divides by the envelope, which is small near the ends: so its scale is large. */
const rv_op_case rv_cases_stft[] = {
    { .label = "stft, with a tail",
      .op = &rv_op_stft,
      .in = { { 2, { 2, 23 } } },
      .attr = &(const stft_attr){ 8, 2, 0.3, 0, 0 },
      .out = { 4, { 2, 8, 5, 2 } } },
    { .label = "stft of odd size",
      .op = &rv_op_stft,
      .in = { { 2, { 1, 17 } } },
      .attr = &(const stft_attr){ 7, 3, 0.3, 0, 0 },
      .out = { 4, { 1, 4, 4, 2 } } },
    { .label = "stft with a short window",
      .op = &rv_op_stft,
      .in = { { 2, { 2, 23 } } },
      .attr = &(const stft_attr){ 8, 2, 0.3, 0, 5 },
      .out = { 4, { 2, 8, 5, 2 } } },
    { .label = "adjoint of stft",
      .op = &rv_op_stft_adjoint,
      .in = { { 4, { 2, 8, 5, 2 } } },
      .attr = &(const stft_attr){ 8, 2, 0.3, 23, 0 },
      .out = { 2, { 2, 23 } } },
    { .label = "istft",
      .op = &rv_op_istft,
      .in = { { 4, { 2, 4, 5, 2 } } },
      .attr = &(const stft_attr){ 8, 2, 3, 0, 0 },
      .out = { 2, { 2, 14 } } },
    { .label = "istft of odd size",
      .op = &rv_op_istft,
      .in = { { 4, { 1, 3, 4, 2 } } },
      .attr = &(const stft_attr){ 7, 3, 3, 0, 0 },
      .out = { 2, { 1, 13 } } },
    { .label = "adjoint of istft",
      .op = &rv_op_istft_adjoint,
      .in = { { 2, { 2, 14 } } },
      .attr = &(const stft_attr){ 8, 2, 3, 0, 0 },
      .out = { 4, { 2, 4, 5, 2 } } },
    { 0 },
};
#endif
