/* transformer.h - see transformer.c */
#ifndef MODELS_TRANSFORMER_H
#define MODELS_TRANSFORMER_H

#include "nn/nn.h"

typedef enum transformer_positions {
    TRANSFORMER_SINE,
    TRANSFORMER_CAPE,   /* sine, centred on the middle */
    TRANSFORMER_LEARNED /* a table */
} transformer_positions;

typedef struct transformer_config {
    size_t layers, heads;
    double hidden_scale; /* width of the feed-forward part / width */
    bool cross_first;    /* even layers are across the branches, odd ones within; else reverse */
    bool norm_in;
    size_t norm_in_group, group_norm, norm_out; /* groups; 0: layer norm, none for norm_out */
    bool norm_first, layer_scale, gelu;
    transformer_positions positions; /* of the time branch */
    size_t max_positions;            /* rows of the table */
    bool centre_positions;           /* of TRANSFORMER_CAPE */
    double max_period, position_weight;
} transformer_config;

/* *x [1,T,F,C] and *xt [1,T',C], each replaced by a result of its shape. */
void cross_transformer(nn_builder *b, const transformer_config *c, rv_node **x, rv_node **xt);

#endif
