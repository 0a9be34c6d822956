/* resnet.c - a residual network on spectrograms that keeps time and folds frequency.
 *
 *   K. He, X. Zhang, S. Ren and J. Sun, "Identity Mappings in Deep Residual Networks", ECCV 2016
 *   arXiv:1603.05027; its use on spectrograms: Engel et al. 2020, arXiv 2001.04643, appendix B.3
 *
 *   a convolution 7 x 7, every second frequency; the largest of three bins, every second one
 *   four stacks of blocks   x + conv1x1(conv3x3(conv1x1(x))), each after norm and ReLU
 *       the first of a stack has a convolution beside it, and all but the first stack's take
 *       every second frequency
 *   norm, ReLU after the third and the fourth stack
 *
 * The norm is over time, frequency and channels, with a gain and a bias for each channel. Padding
 * is TensorFlow's "same": where it is odd the larger part lies behind. */
#include "models/resnet.h"

#include <string.h>

rv_resnet_config rv_resnet_sized(const char *size)
{
    static const struct {
        const char *name;
        rv_resnet_config config;
    } sizes[] = {
        { "small", { 64, 32, { 2, 3, 4, 3 } } },
        { "medium", { 64, 32, { 3, 4, 6, 3 } } },
        { "large", { 64, 64, { 3, 4, 6, 3 } } },
    };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        if (!strcmp(size, sizes[i].name))
            return sizes[i].config;
    return (rv_resnet_config){ 0 };
}

static rv_conv_axis same_padding(size_t n, size_t kernel, size_t stride)
{
    const size_t reach = ((n + stride - 1) / stride - 1) * stride + kernel;
    const size_t padding = reach > n ? reach - n : 0;
    return (rv_conv_axis){ stride, 1, padding / 2, padding - padding / 2 };
}

/* x [B,T,F,I] -> [B,T,F/stride,out], a square kernel */
static rv_node *convolution(nn_builder *b, const char *name, rv_node *x, size_t out, size_t kernel,
                            size_t stride)
{
    const rv_conv_axis frequency = same_padding(rv_extent(x, 2), kernel, stride);
    return nn_conv2d(b, name, x, out, kernel, kernel, frequency,
                     same_padding(rv_extent(x, 1), kernel, 1), true);
}

static rv_node *norm_relu(nn_builder *b, const char *name, rv_node *x)
{
    return rv_relu(nn_group_norm(b, name, x, 1, false));
}

static rv_node *block(nn_builder *b, rv_node *x, size_t channels, size_t stride, bool shortcut)
{
    rv_node *y = norm_relu(b, "norm_input", x);
    if (shortcut)
        x = convolution(b, "conv_proj", y, 4 * channels, 1, stride);
    y = convolution(b, "conv1", y, channels, 1, 1);
    y = convolution(b, "conv2", norm_relu(b, "norm2", y), channels, 3, stride);
    y = convolution(b, "conv3", norm_relu(b, "norm3", y), 4 * channels, 1, 1);
    return rv_add(x, y);
}

rv_node *rv_resnet(nn_builder *b, const rv_resnet_config *c, rv_node *x)
{
    if (x->shape.rank != 4 || rv_extent(x, 3) != 1 || rv_extent(x, 1) == 0 ||
        rv_extent(x, 2) == 0 || c->channels == 0)
        return rv_poison(b->graph, RV_ERR_SHAPE, __func__,
                         "residual network: expected a spectrogram [B,T,F,1]");
    x = rv_max_pool_same(convolution(b, "conv", x, c->first, 7, 2), 3, 2);
    for (size_t s = 0; s < RV_RESNET_STACKS; s++) {
        for (size_t i = 0; i < c->blocks[s]; i++) {
            const size_t mark = nn_enter(b, "stacks.%zu.%zu", s, i);
            x = block(b, x, c->channels << s, s > 0 && i == 0 ? 2 : 1, i == 0);
            nn_leave(b, mark);
        }
        if (s + 2 == RV_RESNET_STACKS)
            x = norm_relu(b, "norm", x);
    }
    return norm_relu(b, "norm_out", x);
}
