/* audio_sink.h - a file that gets its name when it is complete, and remembers its first error.
 *
 * Encoders write in passing (libsndfile even while closing) and do not report every failure, so
 * the sink keeps the first errno and fails everything after it. */
#ifndef IO_AUDIO_SINK_H
#define IO_AUDIO_SINK_H

#include "ravel/base.h"

#include <stdbool.h>

typedef struct audio_sink {
    char *path;      /* final name */
    char *temporary; /* name until committed, NULL after */
    int fd;
    int failure; /* errno of the first failure, 0 */
} audio_sink;

/* Makes parent folders and the temporary file. On failure nothing is left to discard. */
rv_status rv_sink_open(audio_sink *s, const char *path, rv_error *err);

/* False, with s->failure set, if not all was written; nothing is written after a failure. */
bool rv_sink_write(audio_sink *s, const void *bytes, size_t n);
bool rv_sink_seek(audio_sink *s, int64_t offset);

/* The first failure as an error. */
rv_status rv_sink_check(const audio_sink *s, rv_error *err);

/* Flushes to the disk and renames. */
rv_status rv_sink_commit(audio_sink *s, rv_error *err);

/* Closes, removes the temporary file if there still is one, and frees the names. */
void rv_sink_discard(audio_sink *s);

/* A whole file at once, or none. */
RV_NODISCARD rv_status rv_sink_store(const char *path, const void *bytes, size_t n, rv_error *err);

#endif
