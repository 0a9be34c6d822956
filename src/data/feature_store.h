/* feature_store.h - a file of the feature cache: frames of equal width in checked blocks.
 *
 *     "RVFEAT1\n", then as u64: bytes of the key (K), width, frames, frames of a block, hash of
 *                  all that and of the key and the table
 *     key          K bytes: what the frames were made of
 *     frames       float32 [frames, width]
 *     table        u64 [blocks]: hash of each block of frames
 *
 * A block is about 64 kB, so that a range of frames is checked without reading all. */
#ifndef DATA_FEATURE_STORE_H
#define DATA_FEATURE_STORE_H

#include "io/audio_sink.h"

enum { RV_FEATURE_KEY_MAX = 256 };

typedef struct rv_feature_key {
    unsigned char bytes[RV_FEATURE_KEY_MAX];
    size_t size;
} rv_feature_key;

/* Reading */

typedef struct rv_store {
    int fd; /* -1: closed */
    size_t key_size, width, frames, per_block;
    uint64_t *table;
    float *block;    /* [per_block, width]: the last one read and found whole */
    size_t in_block; /* its number, SIZE_MAX: none */
} rv_store;

/* RV_ERR_IO: there is no such file, or it cannot be read; RV_ERR_FORMAT: it is damaged, or of
 * another key. */
RV_NODISCARD rv_status rv_store_open(rv_store *s, const char *path, const rv_feature_key *key,
                                     rv_error *err);
void rv_store_close(rv_store *s);

/* out [count, width]; RV_ERR_FORMAT: a block is damaged. */
RV_NODISCARD rv_status rv_store_read(rv_store *s, const char *path, size_t first, size_t count,
                                     float *out, rv_error *err);

/* Writing: the file gets its name when it is whole. */

typedef struct rv_store_writer {
    audio_sink sink;
    const rv_feature_key *key;
    size_t width, frames, per_block, in_block, room_table;
    uint64_t *table;
    float *block;
} rv_store_writer;

RV_NODISCARD rv_status rv_store_create(rv_store_writer *w, const char *path,
                                       const rv_feature_key *key, size_t width, rv_error *err);
RV_NODISCARD rv_status rv_store_add(rv_store_writer *w, const float *frames, size_t n,
                                    rv_error *err);
RV_NODISCARD rv_status rv_store_commit(rv_store_writer *w, rv_error *err);
void rv_store_discard(rv_store_writer *w); /* also after a commit */

#endif
