/* autoencoder_f0.h - see autoencoder_f0.c */
#ifndef INFER_AUTOENCODER_F0_H
#define INFER_AUTOENCODER_F0_H

#include "infer/autoencoder_network.h"

/* Sound in order, at the model's rate. */
typedef struct rv_f0_source {
    /* the next n samples, zeros after the end */
    rv_status (*read)(void *ctx, float *samples, size_t n, rv_error *err);
    void *ctx;
} rv_f0_source;

/* f0 [frames] Hz by the model's own encoder, of a model that has one. */
RV_NODISCARD rv_status rv_autoencoder_find_f0(const rv_autoencoder_network *n,
                                              const rv_f0_source *source, size_t frames, float *f0,
                                              rv_pool *pool, rv_error *err);

#endif
