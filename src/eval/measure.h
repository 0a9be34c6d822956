/* measure.h - all figures of the estimates of a song. */
#ifndef EVAL_MEASURE_H
#define EVAL_MEASURE_H

#include "base/pool.h"
#include "eval/evaluation.h"
#include "eval/song_audio.h"

typedef struct rv_measure {
    const rv_eval_options *options;
    const rv_song_audio *audio;
    char *const *stem_names;
    uint32_t present; /* bit s: the song has stem s, which may be silent */
    double *mixture;  /* [n_stems] SI-SDR of the mixture, NaN: not known yet; the caller's, so that
                         several methods share it */
    rv_pool *pool;
    int (*stop)(void *); /* asked now and then, in the caller's thread */
    void *stop_ctx;
} rv_measure;

/* Figures that need the mixture. */
bool rv_measure_wants_mixture(uint32_t metrics);

/* song: without figures. The bits do not depend on the pool. */
RV_NODISCARD rv_status rv_measure_song(rv_eval_song *song, const rv_measure *m, rv_error *err);

#endif
