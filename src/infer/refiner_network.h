/* refiner_network.h - a network that refines stems (models/refiner.h) with its weights, planned for
 * windows of one length. */
#ifndef INFER_REFINER_NETWORK_H
#define INFER_REFINER_NETWORK_H

#include "base/pool.h"
#include "models/refiner.h"

typedef struct rv_refiner_network rv_refiner_network;

/* A checkpoint of `ravel train`. */
RV_NODISCARD rv_status rv_refiner_network_open(rv_refiner_network **out, const char *path,
                                               rv_error *err);
void rv_refiner_network_free(rv_refiner_network *n);

const rv_refiner_config *rv_refiner_network_config(const rv_refiner_network *n);
size_t rv_refiner_network_parameters(const rv_refiner_network *n);

/* Windows of so many frames, F; once, before the first run. */
RV_NODISCARD rv_status rv_refiner_network_plan(rv_refiner_network *n, size_t frames, rv_pool *pool,
                                               rv_error *err);

/* What a window is made from, to be filled before each run: stem and noise [F hop], f0 and loudness
 * [F], phase [1]. NULL: the model does not look at it. */
typedef struct rv_refiner_window {
    float *stem, *noise, *f0, *loudness, *phase;
} rv_refiner_window;
rv_refiner_window rv_refiner_network_window(rv_refiner_network *n);

/* -> [F hop], until the next run. */
const float *rv_refiner_network_run(rv_refiner_network *n);

#endif
