/* track_cache.h - what the headers of all songs say, read and checked once.
 *
 * All files of a song must have the same length, rate and channels, as far as the layout of the
 * data set does not allow otherwise (rv_layout.slack, .mixed_channels): then the song is as long as
 * the longest, silence follows the others, and mono files sound on all channels. Silence is found
 * by reading a file up to its first sample that is not 0, which is soon for all others. */
#ifndef DATA_TRACK_CACHE_H
#define DATA_TRACK_CACHE_H

#include "data/track_list.h"

typedef struct rv_track_info {
    int64_t frames; /* above 0 */
    int sample_rate, channels;
    uint32_t silent; /* bit s: stem s is silent, or has no source */
    bool all_silent;
    bool slow_seek;        /* some file is decoded from its start to be read further on */
    float mean, deviation; /* of the mixture, where rv_track_cache.normalised */
} rv_track_info;

typedef struct rv_track_cache {
    const rv_track_list *list; /* must outlive the cache */
    rv_track_info *tracks;     /* [list->n] */
    size_t n_silent;           /* songs of which all stems are silent */
    size_t n_silent_stems;     /* silent stems of the other songs */
    bool normalised;           /* see data/track_level.h */
} rv_track_cache;

/* A file that cannot be read is an error that names it. */
RV_NODISCARD rv_status rv_track_cache_new(rv_track_cache **out, const rv_track_list *list,
                                          rv_error *err);

/* For what learns from the songs: RV_ERR_FORMAT where all of them are silent. */
RV_NODISCARD rv_status rv_track_cache_check_sound(const rv_track_cache *c, rv_error *err);
void rv_track_cache_free(rv_track_cache *c);

#endif
