/* resnet.h - see resnet.c */
#ifndef MODELS_RESNET_H
#define MODELS_RESNET_H

#include "nn/nn.h"

enum { RV_RESNET_STACKS = 4 };

typedef struct rv_resnet_config {
    size_t first;                    /* channels of the first convolution */
    size_t channels;                 /* of the first stack's bottleneck; the next have 2, 4, 8 times
                                        as many. Outputs of a stack: 4 times those */
    size_t blocks[RV_RESNET_STACKS]; /* residual blocks of each stack, one at least */
} rv_resnet_config;

/* magenta/ddsp's "small", "medium" or "large"; channels 0 for other names. */
rv_resnet_config rv_resnet_sized(const char *size);

/* x [B,T,F,1] -> [B,T,F/32,32 channels], halves rounded up each time */
rv_node *rv_resnet(nn_builder *b, const rv_resnet_config *c, rv_node *x);

#endif
