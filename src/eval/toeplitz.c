/* toeplitz.c - Cholesky factor of a block Toeplitz matrix by the generalised Schur algorithm, and
 * refinement of the solution.
 *
 * Kailath & Sayed 1995, "Displacement structure: theory and applications". With rows ordered by
 * tap, then input, and Z the shift down by one block, G - Z G Z' = X'X - Y'Y, X and Y of n_inputs
 * rows. X is a block row of the factor R (G = R'R). Shifted by a block, and with Y's leading block
 * eliminated by reflections of Y and hyperbolic rotations with X, it is the next one. The rotations
 * are mixed ones (Bojanczyk et al. 1987), with which the algorithm is backward stable.
 *
 * G can be singular up to rounding (a mono source on two channels, nothing above 16 kHz), so the
 * factor is that of G + delta I with a tiny delta, larger if that fails; the solution is refined
 * against G itself (iterated Tikhonov regularisation), which takes delta's effect away wherever the
 * signals decide, and leaves filters small where they do not. */
#include "eval/toeplitz.h"

#include "base/status.h"
#include "dsp/fft_double.h"
#include "eval/complex_sums.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK = 256, REFINEMENTS = 8, ATTEMPTS = 8 };
static const double first_delta = 1e-12, settled = 1e-15;

typedef struct solver {
    const rv_filter_system *system;
    size_t m, taps, n;                 /* inputs, taps, their product */
    double *x, *y;                     /* [m][n] generators */
    double *factor;                    /* rows of R from the diagonal on: row i has n - i */
    double *rhs, *residual, *solution; /* [n_targets][n], ordered by tap, then input */
    rv_fft_double *fft;
    size_t row;
    double *spectra; /* [m][m][row] of the correlations */
    double *inputs;  /* [m][row] */
    double *sum;     /* [row] */
} solver;

static const double *lags(const solver *s, size_t a, size_t b)
{
    const rv_filter_system *f = s->system;
    return rv_between(f->correlations, f->first_input + a, f->first_input + b) + s->taps - 1;
}

static double *factor_row(const solver *s, size_t i)
{
    return s->factor + i * s->n - i * (i - 1) / 2;
}

/* Factor ------------------------------------------------------------------------------------ */

/* In proportion to the energy of the input, so that quiet ones count as much. */
static double added(const solver *s, size_t input, double delta)
{
    const double energy = lags(s, input, input)[0];
    return energy > 0 ? delta * energy : 1;
}

/* u [m,m]: Cholesky factor of the first block, upper; false: not positive. */
static bool first_block(const solver *s, double *u, double delta)
{
    const size_t m = s->m;
    for (size_t i = 0; i < m; i++)
        for (size_t j = i; j < m; j++) {
            double sum = lags(s, i, j)[0] + (i == j ? added(s, i, delta) : 0);
            for (size_t k = 0; k < i; k++)
                sum -= u[k * m + i] * u[k * m + j];
            if (i == j && !(sum > 0))
                return false;
            u[i * m + j] = i == j ? sqrt(sum) : sum / u[i * m + i];
        }
    return true;
}

/* x = U^-T [G_0 G_1 ...]; y the same without its first block. */
static bool start(const solver *s, double delta)
{
    const size_t m = s->m, n = s->n;
    double *u = s->y; /* not needed yet */
    if (!first_block(s, u, delta))
        return false;
    for (size_t i = 0; i < m; i++) {
        double *row = s->x + i * n;
        for (size_t t = 0; t < s->taps; t++)
            for (size_t b = 0; b < m; b++)
                row[t * m + b] = lags(s, i, b)[-(ptrdiff_t)t];
        row[i] += added(s, i, delta);
        for (size_t k = 0; k < i; k++)
            for (size_t c = 0; c < n; c++)
                row[c] -= u[k * m + i] * s->x[k * n + c];
        for (size_t c = 0; c < n; c++)
            row[c] /= u[i * m + i];
    }
    memcpy(s->y, s->x, m * n * sizeof *s->y);
    return true;
}

/* Reflection I - scale v v' that leaves of the column y[0 .. m)[at] only its first entry. */
static double reflector(const solver *s, double *v, size_t at)
{
    double squares = 0, tail = 0;
    for (size_t i = 0; i < s->m; i++) {
        v[i] = s->y[i * s->n + at];
        squares += v[i] * v[i];
        tail += i > 0 ? v[i] * v[i] : 0;
    }
    if (tail == 0)
        return 0;
    const double norm = sqrt(squares);
    v[0] += v[0] < 0 ? -norm : norm;
    return 2 / (v[0] * v[0] + tail);
}

