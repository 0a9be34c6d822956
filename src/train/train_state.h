/* train_state.h - a run that can go on where it was: written so that one complete state exists at
 * every moment, read so that a damaged one is never taken.
 *
 * A state is named arrays of floats (parameters, moments, averages) and one JSON object (step,
 * epoch, schedule, seed, position in the data), in a safetensors file with a checksum of both:
 *
 *     PATH            the last state
 *     PATH.new        the one being put in its place, complete
 *     PATH.previous   the one before
 *
 * Saving writes PATH.new and brings it to the disk, then moves PATH to PATH.previous and PATH.new
 * to PATH. Killed anywhere, at least one of the three is complete; reading takes the first that is.
 */
#ifndef TRAIN_TRAIN_STATE_H
#define TRAIN_TRAIN_STATE_H

#include "base/status.h"

#include <jansson.h>
#include <stdbool.h>

typedef struct rv_state_array {
    const char *name;
    const float *data; /* kept to the bit, NaN and -0 included */
    size_t count;
} rv_state_array;

/* `scalars` is an object. RV_ERR_IO, and the states that were there stay, when the disk is full or
 * the folder read-only. Remains of saves that were killed are removed. */
RV_NODISCARD rv_status rv_train_state_save(const char *path, const rv_state_array *arrays, size_t n,
                                           const json_t *scalars, rv_error *err);

typedef struct rv_train_state rv_train_state;

/* Is there a state of any kind: a run to go on with? */
bool rv_train_state_exists(const char *path);

/* Open the newest complete state. None: the message says what is wrong with each. */
RV_NODISCARD rv_status rv_train_state_open(rv_train_state **out, const char *path, rv_error *err);
void rv_train_state_free(rv_train_state *s);

/* Why newer states were passed over, one line; "" if the last was taken. */
const char *rv_train_state_warning(const rv_train_state *s);

/* Owned by the state. */
const json_t *rv_train_state_scalars(const rv_train_state *s);

/* Copy an array. One that is missing or has another count: RV_ERR_SHAPE. */
RV_NODISCARD rv_status rv_train_state_read(const rv_train_state *s, const char *name, float *data,
                                           size_t count, rv_error *err);

#endif
