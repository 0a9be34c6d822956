/* fft_convolve.c - convolution and correlation of whole rows, by products of spectra:
 *
 *     fft_convolve   y[b,t] = sum over m < M of x[b, t - m] h[b,m]     t < N + M - 1
 *     fft_correlate  y[b,t] = sum over m < M of x[b, t + m] h[b,m]     t <= N - M
 *
 * h may be one row for all b. Each is the adjoint of the other with respect to x, and the adjoint
 * of both with respect to h is a correlation, so these two are closed under differentiation. The
 * size of the transform is the next product of 2, 3, 5 and 7 that holds the longest of the
 * three (T. Stockham, "High-speed convolution and correlation", 1966). */
#include "base/planner.h"
#include "base/status.h"
#include "core/fft.h"
#include "core/op.h"
#include "core/ops.h"

#include <string.h>

enum { UNIT = 64, MOST_SAMPLES = 1 << 28 }; /* UNIT bytes: FFTW's arrays begin at multiples of it */

typedef struct {
    FFT(plan) forward, back;
    size_t size; /* of the transforms */
} convolve_state;

rv_node *rv_fft_convolve(rv_node *x, rv_node *h)
{
    return RV_APPLY(&rv_op_fft_convolve, NULL, x, h);
}

rv_node *rv_fft_correlate(rv_node *x, rv_node *h)
{
    return RV_APPLY(&rv_op_fft_correlate, NULL, x, h);
}

static rv_status check_rows(const rv_node *n, rv_error *err)
{
    const rv_shape *x = &n->in[0]->shape, *h = &n->in[1]->shape;
    if (x->rank != 2 || h->rank != 2 || (h->d[0] != 1 && h->d[0] != x->d[0]) || x->d[1] == 0 ||
        h->d[1] == 0 || x->d[1] > MOST_SAMPLES || h->d[1] > MOST_SAMPLES)
        return RV_FAIL(err, RV_ERR_SHAPE, "%s: expected [B,N] and [B,M] or [1,M]", n->op->name);
    return RV_OK;
}

static rv_status convolve_shape(const rv_node *n, rv_shape *out, rv_error *err)
{
    RV_TRY(check_rows(n, err));
    *out = n->in[0]->shape;
    out->d[1] += n->in[1]->shape.d[1] - 1;
    return RV_OK;
}

static rv_status correlate_shape(const rv_node *n, rv_shape *out, rv_error *err)
{
    RV_TRY(check_rows(n, err));
    *out = n->in[0]->shape;
    if (n->in[1]->shape.d[1] > out->d[1])
        return RV_FAIL(err, RV_ERR_SHAPE, "%s: %zu samples for %zu", n->op->name, out->d[1],
                       n->in[1]->shape.d[1]);
    out->d[1] -= n->in[1]->shape.d[1] - 1;
    return RV_OK;
}

/* The transform ------------------------------------------------------------------------ */

static bool is_smooth(size_t n)
{
    static const size_t primes[] = { 2, 3, 5, 7 };
    for (size_t i = 0; i < sizeof primes / sizeof *primes; i++)
        while (n % primes[i] == 0)
            n /= primes[i];
    return n == 1;
}

/* Even, so that no row of spectra is longer than size + 2. */
static size_t transform_size(const rv_node *n)
{
    const size_t in = rv_extent(n->in[0], 1), out = rv_extent(n, 1);
    size_t size = in > out ? in : out;
    for (size += size % 2; !is_smooth(size); size += 2)
        ;
    return size;
}

/* Reals from one array of FFTW's to the next. */
static size_t row_size(const rv_node *n)
{
    const size_t unit = UNIT / sizeof(real);
    return (transform_size(n) + 2 + unit - 1) / unit * unit;
}

static void convolve_close(void *state, const rv_alloc *mem)
{
    convolve_state *s = state;
    rv_planner_lock();
    if (s->forward)
        FFT(destroy_plan)(s->forward);
    if (s->back)
        FFT(destroy_plan)(s->back);
    rv_planner_unlock();
    mem->free(mem->ctx, s);
}

static void make_plans(convolve_state *s, real *x, real *spectrum)
{
    FFT(complex) *z = (FFT(complex) *)spectrum;
    rv_planner_lock();
    s->forward = FFT(plan_dft_r2c_1d)((int)s->size, x, z, FFTW_ESTIMATE);
    s->back = FFT(plan_dft_c2r_1d)((int)s->size, z, x, FFTW_ESTIMATE);
    rv_planner_unlock();
}

static rv_status convolve_open(const rv_node *n, void **state, const rv_alloc *mem, rv_error *err)
{
    const size_t row = row_size(n);
    convolve_state *s = mem->alloc(mem->ctx, sizeof *s, UNIT);
    real *rows = mem->alloc(mem->ctx, 2 * row * sizeof *rows, UNIT);
    if (s)
        *s = (convolve_state){ .size = transform_size(n) };
    if (s && rows)
        make_plans(s, rows, rows + row);
    mem->free(mem->ctx, rows);
    if (s && s->forward && s->back) {
        *state = s;
        return RV_OK;
    }
    if (s)
        convolve_close(s, mem);
    return RV_FAIL(err, RV_ERR_NOMEM, "%s of %zu samples", n->op->name, transform_size(n));
}

