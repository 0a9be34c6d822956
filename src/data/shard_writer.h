/* shard_writer.h - examples, numbered through into files of so many each:
 * FOLDER/SPLIT-00000.tfrecord, SPLIT-00001.tfrecord, ... Each appears when it is full. */
#ifndef DATA_SHARD_WRITER_H
#define DATA_SHARD_WRITER_H

#include "io/tfrecord.h"

typedef struct rv_shard_writer {
    const char *out, *split;
    uint64_t per_shard, shards, examples; /* files begun; examples in all */
    rv_tfrecord_writer *file;             /* NULL: none is open */
} rv_shard_writer;

/* One record more. */
RV_NODISCARD rv_status rv_shard_add(rv_shard_writer *w, const void *bytes, size_t n, rv_error *err);

/* Commits the last file, though it is not full. */
RV_NODISCARD rv_status rv_shard_finish(rv_shard_writer *w, rv_error *err);

/* Drops a file that is not committed. */
void rv_shard_drop(rv_shard_writer *w);

/* Shards of an earlier run in FOLDER/SPLIT: an error that names the first, or they are removed. */
RV_NODISCARD rv_status rv_shard_clear(const char *out, const char *split, int overwrite,
                                      rv_error *err);

#endif
