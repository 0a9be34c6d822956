/* wiener.c - magnitudes of stems to their spectra, by the multichannel Wiener filter.
 *
 *   S. Uhlich et al., "Improving music source separation based on deep neural networks
 *   through data augmentation and network blending", ICASSP 2017, in the simplified form of
 *   A. Liutkus, R. Badeau and G. Richard, "Kernel additive models for source separation",
 *   IEEE Trans. Signal Process. 62(16), 2014; eps, scale and order of Open-Unmix.
 *
 * The first estimate of stem j has the given magnitude and the phase of the mix x. Then, for
 * each frequency on its own, over the frames t of a window, repeatedly:
 *
 *     v_j(t) = mean over channels of |y_j(t)|^2                     power
 *     R_j    = sum_t y_j(t) y_j(t)^H / (eps + sum_t v_j(t))         place in space, [A,A]
 *     y_j(t) = v_j(t) R_j (sqrt(eps) I + sum_i v_i(t) R_i)^-1 x(t)
 *
 * `residual` adds a stem, the mix minus the others, that takes part and is not returned.
 * A bin where the mix is exactly zero counts as 1, as in the reference. Not differentiable:
 * it stands behind the network, and training goes without it. */
#include "base/status.h"
#include "core/op.h"
#include "core/ops.h"

#include <complex.h>
#include <math.h>
#include <string.h>

enum { MOST_STEMS = 17, MOST_AUDIO = 2 };
static const double eps = 1e-10, loudest = 10;

typedef double complex matrix[MOST_AUDIO][MOST_AUDIO];

typedef struct {
    size_t iterations, window;
    bool residual;
} wiener_attr;

/* One window; y is [frames,stems,audio,2] for a frequency, in the scratch of a worker. */
typedef struct {
    const rv_call *call;
    size_t first, frames, bins, audio, given, stems; /* stems: those given, and the residual */
    double scale;                                    /* the mix is divided by it */
} job;

rv_node *rv_wiener(rv_node *magnitude, rv_node *mix, size_t iterations, bool residual,
                   size_t window)
{
    return RV_APPLY(&rv_op_wiener, (&(wiener_attr){ iterations, window, residual }), magnitude,
                    mix);
}

static size_t audio_of(const rv_node *n)
{
    return rv_extent(n->in[1], 3) / 2;
}

static size_t stems_of(const rv_node *n)
{
    const wiener_attr *a = n->attr;
    return rv_extent(n->in[0], 3) / audio_of(n) + a->residual;
}

static rv_status wiener_shape(const rv_node *n, rv_shape *out, rv_error *err)
{
    const wiener_attr *a = n->attr;
    const rv_shape *y = &n->in[0]->shape, *x = &n->in[1]->shape;
    const size_t audio = rv_extent(n->in[1], 3) / 2;
    if (y->rank != 4 || x->rank != 4 || y->d[0] != 1 || x->d[0] != 1 || y->d[1] != x->d[1] ||
        y->d[2] != x->d[2] || audio == 0 || y->d[3] == 0 || x->d[3] % 2 || y->d[3] % audio)
        return RV_FAIL(err, RV_ERR_SHAPE, "wiener: magnitudes and mix do not fit");
    if (stems_of(n) > MOST_STEMS || (audio > MOST_AUDIO && a->iterations) || a->window == 0)
        return RV_FAIL(err, RV_ERR_SHAPE, "wiener: %zu stems of %zu channels", stems_of(n), audio);
    *out = *y;
    out->d[3] *= 2;
    return RV_OK;
}

static size_t wiener_scratch(const rv_node *n, int threads, const kern_table *kern)
{
    const wiener_attr *a = n->attr;
    const size_t frames = rv_extent(n, 1) < a->window ? rv_extent(n, 1) : a->window;
    (void)kern;
    return (size_t)threads * frames * stems_of(n) * audio_of(n) * 2;
}

