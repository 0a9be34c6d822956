/* tasnet_blocks.h - see tasnet_blocks.c. K frames, N filters, S sources. */
#ifndef MODELS_TASNET_BLOCKS_H
#define MODELS_TASNET_BLOCKS_H

#include "nn/nn.h"

typedef enum tasnet_norm_kind {
    TASNET_GLOBAL,  /* gLN: over time and channels */
    TASNET_CHANNEL, /* cLN: over the channels of each frame */
    TASNET_BATCH,   /* by the statistics that training collected */
    TASNET_NONE,
    TASNET_CUMULATIVE, /* cgLN: over the channels of all frames up to this one */
} tasnet_norm_kind;

/* x [1,K,C] -> [1,K,C]. `gain`: the shape that the checkpoint gives gamma and beta, which have a
 * value for each channel. */
rv_node *tasnet_norm(nn_builder *b, size_t index, tasnet_norm_kind kind, rv_node *x, rv_shape gain);

/* With one slope for all channels, name.weight. */
rv_node *tasnet_prelu(nn_builder *b, const char *name, rv_node *x);

/* A convolution of `kernel` taps that keeps the number of frames. Causal: it sees none to come. */
rv_conv_axis tasnet_taps(size_t kernel, size_t dilation, bool causal);

/* x [1,K,S,N] -> masks of the same shape, which sum to 1 over the sources */
rv_node *tasnet_softmax(rv_node *x);

/* w [1,K,N], mask [1,K,S,N] -> [1,K,S,N] */
rv_node *tasnet_masked(rv_node *w, rv_node *mask);

/* y [1,K,R,L], the frames of R signals -> [1,samples,R] */
rv_node *tasnet_overlap_add(rv_node *y, size_t hop, size_t samples);

#endif
