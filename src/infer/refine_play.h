/* refine_play.h - see refine_play.c */
#ifndef INFER_REFINE_PLAY_H
#define INFER_REFINE_PLAY_H

#include "infer/refiner_network.h"

/* What is refined, asked for in order. */
typedef struct rv_refine_source {
    /* the next n samples of the stem; *got < n at its end alone */
    rv_status (*stem)(void *ctx, float *samples, size_t n, size_t *got, rv_error *err);
    /* frames of the model's rate, also beyond the end: f0 [n] Hz, above 0; loudness [n] dB */
    rv_status (*frames)(void *ctx, size_t first, size_t n, float *f0, float *loudness,
                        rv_error *err);
    /* refined [n], and the stem [n] that it was */
    rv_status (*take)(void *ctx, const float *refined, const float *stem, size_t n, rv_error *err);
    int (*watch)(void *ctx, double seconds); /* done so far; may be NULL; not 0: stop */
    void *ctx;
} rv_refine_source;

typedef struct rv_refine_play_options {
    double window; /* seconds, above 0 */
    uint64_t seed; /* of the noise */
    rv_pool *pool; /* borrowed, may be NULL */
} rv_refine_play_options;

/* As many samples are taken as the stem has. The network is planned for it. */
RV_NODISCARD rv_status rv_refine_play(rv_refiner_network *n, const rv_refine_source *source,
                                      const rv_refine_play_options *options, rv_error *err);

#endif
