/* npz_read.c - see npz_read.h. A .npy begins with a magic text, a version and the length of a
 * header, which is a Python dictionary of three entries:
 *
 *     {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), } */
#include "io/npz_read.h"

#include "io/archive.h"
#include "io/mapping.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAGIC = 6, LEAST_HEAD = 10, MOST_ARRAYS = 64, MOST_NAME = 100 };

static const char *const types[] = { "f4", "f8", "b1", "i1", "i2", "i4",
                                     "i8", "u1", "u2", "u4", "u8" };

struct rv_npz {
    char *path;
    rv_mapping mapping;
    rv_arena arena;
    rv_archive archive;
    struct {
        const rv_archive_entry *entry;
        rv_npy array;
        unsigned char *inflated;
    } found[MOST_ARRAYS];
    size_t n_found;
};

/* Header ----------------------------------------------------------------------------------- */

typedef struct cursor {
    const char *at, *end;
} cursor;

static void skip_blanks(cursor *c)
{
    while (c->at < c->end && (*c->at == ' ' || *c->at == '\n' || *c->at == '\t'))
        c->at++;
}

static bool take(cursor *c, const char *text)
{
    const size_t n = strlen(text);
    skip_blanks(c);
    if ((size_t)(c->end - c->at) < n || memcmp(c->at, text, n) != 0)
        return false;
    c->at += n;
    return true;
}

/* 'text' in either quotes, up to `room` - 1 characters */
static bool take_text(cursor *c, char *text, size_t room)
{
    skip_blanks(c);
    const char quote = c->at < c->end ? *c->at : 0;
    if (quote != '\'' && quote != '"')
        return false;
    const char *start = ++c->at;
    while (c->at < c->end && *c->at != quote)
        c->at++;
    const size_t n = (size_t)(c->at - start);
    if (c->at == c->end || n >= room)
        return false;
    memcpy(text, start, n);
    text[n] = '\0';
    c->at++;
    return true;
}

static bool take_number(cursor *c, size_t *value)
{
    skip_blanks(c);
    const char *start = c->at;
    for (*value = 0; c->at < c->end && *c->at >= '0' && *c->at <= '9'; c->at++) {
        const size_t digit = (size_t)(*c->at - '0');
        if (*value > (SIZE_MAX - digit) / 10)
            return false;
        *value = *value * 10 + digit;
    }
    return c->at > start;
}

/* (), (3,) or (3, 4) */
static bool take_shape(cursor *c, rv_npy *a)
{
    if (!take(c, "("))
        return false;
    a->count = 1;
    for (a->rank = 0; !take(c, ")"); a->rank++) {
        size_t *n = &a->shape[a->rank];
        if (a->rank == RV_NPY_RANK || !take_number(c, n) || (*n && a->count > SIZE_MAX / *n))
            return false;
        a->count *= *n;
        if (!take(c, ",")) {
            a->rank++;
            return take(c, ")");
        }
    }
    return true;
}

static const char *find_type(const char *descr)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (strchr("<|=", *descr) && *descr && !strcmp(descr + 1, types[i]))
            return types[i];
    return NULL;
}

static size_t bytes_of(const rv_npy *a)
{
    return (size_t)(a->type[1] - '0');
}

/* The entries in any order; what is wrong, or NULL. */
static const char *read_dictionary(cursor c, rv_npy *a)
{
    char key[20], descr[20];
    bool fortran = false, shaped = false;
    if (!take(&c, "{"))
        return "its header is no dictionary";
    while (!take(&c, "}")) {
        if (!take_text(&c, key, sizeof key) || !take(&c, ":"))
            return "its header is damaged";
        if (!strcmp(key, "descr") && take_text(&c, descr, sizeof descr))
            a->type = find_type(descr);
        else if (!strcmp(key, "fortran_order") && (take(&c, "True") || take(&c, "False")))
            fortran = c.at[-2] == 'u';
        else if (!strcmp(key, "shape") && take_shape(&c, a))
            shaped = true;
        else
            return "its header is damaged, or the type is not read here";
        take(&c, ",");
    }
    if (!a->type || !shaped)
        return "the type is not read here: numbers of up to 8 bytes, little-endian, are";
    return fortran && a->rank > 1 ? "it is in Fortran's order, C's is expected" : NULL;
}

/* What is wrong, or NULL. */
static const char *parse(rv_npy *a, const unsigned char *data, size_t size)
{
    if (size < LEAST_HEAD || memcmp(data, "\x93NUMPY", MAGIC) != 0 || data[6] < 1 || data[6] > 3)
        return "it does not begin as a .npy of version 1 to 3";
    size_t head = LEAST_HEAD, length = (size_t)data[8] | (size_t)data[9] << 8;
    if (data[6] > 1 && size >= LEAST_HEAD + 2) {
        head += 2;
        length |= (size_t)data[10] << 16 | (size_t)data[11] << 24;
    }
    if (length > size - head)
        return "it ends within its header";
    *a = (rv_npy){ .data = data + head + length };
    const char *text = (const char *)data + head;
    const char *wrong = read_dictionary((cursor){ text, text + length }, a);
    if (wrong)
        return wrong;
    return a->count > (size - head - length) / bytes_of(a) ? "it is shorter than its shape" : NULL;
}

