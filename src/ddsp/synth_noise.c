/* synth_noise.c - noise through a filter that changes from frame to frame (Engel et al. 2020,
 * arXiv 2001.04643, 3.4). The noise is an input of the graph: a run is then a function of its
 * inputs, and a step of training can be done again. */
#include "ddsp/synth_noise.h"

#include "base/rng.h"
#include "ddsp/controls.h"
#include "ddsp/fir_filter.h"

rv_noise_config rv_noise_defaults(void)
{
    return (rv_noise_config){ .scale = true, .bias = -5, .window = 257 };
}

rv_noise_config rv_noise_wrapped(void)
{
    return (rv_noise_config){ .scale = true, .bias = -5, .wrapped = true };
}

rv_node *rv_noise_response(const rv_noise_config *c, rv_node *magnitudes, size_t hop)
{
    if (c->scale)
        magnitudes = rv_scale_amplitude(rv_scale(magnitudes, 1, c->bias));
    return c->wrapped ? rv_impulse_response_wrapped(magnitudes, hop)
                      : rv_impulse_response(magnitudes, c->window);
}

rv_node *rv_synth_noise(const rv_noise_config *c, rv_node *noise, rv_node *magnitudes)
{
    const size_t frames = rv_extent(magnitudes, 1), samples = rv_extent(noise, 1);
    const size_t hop = frames ? (samples + frames - 1) / frames : 0;
    rv_node *h = rv_noise_response(c, magnitudes, hop);
    return rv_filter_frames(noise, h, c->wrapped ? 0 : rv_response_delay(rv_extent(h, 2)),
                            !c->wrapped);
}

void rv_noise_fill(real *to, size_t n, uint64_t seed, uint64_t step)
{
    for (size_t i = 0; i < n; i++)
        to[i] = (real)(2 * rv_rng_uniform(seed, step, i) - 1);
}
