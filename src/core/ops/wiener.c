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
 * A bin where the mix is exactly zero counts as 1, as in the reference. */
#include "wiener_filter.h"

#include "core/ops.h"

rv_node *rv_wiener(rv_node *magnitude, rv_node *mix, size_t iterations, bool residual,
                   size_t window)
{
    return RV_APPLY(&rv_op_wiener, (&(wiener_attr){ iterations, window, residual, 10 }), magnitude,
                    mix);
}

static rv_status wiener_shape(const rv_node *n, rv_shape *out, rv_error *err)
{
    return wiener_fits(n->attr, n->in[0], n->in[1], out, err);
}

static size_t wiener_scratch(const rv_node *n, int threads, const kern_table *kern)
{
    const job j = job_of(n->attr, n->in[0], n->in[1]);
    (void)kern;
    return (size_t)threads * estimate_size(&j);
}

static void write_out(const job *j, size_t f, const real *y)
{
    const size_t row = j->given * j->audio * 2;
    for (size_t t = 0; t < j->frames; t++) {
        real *out = j->out + ((j->first + t) * j->bins + f) * row;
        const real *at = y + t * j->stems * j->audio * 2;
        for (size_t i = 0; i < row; i++)
            out[i] = (real)((double)at[i] * j->scale);
    }
}

static void filter_bins(const void *ctx, size_t from, size_t to, int worker)
{
    const job *j = ctx;
    real *y = j->scratch + (size_t)worker * j->scratch_row;
    for (size_t f = from; f < to; f++) {
        first_estimate(j, f, y);
        for (size_t i = 0; i < j->attr->iterations; i++)
            iterate(j, f, y, y);
        write_out(j, f, y);
    }
}

static void wiener_run(const rv_call *c)
{
    const wiener_attr *a = c->node->attr;
    const size_t total = rv_extent(c->node, 1);
    job j = job_of(a, c->node->in[0], c->node->in[1]);
    j.magnitude = c->in[0];
    j.mix = c->in[1];
    j.out = c->out;
    j.scratch = c->scratch;
    j.scratch_row = estimate_size(&j);
    for (j.first = 0; j.first < total; j.first += j.frames) {
        j.frames = total - j.first < a->window ? total - j.first : a->window;
        const peak most = find_peak(&j);
        j.scale = scale_of(&j, &most);
        rv_parallel(c->pool, j.bins, 16, filter_bins, &j);
    }
}

static void wiener_grad(rv_node *n, rv_node *dy, rv_node *dx[RV_MAX_IN])
{
    rv_node *both = RV_APPLY(&rv_op_wiener_adjoint, n->attr, dy, n->in[0], n->in[1]);
    const size_t magnitudes = rv_extent(n->in[0], 3), parts = rv_extent(n->in[1], 3);
    dx[0] = rv_slice(both, 3, 0, magnitudes);
    dx[1] = rv_slice(both, 3, magnitudes, parts);
}

const rv_op rv_op_wiener = {
    .name = "wiener",
    .n_in = 2,
    .attr_size = sizeof(wiener_attr),
    .shape = wiener_shape,
    .run = wiener_run,
    .grad = wiener_grad,
    .scratch_size = wiener_scratch,
};

#ifdef RV_SELFTEST
const rv_op_case rv_cases_wiener[] = {
    { .label = "phase of the mix",
      .op = &rv_op_wiener,
      .in = { { 4, { 1, 3, 2, 6 } }, { 4, { 1, 3, 2, 6 } } },
      .attr = &(const wiener_attr){ 0, 300, false, 10 },
      .out = { 4, { 1, 3, 2, 12 } } },
    { .label = "phase of the mix, with a residual",
      .op = &rv_op_wiener,
      .in = { { 4, { 1, 3, 2, 4 } }, { 4, { 1, 3, 2, 4 } } },
      .attr = &(const wiener_attr){ 0, 2, true, 10 },
      .out = { 4, { 1, 3, 2, 8 } } },
    { .label = "two windows, with a residual",
      .op = &rv_op_wiener,
      .in = { { 4, { 1, 5, 2, 6 } }, { 4, { 1, 5, 2, 4 } } },
      .attr = &(const wiener_attr){ 2, 3, true, 10 },
      .out = { 4, { 1, 5, 2, 12 } },
      .positive = true },
    { .label = "one channel",
      .op = &rv_op_wiener,
      .in = { { 4, { 1, 4, 3, 2 } }, { 4, { 1, 4, 3, 2 } } },
      .attr = &(const wiener_attr){ 1, 300, false, 10 },
      .out = { 4, { 1, 4, 3, 4 } } },
    { .label = "louder than the loudest",
      .op = &rv_op_wiener,
      .in = { { 4, { 1, 4, 2, 4 } }, { 4, { 1, 4, 2, 4 } } },
      .attr = &(const wiener_attr){ 1, 2, true, 0.1 },
      .out = { 4, { 1, 4, 2, 8 } },
      .positive = true },
    { 0 },
};
#endif
