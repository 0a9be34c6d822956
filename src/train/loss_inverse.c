/* loss_inverse.c - losses of pitch detection by inverse synthesis: on parameters of synthesisers
 * where they are known, and on sinusoids against sinusoids or harmonics, whose order and number
 * differ (J. Engel et al., "Self-supervised Pitch Detection by Inverse Audio Synthesis", 2020).
 *
 *   p(f | b)  rv_log_mixture() of partials b, in semitones, in shares of amplitude
 *   pitch     -sum of wanted log share, over the pitches that f0 is a mean of; an f0 between two
 *             of them wants the shares whose mean it is
 *   KDE       mean over a's partials of -share log p(f_a | b), and the same of b given a
 *   mismatch  of a fundamental c (R. Maher and J. Beauchamp, "Fundamental frequency estimation of
 *             musical signals using a two-way mismatch procedure", 1994): f / c against 1, 2, ...
 *             and c, 2 c, ... against f; the cheapest candidates count by a soft minimum */
#include "train/loss_inverse.h"

#include "base/status.h"
#include "ddsp/controls.h"
#include "train/loss_spectrum.h"

/* An amplitude of 0 counts as this in a density; what is divided by is no less. */
static const double least_share = 1e-7;

/* Shares that a float cannot tell from 0 count as this. */
static const double least_probability = 1e-38;

rv_node *rv_loss_parameters(rv_node *estimate, rv_node *target, rv_node *weights,
                            rv_distance distance)
{
    rv_node *d = rv_sub(estimate, target);
    if (distance == RV_DISTANCE_COSINE || !rv_shape_equal(&estimate->shape, &target->shape))
        return rv_poison(estimate->graph, RV_ERR_SHAPE, __func__,
                         "parameters of different shapes, or a distance that they do not have");
    if (distance == RV_DISTANCE_L1)
        return rv_mean_absolute(weights ? rv_mul(d, weights) : d);
    d = rv_mul(d, d);
    return rv_mean(weights ? rv_mul(d, weights) : d);
}

rv_node *rv_loss_pitches(rv_node *hz, rv_node *target_hz, rv_node *weights)
{
    return rv_loss_parameters(rv_hz_to_midi(hz), rv_hz_to_midi(target_hz), weights, RV_DISTANCE_L1);
}

static rv_node *ones(rv_graph *g, rv_shape shape)
{
    rv_node *x = rv_constant(g, RV_SHAPE(1));
    if (x->constant)
        *x->constant = 1;
    return rv_broadcast_to(x, shape);
}

rv_node *rv_loss_sounds(rv_node *amplitude, double least)
{
    return rv_band_limit(ones(amplitude->graph, amplitude->shape), amplitude, least, 0, 1);
}

/* from, from + step, ... as [n] */
static rv_node *ramp(rv_graph *g, size_t n, double from, double step)
{
    rv_node *x = rv_constant(g, RV_SHAPE(n));
    for (size_t i = 0; x->constant && i < n; i++)
        x->constant[i] = (real)(from + step * (double)i);
    return x;
}

rv_node *rv_loss_pitch_shares(rv_node *shares, rv_node *target_hz, rv_node *weights, double hz_min,
                              double hz_max)
{
    const size_t depth = rv_extent(shares, 2);
    if (shares->shape.rank != 3 || target_hz->shape.rank != 3 || rv_extent(target_hz, 2) != 1)
        return rv_poison(shares->graph, RV_ERR_SHAPE, __func__,
                         "shares [B,F,depth] and a target [B,F,1] are expected");
    rv_node *at = rv_scale(rv_hz_to_unit(target_hz, hz_min, hz_max), (double)depth - 1, 0);
    rv_node *off = rv_abs(rv_sub(at, ramp(shares->graph, depth, 0, 1)));
    rv_node *wanted = rv_relu(rv_scale(off, -1, 1));
    rv_node *log_p = rv_log_above(shares, least_probability);
    rv_node *cost = rv_mul(wanted, weights ? rv_mul(log_p, weights) : log_p);
    return rv_scale(rv_mean(cost), -(double)depth, 0);
}

rv_harmonic_losses rv_loss_harmonic(const rv_harmonic_controls *estimate,
                                    const rv_harmonic_controls *target, double least_amplitude)
{
    rv_node *sounds = rv_loss_sounds(target->amplitude, least_amplitude);
    return (rv_harmonic_losses){
        .amplitude =
            rv_loss_parameters(estimate->amplitude, target->amplitude, NULL, RV_DISTANCE_L1),
        .distribution = rv_loss_parameters(estimate->distribution, target->distribution, sounds,
                                           RV_DISTANCE_L1),
        .f0 = rv_loss_pitches(estimate->f0, target->f0, sounds),
    };
}

/* Sinusoids against sinusoids --------------------------------------------------------------- */

rv_kde_options rv_kde_defaults(void)
{
    return (rv_kde_options){ 1, 1, 1, 0.1, 0.1 };
}

static rv_shape one_of_last(const rv_node *x)
{
    rv_shape shape = x->shape;
    if (shape.rank > 0)
        shape.d[shape.rank - 1] = 1;
    return shape;
}

static rv_node *shares_of(rv_node *x)
{
    return rv_div(x, rv_maximum(rv_sum_to(x, one_of_last(x)), least_share));
}

