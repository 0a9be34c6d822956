/* synth_wavetable.c - one period of a wave, played at a pitch (ddsp's Wavetable; after Engel et al.
 * 2020, arXiv 2001.04643):
 *
 *     y[b,t] = amplitude[b,t] table[b,t](phase[b,t])
 *
 * with the phase the running sum of f0 / sample rate over the samples before t, so that a sound
 * begins with the first point of its table; core/ops/wavetable.c says how a table is read. */
#include "ddsp/synth_wavetable.h"

#include "ddsp/controls.h"

rv_wavetable_config rv_wavetable_defaults(double sample_rate, size_t samples)
{
    return (rv_wavetable_config){ .sample_rate = sample_rate,
                                  .samples = samples,
                                  .scale = true,
                                  .frequency = RV_UPSAMPLE_LINEAR,
                                  .amplitude = RV_UPSAMPLE_HANN,
                                  .table = RV_UPSAMPLE_LINEAR };
}

rv_wavetable_controls rv_wavetable_get_controls(const rv_wavetable_config *c,
                                                const rv_wavetable_controls *from)
{
    rv_wavetable_controls to = *from;
    if (c->scale) {
        to.amplitude = rv_scale_amplitude(to.amplitude);
        to.tables = rv_scale_amplitude(to.tables);
    }
    return to;
}

/* x [B,F,1] -> [B,T] */
static rv_node *upsampled(rv_node *x, size_t samples, rv_upsample_mode mode)
{
    return rv_reshape(rv_upsample(x, samples, mode), RV_SHAPE(rv_extent(x, 0), samples));
}

rv_node *rv_wavetable_get_signal(const rv_wavetable_config *c,
                                 const rv_wavetable_controls *controls)
{
    rv_node *hz = upsampled(controls->f0, c->samples, c->frequency);
    rv_node *before = rv_slice(rv_pad(hz, 1, 1, 0, RV_PAD_ZERO), 1, 0, c->samples);
    rv_node *wave = rv_wavetable(rv_phase_of(before, c->sample_rate), controls->tables, c->table);
    return rv_mul(wave, upsampled(controls->amplitude, c->samples, c->amplitude));
}

rv_node *rv_synth_wavetable(const rv_wavetable_config *c, const rv_wavetable_controls *from)
{
    const rv_wavetable_controls controls = rv_wavetable_get_controls(c, from);
    return rv_wavetable_get_signal(c, &controls);
}
