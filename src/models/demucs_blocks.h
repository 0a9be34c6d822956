/* demucs_blocks.h - see demucs_blocks.c. Activations are [B,T,C] or [B,T,F,C]. */
#ifndef MODELS_DEMUCS_BLOCKS_H
#define MODELS_DEMUCS_BLOCKS_H

#include "nn/nn.h"

/* The residual branch of a layer. */
typedef struct dconv_config {
    size_t depth;    /* residual blocks, one after the other */
    bool dilate;     /* block i with dilation 2^i, else 1 */
    double compress; /* channels of the layer / channels inside */
    double init;     /* where the layer scale starts */
    bool lstm, attention;
} dconv_config;

/* x -> x + sum of the branches, same shape. Along time, each frequency on its own. */
rv_node *demucs_dconv(nn_builder *b, const char *name, rv_node *x, const dconv_config *c);

/* x [B,T,C] -> [B,T,C]. max_steps 0: over the whole length; else in frames of max_steps
 * (a multiple of 4) that overlap by half. */
rv_node *demucs_blstm(nn_builder *b, const char *name, rv_node *x, size_t layers, size_t max_steps,
                      bool skip);

/* x times a learned value for each channel. */
rv_node *demucs_layer_scale(nn_builder *b, const char *name, rv_node *x, double init);

/* Where training starts: brings the convolutions made since `from` (b->tail of then) nearer to
 * the standard deviation `reference`; 0: as they are. */
void demucs_rescale(nn_param *const *from, double reference);

/* nn_group_norm() where `groups` is not 0. */
rv_node *demucs_norm(nn_builder *b, const char *name, rv_node *x, size_t groups);

#endif
