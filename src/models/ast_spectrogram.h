/* ast_spectrogram.h - see ast_spectrogram.c */
#ifndef MODELS_AST_SPECTROGRAM_H
#define MODELS_AST_SPECTROGRAM_H

#include "core/ops.h"

typedef struct rv_ast_spectrogram_config {
    double sample_rate;
    size_t n_fft, hop, bands; /* n_fft: a power of two */
    double lowest;            /* Hz; the highest is half the sample rate */
    bool logarithm;           /* of the powers, else they are taken as they are */
} rv_ast_spectrogram_config;

/* x [B,N] -> [B,1 + N / hop,bands], frame f centred at f hop, the signal reflected at its ends */
rv_node *rv_ast_spectrogram(const rv_ast_spectrogram_config *c, rv_node *x);

/* The same for `frames`, the first centred `lead` samples before the start, with silence around. */
rv_node *rv_ast_spectrogram_padded(const rv_ast_spectrogram_config *c, rv_node *x, size_t lead,
                                   size_t frames);

#endif
