/* feature_mixes.h - batches of mixes with pitch and loudness of each of their sources.
 *
 * As train/phrases.h, for S stems: batch `step` is a function of (configuration, data set, seed,
 * step), features of each stem come from the cache, and threads read ahead. The mix is the file
 * `mixture` where there is one and nothing is changed, otherwise the sum of the stems. A stem that
 * is silent in a song has the loudness of silence and no pitch.
 *
 * Stems can be taken from different songs, which is unlike music but gives many more mixes; and
 * with gains, which are added to their loudness, not below that of silence. Features are measured
 * once, whatever is changed. */
#ifndef TRAIN_FEATURE_MIXES_H
#define TRAIN_FEATURE_MIXES_H

#include "train/phrases.h"

typedef struct rv_feature_mixes_config {
    rv_phrases_config phrases; /* without MFCC; frames of whole samples. Examples are left out where
                                  no stem is louder than `silence` */
    double remix;              /* probability that stems come from different places */
    double gain;               /* dB, at most, of each stem */
} rv_feature_mixes_config;

typedef struct rv_feature_mixes rv_feature_mixes;

/* `songs` and `cache` must outlive the result. threads, watch, errors: as rv_phrases_new(). */
RV_NODISCARD rv_status rv_feature_mixes_new(rv_feature_mixes **out,
                                            const rv_feature_mixes_config *config,
                                            const rv_track_list *songs, rv_feature_cache *cache,
                                            int threads, const rv_feature_watch *watch,
                                            rv_error *err);
void rv_feature_mixes_free(rv_feature_mixes *m);

rv_phrase_shape rv_feature_mixes_shape(const rv_feature_mixes *m);

/* Memory of the caller: mix [B,T]; f0 (Hz, above 0), loudness (dB) and voiced (1 or 0) [B,F,S]. */
typedef struct rv_feature_mix {
    float *mix, *f0, *loudness, *voiced;
} rv_feature_mix;

size_t rv_feature_mixes_count(const rv_feature_mixes *m); /* examples, those left over too */
size_t rv_feature_mixes_silent_songs(const rv_feature_mixes *m);
size_t rv_feature_mixes_steps_per_epoch(const rv_feature_mixes *m); /* above 0 */

/* Waits for batch `step`. Fast if it follows the last one asked for. One caller at a time. */
RV_NODISCARD rv_status rv_feature_mixes_fill(rv_feature_mixes *m, uint64_t step,
                                             const rv_feature_mix *out, rv_error *err);

/* Example i < count in order, as it is in its song; out has B = 1. */
RV_NODISCARD rv_status rv_feature_mixes_example(rv_feature_mixes *m, size_t i,
                                                const rv_feature_mix *out, rv_error *err);

#endif
