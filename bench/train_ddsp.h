/* train_ddsp.h - what bench_train trains of the DDSP family, with invented features and sound. */
#ifndef BENCH_TRAIN_DDSP_H
#define BENCH_TRAIN_DDSP_H

#include "train/learner.h"

typedef struct ddsp_data {
    float *in[RV_LEARNER_INPUTS]; /* free() them */
} ddsp_data;

/* The decoder alone, 250 frames a second: the mean absolute error of its heads. */
RV_NODISCARD rv_status ddsp_decoder(rv_learner **out, ddsp_data *data, size_t batch, double seconds,
                                    bool recompute, rv_pool *pool, rv_error *err);

/* ddsp_pytorch's model and loss: features -> decoder -> synthesisers -> room -> multi-scale
 * spectra, at 16 kHz and 100 frames a second. */
RV_NODISCARD rv_status ddsp_autoencoder(rv_learner **out, ddsp_data *data, size_t batch,
                                        double seconds, bool recompute, rv_pool *pool,
                                        rv_error *err);

#endif
