/* mapping.h - the bytes of a file, mapped into memory and read-only.
 *
 * Weights are read where they lie: opening a checkpoint of any size costs a few pages, and
 * several processes share one copy of it. */
#ifndef IO_MAPPING_H
#define IO_MAPPING_H

#include "base/status.h"

typedef struct rv_mapping {
    const unsigned char *data; /* aligned to a page; NULL if size is 0 */
    size_t size;
    void *base; /* what to unmap; NULL if the bytes are somebody else's */
} rv_mapping;

/* Map a regular file. The mapping stays valid when the file is renamed or removed; a file that
 * another program makes shorter meanwhile must not be read. */
RV_NODISCARD rv_status rv_mapping_open(rv_mapping *out, const char *path, rv_error *err);

/* The bytes need not lie in memory until they are read again, from the file. */
void rv_mapping_unload(const rv_mapping *m);

/* Unmap, and leave an empty mapping. */
void rv_mapping_close(rv_mapping *m);

#endif
