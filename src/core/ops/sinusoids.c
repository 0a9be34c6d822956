/* sinusoids.c - a bank of oscillators, each with its own frequency g (turns per sample) and
 * amplitude a, both brought from frames to samples (core/ops/upsample.h), g on straight lines:
 *
 *     y[b,t] = sum over k of a[b,t,k] sin(2 pi phase[b,t,k]),  phase[t] = sum over i <= t of g[i]
 *
 * (ddsp's sinusoidal synthesiser; Engel et al. 2020, arXiv 2001.04643). In frame f with N samples,
 * its frequency x[f], w the share of frame f + 1 in its first sample, d = x[f+1] - x[f]:
 *
 *     g(n) = u + n v,  u = x[f] + w d,  v = d F / T
 *     phase(n) = start[f] + (n + 1) u + n (n + 1) / 2 v
 *     start[f+1] = start[f] + N u + N (N - 1) / 2 v
 *
 * So the running sum has a closed form, in double, and no [T,K] values exist. Frequencies in Hz are
 * divided by the sample rate here, in double: rounded to float, they would drift. */
#include "core/ops/sinusoids.h"
#include "core/ops/upsample.h"

#include "base/status.h"
#include "core/op.h"

#include <string.h>

typedef struct {
    rv_upsample_mode mode;
    size_t samples;
    double rate;
} sinusoids_attr;

typedef struct {
    const rv_call *call;
    rv_upsample_mode mode;
    size_t batch, frames, samples, count;
    size_t period; /* of the shares */
    double rate;
    const real *frequency;     /* [B,F,K] */
    const real *amplitude;     /* [B,F,K] */
    double *start;             /* [B,F,K], less whole turns */
    kern_chirp *chirps;        /* of each worker: [K] */
    kern_chirp_slopes *slopes; /* [B,F,K], of the gradient only */
    real *share;               /* [period] */
} bank;

rv_node *rv_sinusoids(rv_node *frequencies, rv_node *amplitudes, size_t samples,
                      rv_upsample_mode mode)
{
    return rv_sinusoids_of(frequencies, 1, amplitudes, samples, mode);
}

rv_node *rv_sinusoids_of(rv_node *hz, double rate, rv_node *amplitudes, size_t samples,
                         rv_upsample_mode mode)
{
    return RV_APPLY(&rv_op_sinusoids, (&(sinusoids_attr){ mode, samples, rate }), hz, amplitudes);
}

static rv_status check_controls(const rv_node *n, size_t at, rv_error *err)
{
    const rv_shape *x = &n->in[at]->shape;
    const sinusoids_attr *a = n->attr;
    if (x->rank != 3 || x->d[1] == 0 || !rv_shape_equal(x, &n->in[at + 1]->shape))
        return RV_FAIL(err, RV_ERR_SHAPE,
                       "%s: expected frequencies and amplitudes [B,F,K], both the same",
                       n->op->name);
    return a->samples ? RV_OK : RV_FAIL(err, RV_ERR_SHAPE, "%s: no samples", n->op->name);
}

static rv_status sinusoids_shape(const rv_node *n, rv_shape *out, rv_error *err)
{
    *out = RV_SHAPE(rv_extent(n->in[0], 0), ((const sinusoids_attr *)n->attr)->samples);
    return check_controls(n, 0, err);
}

/* With the parts of scratch, largest alignment first. */
static bank bank_of(const rv_node *n, size_t at, real *scratch, int threads)
{
    const rv_node *controls = n->in[at];
    const sinusoids_attr *a = n->attr;
    const size_t all = rv_shape_count(&controls->shape);
    bank j = { .mode = a->mode,
               .batch = rv_extent(controls, 0),
               .frames = rv_extent(controls, 1),
               .samples = a->samples,
               .count = rv_extent(controls, 2),
               .rate = a->rate,
               .start = (double *)(void *)scratch };
    j.period = upsample_period(j.frames, j.samples);
    j.chirps = (kern_chirp *)(void *)(j.start + all);
    j.slopes = (kern_chirp_slopes *)(void *)(j.chirps + (size_t)threads * j.count);
    j.share = (real *)(void *)(j.slopes + (at ? all : 0));
    return j;
}

static size_t reals_of(const rv_node *n, size_t at, int threads)
{
    const size_t all = rv_shape_count(&n->in[at]->shape), count = rv_extent(n->in[at], 2);
    size_t bytes = all * sizeof(double) + (size_t)threads * count * sizeof(kern_chirp);
    bytes += at ? all * sizeof(kern_chirp_slopes) : 0;
    const sinusoids_attr *a = n->attr;
    return bytes / sizeof(real) + upsample_period(rv_extent(n->in[at], 1), a->samples);
}

static size_t sinusoids_scratch(const rv_node *n, int threads, const kern_table *kern)
{
    (void)kern;
    return reals_of(n, 0, threads);
}

static void fill_shares(const void *ctx, size_t from, size_t to, int worker)
{
    const bank *j = ctx;
    (void)worker;
    for (size_t t = from; t < to; t++)
        j->share[t] = (real)upsample_share_at(j->mode, t, j->frames, j->samples);
}

