/* oracle_filter.h - estimates of sources from their mixture by filters that know the sources. */
#ifndef EVAL_ORACLE_FILTER_H
#define EVAL_ORACLE_FILTER_H

#include "ravel/base.h"

#include <stdbool.h>

typedef struct rv_oracle_input {
    const float *const *mixture; /* [channels][frames] */
    const float *const *sources; /* [n_sources * channels][frames] */
    size_t n_sources, channels, frames;
    int (*stop)(void *); /* asked now and then; may be NULL */
    void *stop_ctx;
} rv_oracle_input;

/* out [n_sources * channels][frames], zeros before. By mask, for each channel:
 *   ratio   |S_j|^alpha / (eps + sum_i |S_i|^alpha)
 *   binary  1 where |S_j|^alpha / (eps + |X|^alpha) > 1/2, 0 where it is below */
RV_NODISCARD rv_status rv_oracle_mask(float *const *out, const rv_oracle_input *in, bool binary,
                                      double alpha, rv_error *err);

/* By the multichannel Wiener filter of the local Gaussian model, see oracle_wiener.c. One or two
 * channels. */
RV_NODISCARD rv_status rv_oracle_wiener(float *const *out, const rv_oracle_input *in,
                                        rv_error *err);

#endif