/* log p(pitches | sinusoids), pitches [B,F,N] in semitones */
static rv_node *log_density(rv_node *pitches, const rv_sinusoidal_controls *given, double deviation)
{
    return rv_log_mixture(pitches, rv_hz_to_midi(given->frequencies),
                          rv_log_above(given->amplitudes, least_share), deviation);
}

static rv_node *surprise(const rv_sinusoidal_controls *a, const rv_sinusoidal_controls *given,
                         double deviation)
{
    rv_node *log_p = log_density(rv_hz_to_midi(a->frequencies), given, deviation);
    return rv_scale(rv_mean(rv_mul(log_p, shares_of(a->amplitudes))), -1, 0);
}

static rv_node *level_difference(rv_node *a, rv_node *b)
{
    return rv_mean_absolute(rv_sub(rv_mean_to(a, one_of_last(a)), rv_mean_to(b, one_of_last(b))));
}

rv_node *rv_loss_kde(const rv_sinusoidal_controls *a, const rv_sinusoidal_controls *b,
                     const rv_kde_options *o)
{
    rv_node *sum = rv_scale(level_difference(a->amplitudes, b->amplitudes), o->weight_amplitude, 0);
    if (o->weight_a > 0)
        sum = rv_add(sum, rv_scale(surprise(a, b, o->deviation_b), o->weight_a, 0));
    if (o->weight_b > 0)
        sum = rv_add(sum, rv_scale(surprise(b, a, o->deviation_a), o->weight_b, 0));
    return sum;
}

/* Two-way mismatch -------------------------------------------------------------------------- */

rv_mismatch_options rv_mismatch_defaults(void)
{
    return (rv_mismatch_options){ 1, 1, 0.5, 0.2, 10, 30, 1, 16000 };
}

/* x [B,F,C] and y [B,F,N] as [B,F,C,1] and [B,F,1,N] */
static rv_node *as_column(rv_node *x)
{
    return rv_reshape(x, RV_SHAPE(rv_extent(x, 0), rv_extent(x, 1), rv_extent(x, 2), 1));
}

static rv_node *as_row(rv_node *x)
{
    return rv_reshape(x, RV_SHAPE(rv_extent(x, 0), rv_extent(x, 1), 1, rv_extent(x, 2)));
}

/* x [B,F,C,N] -> [B,F,C N] */
static rv_node *flat(rv_node *x)
{
    return rv_reshape(
        x, RV_SHAPE(rv_extent(x, 0), rv_extent(x, 1), rv_extent(x, 2) * rv_extent(x, 3)));
}

/* What sinusoids have no harmonic of each candidate, [B,F,C,1] */
static rv_node *of_sinusoids(rv_node *candidates, const rv_sinusoidal_controls *s,
                             const rv_mismatch_options *o)
{
    const rv_shape all = RV_SHAPE(rv_extent(candidates, 0), rv_extent(candidates, 1), o->gaussians);
    rv_node *numbers = rv_broadcast_to(ramp(candidates->graph, o->gaussians, 1, 1), all);
    rv_node *shares = rv_broadcast_to(ramp(candidates->graph, o->gaussians, 0, 0), all);
    rv_node *ratio = rv_div(as_row(s->frequencies), rv_maximum(as_column(candidates), least_share));
    rv_node *log_p = rv_log_mixture(flat(ratio), numbers, shares, o->harmonics_deviation);
    rv_node *cost = rv_mul(rv_reshape(log_p, ratio->shape), as_row(shares_of(s->amplitudes)));
    return rv_scale(rv_sum_to(cost, one_of_last(cost)), -1, 0);
}

/* What harmonics of each candidate below half the sample rate are no sinusoids, [B,F,C,1] */
static rv_node *of_harmonics(rv_node *candidates, const rv_sinusoidal_controls *s,
                             const rv_mismatch_options *o)
{
    const double last = 1 / (double)o->points,
                 step = o->points > 1 ? (last - 1) / (double)(o->points - 1) : 0;
    rv_node *hz = rv_mul(as_column(candidates), ramp(candidates->graph, o->points, 1, 1));
    rv_node *log_p = log_density(rv_hz_to_midi(flat(hz)), s, o->sinusoids_deviation);
    rv_node *heard = rv_band_limit(ones(hz->graph, hz->shape), hz, o->sample_rate / 2, 1, 0);
    heard = rv_div(heard, rv_maximum(rv_mean_to(heard, one_of_last(heard)), least_share));
    rv_node *cost = rv_mul(rv_reshape(log_p, hz->shape), ramp(hz->graph, o->points, 1, step));
    return rv_scale(rv_mean_to(rv_mul(cost, heard), one_of_last(cost)), -1, 0);
}

rv_node *rv_mismatch_costs(rv_node *candidates, const rv_sinusoidal_controls *sinusoids,
                           const rv_mismatch_options *o)
{
    rv_node *a = rv_scale(of_sinusoids(candidates, sinusoids, o), o->sinusoids_weight, 0);
    rv_node *b = rv_scale(of_harmonics(candidates, sinusoids, o), o->harmonics_weight, 0);
    return rv_reshape(rv_add(a, b), candidates->shape);
}

rv_node *rv_loss_mismatch(rv_node *candidates, const rv_sinusoidal_controls *sinusoids,
                          const rv_mismatch_options *o)
{
    rv_node *costs = rv_mismatch_costs(candidates, sinusoids, o);
    return rv_mean(rv_mul(costs, rv_softmax(rv_scale(costs, -1 / o->temperature, 0))));
}
