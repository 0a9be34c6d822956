/* song_audio.h - the stems of a song and their estimates, in memory and checked against each other.
 */
#ifndef EVAL_SONG_AUDIO_H
#define EVAL_SONG_AUDIO_H

#include "data/entries.h"
#include "data/track_cache.h"
#include "eval/mixtures.h"
#include "eval/ratios.h"

typedef struct rv_song_audio {
    size_t n_stems, channels, frames;
    int sample_rate;
    float **references, **estimates; /* [n_stems * channels][frames] */
    float **mixture;                 /* [channels][frames], or NULL */
    float *samples;                  /* what they point into */
} rv_song_audio;

/* *folder (free() it): where the estimates of a song lie, ROOT/SONG or ROOT/SPLIT/SONG; NULL: there
 * are none. */
RV_NODISCARD rv_status rv_estimates_folder(char **folder, const char *root, const rv_track *t,
                                           rv_error *err);

/* The stems, and the mixture where `mixtures` is not NULL. */
RV_NODISCARD rv_status rv_song_audio_read(rv_song_audio *out, const rv_track_cache *c, size_t track,
                                          const rv_mixtures *mixtures, rv_error *err);

/* Read all estimates from a folder. One that is missing, or differs in length, rate or channels, is
 * an error, unless the song has no such stem: then it is not looked for, and is 0. */
RV_NODISCARD rv_status rv_song_audio_estimates(const rv_song_audio *a, const rv_track_cache *c,
                                               size_t track, const char *folder, rv_error *err);

/* All estimates become 0. */
void rv_song_audio_clear(const rv_song_audio *a);
void rv_song_audio_free(rv_song_audio *a);

rv_stem_pair rv_song_audio_pair(const rv_song_audio *a, size_t stem);

#endif
