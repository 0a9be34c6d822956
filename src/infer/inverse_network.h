/* inverse_network.h - a model of pitch detection by inverse synthesis with its weights, planned for
 * windows of sound. */
#ifndef INFER_INVERSE_NETWORK_H
#define INFER_INVERSE_NETWORK_H

#include "base/pool.h"
#include "models/ddsp_inverse.h"

typedef struct rv_inverse_network rv_inverse_network;

/* A checkpoint of class RV_INVERSE_CLASS. */
RV_NODISCARD rv_status rv_inverse_network_open(rv_inverse_network **out, const char *path,
                                               rv_error *err);
void rv_inverse_network_free(rv_inverse_network *n);

const rv_inverse_config *rv_inverse_network_config(const rv_inverse_network *n);

/* For windows of so many frames from now on. `pool` is borrowed, may be NULL. */
RV_NODISCARD rv_status rv_inverse_network_plan(rv_inverse_network *n, size_t frames, rv_pool *pool,
                                               rv_error *err);

/* Where [frames hop] samples are to be put before each run. */
float *rv_inverse_network_audio(rv_inverse_network *n);

/* What was heard: [frames], shares of harmonics [frames,K], noise [frames,bands]; until the next
 * run. */
typedef struct rv_inverse_heard {
    const float *f0, *amplitude, *distribution, *magnitudes;
} rv_inverse_heard;
rv_inverse_heard rv_inverse_network_run(rv_inverse_network *n);

#endif
