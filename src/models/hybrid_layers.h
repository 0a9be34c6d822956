/* hybrid_layers.h - see hybrid_layers.c */
#ifndef MODELS_HYBRID_LAYERS_H
#define MODELS_HYBRID_LAYERS_H

#include "models/demucs_blocks.h"

/* A layer of the encoder or the decoder, of either branch. */
typedef struct hybrid_layer {
    size_t out;            /* channels of its result */
    size_t kernel, stride; /* of the strided (transposed) convolution */
    size_t pad;            /* on either side of it */
    size_t context;        /* the rewriting convolution is of 2 context + 1 steps ... */
    size_t context_bins;   /* ... and 2 context_bins + 1 frequencies */
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

/* The same with separate weights for each band of frequencies, see hybrid_bands.c. */
typedef struct hybrid_bands {
    size_t n;        /* bands, 0 or 1: not split */
    double ratio[4]; /* of the frequencies that lie below the end of band i, for all but the last */
} hybrid_bands;

rv_node *hybrid_encode_bands(nn_builder *b, const hybrid_layer *l, const hybrid_bands *bands,
                             rv_node *x);
rv_node *hybrid_decode_bands(nn_builder *b, const hybrid_layer *l, const hybrid_bands *bands,
                             rv_node *x, rv_node *skip);

#endif
