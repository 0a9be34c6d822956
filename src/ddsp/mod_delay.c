/* mod_delay.c - chorus, flanger and vibrato: the signal beside itself, delayed by a time that
 * changes (ddsp's ModDelay). The delay is centre + phase depth. */
#include "ddsp/mod_delay.h"

#include "ddsp/controls.h"

rv_mod_delay_config rv_mod_delay_defaults(double sample_rate)
{
    return (rv_mod_delay_config){
        .sample_rate = sample_rate, .centre_ms = 15, .depth_ms = 10, .scale = true, .dry = true
    };
}

/* x [B,N,1] -> [B,N] */
static rv_node *without_channel(rv_node *x)
{
    return rv_reshape(x, RV_SHAPE(rv_extent(x, 0), rv_extent(x, 1)));
}

rv_node *rv_mod_delay(const rv_mod_delay_config *c, rv_node *audio, rv_node *gain, rv_node *phase)
{
    const double longest = c->centre_ms + c->depth_ms;
    if (!(longest > 0 && c->sample_rate > 0 && longest * c->sample_rate < 1e12))
        return rv_poison(audio->graph, RV_ERR_ARG, __func__, "mod_delay: a delay of %g ms",
                         longest);
    if (c->scale) {
        gain = rv_scale_amplitude(gain);
        phase = rv_sigmoid(phase);
    }
    const size_t length = (size_t)(c->sample_rate / 1000 * longest);
    rv_node *position = rv_scale(phase, c->depth_ms / longest, c->centre_ms / longest);
    rv_node *wet =
        rv_mul(rv_delay(audio, without_channel(position), length), without_channel(gain));
    return c->dry ? rv_add(wet, audio) : wet;
}
