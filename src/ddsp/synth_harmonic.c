/* synth_harmonic.c - a fundamental and its harmonics (Engel et al. 2020, arXiv 2001.04643, 3.2):
 *
 *     y[b,t] = sum over k of amplitude[b,t] distribution[b,t,k] sin(2 pi k phase[b,t])
 *
 * with the phase the running sum of f0 / sample rate. Where f0 moves a harmonic across Nyquist's
 * frequency between two frames, it fades in or out over them; ddsp cuts it at the sample. */
#include "ddsp/synth_harmonic.h"

#include "ddsp/controls.h"

rv_harmonic_config rv_harmonic_defaults(double sample_rate, size_t samples)
{
    return (rv_harmonic_config){ .sample_rate = sample_rate,
                                 .samples = samples,
                                 .scale = true,
                                 .limit = true,
                                 .frequency = RV_UPSAMPLE_LINEAR,
                                 .amplitude = RV_UPSAMPLE_HANN };
}

rv_harmonic_config rv_harmonic_held(double sample_rate, size_t samples)
{
    return (rv_harmonic_config){ .sample_rate = sample_rate,
                                 .samples = samples,
                                 .scale = true,
                                 .limit = true,
                                 .leak = 1e-4,
                                 .frequency = RV_UPSAMPLE_HOLD,
                                 .amplitude = RV_UPSAMPLE_HOLD };
}

rv_harmonic_controls rv_harmonic_get_controls(const rv_harmonic_config *c,
                                              const rv_harmonic_controls *from)
{
    rv_harmonic_controls to = *from;
    if (c->scale) {
        to.amplitude = rv_scale_amplitude(to.amplitude);
        to.distribution = rv_scale_amplitude(to.distribution);
    }
    to.distribution =
        rv_normalise_harmonics(to.distribution, to.f0, c->limit ? c->sample_rate : 0, c->leak);
    return to;
}

rv_node *rv_harmonic_amplitudes(const rv_harmonic_config *c, const rv_harmonic_controls *controls)
{
    rv_node *amplitudes = rv_mul(controls->distribution, controls->amplitude);
    if (c->leak == 0)
        amplitudes = rv_band_limit(amplitudes, controls->f0, c->sample_rate / 2, 1, 0);
    return amplitudes;
}

rv_node *rv_harmonic_get_signal(const rv_harmonic_config *c, const rv_harmonic_controls *controls)
{
    rv_node *f0 = rv_upsample(controls->f0, c->samples, c->frequency);
    rv_node *hz = rv_reshape(f0, RV_SHAPE(rv_extent(f0, 0), c->samples));
    rv_node *phase = rv_phase_of(hz, c->sample_rate);
    if (controls->phase)
        phase = rv_add(phase, controls->phase);
    return rv_harmonic(phase, rv_harmonic_amplitudes(c, controls), c->amplitude);
}

rv_node *rv_synth_harmonic(const rv_harmonic_config *c, const rv_harmonic_controls *from)
{
    const rv_harmonic_controls controls = rv_harmonic_get_controls(c, from);
    return rv_harmonic_get_signal(c, &controls);
}
