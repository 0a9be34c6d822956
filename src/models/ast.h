/* ast.h - see ast.c */
#ifndef MODELS_AST_H
#define MODELS_AST_H

#include "nn/nn.h"

typedef struct rv_ast_config {
    size_t width, layers, heads;
    size_t patch;                         /* frames and bands that a patch covers */
    size_t stride_frequency, stride_time; /* between patches */
    size_t grid_frequency, grid_time;     /* patches that the positions were learned for; 0: those
                                             of the input */
    size_t colours;                       /* of the patches' weights: 1, or 3 as images have */
} rv_ast_config;

/* DeiT's "tiny", "small" or "base", with AST's patches; width 0 for other names. */
rv_ast_config rv_ast_sized(const char *size);

/* Patches along an axis of n frames or bands. */
size_t rv_ast_patches(const rv_ast_config *c, size_t stride, size_t n);

/* F' x T' patches */
typedef struct rv_ast_tokens {
    rv_node *pooled;  /* [B,D]: mean of the class and the distillation token */
    rv_node *patches; /* [B,F',T',D] */
} rv_ast_tokens;

/* x [B,T,F], a spectrogram. The parameters are those of "v" in AST's checkpoints, heads aside. */
rv_ast_tokens rv_ast(nn_builder *b, const rv_ast_config *c, rv_node *x);

#endif
