/* hybrid_layers.c - one layer of the encoder or decoder of Hybrid Demucs.
 *
 *   encoder   conv (strided) - norm - GELU - DConv - conv - norm - GLU
 *   decoder   + skip - conv - norm - GLU - DConv - conv transposed (strided) - norm - GELU
 *
 * The branch along frequency convolves [1,T,F,C] over F, with DConv along T for each
 * frequency; the branch along time convolves [1,T,C] over T. */
#include "hybrid_layers.h"

#include "base/status.h"

static const rv_conv_axis plain = { 0 };

/* [1,T,1,C] -> [1,T,C]: the frequencies are used up. */
static rv_node *drop_frequency(rv_node *x)
{
    if (x->shape.rank != 4)
        return x;
    if (rv_extent(x, 2) != 1)
        return rv_poison(x->graph, RV_ERR_SHAPE, __func__, "%zu frequencies are left, not 1",
                         rv_extent(x, 2));
    return rv_reshape(x, RV_SHAPE(rv_extent(x, 0), rv_extent(x, 1), rv_extent(x, 3)));
}

static rv_node *add_frequency(rv_node *x)
{
    if (x->shape.rank != 3)
        return x;
    return rv_reshape(x, RV_SHAPE(rv_extent(x, 0), rv_extent(x, 1), 1, rv_extent(x, 2)));
}

/* Along time the end is padded to a multiple of the stride. */
static rv_node *strided(nn_builder *b, const hybrid_layer *l, rv_node *x)
{
    rv_conv_axis axis = { .stride = l->stride, .before = l->pad, .after = l->pad };
    if (l->frequency)
        return nn_conv2d(b, "conv", x, l->out, l->kernel, 1, axis, plain, true);
    axis.after += (l->stride - rv_extent(x, 1) % l->stride) % l->stride;
    return nn_conv_time(b, "conv", x, l->out, l->kernel, axis, true);
}

/* Channels doubled, then gated. */
static rv_node *rewrite(nn_builder *b, const hybrid_layer *l, const char *norm, rv_node *x)
{
    const size_t channels = 2 * rv_extent(x, -1), kernel = 2 * l->context + 1;
    const rv_conv_axis same = { .before = l->context, .after = l->context };
    const rv_conv_axis bins = { .before = l->context_bins, .after = l->context_bins };
    if (!l->rewrite)
        return x;
    if (l->frequency)
        x = nn_conv2d(b, "rewrite", x, channels, 2 * l->context_bins + 1, kernel, bins, same, true);
    else
        x = nn_conv_time(b, "rewrite", x, channels, kernel, same, true);
    return rv_glu(demucs_norm(b, norm, x, l->norm_groups));
}

rv_node *hybrid_encode(nn_builder *b, const hybrid_layer *l, rv_node *x, rv_node *inject)
{
    if (!l->frequency)
        x = drop_frequency(x);
    rv_node *y = strided(b, l, x);
    if (l->empty)
        return y;
    if (inject) {
        inject = l->frequency ? add_frequency(inject) : inject;
        if (rv_extent(inject, 1) != rv_extent(y, 1))
            return rv_poison(b->graph, RV_ERR_SHAPE, __func__, "%zu time steps meet %zu",
                             rv_extent(inject, 1), rv_extent(y, 1));
        y = rv_add(y, inject);
    }
    y = rv_gelu(demucs_norm(b, "norm1", y, l->norm_groups));
    if (l->dconv)
        y = demucs_dconv(b, "dconv", y, &l->branch);
    return rewrite(b, l, "norm2", y);
}

/* y[pad : -pad] along frequency, y[pad : pad + length] along time; norms see it all. */
static rv_node *transposed(nn_builder *b, const hybrid_layer *l, rv_node *x, size_t length)
{
    const int axis = l->frequency ? 2 : 1;
    const size_t full = (rv_extent(x, axis) - 1) * l->stride + l->kernel;
    const size_t start = l->norm_groups ? 0 : l->pad;
    if (l->frequency)
        length = full - 2 * l->pad;
    const size_t made = l->norm_groups ? full : length;
    rv_node *y = l->frequency ? nn_conv_transpose_frequency(b, "conv_tr", x, l->out, l->kernel,
                                                            l->stride, start, made)
                              : nn_conv_transpose_time(b, "conv_tr", x, l->out, l->kernel,
                                                       l->stride, start, made);
    if (!l->norm_groups)
        return y;
    return rv_slice(demucs_norm(b, "norm2", y, l->norm_groups), axis, l->pad, length);
}

rv_node *hybrid_decode(nn_builder *b, const hybrid_layer *l, rv_node *x, rv_node *skip,
                       size_t length, rv_node **before)
{
    rv_node *y = x && skip ? rv_add(l->frequency ? add_frequency(x) : x, skip) : x ? x : skip;
    if (!l->empty) {
        y = rewrite(b, l, "norm1", y);
        if (l->dconv)
            y = demucs_dconv(b, "dconv", y, &l->branch);
    }
    *before = y;
    y = transposed(b, l, y, length);
    return l->last ? y : rv_gelu(y);
}
