/* phrases_impl.h - what phrases.c, phrase_statistics.c and feature_mixes.c share. */
#ifndef TRAIN_PHRASES_IMPL_H
#define TRAIN_PHRASES_IMPL_H

#include "train/example_order.h"
#include "train/phrases.h"
#include "train/prefetch.h"

struct rv_phrases {
    rv_phrases_config config;
    rv_phrase_shape shape;
    rv_track_cache *tracks;
    rv_song_features *features;
    rv_example_order *order;
    size_t *first; /* [songs + 1]: the number of each song's first example */
    rv_prefetch *prefetch;
};

/* Ranges of the configuration, and what its examples measure. */
RV_NODISCARD rv_status rv_phrases_check(const rv_phrases_config *c, rv_error *err);
RV_NODISCARD rv_status rv_phrases_find_shape(const rv_phrases_config *c, rv_phrase_shape *shape,
                                             rv_error *err);

/* How the features of a stem are measured. */
rv_song_features_options rv_phrases_features(const rv_phrases_config *c, size_t stem);

/* The first frame of the example at a place. */
size_t rv_phrase_frame(const rv_phrases_config *c, const rv_place *place);

#endif
