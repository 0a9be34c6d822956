/* controls.c - from what a network says, any real numbers, to what synthesisers take: amplitudes,
 * shares of harmonics, frequencies (Engel et al. 2020, arXiv 2001.04643, appendix B.2; for
 * frequencies Engel et al. 2020, "Self-supervised Pitch Detection by Inverse Audio Synthesis").
 *
 *   bark   26.81 / (1 + 1960 / f) - 0.53       Traunmueller 1990
 *   mel    2595 log10(1 + f / 700)             Young et al., The HTK Book
 *   ERB    0.108 f + 24.7 Hz                   Moore and Glasberg 1996 */
#include "ddsp/controls.h"

#include <math.h>

enum { CONCERT_NOTE = 69, OCTAVE = 12 };

static const double concert_pitch = 440, least_sum = 1e-7;

rv_node *rv_scale_amplitude(rv_node *x)
{
    return rv_exp_sigmoid(x, 10, 2, 1e-7);
}

/* The sum over the last axis, which stays as 1. */
static rv_node *sum_of_last(rv_node *x)
{
    rv_shape one = x->shape;
    if (one.rank > 0)
        one.d[one.rank - 1] = 1;
    return rv_sum_to(x, one);
}

rv_node *rv_normalise_harmonics(rv_node *distribution, rv_node *f0, double sample_rate, double leak)
{
    rv_node *x = distribution;
    if (sample_rate > 0)
        x = rv_band_limit(x, f0, sample_rate / 2, 1 + leak, leak);
    return rv_div(x, rv_maximum(sum_of_last(x), least_sum));
}

/* Pitch -------------------------------------------------------------------------------- */

double rv_note_of(double hz)
{
    return hz > 0 ? CONCERT_NOTE + OCTAVE * log2(hz / concert_pitch) : 0;
}

rv_node *rv_hz_to_midi(rv_node *hz)
{
    const double note_0 = concert_pitch * exp2(-CONCERT_NOTE / (double)OCTAVE);
    return rv_scale(rv_log_above(hz, note_0), OCTAVE / log(2), -OCTAVE * log2(note_0));
}

rv_node *rv_midi_to_hz(rv_node *note)
{
    const double per_note = log(2) / OCTAVE;
    return rv_exp(rv_scale(note, per_note, log(concert_pitch) - CONCERT_NOTE * per_note));
}

rv_node *rv_midi_to_unit(rv_node *note, double note_min, double note_max)
{
    const double range = note_max - note_min;
    return rv_scale(note, 1 / range, -note_min / range);
}

rv_node *rv_unit_to_midi(rv_node *unit, double note_min, double note_max)
{
    return rv_scale(unit, note_max - note_min, note_min);
}

rv_node *rv_hz_to_unit(rv_node *hz, double hz_min, double hz_max)
{
    return rv_midi_to_unit(rv_hz_to_midi(hz), rv_note_of(hz_min), rv_note_of(hz_max));
}

rv_node *rv_unit_to_hz(rv_node *unit, double hz_min, double hz_max)
{
    return rv_midi_to_hz(rv_unit_to_midi(unit, rv_note_of(hz_min), rv_note_of(hz_max)));
}

/* Frequencies -------------------------------------------------------------------------- */

/* x [B,F,N depth] -> [B,F,N,depth] */
static rv_node *with_depth(rv_node *x, size_t depth)
{
    const size_t all = rv_extent(x, 2);
    if (x->shape.rank != 3 || depth == 0 || all % depth)
        return rv_poison(x->graph, RV_ERR_SHAPE, __func__,
                         "frequencies: %zu channels, expected a multiple of %zu, in [B,F,N depth]",
                         all, depth);
    return rv_reshape(x, RV_SHAPE(rv_extent(x, 0), rv_extent(x, 1), all / depth, depth));
}

/* sum over the last axis of x [B,F,N,D] weight[d] -> [B,F,N] */
static rv_node *weighted_sum(rv_node *x, rv_node *weight)
{
    rv_node *y = rv_linear(x, weight, NULL);
    return rv_reshape(y, RV_SHAPE(rv_extent(y, 0), rv_extent(y, 1), rv_extent(y, 2)));
}

