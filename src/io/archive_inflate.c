/* archive_inflate.c - compressed entries, through libzip. */
#include "io/archive.h"
#include "io/text.h"

#include <zip.h>

static rv_status inflate_error(const rv_archive *a, const rv_archive_entry *e, const char *what,
                               rv_error *err)
{
    return RV_FAIL(err, RV_ERR_FORMAT, "%s: entry \"%s\" of the zip archive %s", a->path,
                   rv_show(e->name, e->name_size).text, what);
}

/* Read exactly e->size bytes: one more asked for must not come. */
static rv_status read_all(const rv_archive *a, const rv_archive_entry *e, zip_file_t *file,
                          unsigned char *dst, rv_error *err)
{
    size_t got = 0;
    while (got < e->size) {
        const zip_int64_t n = zip_fread(file, dst + got, e->size - got);
        if (n <= 0)
            return inflate_error(a, e, "is damaged or shorter than it claims", err);
        got += (size_t)n;
    }
    unsigned char more;
    if (zip_fread(file, &more, 1) != 0)
        return inflate_error(a, e, "is damaged or longer than it claims", err);
    return RV_OK;
}

static rv_status inflate_from(const rv_archive *a, zip_t *zip, const rv_archive_entry *e,
                              unsigned char *dst, rv_error *err)
{
    zip_file_t *file = zip_fopen_index(zip, e->order, ZIP_FL_UNCHANGED);
    if (!file)
        return RV_FAIL(err, RV_ERR_FORMAT, "%s: entry \"%s\" of the zip archive: %s", a->path,
                       rv_show(e->name, e->name_size).text, zip_strerror(zip));
    const rv_status status = read_all(a, e, file, dst, err);
    zip_fclose(file);
    return status;
}

rv_status rv_archive_inflate(const rv_archive *a, const rv_archive_entry *e, unsigned char *dst,
                             rv_error *err)
{
    zip_source_t *source = zip_source_buffer_create(a->data, a->size, 0, NULL);
    if (!source)
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", a->path);
    zip_t *zip = zip_open_from_source(source, ZIP_RDONLY, NULL);
    if (!zip) {
        zip_source_free(source);
        return RV_FAIL(err, RV_ERR_FORMAT, "%s: not a zip archive for libzip", a->path);
    }
    const rv_status status = inflate_from(a, zip, e, dst, err);
    zip_discard(zip);
    return status;
}
