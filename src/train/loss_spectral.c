/* loss_spectral.c - multi-scale spectral loss of DDSP (J. Engel et al., "DDSP: Differentiable
 * Digital Signal Processing", 2020, arXiv:2001.04643), equal to ddsp.losses.SpectralLoss:
 * distances of magnitudes, their first differences along time and frequency, their running sums
 * along frequency, their logarithms, and of the loudness, each with its weight. */
#include "train/loss_spectrum.h"

#include "base/status.h"

#include <math.h>

enum { LOUDNESS_N_FFT = 2048, LOUDNESS_RATE = 250 /* frames per second */ };
static const double least_log = 1e-5;      /* stands for magnitudes of 0 before the logarithm */
static const double loudness_range = 80.0; /* dB below full scale */

rv_spectral_options rv_spectral_defaults(void)
{
    return (rv_spectral_options){
        .n = 6,
        .n_fft = { 2048, 1024, 512, 256, 128, 64 },
        .mag = 1,
    };
}

typedef rv_node *feature_fn(rv_node *x);

static rv_node *difference_along(rv_node *x, int axis)
{
    const size_t n = rv_extent(x, axis);
    if (n < 2)
        return rv_poison(x->graph, RV_ERR_SHAPE, __func__,
                         "spectral: %zu frame or bin has no differences", n);
    return rv_sub(rv_slice(x, axis, 1, n - 1), rv_slice(x, axis, 0, n - 1));
}

static rv_node *same(rv_node *x)
{
    return x;
}

static rv_node *delta_time(rv_node *x)
{
    return difference_along(x, 1);
}

static rv_node *delta_freq(rv_node *x)
{
    return difference_along(x, 2);
}

static rv_node *log_magnitude(rv_node *x)
{
    return rv_log_above(x, least_log);
}

/* Cosine distance along the last axis of what is taken to be of norm 1: mean(1 - <a,b>). */
static rv_node *cosine_distance(rv_node *a, rv_node *b)
{
    const size_t n = rv_extent(a, -1);
    return rv_scale(rv_mean(rv_mul(a, b)), -(double)n, 1);
}

static rv_node *compare(rv_node *a, rv_node *b, rv_distance distance)
{
    if (distance == RV_DISTANCE_COSINE)
        return cosine_distance(a, b);
    rv_node *d = rv_sub(a, b);
    return distance == RV_DISTANCE_L2 ? rv_mean_square(d) : rv_mean_absolute(d);
}

/* *sum += weight * distance; *sum is NULL at first */
static void add_term(rv_node **sum, double weight, feature_fn *feature, rv_node *e, rv_node *t,
                     rv_distance distance)
{
    if (!(weight > 0))
        return;
    rv_node *term = rv_scale(compare(feature(t), feature(e), distance), weight, 0);
    *sum = *sum ? rv_add(*sum, term) : term;
}

/* Of rows x [R,T] in dB -> [R,frames]: mean A-weighted power of the bins. */
static rv_node *loudness(rv_node *x, double sample_rate)
{
    const size_t half = LOUDNESS_N_FFT / 2, hop = (size_t)(sample_rate / LOUDNESS_RATE);
    rv_node *z = rv_stft(rv_pad(x, 1, half, half, RV_PAD_ZERO), LOUDNESS_N_FFT, hop, 1);
    rv_node *weight = rv_constant(x->graph, RV_SHAPE(1, half + 1));
    for (size_t k = 0; weight->constant && k <= half; k++) {
        const double db = rv_a_weighting_db((double)k * sample_rate / LOUDNESS_N_FFT);
        weight->constant[k] = (real)(pow(10, db / 10) / (double)(half + 1));
    }
    rv_node *m = rv_magnitude(z, 0);
    rv_node *power = rv_linear(rv_mul(m, m), weight, NULL);
    power = rv_reshape(power, RV_SHAPE(rv_extent(z, 0), rv_extent(z, 1)));
    return rv_scale(rv_log(rv_maximum(power, pow(10, -loudness_range / 10))), 10 / log(10), 0);
}

static bool options_fit(rv_graph *g, const rv_spectral_options *o, double sample_rate)
{
    const double all =
        o->mag + o->delta_time + o->delta_freq + o->cumsum_freq + o->logmag + o->loudness;
    if (o->n > RV_MAX_RESOLUTIONS || (o->n == 0 && !(o->loudness > 0)) || !(all > 0))
        rv_poison(g, RV_ERR_ARG, __func__, "spectral: %zu sizes, weights that add up to %g", o->n,
                  all);
    for (size_t i = 0; i < o->n && i < RV_MAX_RESOLUTIONS; i++)
        if (o->n_fft[i] < 4 || (o->n_fft[i] & (o->n_fft[i] - 1)))
            rv_poison(g, RV_ERR_ARG, __func__, "spectral: size %zu is no power of two above 2",
                      o->n_fft[i]);
    if (o->loudness > 0 && !(sample_rate >= LOUDNESS_RATE && sample_rate < 1e6))
        rv_poison(g, RV_ERR_ARG, __func__, "spectral: sample rate %g Hz", sample_rate);
    return rv_graph_status(g, NULL) == RV_OK;
}

rv_node *rv_loss_spectral(rv_node *estimate, rv_node *target, double sample_rate,
                          const rv_spectral_options *o)
{
    rv_loss_check(estimate, target);
    if (!options_fit(estimate->graph, o, sample_rate))
        return rv_poison(estimate->graph, RV_ERR_ARG, __func__, "spectral");
    rv_node *e = rv_loss_rows(estimate), *t = rv_loss_rows(target), *sum = NULL;
    for (size_t i = 0; i < o->n; i++) {
        rv_node *e_mag = rv_magnitude(rv_spectrum_padded(e, o->n_fft[i], o->n_fft[i] / 4), 0);
        rv_node *t_mag = rv_magnitude(rv_spectrum_padded(t, o->n_fft[i], o->n_fft[i] / 4), 0);
        add_term(&sum, o->mag, same, e_mag, t_mag, o->distance);
        add_term(&sum, o->delta_time, delta_time, e_mag, t_mag, o->distance);
        add_term(&sum, o->delta_freq, delta_freq, e_mag, t_mag, o->distance);
        add_term(&sum, o->cumsum_freq, rv_cumsum, e_mag, t_mag, o->distance);
        add_term(&sum, o->logmag, log_magnitude, e_mag, t_mag, o->distance);
    }
    if (o->loudness > 0)
        add_term(&sum, o->loudness, same, loudness(e, sample_rate), loudness(t, sample_rate),
                 o->distance);
    return sum;
}
