/* log_mixture.c - the logarithm of the density of a mixture of normal distributions:
 *
 *     y[i] = log sum over j of share[j] exp(-(x[i] - m[j])^2 / 2 s^2) / (s sqrt(2 pi))
 *
 * with centres m and share = softmax(logits). With w[i,j] the part of j in the sum of i,
 *
 *     dx[i]      = dy[i] sum over j of w[i,j] (m[j] - x[i]) / s^2
 *     dm[j]      = sum over i of dy[i] w[i,j] (x[i] - m[j]) / s^2
 *     dlogits[j] = sum over i of dy[i] (w[i,j] - share[j])
 *
 * One operation, as [..., N, M] is never stored. Exponents reach -10^6 where the distributions are
 * narrow: they are sums in double, and what is exponentiated is their distance from the largest. */
#include "base/status.h"
#include "core/op.h"
#include "core/ops.h"

#include <math.h>
#include <string.h>

enum { BLOCK = RV_BLOCK(1 << 12), CHUNK = 64 }; /* exponentials of a task; of a local array */

typedef struct {
    double deviation;
} mixture_attr;

rv_node *rv_log_mixture(rv_node *x, rv_node *centres, rv_node *logits, double deviation)
{
    return RV_APPLY(&rv_op_log_mixture, &(mixture_attr){ deviation }, x, centres, logits);
}

/* in[at], and centres and logits after it, share all but the last axis. */
static rv_status check_inputs(const rv_node *n, int at, rv_error *err)
{
    const rv_shape *x = &n->in[at]->shape, *m = &n->in[at + 1]->shape;
    const double deviation = ((const mixture_attr *)n->attr)->deviation;
    bool fits = x->rank > 0 && x->rank == m->rank && rv_shape_equal(m, &n->in[at + 2]->shape);
    for (int i = 0; fits && i + 1 < x->rank; i++)
        fits = x->d[i] == m->d[i];
    if (!fits || m->d[m->rank - 1] == 0 || !(deviation > 0))
        return RV_FAIL(err, RV_ERR_SHAPE,
                       "%s: expected x [...,N], centres and logits [...,M], and a deviation above "
                       "0, not %g",
                       n->op->name, deviation);
    return RV_OK;
}

static rv_status mixture_shape(const rv_node *n, rv_shape *out, rv_error *err)
{
    *out = n->in[0]->shape;
    return check_inputs(n, 0, err);
}

/* A row: the mixture that its points share. */
typedef struct {
    const kern_table *kern;
    const real *centre, *logit;
    size_t count;
    double precision; /* 1 / s^2; 0 for the sum of the shares alone */
} row;

static double exponent(const row *r, double x, size_t j)
{
    const double d = x - (double)r->centre[j];
    return (double)r->logit[j] - 0.5 * r->precision * d * d;
}

static double largest_exponent(const row *r, double x)
{
    double most = -INFINITY;
    for (size_t j = 0; j < r->count; j++)
        most = fmax(most, exponent(r, x, j));
    return most;
}

/* to[j - from] = exp(exponent of j - least), for n <= CHUNK of them */
static void exponentials(const row *r, double x, double least, size_t from, size_t n, real *to)
{
    for (size_t j = 0; j < n; j++)
        to[j] = (real)(exponent(r, x, from + j) - least);
    r->kern->exp(to, to, n);
}

/* log of the sum of exp(exponent), which is what makes parts of exponentials */
static double log_sum(const row *r, double x)
{
    const double most = largest_exponent(r, x);
    double sum = 0;
    for (size_t from = 0, n; from < r->count; from += n) {
        real part[CHUNK];
        n = r->count - from < CHUNK ? r->count - from : CHUNK;
        exponentials(r, x, most, from, n, part);
        for (size_t j = 0; j < n; j++)
            sum += (double)part[j];
    }
    return most + log(sum);
}

static row row_of(const rv_call *c, int at, size_t index, double *precision)
{
    const double s = ((const mixture_attr *)c->node->attr)->deviation;
    const size_t count = rv_extent(c->node->in[at + 1], -1);
    *precision = 1 / (s * s);
    return (row){ c->kern, c->in[at + 1] + index * count, c->in[at + 2] + index * count, count, 0 };
}

static void mixture_rows(const void *ctx, size_t from, size_t to, int worker)
{
    const rv_call *c = ctx;
    const size_t points = rv_extent(c->node, -1);
    (void)worker;
    for (size_t i = from; i < to; i++) {
        double precision;
        row r = row_of(c, 0, i, &precision);
        const double norm = log_sum(&r, 0) - 0.5 * log(precision / (2 * acos(-1)));
        r.precision = precision;
        for (size_t p = i * points; p < (i + 1) * points; p++)
            c->out[p] = (real)(log_sum(&r, (double)c->in[0][p]) - norm);
    }
}

static void over_rows(const rv_call *c, const rv_node *x, const rv_node *centres, rv_range_fn *fn)
{
    const size_t points = rv_extent(x, -1), exponentials = points * rv_extent(centres, -1);
    const size_t rows = points ? rv_shape_count(&x->shape) / points : 0;
    rv_parallel(c->pool, rows, BLOCK / (exponentials + 1) + 1, fn, c);
}

