/* repitch.h - change pitch and tempo of a clip with Rubber Band (optional, found at configure
 * time).
 *
 * Offline mode in one thread: the same clip gives the same bits. */
#ifndef TRAIN_REPITCH_H
#define TRAIN_REPITCH_H

#include "ravel/base.h"

#include <stdbool.h>

/* False in a build without Rubber Band, where the other fails with RV_ERR_UNSUPPORTED. */
bool rv_repitch_present(void);

typedef struct rv_repitch {
    int sample_rate, channels;
    int semitones;
    double tempo; /* percent faster: a clip becomes 1 / (1 + tempo / 100) times as long */
} rv_repitch;

/* The first n_out frames of the result replace those of x[channel][n]; n_out <= n, zeros where the
 * result is shorter. */
RV_NODISCARD rv_status rv_repitch_clip(const rv_repitch *r, float *const *x, size_t n, size_t n_out,
                                       rv_error *err);

#endif
