/* crepe_network.h - CREPE with its weights, for frames in batches of one size. */
#ifndef INFER_CREPE_NETWORK_H
#define INFER_CREPE_NETWORK_H

#include "base/pool.h"
#include "io/checkpoint.h"
#include "models/crepe.h"

typedef struct rv_crepe_network rv_crepe_network;

/* The width of the network whose weights a file holds, by their shapes. */
RV_NODISCARD rv_status rv_crepe_find_width(rv_crepe_config *c, const rv_checkpoint *checkpoint,
                                           const char *path, rv_error *err);

/* The capacity is told by the shapes in the file. `pool` is borrowed, may be NULL. */
RV_NODISCARD rv_status rv_crepe_network_open(rv_crepe_network **out, const char *path, size_t batch,
                                             rv_pool *pool, rv_error *err);
void rv_crepe_network_free(rv_crepe_network *n);

const rv_crepe_config *rv_crepe_network_config(const rv_crepe_network *n);

/* Where normalised frames [batch, RV_CREPE_WINDOW] are to be put before each run. */
float *rv_crepe_network_frames(rv_crepe_network *n);

/* Activations [batch, RV_CREPE_BINS], until the next run. */
const float *rv_crepe_network_run(rv_crepe_network *n);

#endif
