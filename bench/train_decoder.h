/* train_decoder.h - steps of training of the DDSP decoder on a batch as one graph. */
#ifndef BENCH_TRAIN_DECODER_H
#define BENCH_TRAIN_DECODER_H

#include "ddsp/decoder.h"
#include "train/optimiser.h"

typedef struct decoder_work decoder_work;

/* Random weights, features and targets of [batch,frames]. */
RV_NODISCARD rv_status decoder_work_new(decoder_work **out, size_t batch, size_t frames,
                                        rv_pool *pool, rv_error *err);
void decoder_work_free(decoder_work *w);

/* Forward, mean absolute error of the heads, backward, Adam; false if a gradient is no number. */
bool decoder_work_step(decoder_work *w, double *loss);

size_t decoder_work_count(const decoder_work *w); /* scalars in all parameters */
size_t decoder_work_bytes(const decoder_work *w); /* of values, parameters and gradients */

#endif
