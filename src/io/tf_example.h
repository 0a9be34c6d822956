/* tf_example.h - TensorFlow's tf.train.Example, what a TFRecord of training data holds: a map from
 * keys to lists of byte strings, floats or integers.
 *
 *     Example   features = 1 (Features)
 *     Features  feature = 1 (map: key = 1 (text), value = 2 (Feature))
 *     Feature   bytes_list = 1, float_list = 2, int64_list = 3; each: value = 1, repeated
 *
 * (tensorflow/core/example/{example,feature}.proto). Written and read by hand: protobuf would add
 * a library and a generator for three message kinds. */
#ifndef IO_TF_EXAMPLE_H
#define IO_TF_EXAMPLE_H

#include "base/status.h"

#include <stdbool.h>

/* Writing: add features, then finish; the bytes are those of one record. All start at zero. */
typedef struct rv_tf_example {
    unsigned char *bytes;
    size_t n, room;
    bool failed; /* out of memory; nothing is added after it */
} rv_tf_example;

void rv_tf_add_bytes(rv_tf_example *e, const char *key, const void *bytes, size_t n);
void rv_tf_add_text(rv_tf_example *e, const char *key, const char *text);
void rv_tf_add_floats(rv_tf_example *e, const char *key, const float *values, size_t n);
void rv_tf_add_integer(rv_tf_example *e, const char *key, int64_t value);

/* RV_ERR_NOMEM if anything did not fit. */
RV_NODISCARD rv_status rv_tf_finish(rv_tf_example *e, rv_error *err);
void rv_tf_clear(rv_tf_example *e); /* empty, for another example; keeps the memory */
void rv_tf_free(rv_tf_example *e);

/* Reading. `list` points into the record. */
typedef struct rv_tf_list {
    const unsigned char *bytes;
    size_t n;
} rv_tf_list;

typedef enum { RV_TF_BYTES = 1, RV_TF_FLOATS = 2, RV_TF_INTEGERS = 3 } rv_tf_kind;

/* The list under `key`. False: there is none of that kind, or the record is no Example. */
bool rv_tf_find(rv_tf_list *out, const unsigned char *record, size_t n, const char *key,
                rv_tf_kind kind);

/* The first byte string, or integer, of a list. False: the list is empty or broken. */
bool rv_tf_bytes(const rv_tf_list *list, const unsigned char **bytes, size_t *n);
bool rv_tf_integer(const rv_tf_list *list, int64_t *value);

/* The first `room` floats; *n counts all there are. out may be NULL with room 0. */
bool rv_tf_floats(const rv_tf_list *list, float *out, size_t room, size_t *n);

#endif
