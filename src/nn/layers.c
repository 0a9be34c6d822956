/* layers.c - layers with the parameters of their counterparts in torch.nn: names,
 * shapes, and how they start (uniform in +-1/sqrt(inputs of an output)). */
#include "nn/nn.h"

#include <math.h>
#include <stdio.h>

static nn_start uniform(size_t inputs)
{
    return (nn_start){ NN_UNIFORM, inputs ? 1 / sqrt((double)inputs) : 0 };
}

/* name.weight, and name.bias if wanted (else NULL) */
static rv_node *weight_and_bias(nn_builder *b, const char *name, rv_shape shape, size_t outputs,
                                size_t inputs, rv_node **bias)
{
    const size_t mark = nn_enter(b, "%s", name);
    rv_node *weight = nn_param_new(b, "weight", shape, uniform(inputs));
    if (bias)
        *bias = nn_param_new(b, "bias", RV_SHAPE(outputs), uniform(inputs));
    nn_leave(b, mark);
    return weight;
}

rv_node *nn_linear(nn_builder *b, const char *name, rv_node *x, size_t out, bool bias)
{
    const size_t in = rv_extent(x, -1);
    rv_node *c = NULL;
    rv_node *w = weight_and_bias(b, name, RV_SHAPE(out, in), out, in, bias ? &c : NULL);
    return rv_linear(x, w, c);
}

rv_node *nn_linear_weight(nn_builder *b, const char *name, size_t in, size_t out)
{
    return weight_and_bias(b, name, RV_SHAPE(out, in), out, in, NULL);
}

rv_node *nn_conv_time(nn_builder *b, const char *name, rv_node *x, size_t out, size_t kernel,
                      rv_conv_axis time, bool bias)
{
    const size_t in = rv_extent(x, -1);
    rv_node *c = NULL;
    rv_node *w =
        weight_and_bias(b, name, RV_SHAPE(out, in, kernel), out, in * kernel, bias ? &c : NULL);
    return rv_conv_time(x, w, c, time);
}

rv_node *nn_conv2d(nn_builder *b, const char *name, rv_node *x, size_t out, size_t kernel_frequency,
                   size_t kernel_time, rv_conv_axis frequency, rv_conv_axis time, bool bias)
{
    const size_t in = rv_extent(x, -1);
    rv_node *c = NULL;
    rv_node *w = weight_and_bias(b, name, RV_SHAPE(out, in, kernel_frequency, kernel_time), out,
                                 in * kernel_frequency * kernel_time, bias ? &c : NULL);
    return rv_conv2d(x, w, c, time, frequency);
}

/* PyTorch counts the weight's second axis as the inputs of a transposed convolution. */
rv_node *nn_conv_transpose_time(nn_builder *b, const char *name, rv_node *x, size_t out,
                                size_t kernel, size_t stride, size_t before, size_t length)
{
    rv_node *c = NULL;
    rv_node *w =
        weight_and_bias(b, name, RV_SHAPE(rv_extent(x, -1), out, kernel), out, out * kernel, &c);
    return rv_conv_transpose_time(x, w, c, stride, before, length);
}

rv_node *nn_conv_transpose_frequency(nn_builder *b, const char *name, rv_node *x, size_t out,
                                     size_t kernel, size_t stride, size_t before, size_t length)
{
    rv_node *c = NULL;
    rv_node *w =
        weight_and_bias(b, name, RV_SHAPE(rv_extent(x, -1), out, kernel, 1), out, out * kernel, &c);
    return rv_conv_transpose_frequency(x, w, c, stride, before, length);
}

rv_node *nn_depthwise(nn_builder *b, const char *name, rv_node *x, size_t kernel, rv_conv_axis time,
                      bool bias)
{
    const size_t channels = rv_extent(x, -1);
    rv_node *c = NULL;
    rv_node *w =
        weight_and_bias(b, name, RV_SHAPE(channels, 1, kernel), channels, kernel, bias ? &c : NULL);
    return rv_depthwise(x, w, c, time);
}