/* CMPLX of C11, which clang's C library headers lack. */
static double complex complex_of(double re, double im)
{
    const double parts[2] = { re, im };
    double complex z;
    memcpy(&z, parts, sizeof z);
    return z;
}

static double complex mix_at(const job *j, size_t t, size_t f, size_t channel)
{
    const real *z = j->call->in[1] + (((j->first + t) * j->bins + f) * j->audio + channel) * 2;
    return z[0] == 0 && z[1] == 0 ? 1 : complex_of((double)z[0], (double)z[1]);
}

static double complex get(const real *y)
{
    return complex_of((double)y[0], (double)y[1]);
}

static void put(real *y, double complex value)
{
    y[0] = (real)creal(value);
    y[1] = (real)cimag(value);
}

static double square(double complex z)
{
    return creal(z) * creal(z) + cimag(z) * cimag(z);
}

/* Magnitude with the phase of the mix, and what that leaves of the mix. */
static void first_estimate(const job *j, size_t f, real *y)
{
    for (size_t t = 0; t < j->frames; t++)
        for (size_t c = 0; c < j->audio; c++) {
            const double complex x = mix_at(j, t, f, c), phase = x / sqrt(square(x));
            const real *size =
                j->call->in[0] + ((j->first + t) * j->bins + f) * j->given * j->audio;
            real *at = y + t * j->stems * j->audio * 2;
            double complex rest = x;
            for (size_t s = 0; s < j->given; s++) {
                const double complex value = (double)size[s * j->audio + c] * phase;
                rest -= value;
                put(at + (s * j->audio + c) * 2, value / j->scale);
            }
            if (j->stems > j->given)
                put(at + (j->given * j->audio + c) * 2, rest / j->scale);
        }
}

static double power(const job *j, const real *y)
{
    double sum = 0;
    for (size_t c = 0; c < j->audio; c++)
        sum += square(get(y + 2 * c));
    return sum / (double)j->audio;
}

/* R_s */
static void place_of_stem(const job *j, const real *y, size_t s, matrix r)
{
    double weight = eps;
    memset(r, 0, sizeof(matrix));
    for (size_t t = 0; t < j->frames; t++) {
        const real *at = y + (t * j->stems + s) * j->audio * 2;
        weight += power(j, at);
        for (size_t a = 0; a < j->audio; a++)
            for (size_t b = 0; b < j->audio; b++)
                r[a][b] += get(at + 2 * a) * conj(get(at + 2 * b));
    }
    for (size_t a = 0; a < j->audio; a++)
        for (size_t b = 0; b < j->audio; b++)
            r[a][b] /= weight;
}

/* w = m^-1 x, for one or two channels */
static void solve(size_t audio, matrix m, const double complex *x, double complex *w)
{
    if (audio == 1) {
        w[0] = x[0] / m[0][0];
        return;
    }
    const double complex det = m[0][0] * m[1][1] - m[0][1] * m[1][0];
    w[0] = (m[1][1] * x[0] - m[0][1] * x[1]) / det;
    w[1] = (m[0][0] * x[1] - m[1][0] * x[0]) / det;
}

/* All stems of frame t, y [stems,audio,2] */
static void filter_frame(const job *j, size_t f, size_t t, matrix *r, real *y)
{
    double v[MOST_STEMS];
    double complex x[MOST_AUDIO], w[MOST_AUDIO];
    matrix sum = { { 0 } };
    for (size_t a = 0; a < j->audio; a++) {
        x[a] = mix_at(j, t, f, a) / j->scale;
        sum[a][a] = sqrt(eps);
    }
    for (size_t s = 0; s < j->stems; s++) {
        v[s] = power(j, y + s * j->audio * 2);
        for (size_t a = 0; a < j->audio; a++)
            for (size_t b = 0; b < j->audio; b++)
                sum[a][b] += v[s] * r[s][a][b];
    }
    solve(j->audio, sum, x, w);
    for (size_t s = 0; s < j->stems; s++)
        for (size_t a = 0; a < j->audio; a++) {
            double complex value = 0;
            for (size_t b = 0; b < j->audio; b++)
                value += r[s][a][b] * w[b];
            put(y + (s * j->audio + a) * 2, v[s] * value);
        }
}

