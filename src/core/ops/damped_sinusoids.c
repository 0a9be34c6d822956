/* damped_sinusoids.c - sinusoids whose frequencies gradient descent finds, as sums of powers of
 * complex numbers z:
 *
 *     y[b,t] = sum over k of Re(z[b,k]^t) = |z|^t cos(t angle(z))
 *
 * (B. Hayes, C. Saitis, G. Fazekas, "Sinusoidal frequency estimation by gradient descent", 2022,
 * arXiv:2210.14476). On the unit circle alone, the slope with respect to the angle is as often
 * wrong as right; inside it, z can walk across. As powers of z make slopes of all sizes, their
 * direction alone is of use: with `normalise`, that of each z has length 1,
 *
 *     dz = s / |s|,  s = sum over t of dy[t] conj(t z^(t-1))
 *
 * which is Wirtinger's derivative with respect to conj(z), twice, as (re, im). */
#include "base/status.h"
#include "core/op.h"
#include "core/ops.h"

#include <math.h>

typedef struct {
    size_t samples;
    bool normalise;
} damped_attr;

rv_node *rv_damped_sinusoids(rv_node *z, size_t samples, bool normalise)
{
    return RV_APPLY(&rv_op_damped_sinusoids, (&(damped_attr){ samples, normalise }), z);
}

static rv_status check_z(const rv_node *n, size_t at, rv_error *err)
{
    const rv_shape *z = &n->in[at]->shape;
    if (z->rank != 3 || z->d[2] != 2 || ((const damped_attr *)n->attr)->samples == 0)
        return RV_FAIL(err, RV_ERR_SHAPE, "%s: expected z [B,K,2], and a length", n->op->name);
    return RV_OK;
}

static rv_status damped_shape(const rv_node *n, rv_shape *out, rv_error *err)
{
    *out = RV_SHAPE(rv_extent(n->in[0], 0), ((const damped_attr *)n->attr)->samples);
    return check_z(n, 0, err);
}

typedef struct {
    double re, im;
} complex_pair;

static complex_pair times(complex_pair a, complex_pair b)
{
    return (complex_pair){ a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re };
}

static complex_pair pair_at(const real *z)
{
    return (complex_pair){ (double)z[0], (double)z[1] };
}

/* From the first z to the last: the sum of a sample does not depend on the cut into blocks. */
static void damped_batch(const void *ctx, size_t from, size_t to, int worker)
{
    const rv_call *c = ctx;
    const size_t samples = rv_extent(c->node, 1), count = rv_extent(c->node->in[0], 1);
    (void)worker;
    for (size_t b = from; b < to; b++) {
        real *y = c->out + b * samples;
        for (size_t t = 0; t < samples; t++)
            y[t] = 0;
        for (size_t k = 0; k < count; k++) {
            const complex_pair z = pair_at(c->in[0] + (b * count + k) * 2);
            complex_pair power = { 1, 0 };
            for (size_t t = 0; t < samples; t++, power = times(power, z))
                y[t] += (real)power.re;
        }
    }
}

static void damped_run(const rv_call *c)
{
    rv_parallel(c->pool, rv_extent(c->node, 0), 1, damped_batch, c);
}

static void damped_grad(rv_node *n, rv_node *dy, rv_node *dx[])
{
    dx[0] = RV_APPLY(&rv_op_damped_sinusoids_back, n->attr, dy, n->in[0]);
}

const rv_op rv_op_damped_sinusoids = {
    .name = "damped_sinusoids",
    .n_in = 1,
    .attr_size = sizeof(damped_attr),
    .shape = damped_shape,
    .run = damped_run,
    .grad = damped_grad,
};

/* dy [B,T], z [B,K,2] -> [B,K,2] */

static rv_status back_shape(const rv_node *n, rv_shape *out, rv_error *err)
{
    *out = n->in[1]->shape;
    const rv_shape dy = RV_SHAPE(rv_extent(n->in[1], 0), ((const damped_attr *)n->attr)->samples);
    RV_TRY(check_z(n, 1, err));
    if (!rv_shape_equal(&n->in[0]->shape, &dy))
        return RV_FAIL(err, RV_ERR_SHAPE, "damped_sinusoids_back: dy does not fit");
    return RV_OK;
}

static complex_pair slope_of(complex_pair z, const real *dy, size_t samples, bool normalise)
{
    complex_pair power = { 1, 0 }, sum = { 0, 0 };
    for (size_t t = 1; t < samples; t++, power = times(power, z)) {
        const double weight = (double)dy[t] * (double)t;
        sum.re += weight * power.re;
        sum.im -= weight * power.im;
    }
    const double size = hypot(sum.re, sum.im), scale = normalise && size > 0 ? 1 / size : 1;
    return (complex_pair){ scale * sum.re, scale * sum.im };
}

static void back_rows(const void *ctx, size_t from, size_t to, int worker)
{
    const rv_call *c = ctx;
    const size_t samples = rv_extent(c->node->in[0], 1), count = rv_extent(c->node, 1);
    (void)worker;
    for (size_t row = from; row < to; row++) {
        const complex_pair slope =
            slope_of(pair_at(c->in[1] + row * 2), c->in[0] + row / count * samples, samples,
                     ((const damped_attr *)c->node->attr)->normalise);
        c->out[row * 2] = (real)slope.re;
        c->out[row * 2 + 1] = (real)slope.im;
    }
}

static void back_run(const rv_call *c)
{
    rv_parallel(c->pool, rv_extent(c->node, 0) * rv_extent(c->node, 1), 1, back_rows, c);
}

const rv_op rv_op_damped_sinusoids_back = {
    .name = "damped_sinusoids_back",
    .n_in = 2,
    .attr_size = sizeof(damped_attr),
    .shape = back_shape,
    .run = back_run,
};

#ifdef RV_SELFTEST
const rv_op_case rv_cases_damped_sinusoids[] = {
    { .label = "damped sinusoids",
      .op = &rv_op_damped_sinusoids,
      .in = { { 3, { 2, 3, 2 } } },
      .attr = &(const damped_attr){ 6, false },
      .out = { 2, { 2, 6 } } },
    { .label = "damped sinusoid, one sample",
      .op = &rv_op_damped_sinusoids,
      .in = { { 3, { 1, 1, 2 } } },
      .attr = &(const damped_attr){ 1, false },
      .out = { 2, { 1, 1 } } },
    { .label = "slopes of length 1",
      .op = &rv_op_damped_sinusoids_back,
      .in = { { 2, { 2, 5 } }, { 3, { 2, 3, 2 } } },
      .attr = &(const damped_attr){ 5, true },
      .out = { 3, { 2, 3, 2 } },
      .not_derived = 3 },
    { 0 },
};
#endif