rv_node *rv_frequencies_softmax(rv_node *x, size_t depth, double hz_min, double hz_max)
{
    rv_node *share = rv_softmax(with_depth(x, depth));
    rv_node *unit = rv_constant(x->graph, RV_SHAPE(1, depth));
    for (size_t i = 1; unit->constant && i < depth; i++)
        unit->constant[i] = (real)((double)i / (double)(depth - 1));
    return rv_unit_to_hz(weighted_sum(share, unit), hz_min, hz_max);
}

/* Component i of `depth` goes from note[0][i] to note[1][i]: all but the last from note 0 to
 * all but a fixed share of what is left of the range in Hz. */
static void sigmoid_ranges(double *from, double *to, size_t i, size_t depth, double hz_min,
                           double hz_max)
{
    const double range = hz_max - hz_min, kept = pow(range, -1 / (double)depth);
    const double left = range * pow(kept, (double)i);
    const bool last = i + 1 == depth;
    *from = rv_note_of(last ? hz_min : 0);
    *to = rv_note_of(last ? left : left * (1 - kept));
}

rv_node *rv_frequencies_sigmoid(rv_node *x, size_t depth, double hz_min, double hz_max)
{
    rv_node *unit = rv_sigmoid(with_depth(x, depth));
    rv_node *slope = rv_constant(x->graph, RV_SHAPE(depth));
    rv_node *start = rv_constant(x->graph, RV_SHAPE(depth));
    rv_node *ones = rv_constant(x->graph, RV_SHAPE(1, depth));
    for (size_t i = 0; slope->constant && start->constant && ones->constant && i < depth; i++) {
        double from, to;
        sigmoid_ranges(&from, &to, i, depth, hz_min, hz_max);
        slope->constant[i] = (real)(to - from);
        start->constant[i] = (real)from;
        ones->constant[i] = 1;
    }
    return weighted_sum(rv_midi_to_hz(rv_add(rv_mul(unit, slope), start)), ones);
}

rv_critical_bands rv_critical_bands_defaults(void)
{
    return (rv_critical_bands){
        .depth = 1, .depth_scale = 10, .bandwidth_scale = 1, .hz_min = 20, .hz_max = 8000
    };
}

static double to_scale(const rv_critical_bands *c, double hz)
{
    return c->mel ? 2595 * log10(1 + hz / 700) : 26.81 / (1 + 1960 / hz) - 0.53;
}

static double from_scale(const rv_critical_bands *c, double x)
{
    return c->mel ? 700 * (pow(10, x / 2595) - 1) : 1960 / (26.81 / (x + 0.53) - 1);
}

/* For x of any size: x / 2 + log(cosh(x / 2)) + log 2 */
rv_node *rv_softplus(rv_node *x)
{
    return rv_add(rv_scale(x, 0.5, log(2)), rv_log_cosh(rv_scale(x, 0.5, 0)));
}

/* Softly between low and high. */
static rv_node *soft_limit(rv_node *x, double low, double high)
{
    return rv_scale(rv_sub(rv_softplus(x), rv_softplus(rv_scale(x, 1, low - high))), 1, low);
}

rv_node *rv_frequencies_critical_bands(rv_node *x, const rv_critical_bands *c)
{
    rv_node *wish = rv_tanh(with_depth(x, c->depth));
    const size_t n = rv_extent(wish, 2);
    rv_node *weight = rv_constant(x->graph, RV_SHAPE(1, c->depth));
    for (size_t i = 0; weight->constant && i < c->depth; i++)
        weight->constant[i] = (real)pow(c->depth_scale, -(double)i);
    rv_node *centre = rv_constant(x->graph, RV_SHAPE(n));
    rv_node *width = rv_constant(x->graph, RV_SHAPE(n));
    const double low = to_scale(c, c->hz_min), high = to_scale(c, c->hz_max);
    for (size_t i = 0; centre->constant && width->constant && i < n; i++) {
        const double at = n > 1 ? (double)i / (double)(n - 1) : 0;
        const double hz = from_scale(c, low + (high - low) * at);
        centre->constant[i] = (real)hz;
        width->constant[i] = (real)(c->bandwidth_scale * (0.108 * hz + 24.7));
    }
    rv_node *hz = rv_add(rv_mul(weighted_sum(wish, weight), width), centre);
    return soft_limit(hz, c->hz_min, c->hz_max);
}
