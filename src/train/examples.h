/* examples.h - batches of random parts of songs, ready when the training step needs them.
 *
 * Batch `step` is a function of (configuration, data set, seed, step): the same bits for any number
 * of threads, in any order, so a run resumes at any step. Epoch e is the steps from
 * e steps_per_epoch on. Activations are channels last:
 *     mix [B,T,C], stems [B,T,S*C] with stem s in channels s C .. s C + C of the last axis
 *
 * Memory: `ahead` batches, and in each thread the clips of one batch. */
#ifndef TRAIN_EXAMPLES_H
#define TRAIN_EXAMPLES_H

#include "data/track_cache.h"
#include "train/augment.h"

#include <stdbool.h>

typedef struct rv_examples_config {
    int sample_rate; /* Hz; songs of other rates are resampled */
    int channels;    /* see data/track_read.h for songs with other numbers */
    size_t segment;  /* frames of an example, T */
    size_t stride;   /* frames between the starts of a song's examples; 0: segment */
    size_t batch;    /* examples, B; those left over at the end of an epoch are dropped */
    uint64_t seed;
    bool shuffle;       /* another permutation of all examples in each epoch */
    size_t ahead;       /* batches in memory at a time; 0: threads + 1 */
    rv_augment augment; /* a shift needs songs longer than segment + shift; others end in zeros */
} rv_examples_config;

typedef struct rv_examples rv_examples;

/* 44.1 kHz stereo, 4 examples of 10 s, stride 1 s, shuffled, not augmented, seed 0. */
rv_examples_config rv_examples_defaults(void);

/* `tracks` must outlive the result. threads 0: batches are made when they are asked for. Errors: a
 * value out of range; a song with too few channels; fewer examples than a batch has. */
RV_NODISCARD rv_status rv_examples_new(rv_examples **out, const rv_examples_config *config,
                                       const rv_track_cache *tracks, int threads, rv_error *err);
void rv_examples_free(rv_examples *e);

size_t rv_examples_count(
    const rv_examples *e); /* of an epoch, before those left over are dropped */
size_t rv_examples_steps_per_epoch(const rv_examples *e); /* above 0 */

/* Waits for batch `step`. Fast if it follows the last one asked for. A file that cannot be read is
 * an error that names it. One caller at a time. The mix is the file `mixture` where there is one
 * and nothing is augmented, otherwise the sum of the stems. */
RV_NODISCARD rv_status rv_examples_fill(rv_examples *e, uint64_t step, float *mix, float *stems,
                                        rv_error *err);

#endif