/* Archive ---------------------------------------------------------------------------------- */

static rv_status open_archive(rv_npz *z, const char *path, const void *data, size_t size,
                              rv_error *err)
{
    z->path = strdup(path);
    if (!z->path)
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", path);
    if (!data) {
        RV_TRY(rv_mapping_open(&z->mapping, path, err));
        data = z->mapping.data;
        size = z->mapping.size;
    }
    if (!rv_archive_is(data, size))
        return RV_FAIL(err, RV_ERR_FORMAT, "%s: not a .npz, which is a zip archive of arrays",
                       path);
    return rv_archive_open(&z->archive, &z->arena, z->path, data, size, err);
}

static rv_status npz_new(rv_npz **out, const char *path, const void *data, size_t size,
                         rv_error *err)
{
    rv_npz *z = calloc(1, sizeof *z);
    if (!z)
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", path);
    rv_arena_init(&z->arena, NULL);
    const rv_status st = open_archive(z, path, data, size, err);
    if (st != RV_OK) {
        rv_npz_free(z);
        return st;
    }
    *out = z;
    return RV_OK;
}

rv_status rv_npz_open(rv_npz **out, const char *path, rv_error *err)
{
    return npz_new(out, path, NULL, 0, err);
}

rv_status rv_npz_open_memory(rv_npz **out, const void *data, size_t size, const char *path,
                             rv_error *err)
{
    return npz_new(out, path, data, size, err);
}

void rv_npz_free(rv_npz *z)
{
    if (!z)
        return;
    for (size_t i = 0; i < z->n_found; i++)
        free(z->found[i].inflated);
    rv_arena_fini(&z->arena);
    rv_mapping_close(&z->mapping);
    free(z->path);
    free(z);
}

/* The bytes of an entry, in place or inflated. */
static rv_status get_bytes(const unsigned char **data, unsigned char **inflated, const rv_npz *z,
                           const rv_archive_entry *e, rv_error *err)
{
    *data = e->stored;
    *inflated = NULL;
    if (e->stored)
        return RV_OK;
    *inflated = malloc(e->size + 1);
    if (!*inflated)
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: an array of %zu bytes", z->path, e->size);
    *data = *inflated;
    const rv_status st = rv_archive_inflate(&z->archive, e, *inflated, err);
    if (st != RV_OK)
        free(*inflated);
    return st;
}

static rv_status add(rv_npz *z, const rv_archive_entry *e, const char *name, rv_error *err)
{
    const unsigned char *data;
    unsigned char *inflated;
    if (z->n_found == MOST_ARRAYS)
        return RV_FAIL(err, RV_ERR_UNSUPPORTED, "%s: more than %d arrays are asked for", z->path,
                       MOST_ARRAYS);
    RV_TRY(get_bytes(&data, &inflated, z, e, err));
    const char *wrong = parse(&z->found[z->n_found].array, data, e->size);
    if (wrong) {
        free(inflated);
        return RV_FAIL(err, RV_ERR_FORMAT, "%s: array %s: %s", z->path, name, wrong);
    }
    z->found[z->n_found].inflated = inflated;
    z->found[z->n_found++].entry = e;
    return RV_OK;
}

rv_status rv_npz_find(const rv_npy **out, rv_npz *z, const char *name, rv_error *err)
{
    char file[MOST_NAME + 8];
    const int n = snprintf(file, sizeof file, "%.*s.npy", MOST_NAME, name);
    const rv_archive_entry *e = rv_archive_find(&z->archive, file, (size_t)n);
    *out = NULL;
    for (size_t i = 0; e && i < z->n_found && !*out; i++)
        if (z->found[i].entry == e)
            *out = &z->found[i].array;
    if (!e || *out)
        return RV_OK;
    RV_TRY(add(z, e, name, err));
    *out = &z->found[z->n_found - 1].array;
    return RV_OK;
}

/* Values ----------------------------------------------------------------------------------- */

static double float_value(const unsigned char *p, size_t bytes)
{
    float f;
    double d;
    if (bytes == sizeof f) {
        memcpy(&f, p, sizeof f);
        return (double)f;
    }
    memcpy(&d, p, sizeof d);
    return d;
}

double rv_npy_value(const rv_npy *a, size_t i)
{
    const size_t bytes = bytes_of(a);
    const unsigned char *p = a->data + i * bytes;
    if (*a->type == 'f')
        return float_value(p, bytes);
    uint64_t bits = 0;
    for (size_t k = 0; k < bytes; k++)
        bits |= (uint64_t)p[k] << 8 * k;
    if (*a->type != 'i')
        return (double)bits;
    const unsigned shift = (unsigned)(64 - 8 * bytes);
    return (double)((int64_t)(bits << shift) >> shift);
}

void rv_npy_read(const rv_npy *a, size_t first, size_t n, float *out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = (float)rv_npy_value(a, first + i);
}