static void reflect(const solver *s, const double *v, double scale, size_t from, size_t to)
{
    double w[CHUNK] = { 0 };
    const size_t n = to - from;
    for (size_t i = 0; i < s->m; i++)
        for (size_t c = 0; c < n; c++)
            w[c] += v[i] * s->y[i * s->n + from + c];
    for (size_t i = 0; i < s->m; i++) {
        const double by = scale * v[i];
        for (size_t c = 0; c < n; c++)
            s->y[i * s->n + from + c] -= by * w[c];
    }
}

/* Take y's column `at` (of the leading block, row j of x its pivot) away; x is `shift` columns
 * behind y. False: the matrix is not positive. */
static bool eliminate(const solver *s, double *v, size_t j, size_t at, size_t shift)
{
    double *y = s->y, *x = s->x + j * s->n;
    const double scale = reflector(s, v, at);
    if (scale > 0)
        reflect(s, v, scale, at, at + 1);
    const double rho = y[at] / x[at - shift], square = (1 - rho) * (1 + rho);
    if (!(square > 0))
        return false;
    const double cosine = sqrt(square), inverse = 1 / cosine;
    for (size_t from = at; from < s->n; from += CHUNK) {
        const size_t to = s->n - from < CHUNK ? s->n : from + CHUNK;
        if (scale > 0)
            reflect(s, v, scale, from == at ? at + 1 : from, to);
        for (size_t c = from; c < to; c++) {
            const double turned = (x[c - shift] - rho * y[c]) * inverse;
            x[c - shift] = turned;
            y[c] = cosine * y[c] - rho * turned;
        }
    }
    return true;
}

static void store(const solver *s, size_t block)
{
    for (size_t j = 0; j < s->m; j++) {
        const size_t i = block * s->m + j;
        memcpy(factor_row(s, i), s->x + j * s->n + j, (s->n - i) * sizeof(double));
    }
}

/* After block k, column c of x lies at c - k m: shifting it moves nothing. */
static bool factorise(const solver *s, double *v, double delta)
{
    if (!start(s, delta))
        return false;
    store(s, 0);
    for (size_t block = 1; block < s->taps; block++) {
        const size_t shift = block * s->m;
        for (size_t j = 0; j < s->m; j++)
            if (!eliminate(s, v, j, shift + j, shift))
                return false;
        store(s, block);
    }
    return true;
}

/* Solution ---------------------------------------------------------------------------------- */

/* Eight sums side by side, for vectors. */
static double dot(const double *a, const double *b, size_t n)
{
    double part[8] = { 0 }, sum = 0;
    size_t i = 0;
    for (; i + 8 <= n; i += 8)
        for (size_t k = 0; k < 8; k++)
            part[k] += a[i + k] * b[i + k];
    for (; i < n; i++)
        sum += a[i] * b[i];
    for (size_t k = 0; k < 8; k++)
        sum += part[k];
    return sum;
}

/* b [n_targets][n] becomes (R'R)^-1 b. */
static void substitute(const solver *s, double *b)
{
    const size_t n = s->n, count = s->system->n_targets;
    for (size_t i = 0; i < n; i++) {
        const double *row = factor_row(s, i);
        for (size_t r = 0; r < count; r++) {
            double *at = b + r * n + i;
            const double z = *at /= *row;
            for (size_t c = 1; c < n - i; c++)
                at[c] -= row[c] * z;
        }
    }
    for (size_t i = n; i-- > 0;) {
        const double *row = factor_row(s, i);
        for (size_t r = 0; r < count; r++) {
            double *at = b + r * n + i;
            *at = (*at - dot(row + 1, at + 1, n - i - 1)) / *row;
        }
    }
}

/* Refinement: products with G are convolutions with the correlations. */

static void transform_lags(const solver *s, size_t size)
{
    for (size_t i = 0; i < s->m * s->m; i++) {
        const double *r = lags(s, i / s->m, i % s->m);
        double *row = s->spectra + i * s->row;
        row[0] = r[0] / (double)size;
        for (ptrdiff_t l = 1; l < (ptrdiff_t)s->taps; l++) {
            row[l] = r[l] / (double)size;
            row[(ptrdiff_t)size - l] = r[-l] / (double)size;
        }
        rv_fft_double_forward(s->fft, row);
    }
}

