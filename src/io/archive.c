/* archive.c - find the end record, walk the central directory, check every entry. */
#include "io/archive.h"

#include "io/bytes.h"
#include "io/text.h"

#include <stdlib.h>
#include <string.h>

enum {
    LOCAL_SIGNATURE = 0x04034b50,
    CENTRAL_SIGNATURE = 0x02014b50,
    END_SIGNATURE = 0x06054b50,
    END64_SIGNATURE = 0x06064b50,
    LOCATOR64_SIGNATURE = 0x07064b50,
    LOCAL_SIZE = 30,
    CENTRAL_SIZE = 46,
    END_SIZE = 22,
    END64_SIZE = 56,
    LOCATOR64_SIZE = 20,
    COMMENT_LIMIT = 65535,
    EXTRA_ZIP64 = 1,
    METHOD_STORED = 0,
    METHOD_DEFLATED = 8,
    FLAG_ENCRYPTED = 1,
    DEFLATE_LIMIT = 1040, /* more bytes cannot come out of one */
};

typedef struct directory {
    uint64_t count, size, offset;
} directory;

bool rv_archive_is(const unsigned char *data, size_t size)
{
    return size >= 4 && (rv_le32(data) == LOCAL_SIGNATURE || rv_le32(data) == END_SIGNATURE);
}

static bool within(uint64_t offset, uint64_t n, uint64_t size)
{
    return offset <= size && n <= size - offset;
}

/* The end record is the last of the file but for a comment; or NULL. */
static const unsigned char *find_end(const rv_archive *a)
{
    for (size_t back = END_SIZE; back <= a->size && back <= END_SIZE + COMMENT_LIMIT; back++) {
        const unsigned char *p = a->data + a->size - back;
        if (rv_le32(p) == END_SIGNATURE)
            return p;
    }
    return NULL;
}

/* zip64: the locator stands before the end record and gives the place of the larger record. */
static const unsigned char *find_end64(const rv_archive *a, const unsigned char *end)
{
    if (end - a->data < LOCATOR64_SIZE || rv_le32(end - LOCATOR64_SIZE) != LOCATOR64_SIGNATURE)
        return NULL;
    const uint64_t offset = rv_le64(end - LOCATOR64_SIZE + 8);
    if (!within(offset, END64_SIZE, a->size) || rv_le32(a->data + offset) != END64_SIGNATURE)
        return NULL;
    return a->data + offset;
}

static rv_status find_directory(const rv_archive *a, directory *dir, rv_error *err)
{
    const unsigned char *end = find_end(a);
    if (!end)
        return RV_FAIL(err, RV_ERR_FORMAT, "%s: the zip archive has no end; is it truncated?",
                       a->path);
    const unsigned char *end64 = find_end64(a, end);
    if (end64)
        *dir = (directory){ rv_le64(end64 + 32), rv_le64(end64 + 40), rv_le64(end64 + 48) };
    else
        *dir = (directory){ rv_le16(end + 10), rv_le32(end + 12), rv_le32(end + 16) };
    if (!within(dir->offset, dir->size, a->size) || dir->count > dir->size / CENTRAL_SIZE)
        return RV_FAIL(err, RV_ERR_FORMAT,
                       "%s: the directory of the zip archive lies outside of the file", a->path);
    return RV_OK;
}

/* The zip64 field holds, in this order, those of size, packed size and offset that are all ones
 * in the record itself. */
static void widen(const unsigned char *extra, size_t n, uint64_t *size, uint64_t *packed,
                  uint64_t *offset)
{
    uint64_t *const values[] = { size, packed, offset };
    for (size_t at = 0, field; at + 4 <= n; at += 4 + field) {
        field = rv_le16(extra + at + 2);
        if (field > n - at - 4)
            return;
        if (rv_le16(extra + at) != EXTRA_ZIP64)
            continue;
        const unsigned char *p = extra + at + 4, *stop = p + field;
        for (int i = 0; i < 3; i++)
            if (*values[i] == UINT32_MAX && stop - p >= 8) {
                *values[i] = rv_le64(p);
                p += 8;
            }
        return;
    }
}

static rv_status entry_error(const rv_archive *a, const rv_archive_entry *e, const char *what,
                             rv_error *err)
{
    return RV_FAIL(err, RV_ERR_FORMAT, "%s: entry \"%s\" of the zip archive %s", a->path,
                   rv_show(e->name, e->name_size).text, what);
}

