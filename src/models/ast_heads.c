/* ast_heads.c - from what a network says of a clip, or of each step, to sinusoids and noise.
 *
 *   D. Gabrielli, "AST-DDSP: Audio Source Separation with DDSP", 2024 (report and code)
 *   Engel et al. 2020, "Self-supervised Pitch Detection by Inverse Audio Synthesis"
 *
 * In this order: frequencies [F,K D], amplitudes [F,K], the total, the noise [M].
 *
 *   frequency    mean of D pitches, evenly spaced in MIDI, weighted by a softmax
 *   amplitude    total a_k / sum of a,  a = 2 sigmoid(x)^log(10) + 1e-7,  total = sigmoid(x)
 *   noise        through a filter of M bands of the same function
 *
 * Of a clip, as published: one total and one noise filter for all of it; frequencies go on straight
 * lines between the middles of the steps, amplitudes a by Hann windows from step to step, and what
 * is shared out is the amplitudes at each sample: so the sum of sinusoids is divided by the sum of
 * the a there. Frames of the noise filter are rolled about the clip, of which only the causal half
 * of the response is left (rv_impulse_response_wrapped()).
 * Of each step: a total and a filter for each, all of which begin at multiples of a step.
 *
 * A network that knows nothing says every pitch alike, so that all sinusoids lie in the middle,
 * from where spectral losses do not lead them to those of the sound (Turian and Henry 2020,
 * arXiv:2012.04572). With `spread` sinusoid k is told -(d - p_k)^2 more of pitch d, p_k evenly
 * spaced: they begin as a bank of filters, whose amplitudes any loss can learn, and move from
 * there. */
#include "models/ast_heads.h"

#include "base/status.h"
#include "core/ops/sinusoids.h"
#include "ddsp/controls.h"
#include "ddsp/synth_noise.h"
#include "ddsp/synth_sinusoidal.h"
#include "models/interpolation.h"

size_t rv_ast_clip_size(const rv_ast_head_config *c)
{
    return c->steps * c->sinusoids * (c->depth + 1) + 1 + c->bands;
}

size_t rv_ast_step_size(const rv_ast_head_config *c)
{
    return c->sinusoids * (c->depth + 1) + 1 + c->bands;
}

/* The next n numbers of the last axis. */
static rv_node *take(rv_node *x, size_t *at, size_t n)
{
    rv_node *y = rv_slice(x, -1, *at, n);
    *at += n;
    return y;
}

static bool fits(const rv_ast_head_config *c, rv_node *x, int rank, size_t size, rv_node *noise)
{
    if (x->shape.rank == rank && rv_extent(x, -1) == size && noise->shape.rank == 2 &&
        rv_extent(noise, 0) == rv_extent(x, 0) && rv_extent(noise, 1) && c->sinusoids && c->depth)
        return true;
    rv_poison(x->graph, RV_ERR_SHAPE, __func__,
              "a head of %zu numbers, %zu are expected, for as many rows of noise",
              rv_extent(x, -1), size);
    return false;
}

static rv_node *frequencies(const rv_ast_head_config *c, rv_node *x)
{
    return rv_frequencies_softmax(x, c->depth, c->hz_min, c->sample_rate / 2);
}

/* x [B,F,K] -> [B,F,1] */
static rv_node *sum_of_all(rv_node *x)
{
    return rv_sum_to(x, RV_SHAPE(rv_extent(x, 0), rv_extent(x, 1), 1));
}

rv_ast_controls rv_ast_clip_controls(const rv_ast_head_config *c, rv_node *x)
{
    const size_t batch = rv_extent(x, 0), steps = c->steps, count = c->sinusoids;
    size_t at = 0;
    rv_ast_controls to;
    rv_node *pitches = take(x, &at, steps * count * c->depth);
    to.hz = frequencies(c, rv_reshape(pitches, RV_SHAPE(batch, steps, count * c->depth)));
    rv_node *amplitudes = rv_reshape(take(x, &at, steps * count), RV_SHAPE(batch, steps, count));
    to.amplitudes = rv_scale_amplitude(amplitudes);
    to.total = rv_sigmoid(take(x, &at, 1));
    to.magnitudes = rv_reshape(take(x, &at, c->bands), RV_SHAPE(batch, 1, c->bands));
    return to;
}

