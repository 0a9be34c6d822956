/* archive_inflate_none.c - a build without libzip reads stored entries only, which is what
 * PyTorch writes. */
#include "io/archive.h"
#include "io/text.h"

rv_status rv_archive_inflate(const rv_archive *a, const rv_archive_entry *e, unsigned char *dst,
                             rv_error *err)
{
    (void)dst;
    return RV_FAIL(err, RV_ERR_UNSUPPORTED,
                   "%s: entry \"%s\" is compressed, and this build has no libzip", a->path,
                   rv_show(e->name, e->name_size).text);
}
