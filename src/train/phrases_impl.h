/* phrases_impl.h - what phrases.c and phrase_statistics.c share. */
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

/* The first frame of the example at a place. */
size_t rv_phrase_frame(const rv_phrases *p, const rv_place *place);

#endif
