/* hybrid_layers.h - see hybrid_layers.c */
#ifndef MODELS_HYBRID_LAYERS_H
#define MODELS_HYBRID_LAYERS_H

#include "models/demucs_blocks.h"

/* A layer of the encoder or the decoder, of either branch. */
typedef struct hybrid_layer {
    size_t out;            /* channels of its result */
    size_t kernel, stride; /* of the strided (transposed) convolution */
    size_t pad;            /* on either side of it */
    size_t context;        /* the rewriting convolution is of 2 context + 1 steps */
    size_t norm_groups;    /* 0: no norm */
    bool frequency;        /* works along frequency: x [1,T,F,C]; else along time: x [1,T,C] */
    bool empty;            /* the strided convolution alone */
    bool last;             /* of the decoder: no activation at the end */
    bool rewrite;
    bool dconv;
    dconv_config branch;
} hybrid_layer;

/* inject: added to the first convolution's result, or NULL */
rv_node *hybrid_encode(nn_builder *b, const hybrid_layer *l, rv_node *x, rv_node *inject);

/* x NULL stands for zeros, skip NULL for none. length: time steps of the result, for layers
 * along time. *before: what the transposed convolution is given. */
rv_node *hybrid_decode(nn_builder *b, const hybrid_layer *l, rv_node *x, rv_node *skip,
                       size_t length, rv_node **before);

#endif
