/* band_limit.c - what oscillators at or above a frequency (Nyquist's) are multiplied by, and the
 * others:
 *
 *     y[..., k] = x[..., k] (frequency(k) < limit ? below : above)
 *
 * frequency(k) is the k-th of the frequencies given, or, where one is given for all, its multiple
 * k + 1: its harmonic. No slope with respect to the frequencies. */
#include "base/status.h"
#include "core/op.h"
#include "core/ops.h"

typedef struct {
    double limit, below, above;
} band_limit_attr;

rv_node *rv_band_limit(rv_node *x, rv_node *frequency, double limit, double below, double above)
{
    return RV_APPLY(&rv_op_band_limit, (&(band_limit_attr){ limit, below, above }), x, frequency);
}

static rv_status band_limit_shape(const rv_node *n, rv_shape *out, rv_error *err)
{
    rv_shape one = *out = n->in[0]->shape;
    if (one.rank > 0)
        one.d[one.rank - 1] = 1;
    if (one.rank < 1 ||
        (!rv_shape_equal(&n->in[1]->shape, &one) && !rv_shape_equal(&n->in[1]->shape, out)))
        return RV_FAIL(err, RV_ERR_SHAPE, "band_limit: expected [...,K] and [...,1] or [...,K]");
    return RV_OK;
}

static void band_limit_rows(const void *ctx, size_t from, size_t to, int worker)
{
    const rv_call *c = ctx;
    const band_limit_attr *a = c->node->attr;
    const size_t n = rv_extent(c->node, -1), width = rv_extent(c->node->in[1], -1);
    const real limit = (real)a->limit, below = (real)a->below, above = (real)a->above;
    (void)worker;
    for (size_t row = from; row < to; row++) {
        const real *x = c->in[0] + row * n, *frequency = c->in[1] + row * width;
        real *y = c->out + row * n;
        for (size_t k = 0; k < n; k++) {
            const real f = width == 1 ? frequency[0] * (real)(k + 1) : frequency[k];
            y[k] = x[k] * (f < limit ? below : above);
        }
    }
}

static void band_limit_run(const rv_call *c)
{
    const size_t n = rv_extent(c->node, -1);
    if (n)
        rv_parallel(c->pool, rv_shape_count(&c->node->shape) / n, RV_BLOCK(1 + (1 << 14) / n),
                    band_limit_rows, c);
}

static void band_limit_grad(rv_node *n, rv_node *dy, rv_node *dx[])
{
    dx[0] = RV_APPLY(&rv_op_band_limit, n->attr, dy, n->in[1]);
}

const rv_op rv_op_band_limit = {
    .name = "band_limit",
    .n_in = 2,
    .attr_size = sizeof(band_limit_attr),
    .shape = band_limit_shape,
    .run = band_limit_run,
    .grad = band_limit_grad,
    .in_place = true,
};

#ifdef RV_SELFTEST
const rv_op_case rv_cases_band_limit[] = {
    { .label = "band_limit, harmonics",
      .op = &rv_op_band_limit,
      .in = { { 3, { 2, 3, 5 } }, { 3, { 2, 3, 1 } } },
      .attr = &(const band_limit_attr){ 1.4, 1.1, 0.2 },
      .out = { 3, { 2, 3, 5 } },
      .positive = true,
      .not_derived = 2 },
    { .label = "band_limit, each its own frequency",
      .op = &rv_op_band_limit,
      .in = { { 2, { 7, 5 } }, { 2, { 7, 5 } } },
      .attr = &(const band_limit_attr){ 0.2, 1, 0 },
      .out = { 2, { 7, 5 } },
      .not_derived = 2 },
    { 0 },
};
#endif