/* How the frequencies of row b F + f move: the header's w, N, and from these u and v. */
typedef struct {
    const real *here, *next;
    double share, samples, per_sample, rate;
} line;

static line line_of(const bank *j, size_t row)
{
    const size_t f = row % j->frames, t = upsample_start(f, j->frames, j->samples);
    line l = { .here = j->frequency + row * j->count, .next = j->frequency + row * j->count };
    l.next += (upsample_next(f, j->frames) - f) * j->count;
    l.share = upsample_share_at(RV_UPSAMPLE_LINEAR, t, j->frames, j->samples);
    l.samples = (double)(upsample_start(f + 1, j->frames, j->samples) - t);
    l.per_sample = (double)j->frames / (double)j->samples;
    l.rate = j->rate;
    return l;
}

static double line_first(const line *l, size_t k)
{
    return ((double)l->here[k] + l->share * ((double)l->next[k] - (double)l->here[k])) / l->rate;
}

static double line_rise(const line *l, size_t k)
{
    return ((double)l->next[k] - (double)l->here[k]) * l->per_sample / l->rate;
}

static void fill_starts(const void *ctx, size_t from, size_t to, int worker)
{
    const bank *j = ctx;
    (void)worker;
    for (size_t b = from; b < to; b++) {
        double *start = j->start + b * j->frames * j->count;
        memset(start, 0, j->count * sizeof *start);
        for (size_t f = 0; f + 1 < j->frames; f++, start += j->count) {
            const line l = line_of(j, b * j->frames + f);
            for (size_t k = 0; k < j->count; k++) {
                const double turns = start[k] + l.samples * line_first(&l, k) +
                                     l.samples * (l.samples - 1) / 2 * line_rise(&l, k);
                start[j->count + k] = turns - rint(turns);
            }
        }
    }
}

static void fill_chirps(const bank *j, size_t row, kern_chirp *to)
{
    const line l = line_of(j, row);
    const real *a = j->amplitude + row * j->count, *next = a + (l.next - l.here);
    for (size_t k = 0; k < j->count; k++) {
        const double u = line_first(&l, k), v = line_rise(&l, k);
        to[k] = (kern_chirp){ j->start[row * j->count + k] + u, u + v, v, a[k], next[k] };
    }
}

static bank begin(const rv_call *c, size_t at)
{
    bank j = bank_of(c->node, at, c->scratch, rv_pool_threads(c->pool));
    j.call = c;
    j.frequency = c->in[at];
    j.amplitude = c->in[at + 1];
    rv_parallel(c->pool, j.period, RV_BLOCK(1024), fill_shares, &j);
    rv_parallel(c->pool, j.batch, 1, fill_starts, &j);
    return j;
}

static void sinusoids_frames(const void *ctx, size_t from, size_t to, int worker)
{
    const bank *j = ctx;
    kern_chirp *chirps = j->chirps + (size_t)worker * j->count;
    for (size_t row = from; row < to; row++) {
        const size_t b = row / j->frames, f = row % j->frames;
        const size_t t = upsample_start(f, j->frames, j->samples);
        const size_t n = upsample_start(f + 1, j->frames, j->samples) - t;
        fill_chirps(j, row, chirps);
        j->call->kern->chirps(j->call->out + b * j->samples + t, chirps, j->count,
                              j->share + t % j->period, n);
    }
}

static void sinusoids_run(const rv_call *c)
{
    const bank j = begin(c, 0);
    rv_parallel(c->pool, j.batch * j.frames, RV_BLOCK(8), sinusoids_frames, &j);
}

static void sinusoids_grad(rv_node *n, rv_node *dy, rv_node *dx[])
{
    rv_node *both = RV_APPLY(&rv_op_sinusoids_back, n->attr, dy, n->in[0], n->in[1]);
    for (size_t i = 0; i < 2; i++)
        dx[i] = rv_reshape(rv_slice(both, 0, i, 1), n->in[i]->shape);
}

const rv_op rv_op_sinusoids = {
    .name = "sinusoids",
    .n_in = 2,
    .attr_size = sizeof(sinusoids_attr),
    .shape = sinusoids_shape,
    .run = sinusoids_run,
    .grad = sinusoids_grad,
    .scratch_size = sinusoids_scratch,
};

/* dy [B,T], frequencies, amplitudes -> [2,B,F,K]: gradients of both. The slopes of a frame's
 * samples first; then from the last frame to the first, r = the adjoint of start[f+1]:
 *
 *     du = of samples + N r,  dv = of samples + N (N - 1) / 2 r,  d start[f] = of samples + r */

static rv_status back_shape(const rv_node *n, rv_shape *out, rv_error *err)
{
    const rv_shape *x = &n->in[1]->shape, dy = RV_SHAPE(x->d[0], rv_extent(n->in[0], 1));
    *out = RV_SHAPE(2, x->d[0], x->d[1], x->d[2]);
    RV_TRY(check_controls(n, 1, err));
    const bool fits = rv_shape_equal(&n->in[0]->shape, &dy) &&
                      dy.d[1] == ((const sinusoids_attr *)n->attr)->samples;
    return fits ? RV_OK : RV_FAIL(err, RV_ERR_SHAPE, "sinusoids_back: dy does not fit");
}

