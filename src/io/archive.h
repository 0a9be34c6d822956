/* archive.h - the directory of a zip archive in memory (APPNOTE.TXT 6.3, with zip64).
 *
 * PyTorch stores its tensors uncompressed and aligned, so that they can be used where they lie;
 * libzip does not tell where that is, therefore the directory is read here. Only compressed
 * entries go through libzip. */
#ifndef IO_ARCHIVE_H
#define IO_ARCHIVE_H

#include "base/arena.h"
#include "base/status.h"

#include <stdbool.h>

typedef struct rv_archive_entry {
    const char *name; /* in the directory, without a zero */
    size_t name_size;
    size_t size;                 /* bytes of the content */
    size_t packed_size;          /* bytes in the archive */
    const unsigned char *stored; /* the content in place, or NULL if compressed */
    size_t order;                /* in the directory */
} rv_archive_entry;

typedef struct rv_archive {
    const char *path;
    const unsigned char *data;
    size_t size;
    rv_archive_entry *entries; /* sorted by name, unique */
    size_t n;
} rv_archive;

/* Does the content look like a zip? */
bool rv_archive_is(const unsigned char *data, size_t size);

/* Read the directory; entries are taken from the arena, `path` and `data` stay the caller's. */
RV_NODISCARD rv_status rv_archive_open(rv_archive *out, rv_arena *arena, const char *path,
                                       const unsigned char *data, size_t size, rv_error *err);

/* The entry called name[0 .. n), or NULL. */
const rv_archive_entry *rv_archive_find(const rv_archive *a, const char *name, size_t n);

/* Inflate e->size bytes; an entry that yields more or fewer is an error. */
RV_NODISCARD rv_status rv_archive_inflate(const rv_archive *a, const rv_archive_entry *e,
                                          unsigned char *dst, rv_error *err);

#endif
