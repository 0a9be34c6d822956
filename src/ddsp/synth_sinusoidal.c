/* synth_sinusoidal.c - sinusoids with their own frequencies (ddsp's Sinusoidal; Engel et al. 2020,
 * "Self-supervised Pitch Detection by Inverse Audio Synthesis"):
 *
 *     y[b,t] = sum over k of amplitude[b,t,k] sin(2 pi phase[b,t,k])
 *
 * with the phase the running sum of the frequency / sample rate. One that crosses Nyquist's
 * frequency between two frames fades in or out over them; ddsp cuts it at the sample. */
#include "ddsp/synth_sinusoidal.h"

#include "core/ops/sinusoids.h"
#include "ddsp/controls.h"

rv_sinusoidal_config rv_sinusoidal_defaults(double sample_rate, size_t samples)
{
    return (rv_sinusoidal_config){ .sample_rate = sample_rate,
                                   .samples = samples,
                                   .scale = true,
                                   .frequencies = RV_SINUSOIDAL_SIGMOID,
                                   .depth = 1,
                                   .hz_max = 8000,
                                   .amplitude = RV_UPSAMPLE_HANN };
}

rv_sinusoidal_controls rv_sinusoidal_get_controls(const rv_sinusoidal_config *c,
                                                  const rv_sinusoidal_controls *from)
{
    rv_sinusoidal_controls to = *from;
    if (c->scale)
        to.amplitudes = rv_scale_amplitude(to.amplitudes);
    if (c->frequencies == RV_SINUSOIDAL_SIGMOID)
        to.frequencies = rv_frequencies_sigmoid(to.frequencies, c->depth, c->hz_min, c->hz_max);
    if (c->frequencies == RV_SINUSOIDAL_SOFTMAX)
        to.frequencies = rv_frequencies_softmax(to.frequencies, c->depth, c->hz_min, c->hz_max);
    to.amplitudes = rv_band_limit(to.amplitudes, to.frequencies, c->sample_rate / 2, 1, 0);
    return to;
}

rv_node *rv_sinusoidal_get_signal(const rv_sinusoidal_config *c,
                                  const rv_sinusoidal_controls *controls)
{
    return rv_sinusoids_of(controls->frequencies, c->sample_rate, controls->amplitudes, c->samples,
                           c->amplitude);
}

rv_node *rv_synth_sinusoidal(const rv_sinusoidal_config *c, const rv_sinusoidal_controls *from)
{
    const rv_sinusoidal_controls controls = rv_sinusoidal_get_controls(c, from);
    return rv_sinusoidal_get_signal(c, &controls);
}