rv_node *rv_ast_clip_signal(const rv_ast_head_config *c, const rv_ast_controls *from,
                            rv_node *noise)
{
    const size_t batch = rv_extent(noise, 0), samples = rv_extent(noise, 1);
    rv_node *hz = rv_interpolate(from->hz, samples);
    rv_node *sum = rv_upsample(sum_of_all(from->amplitudes), samples, RV_UPSAMPLE_HANN);
    rv_node *amplitudes = rv_upsample(from->amplitudes, samples, RV_UPSAMPLE_HANN);
    rv_node *tones = rv_sinusoids_of(hz, c->sample_rate, amplitudes, samples, RV_UPSAMPLE_HOLD);
    tones = rv_mul(rv_div(tones, rv_reshape(sum, RV_SHAPE(batch, samples))), from->total);
    const rv_noise_config filter = { .scale = true, .wrapped = true };
    return rv_add(tones, rv_synth_noise(&filter, noise, from->magnitudes));
}

rv_node *rv_ast_clip_audio(const rv_ast_head_config *c, rv_node *x, rv_node *noise)
{
    if (!fits(c, x, 2, rv_ast_clip_size(c), noise))
        return x;
    const rv_ast_controls controls = rv_ast_clip_controls(c, x);
    return rv_ast_clip_signal(c, &controls, noise);
}

/* x [B,F,K D] -> the same, with sinusoids that are told apart */
static rv_node *spread(const rv_ast_head_config *c, rv_node *x)
{
    const size_t count = c->sinusoids, depth = c->depth;
    rv_node *bias = rv_constant(x->graph, RV_SHAPE(count * depth));
    const double gap = count > 1 ? (double)(depth - 1) / (double)(count - 1) : 0;
    for (size_t i = 0; bias->constant && i < count * depth; i++) {
        const double away = (double)(i % depth) - gap * (double)(i / depth);
        bias->constant[i] = (real)(-away * away);
    }
    return rv_add(x, bias);
}

rv_ast_controls rv_ast_steps_controls(const rv_ast_head_config *c, rv_node *x)
{
    size_t at = 0;
    rv_ast_controls to;
    rv_node *pitches = take(x, &at, c->sinusoids * c->depth);
    to.hz = frequencies(c, c->spread ? spread(c, pitches) : pitches);
    rv_node *amplitudes = rv_scale_amplitude(take(x, &at, c->sinusoids));
    to.total = rv_sigmoid(take(x, &at, 1));
    to.amplitudes = rv_mul(rv_div(amplitudes, sum_of_all(amplitudes)), to.total);
    to.magnitudes = take(x, &at, c->bands);
    return to;
}

rv_node *rv_ast_steps_tones(const rv_ast_head_config *c, const rv_ast_controls *from,
                            size_t samples)
{
    rv_sinusoidal_config synth = rv_sinusoidal_defaults(c->sample_rate, samples);
    synth.scale = false;
    synth.frequencies = RV_SINUSOIDAL_HERTZ;
    const rv_sinusoidal_controls controls = { .amplitudes = from->amplitudes,
                                              .frequencies = from->hz };
    return rv_synth_sinusoidal(&synth, &controls);
}

rv_node *rv_ast_steps_signal(const rv_ast_head_config *c, const rv_ast_controls *from,
                             rv_node *noise)
{
    const rv_noise_config filter = rv_noise_defaults();
    return rv_add(rv_ast_steps_tones(c, from, rv_extent(noise, 1)),
                  rv_synth_noise(&filter, noise, from->magnitudes));
}

rv_node *rv_ast_steps_audio(const rv_ast_head_config *c, rv_node *x, rv_node *noise)
{
    if (!fits(c, x, 3, rv_ast_step_size(c), noise))
        return x;
    const rv_ast_controls controls = rv_ast_steps_controls(c, x);
    return rv_ast_steps_signal(c, &controls, noise);
}