static void mixture_run(const rv_call *c)
{
    over_rows(c, c->node->in[0], c->node->in[1], mixture_rows);
}

static void mixture_grad(rv_node *n, rv_node *dy, rv_node *dx[])
{
    const size_t points = rv_extent(n, -1), count = rv_extent(n->in[1], -1);
    rv_node *all = RV_APPLY(&rv_op_log_mixture_back, n->attr, dy, n->in[0], n->in[1], n->in[2]);
    dx[0] = rv_slice(all, -1, 0, points);
    dx[1] = rv_slice(all, -1, points, count);
    dx[2] = rv_slice(all, -1, points + count, count);
}

const rv_op rv_op_log_mixture = {
    .name = "log_mixture",
    .n_in = 3,
    .attr_size = sizeof(mixture_attr),
    .shape = mixture_shape,
    .run = mixture_run,
    .grad = mixture_grad,
};

/* (dy, x, centres, logits) -> [..., N + 2 M]: dx, dcentres, dlogits */

static rv_status back_shape(const rv_node *n, rv_shape *out, rv_error *err)
{
    RV_TRY(check_inputs(n, 1, err));
    *out = n->in[1]->shape;
    if (!rv_shape_equal(&n->in[0]->shape, out))
        return RV_FAIL(err, RV_ERR_SHAPE, "log_mixture_back: dy does not fit");
    out->d[out->rank - 1] += 2 * rv_extent(n->in[2], -1);
    return RV_OK;
}

/* Adds the point x to dcentres and dlogits; returns its dx. */
static double back_of_point(const row *r, double x, double dy, real *dcentres, real *dlogits)
{
    const double least = log_sum(r, x);
    double dx = 0;
    for (size_t from = 0, n; from < r->count; from += n) {
        real part[CHUNK];
        n = r->count - from < CHUNK ? r->count - from : CHUNK;
        exponentials(r, x, least, from, n, part);
        for (size_t j = 0; j < n; j++) {
            const double slope =
                dy * (double)part[j] * r->precision * (x - (double)r->centre[from + j]);
            dx -= slope;
            dcentres[from + j] += (real)slope;
            dlogits[from + j] += (real)(dy * (double)part[j]);
        }
    }
    return dx;
}

/* dlogits -= share sum of dy */
static void back_of_shares(const row *r, double sum_of_dy, real *dlogits)
{
    const double least = log_sum(r, 0);
    for (size_t j = 0; j < r->count; j++)
        dlogits[j] -= (real)(sum_of_dy * exp((double)r->logit[j] - least));
}

static void back_rows(const void *ctx, size_t from, size_t to, int worker)
{
    const rv_call *c = ctx;
    const size_t points = rv_extent(c->node->in[1], -1), width = rv_extent(c->node, -1);
    (void)worker;
    for (size_t i = from; i < to; i++) {
        double precision, sum = 0;
        row r = row_of(c, 1, i, &precision);
        real *dx = c->out + i * width, *dcentres = dx + points, *dlogits = dcentres + r.count;
        memset(dcentres, 0, 2 * r.count * sizeof *dcentres);
        for (size_t p = 0; p < points; p++)
            sum += (double)c->in[0][i * points + p];
        back_of_shares(&r, sum, dlogits);
        r.precision = precision;
        for (size_t p = 0; p < points; p++)
            dx[p] = (real)back_of_point(&r, (double)c->in[1][i * points + p],
                                        (double)c->in[0][i * points + p], dcentres, dlogits);
    }
}

static void back_run(const rv_call *c)
{
    over_rows(c, c->node->in[1], c->node->in[2], back_rows);
}

const rv_op rv_op_log_mixture_back = {
    .name = "log_mixture_back",
    .n_in = 4,
    .attr_size = sizeof(mixture_attr),
    .shape = back_shape,
    .run = back_run,
};

#ifdef RV_SELFTEST
const rv_op_case rv_cases_log_mixture[] = {
    { .label = "log_mixture",
      .op = &rv_op_log_mixture,
      .in = { { 3, { 2, 3, 5 } }, { 3, { 2, 3, 4 } }, { 3, { 2, 3, 4 } } },
      .attr = &(const mixture_attr){ 0.5 },
      .out = { 3, { 2, 3, 5 } } },
    { .label = "log_mixture of more than a chunk",
      .op = &rv_op_log_mixture,
      .in = { { 1, { 2 } }, { 1, { 67 } }, { 1, { 67 } } },
      .attr = &(const mixture_attr){ 0.3 },
      .out = { 1, { 2 } } },
    { .label = "log_mixture_back",
      .op = &rv_op_log_mixture_back,
      .in = { { 2, { 3, 2 } }, { 2, { 3, 2 } }, { 2, { 3, 3 } }, { 2, { 3, 3 } } },
      .attr = &(const mixture_attr){ 0.5 },
      .out = { 2, { 3, 8 } },
      .not_derived = 15 },
    { 0 },
};
#endif
