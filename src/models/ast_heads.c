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
 * Of each step: a total and a filter for each, all of which begin at multiples of a step. */
#include "models/ast_heads.h"

#include "base/status.h"
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

/* hz and amplitudes [B,F,K], total [B,1] -> [B,N] */
static rv_node *clip_sinusoids(const rv_ast_head_config *c, rv_node *hz, rv_node *amplitudes,
                               rv_node *total, size_t samples)
{
    const rv_sinusoidal_config synth = { .sample_rate = c->sample_rate };
    rv_node *turns = rv_sinusoidal_turns(&synth, rv_interpolate(hz, samples));
    rv_node *sum = rv_upsample(sum_of_all(amplitudes), samples, RV_UPSAMPLE_HANN);
    amplitudes = rv_upsample(amplitudes, samples, RV_UPSAMPLE_HANN);
    rv_node *y = rv_sinusoids(turns, amplitudes, samples, RV_UPSAMPLE_HOLD);
    return rv_mul(rv_div(y, rv_reshape(sum, RV_SHAPE(rv_extent(sum, 0), samples))), total);
}

rv_node *rv_ast_clip_audio(const rv_ast_head_config *c, rv_node *x, rv_node *noise)
{
    const size_t batch = rv_extent(x, 0), steps = c->steps, count = c->sinusoids;
    size_t at = 0;
    if (!fits(c, x, 2, rv_ast_clip_size(c), noise))
        return x;
    rv_node *pitches = take(x, &at, steps * count * c->depth);
    rv_node *hz = frequencies(c, rv_reshape(pitches, RV_SHAPE(batch, steps, count * c->depth)));
    rv_node *amplitudes = rv_reshape(take(x, &at, steps * count), RV_SHAPE(batch, steps, count));
    rv_node *total = rv_sigmoid(take(x, &at, 1));
    rv_node *magnitudes = rv_reshape(take(x, &at, c->bands), RV_SHAPE(batch, 1, c->bands));
    rv_node *tones =
        clip_sinusoids(c, hz, rv_scale_amplitude(amplitudes), total, rv_extent(noise, 1));
    const rv_noise_config filter = { .scale = true, .wrapped = true };
    return rv_add(tones, rv_synth_noise(&filter, noise, magnitudes));
}

rv_node *rv_ast_steps_audio(const rv_ast_head_config *c, rv_node *x, rv_node *noise)
{
    size_t at = 0;
    if (!fits(c, x, 3, rv_ast_step_size(c), noise))
        return x;
    rv_sinusoidal_config synth = rv_sinusoidal_defaults(c->sample_rate, rv_extent(noise, 1));
    synth.scale = false;
    synth.frequencies = RV_SINUSOIDAL_HERTZ;
    rv_node *hz = frequencies(c, take(x, &at, c->sinusoids * c->depth));
    rv_node *amplitudes = rv_scale_amplitude(take(x, &at, c->sinusoids));
    rv_node *total = rv_sigmoid(take(x, &at, 1));
    amplitudes = rv_mul(rv_div(amplitudes, sum_of_all(amplitudes)), total);
    const rv_sinusoidal_controls controls = { .amplitudes = amplitudes, .frequencies = hz };
    rv_node *tones = rv_synth_sinusoidal(&synth, &controls);
    const rv_noise_config filter = rv_noise_defaults();
    return rv_add(tones, rv_synth_noise(&filter, noise, take(x, &at, c->bands)));
}
