/* loss_transport.c - losses that know how far apart two frequencies are.
 *
 * Where two partials do not overlap, the difference of spectra has no slope that would move one to
 * the other. Optimal transport does (B. Torres, G. Peeters, G. Richard, "Unsupervised harmonic
 * parameter estimation using differentiable DSP and spectral optimal transport", 2024,
 * arXiv:2312.14507): magnitudes m of a frame are scaled to add up to 1, and the cost of moving one
 * spectrum onto the other, in one dimension, is the area between their running sums:
 *
 *     W1 = sum over k of |E[k] - T[k]| / (bins - 1),   E[k] = sum over i <= k of m[i] / sum m
 *
 * (the paper takes the distance of order 2). The centroid is sum k m[k] / sum m / (bins - 1). */
#include "train/loss_spectrum.h"

static const double eps = 1e-8; /* beside the sum of magnitudes: silence stays 0 */

/* [R,frames,bins,2] -> [R,frames,bins], each frame of sum 1 (or 0) */
static rv_node *shares(rv_node *spectrum)
{
    rv_node *m = rv_magnitude(spectrum, 0);
    rv_node *sum = rv_sum_to(m, RV_SHAPE(rv_extent(m, 0), rv_extent(m, 1), 1));
    return rv_div(m, rv_scale(sum, 1, eps));
}

/* Of rows of the signal */
static rv_node *distribution(rv_node *x, const rv_stft_size *size)
{
    return shares(rv_spectrum_centred(rv_loss_rows(x), size));
}

/* Difference of distributions [...,bins] -> that of centroids [...,1] */
static rv_node *centroids(rv_node *d, size_t n_fft)
{
    const size_t last = n_fft / 2;
    rv_node *frequency = rv_constant(d->graph, RV_SHAPE(1, last + 1));
    for (size_t k = 0; frequency->constant && k <= last; k++)
        frequency->constant[k] = (real)((double)k / (double)last);
    return rv_linear(d, frequency, NULL);
}

rv_node *rv_loss_transport(rv_node *estimate, rv_node *target, const rv_stft_size *size)
{
    rv_loss_check(estimate, target);
    rv_node *d = rv_sub(distribution(estimate, size), distribution(target, size));
    const double bins = (double)(size->n_fft / 2 + 1);
    return rv_scale(rv_mean_absolute(rv_cumsum(d)), bins / (bins - 1), 0);
}

rv_node *rv_loss_centroid(rv_node *estimate, rv_node *target, const rv_stft_size *size)
{
    rv_loss_check(estimate, target);
    rv_node *d = rv_sub(distribution(estimate, size), distribution(target, size));
    return rv_mean_absolute(centroids(d, size->n_fft));
}

rv_node *rv_loss_mean_centroid(rv_node *estimate, rv_node *target, const rv_stft_size *size)
{
    rv_loss_check(estimate, target);
    rv_node *e = rv_spectrum_padded(rv_loss_rows(estimate), size->n_fft, size->hop);
    rv_node *t = rv_spectrum_padded(rv_loss_rows(target), size->n_fft, size->hop);
    rv_node *d = centroids(rv_sub(shares(e), shares(t)), size->n_fft);
    return rv_mean_absolute(rv_mean_to(d, RV_SHAPE(rv_extent(d, 0), 1, 1)));
}
