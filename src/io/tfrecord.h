/* tfrecord.h - TensorFlow's files of records: each a length and some bytes, both with a checksum.
 *
 *     record  length:u64, mask(crc32c(length)):u32, bytes, mask(crc32c(bytes)):u32   little-endian
 *     mask(c) = (c >> 15 | c << 17) + 0xa282ead8
 *
 * (tensorflow/core/lib/io/record_writer.h). What is wrong in a file is reported with the number of
 * the record and its offset in bytes. */
#ifndef IO_TFRECORD_H
#define IO_TFRECORD_H

#include "base/status.h"

enum { RV_TFRECORD_HEAD = 12, RV_TFRECORD_TAIL = 4 }; /* bytes around those of the record */

/* The two ends of a record, for those who write by themselves. */
void rv_tfrecord_head(unsigned char head[RV_TFRECORD_HEAD], uint64_t length);
void rv_tfrecord_tail(unsigned char tail[RV_TFRECORD_TAIL], const void *bytes, size_t n);

/* A file that gets its name when it is committed. */
typedef struct rv_tfrecord_writer rv_tfrecord_writer;

RV_NODISCARD rv_status rv_tfrecord_writer_open(rv_tfrecord_writer **out, const char *path,
                                               rv_error *err);
RV_NODISCARD rv_status rv_tfrecord_write(rv_tfrecord_writer *w, const void *bytes, size_t n,
                                         rv_error *err);
RV_NODISCARD rv_status rv_tfrecord_commit(rv_tfrecord_writer *w, rv_error *err);
void rv_tfrecord_writer_free(rv_tfrecord_writer *w); /* removes what is not committed */

/* A file to read, any record at a time. Opening walks from length to length, so a file cut short
 * is found then; the bytes' checksums are looked at when a record is asked for. */
typedef struct rv_tfrecords rv_tfrecords;

RV_NODISCARD rv_status rv_tfrecords_open(rv_tfrecords **out, const char *path, rv_error *err);
void rv_tfrecords_free(rv_tfrecords *r);
size_t rv_tfrecords_count(const rv_tfrecords *r);

/* Record `i`; its bytes live as long as `r`. Any number of threads at a time. */
RV_NODISCARD rv_status rv_tfrecords_get(const rv_tfrecords *r, size_t i,
                                        const unsigned char **bytes, size_t *n, rv_error *err);

/* "shard.tfrecord: record 3 at byte 1024", for messages about a record's content. */
typedef struct rv_tfrecord_place {
    char text[300];
} rv_tfrecord_place;
rv_tfrecord_place rv_tfrecords_place(const rv_tfrecords *r, size_t i);

#endif
