/* inflate.h - a zlib stream (RFC 1950), of which only the packed size is known. */
#ifndef IO_INFLATE_H
#define IO_INFLATE_H

#include "base/status.h"

/* Inflate data[0 .. size) to *out, to be freed. What grows above RV_INFLATE_RATIO times its size is
 * refused. `path` stands in messages. */
enum { RV_INFLATE_RATIO = 64 };

RV_NODISCARD rv_status rv_inflate(unsigned char **out, size_t *n, const void *data, size_t size,
                                  const char *path, rv_error *err);

#endif