/* residual = rhs - G solution, for one target */
static void find_residual(const solver *s, size_t target)
{
    const size_t m = s->m, bins = s->taps + 1;
    const double *f = s->solution + target * s->n, *d = s->rhs + target * s->n;
    for (size_t b = 0; b < m; b++) {
        double *row = s->inputs + b * s->row;
        memset(row, 0, s->row * sizeof *row);
        for (size_t t = 0; t < s->taps; t++)
            row[t] = f[t * m + b];
        rv_fft_double_forward(s->fft, row);
    }
    for (size_t a = 0; a < m; a++) {
        memset(s->sum, 0, s->row * sizeof *s->sum);
        for (size_t b = 0; b < m; b++)
            rv_add_product(s->sum, s->spectra + (a * m + b) * s->row, s->inputs + b * s->row, bins);
        rv_fft_double_inverse(s->fft, s->sum);
        for (size_t t = 0; t < s->taps; t++)
            s->residual[target * s->n + t * m + a] = d[t * m + a] - s->sum[t];
    }
}

static double largest(const double *x, size_t n)
{
    double most = 0;
    for (size_t i = 0; i < n; i++)
        most = fabs(x[i]) > most ? fabs(x[i]) : most;
    return most;
}

/* False: the factor is too poor. */
static bool refine(const solver *s)
{
    const size_t total = s->system->n_targets * s->n;
    const double size = largest(s->rhs, total);
    double before = HUGE_VAL;
    memset(s->solution, 0, total * sizeof *s->solution);
    memcpy(s->residual, s->rhs, total * sizeof *s->residual);
    for (int i = 0; i < REFINEMENTS; i++) {
        substitute(s, s->residual);
        for (size_t k = 0; k < total; k++)
            s->solution[k] += s->residual[k];
        for (size_t target = 0; target < s->system->n_targets; target++)
            find_residual(s, target);
        const double left = largest(s->residual, total);
        if (!(left < size))
            return size == 0;
        if (left < settled * size || left > before / 2)
            break;
        before = left;
    }
    return true;
}

/* ------------------------------------------------------------------------------------------- */

static rv_status allocate(solver *s, rv_error *err)
{
    const size_t m = s->m, n = s->n, count = s->system->n_targets;
    RV_TRY(rv_fft_double_new(&s->fft, 2 * s->taps, err));
    s->row = rv_fft_double_row(s->fft);
    s->x = malloc(2 * m * n * sizeof *s->x);
    s->y = s->x + m * n;
    s->factor = malloc(n * (n + 1) / 2 * sizeof *s->factor);
    s->rhs = malloc(3 * count * n * sizeof *s->rhs);
    s->residual = s->rhs + count * n;
    s->solution = s->residual + count * n;
    s->spectra = rv_fft_double_rows(s->fft, m * m + m + 1);
    if (!s->x || !s->factor || !s->rhs || !s->spectra)
        return RV_FAIL(err, RV_ERR_NOMEM, "filters of %zu signals with %zu taps", m, s->taps);
    s->inputs = s->spectra + m * m * s->row;
    s->sum = s->inputs + m * s->row;
    return RV_OK;
}

static void release(solver *s)
{
    free(s->x);
    free(s->factor);
    free(s->rhs);
    rv_fft_double_drop(s->spectra);
    rv_fft_double_free(s->fft);
}

static void fill_rhs(const solver *s)
{
    const rv_filter_system *f = s->system;
    for (size_t r = 0; r < f->n_targets; r++)
        for (size_t a = 0; a < s->m; a++) {
            const double *d = rv_with(f->correlations, f->first_input + a, f->first_target + r);
            for (size_t t = 0; t < s->taps; t++)
                s->rhs[r * s->n + t * s->m + a] = d[t];
        }
}

static void copy_filters(const solver *s, double *filters)
{
    for (size_t r = 0; r < s->system->n_targets; r++)
        for (size_t a = 0; a < s->m; a++)
            for (size_t t = 0; t < s->taps; t++)
                *filters++ = s->solution[r * s->n + t * s->m + a];
}

static rv_status solve(const solver *s, double *v, rv_error *err)
{
    double delta = first_delta;
    fill_rhs(s);
    transform_lags(s, 2 * s->taps);
    for (int i = 0; i < ATTEMPTS; i++, delta *= 10)
        if (factorise(s, v, delta) && refine(s))
            return RV_OK;
    return RV_FAIL(err, RV_ERR_FORMAT, "the filters of %zu signals cannot be found", s->m);
}

rv_status rv_solve_filters(double *filters, const rv_filter_system *system, rv_error *err)
{
    solver s = { .system = system, .m = system->n_inputs, .taps = system->correlations->taps };
    s.n = s.m * s.taps;
    double *v = calloc(s.m, sizeof *v);
    rv_status status = v ? allocate(&s, err) : RV_FAIL(err, RV_ERR_NOMEM, "filters");
    if (status == RV_OK)
        status = solve(&s, v, err);
    if (status == RV_OK)
        copy_filters(&s, filters);
    release(&s);
    free(v);
    return status;
}