/* Follow the local header to the content. */
static rv_status locate(const rv_archive *a, rv_archive_entry *e, unsigned method, uint64_t offset,
                        rv_error *err)
{
    if (!within(offset, LOCAL_SIZE, a->size) || rv_le32(a->data + offset) != LOCAL_SIGNATURE)
        return entry_error(a, e, "has no local header", err);
    const unsigned char *local = a->data + offset;
    const uint64_t begin = offset + LOCAL_SIZE + rv_le16(local + 26) + rv_le16(local + 28);
    if (!within(begin, e->packed_size, a->size))
        return entry_error(a, e, "reaches beyond the end of the file", err);
    if (method == METHOD_STORED && e->size != e->packed_size)
        return entry_error(a, e, "is stored with two different sizes", err);
    if (method == METHOD_DEFLATED && e->size / DEFLATE_LIMIT > e->packed_size)
        return entry_error(a, e, "claims to inflate to more than it can", err);
    if (method == METHOD_STORED)
        e->stored = a->data + begin;
    return RV_OK;
}

/* Parse the record at *at and move on to the next. */
static rv_status read_entry(const rv_archive *a, const directory *dir, uint64_t *at,
                            rv_archive_entry *e, rv_error *err)
{
    const unsigned char *p = a->data + dir->offset + *at;
    const uint64_t left = dir->size - *at;
    if (left < CENTRAL_SIZE || rv_le32(p) != CENTRAL_SIGNATURE)
        return RV_FAIL(err, RV_ERR_FORMAT, "%s: record %zu of the zip directory is damaged",
                       a->path, e->order);
    const size_t name = rv_le16(p + 28), extra = rv_le16(p + 30), comment = rv_le16(p + 32);
    if (left - CENTRAL_SIZE < name + extra + comment)
        return RV_FAIL(err, RV_ERR_FORMAT, "%s: record %zu of the zip directory is cut off",
                       a->path, e->order);
    *at += CENTRAL_SIZE + name + extra + comment;
    uint64_t packed = rv_le32(p + 20), size = rv_le32(p + 24), offset = rv_le32(p + 42);
    widen(p + CENTRAL_SIZE + name, extra, &size, &packed, &offset);
    e->name = (const char *)p + CENTRAL_SIZE;
    e->name_size = name;
    e->size = (size_t)size;
    e->packed_size = (size_t)packed;
    const unsigned method = rv_le16(p + 10);
    if (rv_le16(p + 8) & FLAG_ENCRYPTED || (method != METHOD_STORED && method != METHOD_DEFLATED))
        return RV_FAIL(err, RV_ERR_UNSUPPORTED,
                       "%s: entry \"%s\" of the zip archive is encrypted or packed by an unusual "
                       "method (%u)",
                       a->path, rv_show(e->name, e->name_size).text, method);
    return locate(a, e, method, offset, err);
}

static int compare_names(const char *a, size_t na, const char *b, size_t nb)
{
    const int order = memcmp(a, b, na < nb ? na : nb);
    return order ? order : (na > nb) - (na < nb);
}

static int by_name(const void *a, const void *b)
{
    const rv_archive_entry *x = a, *y = b;
    return compare_names(x->name, x->name_size, y->name, y->name_size);
}

static rv_status sort_entries(rv_archive *a, rv_error *err)
{
    qsort(a->entries, a->n, sizeof *a->entries, by_name);
    for (size_t i = 1; i < a->n; i++)
        if (!by_name(&a->entries[i - 1], &a->entries[i]))
            return entry_error(a, &a->entries[i], "is there twice", err);
    return RV_OK;
}

rv_status rv_archive_open(rv_archive *out, rv_arena *arena, const char *path,
                          const unsigned char *data, size_t size, rv_error *err)
{
    rv_archive a = { .path = path, .data = data, .size = size };
    directory dir = { 0 };
    RV_TRY(find_directory(&a, &dir, err));
    a.n = (size_t)dir.count;
    a.entries = rv_arena_take(arena, a.n * sizeof *a.entries);
    if (!a.entries)
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory for %zu entries", path, a.n);
    uint64_t at = 0;
    for (size_t i = 0; i < a.n; i++) {
        a.entries[i].order = i;
        RV_TRY(read_entry(&a, &dir, &at, &a.entries[i], err));
    }
    RV_TRY(sort_entries(&a, err));
    *out = a;
    return RV_OK;
}

const rv_archive_entry *rv_archive_find(const rv_archive *a, const char *name, size_t n)
{
    size_t low = 0, high = a->n;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const rv_archive_entry *e = &a->entries[middle];
        const int order = compare_names(e->name, e->name_size, name, n);
        if (!order)
            return e;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}
