/* ast_masks.c - stems as shares of the mix's spectrum, which are those of their synthesisers.
 *
 *   V_s = |STFT of the sinusoids of s|^2 + E |STFT of its noise|^2,   y_s = V_s / (sum of V) X
 *
 *   Schulze-Forster et al. 2023, "Unsupervised Music Source Separation Using Differentiable
 * Parametric Source Models" (arXiv:2201.09592), where masks of synthesised sounds take phase from
 * the mix
 *
 * Of the noise it is the expected power, with a gain a on noise that is uniform in [-1, 1) and a
 * window w a^2 sum(w^2) / 3, on straight lines between the middles of bands and of steps: masks of
 * noise that was drawn would be noise themselves. */
#include "models/ast_masks.h"

#include "ddsp/controls.h"
#include "ddsp/synth_noise.h"

#include <math.h>

static const double least_power = 1e-6;

/* [to,from]: row i takes straight lines between the columns beside position at(i), held at the
 * ends. */
static rv_node *lines(rv_graph *g, size_t to, size_t from, double first, double gap)
{
    rv_node *weight = rv_constant(g, RV_SHAPE(to, from));
    for (size_t i = 0; weight->constant && i < to; i++) {
        const double at = fmin(fmax(first + gap * (double)i, 0), (double)(from - 1));
        for (size_t j = 0; j < from; j++)
            weight->constant[i * from + j] = (real)fmax(0, 1 - fabs(at - (double)j));
    }
    return weight;
}

rv_node *rv_ast_noise_power(const spectrum_config *c, rv_node *magnitudes, size_t step,
                            size_t frames)
{
    const rv_noise_config noise = rv_noise_defaults();
    const size_t steps = rv_extent(magnitudes, 1), bands = rv_extent(magnitudes, 2);
    const size_t bins = c->n_fft / 2 + 1;
    const double of_window = 0.375 * (double)c->n_fft; /* Hann's sum of w^2 */
    rv_graph *g = magnitudes->graph;
    rv_node *gain = rv_scale_amplitude(rv_scale(magnitudes, 1, noise.bias));
    rv_node *power = rv_scale(rv_mul(gain, gain), of_window / 3, 0);
    rv_node *along_bins = lines(g, bins, bands, 0, (double)(bands - 1) / (double)(bins - 1));
    rv_node *along_time = lines(g, frames, steps, -0.5, (double)c->hop / (double)step);
    power = RV_PERMUTE(rv_linear(power, along_bins, NULL), 0, 2, 1);
    return RV_PERMUTE(rv_linear(power, along_time, NULL), 0, 2, 1);
}

/* z [S,T,F,2] -> [S,T,F] */
static rv_node *power_of(rv_node *z)
{
    const size_t rows = rv_extent(z, 0), frames = rv_extent(z, 1), bins = rv_extent(z, 2);
    rv_node *sum = rv_sum_to(rv_mul(z, z), RV_SHAPE(rows, frames, bins, 1));
    return rv_reshape(sum, RV_SHAPE(rows, frames, bins));
}

rv_node *rv_ast_masked(const spectrum_config *c, const rv_ast_head_config *head,
                       const rv_ast_controls *from, rv_node *mix)
{
    const size_t samples = rv_extent(mix, 1), steps = rv_extent(from->magnitudes, 1);
    const size_t stems = rv_extent(from->magnitudes, 0);
    rv_node *tones = rv_ast_steps_tones(head, from, samples);
    tones = RV_PERMUTE(rv_reshape(tones, RV_SHAPE(1, stems, samples)), 0, 2, 1);
    rv_node *z = spectrum_parts(c, mix), *power = power_of(spectrum_parts(c, tones));
    const size_t frames = rv_extent(z, 1), bins = rv_extent(z, 2);
    rv_node *noise = rv_ast_noise_power(c, from->magnitudes, samples / steps, frames);
    power = rv_scale(rv_add(power, noise), 1, least_power);
    rv_node *mask = rv_div(power, rv_sum_to(power, RV_SHAPE(1, frames, bins)));
    mask = rv_reshape(mask, RV_SHAPE(stems, frames, bins, 1));
    return spectrum_join(c, rv_mul(mask, z), samples);
}