/* name.weight = 1 and name.bias = 0 for each channel */
static rv_node *gain_and_bias(nn_builder *b, const char *name, size_t channels, rv_node **bias)
{
    const size_t mark = nn_enter(b, "%s", name);
    rv_node *gain = nn_param_new(b, "weight", RV_SHAPE(channels), (nn_start){ NN_FILL, 1 });
    *bias = nn_param_new(b, "bias", RV_SHAPE(channels), (nn_start){ NN_FILL, 0 });
    nn_leave(b, mark);
    return gain;
}

rv_node *nn_group_norm(nn_builder *b, const char *name, rv_node *x, size_t groups,
                       bool each_frequency)
{
    rv_node *bias, *gain = gain_and_bias(b, name, rv_extent(x, -1), &bias);
    return rv_group_norm(x, gain, bias, groups, 1e-5, each_frequency);
}

rv_node *nn_layer_norm(nn_builder *b, const char *name, rv_node *x)
{
    return nn_layer_norm_eps(b, name, x, 1e-5);
}

rv_node *nn_layer_norm_eps(nn_builder *b, const char *name, rv_node *x, double eps)
{
    rv_node *bias, *gain = gain_and_bias(b, name, rv_extent(x, -1), &bias);
    return rv_layer_norm(x, gain, bias, eps);
}

typedef rv_node *recurrent_fn(rv_node *x, const rv_recurrent_weights *forward,
                              const rv_recurrent_weights *backward);

/* The weights of one direction of a layer whose units have so many gates. */
static rv_recurrent_weights recurrent_weights(nn_builder *b, size_t layer, const char *suffix,
                                              size_t gates, size_t in, size_t hidden)
{
    static const char *const kind[] = { "weight_ih", "weight_hh", "bias_ih", "bias_hh" };
    const rv_shape shape[] = { RV_SHAPE(gates * hidden, in), RV_SHAPE(gates * hidden, hidden),
                               RV_SHAPE(gates * hidden), RV_SHAPE(gates * hidden) };
    rv_node *p[4];
    for (int i = 0; i < 4; i++) {
        char name[48];
        snprintf(name, sizeof name, "%s_l%zu%s", kind[i], layer, suffix);
        p[i] = nn_param_new(b, name, shape[i], uniform(hidden));
    }
    return (rv_recurrent_weights){ p[0], p[1], p[2], p[3] };
}

static rv_node *recurrent_layers(nn_builder *b, const char *name, rv_node *x, size_t gates,
                                 recurrent_fn *layer, size_t hidden, size_t layers,
                                 bool bidirectional)
{
    const size_t mark = nn_enter(b, "%s", name);
    for (size_t i = 0; i < layers; i++) {
        const size_t in = rv_extent(x, -1);
        const rv_recurrent_weights forward = recurrent_weights(b, i, "", gates, in, hidden);
        rv_recurrent_weights backward;
        if (bidirectional)
            backward = recurrent_weights(b, i, "_reverse", gates, in, hidden);
        x = layer(x, &forward, bidirectional ? &backward : NULL);
    }
    nn_leave(b, mark);
    return x;
}

rv_node *nn_lstm(nn_builder *b, const char *name, rv_node *x, size_t hidden, size_t layers,
                 bool bidirectional)
{
    return recurrent_layers(b, name, x, 4, rv_lstm, hidden, layers, bidirectional);
}

rv_node *nn_gru(nn_builder *b, const char *name, rv_node *x, size_t hidden, size_t layers,
                bool bidirectional)
{
    return recurrent_layers(b, name, x, 3, b->training ? rv_gru : rv_gru_whole, hidden, layers,
                            bidirectional);
}

rv_node *nn_gru_from(nn_builder *b, const char *name, rv_node *x, size_t hidden, rv_node *state)
{
    const size_t mark = nn_enter(b, "%s", name);
    const rv_recurrent_weights w = recurrent_weights(b, 0, "", 3, rv_extent(x, -1), hidden);
    nn_leave(b, mark);
    return rv_gru_from(x, &w, state);
}
