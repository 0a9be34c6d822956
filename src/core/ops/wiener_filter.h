/* wiener_filter.h - what the Wiener filter (wiener.c) and its adjoint (wiener_adjoint.c) share: one
 * iteration on one frequency and one window; wiener_em.c uses that alone. Formula and names are
 * those of wiener.c. */
#ifndef OPS_WIENER_FILTER_H
#define OPS_WIENER_FILTER_H

#include "base/status.h"
#include "core/op.h"

#include <complex.h>
#include <math.h>
#include <string.h>

enum { MOST_STEMS = 17, MOST_AUDIO = 2 };
static const double eps = 1e-10;

typedef double complex matrix[MOST_AUDIO][MOST_AUDIO];

typedef struct {
    size_t iterations, window;
    bool residual;
    double loudest; /* magnitude of the mix, above which it is scaled down */
} wiener_attr;

/* One window; y is [frames,stems,audio,2] for a frequency, in the scratch of a worker. */
typedef struct {
    const wiener_attr *attr;
    const real *magnitude, *mix;
    const real *dy;    /* of the adjoint */
    real *out;         /* of the operation */
    real *scratch;     /* [worker][scratch_row] */
    real *scale_slope; /* of the adjoint: [bins], dL / d scale */
    size_t scratch_row;
    size_t first, frames, bins, audio, given, stems; /* stems: those given, and the residual */
    double scale;                                    /* the mix is divided by it */
    bool zeros; /* where the mix is zero it stays so; else it counts as 1 there */
} job;

static inline size_t stems_of(const wiener_attr *a, const rv_node *magnitude, const rv_node *mix)
{
    return rv_extent(magnitude, 3) / (rv_extent(mix, 3) / 2) + a->residual;
}

/* Shape of the spectra of the stems. */
static inline rv_status wiener_fits(const wiener_attr *a, const rv_node *magnitude,
                                    const rv_node *mix, rv_shape *out, rv_error *err)
{
    const rv_shape *y = &magnitude->shape, *x = &mix->shape;
    const size_t audio = rv_extent(mix, 3) / 2;
    if (y->rank != 4 || x->rank != 4 || y->d[0] != 1 || x->d[0] != 1 || y->d[1] != x->d[1] ||
        y->d[2] != x->d[2] || audio == 0 || y->d[3] == 0 || x->d[3] % 2 || y->d[3] % audio)
        return RV_FAIL(err, RV_ERR_SHAPE, "wiener: magnitudes and mix do not fit");
    const size_t stems = stems_of(a, magnitude, mix);
    if (stems > MOST_STEMS || (audio > MOST_AUDIO && a->iterations) || a->window == 0)
        return RV_FAIL(err, RV_ERR_SHAPE, "wiener: %zu stems of %zu channels", stems, audio);
    *out = *y;
    out->d[3] *= 2;
    return RV_OK;
}

static inline job job_of(const wiener_attr *a, const rv_node *magnitude, const rv_node *mix)
{
    const size_t total = rv_extent(mix, 1), stems = stems_of(a, magnitude, mix);
    return (job){ .attr = a,
                  .frames = total < a->window ? total : a->window,
                  .bins = rv_extent(mix, 2),
                  .audio = rv_extent(mix, 3) / 2,
                  .given = stems - a->residual,
                  .stems = stems,
                  .scale = 1 };
}

/* Numbers in y. */
static inline size_t estimate_size(const job *j)
{
    return j->frames * j->stems * j->audio * 2;
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
    const real *z = j->mix + (((j->first + t) * j->bins + f) * j->audio + channel) * 2;
    const bool one = z[0] == 0 && z[1] == 0 && !j->zeros;
    return one ? 1 : complex_of((double)z[0], (double)z[1]);
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
static inline void first_estimate(const job *j, size_t f, real *y)
{
    for (size_t t = 0; t < j->frames; t++)
        for (size_t c = 0; c < j->audio; c++) {
            const double complex x = mix_at(j, t, f, c), phase = x / sqrt(square(x));
            const real *size = j->magnitude + ((j->first + t) * j->bins + f) * j->given * j->audio;
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

/* R_s, and its denominator */
static double place_of_stem(const job *j, const real *y, size_t s, matrix r)
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
    return weight;
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

/* What an iteration knows of a frame. */
typedef struct {
    double v[MOST_STEMS];
    matrix sum; /* sqrt(eps) I + sum_i v_i R_i */
    double complex w[MOST_AUDIO];
} frame_model;

/* y [stems,audio,2] */
static void model_frame(const job *j, size_t f, size_t t, matrix *r, const real *y, frame_model *m)
{
    double complex x[MOST_AUDIO];
    memset(m->sum, 0, sizeof(matrix));
    for (size_t a = 0; a < j->audio; a++) {
        x[a] = mix_at(j, t, f, a) / j->scale;
        m->sum[a][a] = sqrt(eps);
    }
    for (size_t s = 0; s < j->stems; s++) {
        m->v[s] = power(j, y + s * j->audio * 2);
        for (size_t a = 0; a < j->audio; a++)
            for (size_t b = 0; b < j->audio; b++)
                m->sum[a][b] += m->v[s] * r[s][a][b];
    }
    solve(j->audio, m->sum, x, m->w);
}

/* Channel `a` of R w */
static double complex filtered(const job *j, matrix r, const double complex *w, size_t a)
{
    double complex value = 0;
    for (size_t b = 0; b < j->audio; b++)
        value += r[a][b] * w[b];
    return value;
}

/* y -> better, which may be y */
static void iterate(const job *j, size_t f, const real *y, real *better)
{
    matrix r[MOST_STEMS];
    frame_model m;
    const size_t row = j->stems * j->audio * 2;
    for (size_t s = 0; s < j->stems; s++)
        place_of_stem(j, y, s, r[s]);
    for (size_t t = 0; t < j->frames; t++) {
        model_frame(j, f, t, r, y + t * row, &m);
        for (size_t s = 0; s < j->stems; s++)
            for (size_t a = 0; a < j->audio; a++)
                put(better + t * row + (s * j->audio + a) * 2, m.v[s] * filtered(j, r[s], m.w, a));
    }
}

/* Where the mix of the window is loudest. */
typedef struct {
    double square;
    size_t t, f, channel;
} peak;

static inline peak find_peak(const job *j)
{
    peak most = { 0 };
    for (size_t t = 0; t < j->frames; t++)
        for (size_t f = 0; f < j->bins; f++)
            for (size_t c = 0; c < j->audio; c++) {
                const double power = square(mix_at(j, t, f, c));
                if (power > most.square)
                    most = (peak){ power, t, f, c };
            }
    return most;
}

/* Nothing is made louder: max(1, largest magnitude of the window / loudest). */
static inline double scale_of(const job *j, const peak *most)
{
    return j->attr->iterations ? fmax(1, sqrt(most->square) / j->attr->loudest) : 1;
}

#endif
