/* example_order.h - which part of which song is example i of epoch e.
 *
 * As in Demucs: a song of D frames gives ceil((D - length) / stride) + 1 examples that start
 * `stride` apart, one if it is shorter than an example; songs that are silent give none. Each epoch
 * is a permutation of all examples that depends on seed and epoch alone. */
#ifndef TRAIN_EXAMPLE_ORDER_H
#define TRAIN_EXAMPLE_ORDER_H

#include "data/track_cache.h"

typedef struct rv_example_order rv_example_order;

typedef struct rv_place {
    size_t track;
    int64_t start; /* frame, at the sample rate of the order */
} rv_place;

typedef struct rv_order_options {
    int sample_rate;
    size_t length, stride; /* frames at sample_rate, above 0 */
    bool shuffle;          /* false: songs from start to end, in order, in each epoch */
    uint64_t seed;
    /* NULL, or whether the example at a place is kept. */
    rv_status (*keeps)(void *ctx, const rv_place *place, bool *keep, rv_error *err);
    void *ctx;
} rv_order_options;

RV_NODISCARD rv_status rv_example_order_new(rv_example_order **out, const rv_track_cache *tracks,
                                            const rv_order_options *opt, rv_error *err);
void rv_example_order_free(rv_example_order *s);

/* Examples of an epoch, and those that were not kept. */
size_t rv_example_order_count(const rv_example_order *s);
size_t rv_example_order_left_out(const rv_example_order *s);

/* Examples in order of songs and time, i < count. */
const rv_place *rv_example_order_place(const rv_example_order *s, size_t i);

/* Places of the examples first .. first + n of the epoch, first + n <= count. Any number of
 * threads at a time. */
void rv_example_order_places(rv_example_order *s, uint64_t epoch, size_t first, size_t n,
                             rv_place *places);

#endif
