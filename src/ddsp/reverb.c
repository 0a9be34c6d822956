/* reverb.c - a room, as a response with which the whole signal is convolved (Engel et al. 2020,
 * arXiv 2001.04643, 3.5). Responses are given, made from a few numbers, or learned as they are. */
#include "ddsp/reverb.h"

#include "ddsp/controls.h"

rv_node *rv_reverb(rv_node *audio, rv_node *response, bool dry)
{
    const size_t samples = rv_extent(audio, 1), all = rv_extent(response, 1);
    const size_t length = all < samples ? all : samples; /* what follows is not heard */
    if (response->shape.rank != 2 || length == 0)
        return rv_poison(audio->graph, RV_ERR_SHAPE, __func__,
                         "reverb: expected audio [B,N] and a response [B,M] or [1,M]");
    rv_node *late = audio;
    if (length > 1) {
        rv_node *h = rv_slice(response, 1, 1, length - 1);
        late = rv_slice(rv_fft_convolve(audio, rv_pad(h, 1, 1, 0, RV_PAD_ZERO)), 1, 0, samples);
    } else {
        late = rv_scale(audio, 0, 0);
    }
    return dry ? rv_add(late, audio) : late;
}

/* [M,...] -> [1,M] */
static rv_node *as_row(rv_node *x)
{
    return rv_reshape(x, RV_SHAPE(1, rv_extent(x, 0)));
}

rv_node *rv_reverb_learned(nn_builder *b, size_t length)
{
    return as_row(nn_param_new(b, "ir", RV_SHAPE(length), (nn_start){ NN_NORMAL, 1e-6 }));
}

/* [1,length]: 0, step, 2 step, ... */
static rv_node *ramp(rv_graph *g, size_t length, double step)
{
    rv_node *t = rv_constant(g, RV_SHAPE(1, length));
    for (size_t i = 0; t->constant && i < length; i++)
        t->constant[i] = (real)((double)i * step);
    return t;
}

rv_node *rv_reverb_decay(rv_node *noise, rv_node *gain, rv_node *decay)
{
    const size_t length = rv_extent(noise, 1);
    rv_node *t = ramp(noise->graph, length, length > 1 ? 1 / (double)(length - 1) : 0);
    rv_node *fall = rv_exp(rv_mul(rv_scale(rv_exp(decay), -1, -2), t));
    return rv_mul(rv_mul(fall, noise), rv_scale_amplitude(gain));
}

rv_node *rv_reverb_decay_learned(nn_builder *b, rv_node *noise)
{
    rv_node *gain = nn_param_new(b, "gain", RV_SHAPE(1), (nn_start){ NN_FILL, 2 });
    rv_node *decay = nn_param_new(b, "decay", RV_SHAPE(1), (nn_start){ NN_FILL, 4 });
    return rv_reverb_decay(noise, as_row(gain), as_row(decay));
}

rv_noise_config rv_reverb_noise_defaults(void)
{
    rv_noise_config c = rv_noise_defaults();
    c.bias = -3;
    return c;
}

rv_node *rv_reverb_noise_learned(nn_builder *b, const rv_noise_config *c, rv_node *noise,
                                 size_t frames, size_t bands)
{
    rv_node *magnitudes =
        nn_param_new(b, "magnitudes", RV_SHAPE(frames, bands), (nn_start){ NN_NORMAL, 1e-2 });
    return rv_synth_noise(c, noise, rv_reshape(magnitudes, RV_SHAPE(1, frames, bands)));
}

rv_node *rv_reverb_wet(nn_builder *b, size_t length, double sample_rate)
{
    rv_node *noise = nn_param_new(b, "noise", RV_SHAPE(length, 1), (nn_start){ NN_UNIFORM, 1 });
    rv_node *decay = nn_param_new(b, "decay", RV_SHAPE(1), (nn_start){ NN_FILL, 5 });
    rv_node *wet = nn_param_new(b, "wet", RV_SHAPE(1), (nn_start){ NN_FILL, 0 });
    rv_node *t = ramp(b->graph, length, 500 / sample_rate);
    /* -softplus(-decay) = log(sigmoid(decay)) */
    rv_node *fall = rv_exp(rv_mul(rv_log(rv_sigmoid(as_row(decay))), t));
    return rv_mul(rv_mul(as_row(noise), fall), rv_sigmoid(as_row(wet)));
}