static void write_out(const job *j, size_t f, const real *y)
{
    const size_t row = j->given * j->audio * 2;
    for (size_t t = 0; t < j->frames; t++) {
        real *out = j->call->out + ((j->first + t) * j->bins + f) * row;
        const real *at = y + t * j->stems * j->audio * 2;
        for (size_t i = 0; i < row; i++)
            out[i] = (real)((double)at[i] * j->scale);
    }
}

static void filter_bins(const void *ctx, size_t from, size_t to, int worker)
{
    const job *j = ctx;
    const wiener_attr *a = j->call->node->attr;
    matrix r[MOST_STEMS];
    real *y = j->call->scratch + (size_t)worker * j->frames * j->stems * j->audio * 2;
    for (size_t f = from; f < to; f++) {
        first_estimate(j, f, y);
        for (size_t i = 0; i < a->iterations; i++) {
            for (size_t s = 0; s < j->stems; s++)
                place_of_stem(j, y, s, r[s]);
            for (size_t t = 0; t < j->frames; t++)
                filter_frame(j, f, t, r, y + t * j->stems * j->audio * 2);
        }
        write_out(j, f, y);
    }
}

/* Nothing is made louder: max(1, largest magnitude of the window / 10). */
static double scale_of_window(const job *j)
{
    double most = 0;
    for (size_t t = 0; t < j->frames; t++)
        for (size_t f = 0; f < j->bins; f++)
            for (size_t c = 0; c < j->audio; c++)
                most = fmax(most, square(mix_at(j, t, f, c)));
    return fmax(1, sqrt(most) / loudest);
}

static void wiener_run(const rv_call *c)
{
    const wiener_attr *a = c->node->attr;
    const size_t total = rv_extent(c->node, 1);
    job j = { .call = c,
              .bins = rv_extent(c->node, 2),
              .audio = audio_of(c->node),
              .stems = stems_of(c->node),
              .scale = 1 };
    j.given = j.stems - a->residual;
    for (j.first = 0; j.first < total; j.first += j.frames) {
        j.frames = total - j.first < a->window ? total - j.first : a->window;
        j.scale = a->iterations ? scale_of_window(&j) : 1;
        rv_parallel(c->pool, j.bins, 16, filter_bins, &j);
    }
}

const rv_op rv_op_wiener = {
    .name = "wiener",
    .n_in = 2,
    .attr_size = sizeof(wiener_attr),
    .shape = wiener_shape,
    .run = wiener_run,
    .scratch_size = wiener_scratch,
};

#ifdef RV_SELFTEST
const rv_op_case rv_cases_wiener[] = {
    { .label = "phase of the mix",
      .op = &rv_op_wiener,
      .in = { { 4, { 1, 3, 2, 6 } }, { 4, { 1, 3, 2, 6 } } },
      .attr = &(const wiener_attr){ 0, 300, false },
      .out = { 4, { 1, 3, 2, 12 } },
      .not_derived = 3 },
    { .label = "two windows, with a residual",
      .op = &rv_op_wiener,
      .in = { { 4, { 1, 5, 2, 6 } }, { 4, { 1, 5, 2, 4 } } },
      .attr = &(const wiener_attr){ 2, 3, true },
      .out = { 4, { 1, 5, 2, 12 } },
      .positive = true,
      .not_derived = 3 },
    { .label = "one channel",
      .op = &rv_op_wiener,
      .in = { { 4, { 1, 4, 3, 2 } }, { 4, { 1, 4, 3, 2 } } },
      .attr = &(const wiener_attr){ 1, 300, false },
      .out = { 4, { 1, 4, 3, 4 } },
      .not_derived = 3 },
    { 0 },
};
#endif
