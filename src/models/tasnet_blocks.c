/* tasnet_blocks.c - what the variants of Conv-TasNet share; conv_tasnet.c has the citation. */
#include "models/tasnet_blocks.h"

/* By the statistics that training collected. x [...,C] */
static rv_node *batch_norm(nn_builder *b, rv_node *x)
{
    const rv_shape s = RV_SHAPE(rv_extent(x, -1));
    rv_node *gain = nn_param_new(b, "weight", s, (nn_start){ NN_FILL, 1 });
    rv_node *bias = nn_param_new(b, "bias", s, (nn_start){ NN_FILL, 0 });
    rv_node *mean = nn_param_new(b, "running_mean", s, (nn_start){ NN_FILL, 0 });
    rv_node *variance = nn_param_new(b, "running_var", s, (nn_start){ NN_FILL, 1 });
    rv_node *slope = rv_mul(gain, rv_rsqrt(rv_scale(variance, 1, 1e-5)));
    return rv_add(rv_mul(rv_sub(x, mean), slope), bias);
}

/* x [K,C] -> y_k = sum of x_0 ... x_k, in log2 K steps: after step i each is a sum of 2^i. */
static rv_node *running_sum(rv_node *x)
{
    for (size_t span = 1; span < rv_extent(x, 0); span *= 2)
        x = rv_add(x, rv_shift(x, (ptrdiff_t)span));
    return x;
}

/* x [1,K,C] -> its mean over the channels of frame k and of all before it, and the mean of its
 * square, both [1,K,1]. */
static void running_means(rv_node *x, rv_node **mean, rv_node **square)
{
    const size_t frames = rv_extent(x, 1);
    const rv_shape column = RV_SHAPE(1, frames, 1);
    rv_node *each = rv_mean_to(x, column), *one = rv_scale(each, 0, 1);
    rv_node *parts[] = { each, rv_mean_to(rv_mul(x, x), column), one };
    rv_node *sums = running_sum(rv_reshape(rv_concat(2, 3, parts), RV_SHAPE(frames, 3)));
    rv_node *count = rv_slice(sums, 1, 2, 1);
    *mean = rv_reshape(rv_div(rv_slice(sums, 1, 0, 1), count), column);
    *square = rv_reshape(rv_div(rv_slice(sums, 1, 1, 1), count), column);
}

/* x [1,K,C], gain and bias [C] */
static rv_node *cumulative_norm(rv_node *x, rv_node *gain, rv_node *bias, double eps)
{
    rv_node *mean, *square;
    running_means(x, &mean, &square);
    rv_node *variance = rv_relu(rv_sub(square, rv_mul(mean, mean))); /* rounding goes below 0 */
    rv_node *slope = rv_rsqrt(rv_scale(variance, 1, eps));
    return rv_add(rv_mul(rv_mul(rv_sub(x, mean), slope), gain), bias);
}

static rv_node *layer_norm(nn_builder *b, tasnet_norm_kind kind, rv_node *x, rv_shape shape)
{
    const double eps = 1e-8;
    const rv_shape channels = RV_SHAPE(rv_extent(x, -1));
    rv_node *gain = rv_reshape(nn_param_new(b, "gamma", shape, (nn_start){ NN_FILL, 1 }), channels);
    rv_node *bias = rv_reshape(nn_param_new(b, "beta", shape, (nn_start){ NN_FILL, 0 }), channels);
    switch (kind) {
    case TASNET_GLOBAL:
        return rv_group_norm(x, gain, bias, 1, eps, false);
    case TASNET_CUMULATIVE:
        return cumulative_norm(x, gain, bias, eps);
    default:
        return rv_layer_norm(x, gain, bias, eps);
    }
}

rv_node *tasnet_norm(nn_builder *b, size_t index, tasnet_norm_kind kind, rv_node *x, rv_shape gain)
{
    const size_t mark = nn_enter(b, "%zu", index);
    if (kind == TASNET_BATCH)
        x = batch_norm(b, x);
    else if (kind != TASNET_NONE)
        x = layer_norm(b, kind, x, gain);
    nn_leave(b, mark);
    return x;
}

rv_node *tasnet_prelu(nn_builder *b, const char *name, rv_node *x)
{
    const size_t mark = nn_enter(b, "%s", name);
    rv_node *slope = nn_param_new(b, "weight", RV_SHAPE(1), (nn_start){ NN_FILL, 0.25 });
    nn_leave(b, mark);
    return rv_prelu(x, slope);
}

rv_conv_axis tasnet_taps(size_t kernel, size_t dilation, bool causal)
{
    const size_t pad = (kernel - 1) * dilation;
    return (rv_conv_axis){ .dilation = dilation,
                           .before = causal ? pad : pad / 2,
                           .after = causal ? 0 : pad / 2 };
}

rv_node *tasnet_softmax(rv_node *x)
{
    return RV_PERMUTE(rv_softmax(RV_PERMUTE(x, 0, 1, 3, 2)), 0, 1, 3, 2);
}

rv_node *tasnet_masked(rv_node *w, rv_node *mask)
{
    return rv_mul(rv_reshape(w, RV_SHAPE(1, rv_extent(w, 1), 1, rv_extent(w, 2))), mask);
}

rv_node *tasnet_overlap_add(rv_node *y, size_t hop, size_t samples)
{
    return RV_PERMUTE(rv_overlap_add(RV_PERMUTE(y, 0, 2, 1, 3), hop, samples), 0, 2, 1);
}
