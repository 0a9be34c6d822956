/* phrases.h - batches of one stem's sound with its pitch and loudness, for models of the DDSP
 * family.
 *
 * Like train/examples.h: batch `step` is a function of (configuration, data set, seed, step), the
 * same bits for any number of threads, in any order; threads read ahead. Features come from the
 * cache: what it lacks is measured once, when a data set is opened.
 *     audio [B,T], f0 [B,F,1] Hz, confidence [B,F,1], loudness [B,F,1] dB, mfcc [B,F,30]
 *
 * Audio is the mean of the channels. An example begins at a frame: with h = sample_rate /
 * frame_rate frame k of the song lies at sample round(k h), so that value t of f0 lies at sample t
 * h of the example, to half a sample where h is not whole. Songs shorter than an example end in
 * silence. */
#ifndef TRAIN_PHRASES_H
#define TRAIN_PHRASES_H

#include "data/feature_cache.h"
#include "train/song_features.h"

#include <stdbool.h>

typedef struct rv_phrases_config {
    int sample_rate;   /* Hz; songs of other rates are resampled */
    size_t segment;    /* samples of an example, made whole frames: see rv_phrases_shape() */
    double frame_rate; /* frames a second; sample_rate / frame_rate need not be whole */
    size_t stride;     /* samples between the starts of a song's examples; 0: segment */
    size_t batch;      /* examples, B; those left over at the end of an epoch are dropped */
    uint64_t seed;
    bool shuffle; /* another permutation of all examples in each epoch */
    rv_frame_align align;
    rv_f0_method f0_method;
    double f0_min, f0_max; /* Hz */
    rv_loudness_kind loudness;
    bool mfcc;
    bool pairs; /* audio and features are those of the mixture, and `target` is the stem; examples
                   that would reach beyond the end of a longer song are left out */
    double silence; /* dB below full scale: examples of which no frame is louder are left out */
    size_t ahead;   /* batches in memory at a time; 0: threads + 1 */
    int threads;    /* that measure; 0: one for each core */
} rv_phrases_config;

/* 16 kHz, 4 examples of 4 s, stride 1 s, 250 frames a second, shuffled; pYIN from 65 to 2093 Hz,
 * the loudness of magenta/ddsp, no MFCC, silence below -60 dB. */
rv_phrases_config rv_phrases_defaults(void);

typedef struct rv_phrases rv_phrases;

/* `songs`, of one stem, and `cache` must outlive the result. threads: that read ahead; 0: batches
 * are made when they are asked for. watch: of measuring, see train/song_features.h; may be NULL.
 * Errors: a value out of range; a file that cannot be read; fewer examples than a batch has. */
RV_NODISCARD rv_status rv_phrases_new(rv_phrases **out, const rv_phrases_config *config,
                                      const rv_track_list *songs, rv_feature_cache *cache,
                                      int threads, const rv_feature_watch *watch, rv_error *err);
void rv_phrases_free(rv_phrases *p);

/* frames F = segment / h, rounded, one at least; samples T = F h, rounded. */
typedef struct rv_phrase_shape {
    size_t batch, samples, frames; /* B, T, F */
} rv_phrase_shape;
rv_phrase_shape rv_phrases_shape(const rv_phrases *p);

/* Memory of the caller; mfcc may be NULL, and is left alone where the configuration has none.
 * voiced may be NULL, and is left alone by rv_phrases_fill(); target is NULL without pairs. */
typedef struct rv_phrase_batch {
    float *audio, *f0, *confidence, *loudness, *mfcc;
    bool *voiced;  /* [B,F]: what found the pitch takes it for one */
    float *target; /* [B,T], with `pairs` alone */
} rv_phrase_batch;

size_t rv_phrases_count(const rv_phrases *p);    /* of an epoch, with those left over */
size_t rv_phrases_left_out(const rv_phrases *p); /* silent examples of songs that are not silent */
size_t rv_phrases_silent_songs(const rv_phrases *p);
size_t rv_phrases_steps_per_epoch(const rv_phrases *p); /* above 0 */

/* Waits for batch `step`. Fast if it follows the last one asked for. One caller at a time. */
RV_NODISCARD rv_status rv_phrases_fill(rv_phrases *p, uint64_t step, const rv_phrase_batch *out,
                                       rv_error *err);

/* In order, whatever `shuffle`: example i of a song, without those left out; out has B = 1. */
size_t rv_phrases_of_song(const rv_phrases *p, size_t song);
RV_NODISCARD rv_status rv_phrases_example(rv_phrases *p, size_t song, size_t i,
                                          const rv_phrase_batch *out, rv_error *err);

/* Of all examples of an epoch, up to the ends of their songs. */
typedef struct rv_phrase_statistics {
    double loudness_mean, loudness_deviation; /* dB */
    double f0_min, f0_max; /* Hz, of voiced frames; 0 where there are none, as the next */
    double f0_mean;        /* Hz of their mean on a scale of semitones */
    uint64_t frames, voiced;
} rv_phrase_statistics;
RV_NODISCARD rv_status rv_phrases_statistics(rv_phrases *p, rv_phrase_statistics *out,
                                             rv_error *err);

#endif
