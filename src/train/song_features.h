/* song_features.h - features of one stem (stem 0) or the mixture of every song, frame by frame,
 * from the feature cache.
 *
 * What the cache lacks is measured first, songs side by side; it keeps each feature as soon as it
 * is whole, so work that was stopped goes on where it was, and a second run measures nothing. */
#ifndef TRAIN_SONG_FEATURES_H
#define TRAIN_SONG_FEATURES_H

#include "data/feature_cache.h"
#include "data/track_cache.h"

#include <stdbool.h>

enum { RV_SONG_MFCC = 30 };

typedef struct rv_song_features_options {
    size_t stem;       /* of the songs */
    int sample_rate;   /* that audio is brought to first */
    double frame_rate; /* frame t lies at t / frame_rate seconds */
    rv_frame_align align;
    rv_f0_method f0_method;
    double f0_min, f0_max; /* Hz */
    rv_loudness_kind loudness;
    bool mfcc;
    bool of_mixture; /* rather than of stem 0 */
    int threads;     /* that measure; 0: one for each core */
} rv_song_features_options;

typedef struct rv_song_features rv_song_features;

/* `tracks` and `cache` must outlive the result; songs in which the stem is silent are left alone.
 * watch may be NULL; its fraction is of all songs, and it is called by one thread at a time. */
RV_NODISCARD rv_status rv_song_features_new(rv_song_features **out,
                                            const rv_song_features_options *opt,
                                            const rv_track_cache *tracks, rv_feature_cache *cache,
                                            const rv_feature_watch *watch, rv_error *err);
void rv_song_features_free(rv_song_features *s);

/* Frames of a song; 0 where it is silent. */
size_t rv_song_features_count(const rv_song_features *s, size_t song);

/* Loudness of silence, dB. */
float rv_song_features_quiet(const rv_song_features *s);

typedef struct rv_frame_values {
    float *f0;         /* [n] Hz: the best guess, above 0 in each frame */
    float *confidence; /* [n] 0 to 1 */
    float *loudness;   /* [n] dB */
    float *mfcc;       /* [n, RV_SONG_MFCC], or NULL */
    bool *voiced;      /* [n], or NULL */
} rv_frame_values;

/* Frames first .. first + n of a song. After its end the pitch stays, with confidence 0, and the
 * rest is that of silence, as in all of a silent stem. Any number of threads at a time. */
RV_NODISCARD rv_status rv_song_features_read(rv_song_features *s, size_t song, size_t first,
                                             size_t n, const rv_frame_values *out, rv_error *err);

/* The highest root mean square of the frames first .. first + n, 0 after the end. */
RV_NODISCARD rv_status rv_song_features_level(rv_song_features *s, size_t song, size_t first,
                                              size_t n, float *level, rv_error *err);

#endif