/* Rows --------------------------------------------------------------------------------- */

typedef struct {
    const rv_call *call;
    const real *shared; /* spectrum of the only h, or NULL */
    real *scratch;      /* three rows for each worker */
    size_t row;
    bool correlate;
} convolve_job;

/* spectrum of x [n], zeros behind it; `padded` is a row for FFTW to read */
static void transform(const convolve_state *s, real *spectrum, real *padded, const real *x,
                      size_t n)
{
    memcpy(padded, x, n * sizeof *x);
    memset(padded + n, 0, (s->size - n) * sizeof *x);
    FFT(execute_dft_r2c)(s->forward, padded, (FFT(complex) *)spectrum);
}

/* a b, or a times the conjugate of b, where sign is -1 */
static void multiply(real *a, const real *b, size_t bins, real factor, real sign)
{
    for (size_t i = 0; i < 2 * bins; i += 2) {
        const real re = a[i] * b[i] - sign * a[i + 1] * b[i + 1];
        const real im = a[i + 1] * b[i] + sign * a[i] * b[i + 1];
        a[i] = factor * re;
        a[i + 1] = factor * im;
    }
}

static void convolve_rows(const void *ctx, size_t from, size_t to, int worker)
{
    const convolve_job *j = ctx;
    const rv_call *c = j->call;
    const convolve_state *s = c->state;
    const size_t n = rv_extent(c->node->in[0], 1), m = rv_extent(c->node->in[1], 1);
    const size_t out = rv_extent(c->node, 1);
    real *padded = j->scratch + (size_t)worker * 3 * j->row, *x = padded + j->row, *h = x + j->row;
    for (size_t b = from; b < to; b++) {
        transform(s, x, padded, c->in[0] + b * n, n);
        if (!j->shared)
            transform(s, h, padded, c->in[1] + b * m, m);
        multiply(x, j->shared ? j->shared : h, s->size / 2 + 1, 1 / (real)s->size,
                 j->correlate ? -1 : 1);
        FFT(execute_dft_c2r)(s->back, (FFT(complex) *)x, padded);
        memcpy(c->out + b * out, padded, out * sizeof *padded);
    }
}

static size_t convolve_scratch(const rv_node *n, int threads, const kern_table *kern)
{
    (void)kern;
    return (3 * (size_t)threads + 1) * row_size(n);
}

static void convolve_run(const rv_call *c)
{
    const size_t rows = rv_extent(c->node, 0);
    convolve_job j = { .call = c, .row = row_size(c->node), .scratch = c->scratch };
    j.scratch += j.row;
    j.correlate = c->node->op == &rv_op_fft_correlate;
    if (rv_extent(c->node->in[1], 0) == 1) {
        transform(c->state, c->scratch, j.scratch, c->in[1], rv_extent(c->node->in[1], 1));
        j.shared = c->scratch;
    }
    rv_parallel(c->pool, rows, RV_BLOCK(1 + (1 << 13) / j.row), convolve_rows, &j);
}

/* The two operations ------------------------------------------------------------------- */

static void convolve_grad(rv_node *n, rv_node *dy, rv_node *dx[])
{
    dx[0] = rv_fft_correlate(dy, n->in[1]);
    dx[1] = rv_sum_to(rv_fft_correlate(dy, n->in[0]), n->in[1]->shape);
}

const rv_op rv_op_fft_convolve = {
    .name = "fft_convolve",
    .n_in = 2,
    .shape = convolve_shape,
    .run = convolve_run,
    .grad = convolve_grad,
    .scratch_size = convolve_scratch,
    .open = convolve_open,
    .close = convolve_close,
};

static void correlate_grad(rv_node *n, rv_node *dy, rv_node *dx[])
{
    dx[0] = rv_fft_convolve(dy, n->in[1]);
    dx[1] = rv_sum_to(rv_fft_correlate(n->in[0], dy), n->in[1]->shape);
}

const rv_op rv_op_fft_correlate = {
    .name = "fft_correlate",
    .n_in = 2,
    .shape = correlate_shape,
    .run = convolve_run,
    .grad = correlate_grad,
    .scratch_size = convolve_scratch,
    .open = convolve_open,
    .close = convolve_close,
};

#ifdef RV_SELFTEST
#    define CASE(text, operation, batch, x, h_batch, h, y)                 \
        {                                                                  \
            .label = text, .op = &rv_op_##operation,                       \
            .in = { { 2, { batch, x } }, { 2, { h_batch, h } } }, .out = { \
                2,                                                         \
                { batch, y }                                               \
            }                                                              \
        }
const rv_op_case rv_cases_fft_convolve[] = {
    CASE("fft_convolve", fft_convolve, 2, 9, 2, 4, 12),
    CASE("fft_convolve, one h for all", fft_convolve, 7, 5, 1, 8, 12),
    CASE("fft_convolve of one sample", fft_convolve, 1, 1, 1, 1, 1),
    CASE("fft_correlate", fft_correlate, 2, 11, 2, 4, 8),
    CASE("fft_correlate, one h for all", fft_correlate, 3, 6, 1, 6, 1),
    { 0 },
};
#endif