static size_t back_scratch(const rv_node *n, int threads, const kern_table *kern)
{
    (void)kern;
    return reals_of(n, 1, threads);
}

static void slopes_of_frames(const void *ctx, size_t from, size_t to, int worker)
{
    const bank *j = ctx;
    kern_chirp *chirps = j->chirps + (size_t)worker * j->count;
    for (size_t row = from; row < to; row++) {
        const size_t b = row / j->frames, f = row % j->frames;
        const size_t t = upsample_start(f, j->frames, j->samples);
        const size_t n = upsample_start(f + 1, j->frames, j->samples) - t;
        kern_chirp_slopes *slopes = j->slopes + row * j->count;
        memset(slopes, 0, j->count * sizeof *slopes);
        fill_chirps(j, row, chirps);
        j->call->kern->chirp_slopes(slopes, chirps, j->count, j->share + t % j->period,
                                    j->call->in[0] + b * j->samples + t, n);
    }
}

/* One frame of the way back; rest [K]: r */
static void spread_slopes(const bank *j, size_t row, double *rest)
{
    const line l = line_of(j, row);
    const kern_chirp_slopes *s = j->slopes + row * j->count;
    real *df = j->call->out + row * j->count, *df_next = df + (l.next - l.here);
    real *da = df + j->batch * j->frames * j->count, *da_next = da + (l.next - l.here);
    for (size_t k = 0; k < j->count; k++) {
        const double du = s[k].phase + s[k].step + l.samples * rest[k];
        const double dv = s[k].step + s[k].bend + l.samples * (l.samples - 1) / 2 * rest[k];
        const double rise = l.share * du + l.per_sample * dv;
        df[k] += (real)((du - rise) / l.rate);
        df_next[k] += (real)(rise / l.rate);
        da[k] += (real)s[k].first;
        da_next[k] += (real)s[k].second;
        rest[k] += s[k].phase;
    }
}

static void back_batch(const void *ctx, size_t from, size_t to, int worker)
{
    const bank *j = ctx;
    (void)worker;
    for (size_t b = from; b < to; b++) {
        /* where the phases started is not needed any more */
        double *rest = j->start + b * j->frames * j->count;
        memset(rest, 0, j->count * sizeof *rest);
        for (size_t f = j->frames; f--;)
            spread_slopes(j, b * j->frames + f, rest);
    }
}

static void back_run(const rv_call *c)
{
    const bank j = begin(c, 1);
    memset(c->out, 0, rv_shape_count(&c->node->shape) * sizeof *c->out);
    rv_parallel(c->pool, j.batch * j.frames, RV_BLOCK(8), slopes_of_frames, &j);
    rv_parallel(c->pool, j.batch, 1, back_batch, &j);
}

const rv_op rv_op_sinusoids_back = {
    .name = "sinusoids_back",
    .n_in = 3,
    .attr_size = sizeof(sinusoids_attr),
    .shape = back_shape,
    .run = back_run,
    .scratch_size = back_scratch,
};

#ifdef RV_SELFTEST
const rv_op_case rv_cases_sinusoids[] = {
    { .label = "hann",
      .op = &rv_op_sinusoids,
      .in = { { 3, { 2, 3, 2 } }, { 3, { 2, 3, 2 } } },
      .attr = &(const sinusoids_attr){ RV_UPSAMPLE_HANN, 9, 1 },
      .out = { 2, { 2, 9 } } },
    { .label = "linear, not a whole hop, at a rate",
      .op = &rv_op_sinusoids,
      .in = { { 3, { 1, 4, 3 } }, { 3, { 1, 4, 3 } } },
      .attr = &(const sinusoids_attr){ RV_UPSAMPLE_LINEAR, 11, 1.7 },
      .out = { 2, { 1, 11 } } },
    { .label = "one long frame",
      .op = &rv_op_sinusoids,
      .in = { { 3, { 1, 1, 1 } }, { 3, { 1, 1, 1 } } },
      .attr = &(const sinusoids_attr){ RV_UPSAMPLE_HOLD, 70, 1 },
      .out = { 2, { 1, 70 } } },
    { .label = "fewer samples than frames",
      .op = &rv_op_sinusoids,
      .in = { { 3, { 1, 5, 2 } }, { 3, { 1, 5, 2 } } },
      .attr = &(const sinusoids_attr){ RV_UPSAMPLE_LINEAR, 3, 1 },
      .out = { 2, { 1, 3 } } },
    { .label = "back",
      .op = &rv_op_sinusoids_back,
      .in = { { 2, { 2, 7 } }, { 3, { 2, 2, 3 } }, { 3, { 2, 2, 3 } } },
      .attr = &(const sinusoids_attr){ RV_UPSAMPLE_HANN, 7, 1.7 },
      .out = { 4, { 2, 2, 2, 3 } },
      .not_derived = 7 },
    { 0 },
};
#endif
