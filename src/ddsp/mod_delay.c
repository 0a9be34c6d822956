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

rv_mod_delay_controls rv_mod_delay_get_controls(const rv_mod_delay_config *c,
                                                const rv_mod_delay_controls *from)
{
    if (!c->scale)
        return *from;
    return (rv_mod_delay_controls){ rv_scale_amplitude(from->gain), rv_sigmoid(from->phase) };
}

bool rv_mod_delay_is_valid(const rv_mod_delay_config *c)
{
    const double longest = c->centre_ms + c->depth_ms;
    return c->centre_ms >= 0 && c->depth_ms >= 0 && longest > 0 && c->sample_rate > 0 &&
           longest * c->sample_rate < 1e12;
}

rv_mod_delay_line rv_mod_delay_line_of(const rv_mod_delay_config *c)
{
    const double longest = c->centre_ms + c->depth_ms;
    return (rv_mod_delay_line){ (size_t)(c->sample_rate / 1000 * longest), c->depth_ms / longest,
                                c->centre_ms / longest };
}

rv_node *rv_mod_delay_get_signal(const rv_mod_delay_config *c, rv_node *audio,
                                 const rv_mod_delay_controls *controls)
{
    if (!rv_mod_delay_is_valid(c))
        return rv_poison(audio->graph, RV_ERR_ARG, __func__, "mod_delay: a delay of %g + %g ms",
                         c->centre_ms, c->depth_ms);
    const rv_mod_delay_line line = rv_mod_delay_line_of(c);
    rv_node *position = without_channel(rv_scale(controls->phase, line.depth, line.centre));
    rv_node *wet = rv_mul(rv_delay(audio, position, line.length), without_channel(controls->gain));
    return c->dry ? rv_add(wet, audio) : wet;
}

rv_node *rv_mod_delay(const rv_mod_delay_config *c, rv_node *audio, rv_node *gain, rv_node *phase)
{
    const rv_mod_delay_controls controls =
        rv_mod_delay_get_controls(c, &(rv_mod_delay_controls){ gain, phase });
    return rv_mod_delay_get_signal(c, audio, &controls);
}
