/* loss_stft.c - multi-resolution STFT loss (R. Yamamoto et al., "Parallel WaveGAN", 2020,
 * arXiv:1910.11480) as auraloss computes it (C. Steinmetz and J. Reiss, 2020), the mean over
 * resolutions of
 *
 *     w_sc |T - E| / |T| + w_log_mag mean |log T - log E| + w_lin_mag mean |T - E|
 *
 * with the magnitudes E, T of all signals of the batch, |.| the Frobenius norm; and the L1 loss of
 * the complex spectra. */
#include "train/loss_spectrum.h"

#include "base/status.h"

rv_mrstft_options rv_mrstft_defaults(void)
{
    return (rv_mrstft_options){
        .n = 3,
        .size = { { 1024, 120, 600 }, { 2048, 240, 1200 }, { 512, 50, 240 } },
        .w_sc = 1,
        .w_log_mag = 1,
        .eps = 1e-8,
    };
}

/* The root of the sum of squares. Its slope at 0 is 0, not 0/0. */
static rv_node *norm(rv_node *x)
{
    return rv_sqrt(rv_maximum(rv_sum(rv_mul(x, x)), 1e-30));
}

static rv_node *distance(rv_node *difference, const rv_mrstft_options *o)
{
    rv_node *y =
        o->distance == RV_DISTANCE_L2 ? rv_mean_square(difference) : rv_mean_absolute(difference);
    return rv_scale(y, o->sum ? (double)rv_shape_count(&difference->shape) : 1, 0);
}

static rv_node *add_weighted(rv_node *sum, rv_node *x, double weight)
{
    rv_node *y = rv_scale(x, weight, 0);
    return sum ? rv_add(sum, y) : y;
}

/* e, t: magnitudes [R,frames,bins] */
static rv_node *one_resolution(rv_node *e, rv_node *t, const rv_mrstft_options *o)
{
    rv_node *sum = NULL, *difference = rv_sub(t, e);
    if (o->w_sc != 0)
        sum = add_weighted(sum, rv_div(norm(difference), norm(t)), o->w_sc);
    if (o->w_log_mag != 0)
        sum = add_weighted(sum, distance(rv_sub(rv_log(t), rv_log(e)), o), o->w_log_mag);
    if (o->w_lin_mag != 0)
        sum = add_weighted(sum, distance(difference, o), o->w_lin_mag);
    return sum;
}

static bool options_fit(rv_graph *g, const rv_mrstft_options *o)
{
    if (o->n == 0 || o->n > RV_MAX_RESOLUTIONS)
        rv_poison(g, RV_ERR_ARG, __func__, "mrstft: %zu resolutions, 1 to %d are possible", o->n,
                  RV_MAX_RESOLUTIONS);
    else if (o->w_sc == 0 && o->w_log_mag == 0 && o->w_lin_mag == 0)
        rv_poison(g, RV_ERR_ARG, __func__, "mrstft: all weights are 0");
    else if (!(o->eps > 0) || o->distance == RV_DISTANCE_COSINE)
        rv_poison(g, RV_ERR_ARG, __func__,
                  "mrstft: eps = %g must be above 0, the distance L1 or L2", o->eps);
    return rv_graph_status(g, NULL) == RV_OK;
}

rv_node *rv_loss_multi_resolution_stft(rv_node *estimate, rv_node *target, double sample_rate,
                                       const rv_mrstft_options *options)
{
    rv_loss_check(estimate, target);
    if (!options_fit(estimate->graph, options))
        return rv_poison(estimate->graph, RV_ERR_ARG, __func__, "mrstft");
    rv_node *e = rv_loss_rows(estimate), *t = rv_loss_rows(target), *sum = NULL;
    if (options->a_weighting) {
        e = rv_loss_a_weighting(e, sample_rate);
        t = rv_loss_a_weighting(t, sample_rate);
    }
    for (size_t i = 0; i < options->n; i++) {
        const rv_stft_size *size = &options->size[i];
        rv_node *e_mag = rv_magnitude(rv_spectrum_centred(e, size), options->eps);
        rv_node *t_mag = rv_magnitude(rv_spectrum_centred(t, size), options->eps);
        sum = add_weighted(sum, one_resolution(e_mag, t_mag, options), 1 / (double)options->n);
    }
    return sum;
}

/* The transform is linear: that of the difference is the difference. */
rv_node *rv_loss_complex_stft(rv_node *estimate, rv_node *target, const rv_stft_size *size)
{
    rv_loss_check(estimate, target);
    return rv_mean_absolute(rv_spectrum_centred(rv_loss_rows(rv_sub(estimate, target)), size));
}
