/* inflate_none.c - a build without zlib reads no weights that Demucs v2 compressed. */
#include "io/inflate.h"

rv_status rv_inflate(unsigned char **out, size_t *n, const void *data, size_t size,
                     const char *path, rv_error *err)
{
    (void)out, (void)n, (void)data, (void)size;
    return RV_FAIL(err, RV_ERR_UNSUPPORTED, "%s: compressed weights, and this build has no zlib",
                   path);
}
