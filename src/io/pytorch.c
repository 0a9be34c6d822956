/* pytorch.c - where the two containers of torch.save keep the pickle and the storages.
 *
 * Zip (1.6 and later):  NAME/data.pkl, NAME/byteorder, and NAME/data/KEY for each storage.
 * Legacy:               pickles of a magic number, a protocol version, facts about the writing
 *                       machine, the object, and the list of storage keys; then for each key the
 *                       count of elements (8 bytes) and the elements.
 * Facts from torch/serialization.py. */
#include "io/pytorch.h"

#include "io/bytes.h"
#include "io/pytorch_package.h"
#include "io/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PICKLE_LIMIT = 64 << 20, LEGACY_VERSION = 1001 };

/* 0x1950a86a20f9469cfc6c, lowest byte first */
static const unsigned char magic[] = { 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19 };

static bool storage_size(const rv_value *storage, size_t *size)
{
    return !__builtin_mul_overflow(storage->storage.count, rv_dtype_size(storage->storage.dtype),
                                   size);
}

/* Zip */

typedef struct zip_file {
    rv_checkpoint *c;
    const char *prefix; /* "NAME/", without a zero */
    size_t prefix_size;
} zip_file;

static rv_status too_long(const rv_checkpoint *c, rv_error *err)
{
    return RV_FAIL(err, RV_ERR_FORMAT, "%s: the name of an entry is too long", c->path);
}

/* The entry NAME/folder..key, or NULL if it is not there; false if the name is too long. */
static bool find_entry(const zip_file *z, const char *folder, const char *key, size_t n,
                       const rv_archive_entry **out)
{
    char name[1024];
    const size_t n_folder = strlen(folder), prefix = z->prefix_size;
    if (prefix > 512 || n_folder > 32 || n > sizeof name - 512 - 32)
        return false;
    memcpy(name, z->prefix, prefix);
    memcpy(name + prefix, folder, n_folder);
    memcpy(name + prefix + n_folder, key, n);
    *out = rv_archive_find(&z->c->archive, name, prefix + n_folder + n);
    return true;
}

static rv_status locate_in_zip(void *ctx, const rv_value *storage, rv_tensor *t, rv_error *err)
{
    const zip_file *z = ctx;
    const rv_value *key = storage->storage.key;
    const rv_archive_entry *e = NULL;
    if (!find_entry(z, "data/", key->text.data, key->text.n, &e))
        return too_long(z->c, err);
    if (!e)
        return RV_FAIL(err, RV_ERR_FORMAT, "%s: tensor \"%s\": the archive has no entry data/%s",
                       z->c->path, rv_show(t->name, strlen(t->name)).text,
                       rv_show(key->text.data, key->text.n).text);
    size_t size;
    if (!storage_size(storage, &size) || size != e->size)
        return RV_FAIL(err, RV_ERR_FORMAT,
                       "%s: tensor \"%s\": its storage of %zu elements of %s does not fit the "
                       "%zu bytes in the archive",
                       z->c->path, rv_show(t->name, strlen(t->name)).text, storage->storage.count,
                       rv_dtype_name(storage->storage.dtype), e->size);
    t->storage = e->stored;
    t->entry = (size_t)(e - z->c->archive.entries);
    t->storage_size = size;
    return RV_OK;
}

/* An entry as bytes: in place, or inflated into the arena. */
static rv_status entry_bytes(rv_checkpoint *c, const rv_archive_entry *e, const unsigned char **out,
                             rv_error *err)
{
    *out = e->stored;
    if (e->stored)
        return RV_OK;
    if (e->size > PICKLE_LIMIT)
        return RV_FAIL(err, RV_ERR_FORMAT,
                       "%s: entry \"%s\" claims %zu bytes, above the limit of %d", c->path,
                       rv_show(e->name, e->name_size).text, e->size, PICKLE_LIMIT);
    unsigned char *bytes = rv_arena_take(&c->arena, e->size);
    if (!bytes)
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory for %zu bytes", c->path, e->size);
    *out = bytes;
    return rv_archive_inflate(&c->archive, e, bytes, err);
}

/* NAME is whatever stands before the only "/data.pkl". */
static const rv_archive_entry *find_pickle(zip_file *z)
{
    static const char name[] = "/data.pkl";
    const size_t n = sizeof name - 1;
    for (size_t i = 0; i < z->c->archive.n; i++) {
        const rv_archive_entry *e = &z->c->archive.entries[i];
        if (e->name_size < n || memcmp(e->name + e->name_size - n, name, n) ||
            memchr(e->name, '/', e->name_size - n))
            continue;
        z->prefix = e->name;
        z->prefix_size = e->name_size - n + 1;
        return e;
    }
    return NULL;
}

static rv_status check_kind(zip_file *z, rv_error *err)
{
    const rv_archive_entry *e = NULL;
    const unsigned char *bytes = NULL;
    if (!find_entry(z, "", "constants.pkl", 13, &e))
        return too_long(z->c, err);
    if (e)
        return RV_FAIL(err, RV_ERR_UNSUPPORTED,
                       "%s: a TorchScript program, which is not supported; save its state dict",
                       z->c->path);
    if (!find_entry(z, "", "byteorder", 9, &e) || !e)
        return RV_OK;
    RV_TRY(entry_bytes(z->c, e, &bytes, err));
    if (e->size != 6 || memcmp(bytes, "little", 6))
        return RV_FAIL(err, RV_ERR_UNSUPPORTED, "%s: written on a big-endian machine", z->c->path);
    return RV_OK;
}

rv_status rv_pytorch_read_zip(rv_checkpoint *c, rv_error *err)
{
    zip_file z = { .c = c };
    char what[512];
    const unsigned char *bytes = NULL;
    rv_value *root = NULL;
    c->kind = "PyTorch zip";
    RV_TRY(rv_archive_open(&c->archive, &c->arena, c->path, c->file.data, c->file.size, err));
    const rv_archive_entry *e = find_pickle(&z);
    if (!e)
        return RV_FAIL(err, RV_ERR_FORMAT, "%s: a zip archive, but not PyTorch's: no data.pkl",
                       c->path);
    RV_TRY(check_kind(&z, err));
    RV_TRY(entry_bytes(c, e, &bytes, err));
    snprintf(what, sizeof what, "%s: data.pkl", c->path);
    RV_TRY(rv_unpickle(&root, &c->arena, what, bytes, e->size, NULL, NULL, err));
    return rv_pytorch_package(c, root, locate_in_zip, &z, err);
}

/* Legacy */

typedef struct legacy_storage {
    const rv_value *value;
    const unsigned char *data; /* NULL until the list of keys is read */
} legacy_storage;

typedef struct legacy_file {
    rv_checkpoint *c;
    char what[512];
    size_t at;               /* in the file */
    legacy_storage *storage; /* sorted by key; may hold a key several times */
    size_t n;
} legacy_file;

bool rv_pytorch_is_legacy(const unsigned char *data, size_t size)
{
    return size >= 2 && data[0] == 0x80 && data[1] <= 5;
}

bool rv_pytorch_is_tar(const unsigned char *data, size_t size)
{
    return size >= 512 && !memcmp(data + 257, "ustar", 5);
}

static rv_status next_pickle(legacy_file *f, rv_value **out, const char *part, rv_value **storages,
                             rv_error *err)
{
    size_t used = 0;
    snprintf(f->what, sizeof f->what, "%s: %s at byte %zu", f->c->path, part, f->at);
    RV_TRY(rv_unpickle(out, &f->c->arena, f->what, f->c->file.data + f->at, f->c->file.size - f->at,
                       &used, storages, err));
    f->at += used;
    return RV_OK;
}

static rv_status check_head(legacy_file *f, rv_error *err)
{
    rv_value *number = NULL, *version = NULL, *machine = NULL;
    RV_TRY(next_pickle(f, &number, "magic number", NULL, err));
    if (number->kind != RV_PK_LONG || number->text.n != sizeof magic ||
        memcmp(number->text.data, magic, sizeof magic))
        return RV_FAIL(err, RV_ERR_FORMAT, "%s: a pickle, but not one that torch.save wrote",
                       f->c->path);
    RV_TRY(next_pickle(f, &version, "protocol version", NULL, err));
    if (version->kind != RV_PK_INT || version->number != LEGACY_VERSION)
        return RV_FAIL(err, RV_ERR_UNSUPPORTED, "%s: the protocol version is not %d", f->c->path,
                       LEGACY_VERSION);
    RV_TRY(next_pickle(f, &machine, "system information", NULL, err));
    const rv_value *little = rv_value_get(machine, "little_endian");
    if (!little || little->kind != RV_PK_BOOL || !little->number)
        return RV_FAIL(err, RV_ERR_UNSUPPORTED, "%s: written on a big-endian machine", f->c->path);
    return RV_OK;
}

static int compare_text(const rv_value *a, const rv_value *b)
{
    const size_t n = a->text.n < b->text.n ? a->text.n : b->text.n;
    const int order = memcmp(a->text.data, b->text.data, n);
    return order ? order : (a->text.n > b->text.n) - (a->text.n < b->text.n);
}

static int by_key(const void *a, const void *b)
{
    const legacy_storage *x = a, *y = b;
    return compare_text(x->value->storage.key, y->value->storage.key);
}

static rv_status sort_storages(legacy_file *f, const rv_value *storages, rv_error *err)
{
    for (const rv_value *v = storages; v; v = v->storage.next)
        f->n++;
    f->storage = rv_arena_take(&f->c->arena, f->n * sizeof *f->storage);
    if (!f->storage)
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", f->c->path);
    size_t i = 0;
    for (const rv_value *v = storages; v; v = v->storage.next)
        f->storage[i++].value = v;
    qsort(f->storage, f->n, sizeof *f->storage, by_key);
    for (i = 1; i < f->n; i++) {
        const rv_value *a = f->storage[i - 1].value, *b = f->storage[i].value;
        if (!compare_text(a->storage.key, b->storage.key) &&
            (a->storage.dtype != b->storage.dtype || a->storage.count != b->storage.count))
            return RV_FAIL(err, RV_ERR_FORMAT, "%s: storage %s is described in two ways",
                           f->c->path,
                           rv_show(a->storage.key->text.data, a->storage.key->text.n).text);
    }
    return RV_OK;
}

/* The first storage of that key, which alone has the place of the data; or NULL. */
static legacy_storage *find_storage(const legacy_file *f, const rv_value *key)
{
    size_t low = 0, high = f->n;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (compare_text(f->storage[middle].value->storage.key, key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < f->n && !compare_text(f->storage[low].value->storage.key, key) ? &f->storage[low]
                                                                                : NULL;
}

/* Find the data of the storage with this key, which starts at f->at; go behind it. */
static rv_status place_storage(legacy_file *f, const rv_value *key, rv_error *err)
{
    legacy_storage *s = key->kind == RV_PK_TEXT ? find_storage(f, key) : NULL;
    const size_t left = f->c->file.size - f->at;
    size_t size;
    if (!s)
        return RV_FAIL(err, RV_ERR_FORMAT, "%s: data of a storage that no tensor uses", f->c->path);
    if (left < 8 || rv_le64(f->c->file.data + f->at) != s->value->storage.count ||
        !storage_size(s->value, &size) || size > left - 8)
        return RV_FAIL(err, RV_ERR_FORMAT,
                       "%s: storage %s at byte %zu should have %zu elements of %s; is the file "
                       "truncated?",
                       f->c->path, rv_show(key->text.data, key->text.n).text, f->at,
                       s->value->storage.count, rv_dtype_name(s->value->storage.dtype));
    s->data = f->c->file.data + f->at + 8;
    f->at += 8 + size;
    return RV_OK;
}

static rv_status locate_in_legacy(void *ctx, const rv_value *storage, rv_tensor *t, rv_error *err)
{
    const legacy_file *f = ctx;
    const legacy_storage *s = find_storage(f, storage->storage.key);
    if (!s || !s->data || !storage_size(storage, &t->storage_size))
        return RV_FAIL(err, RV_ERR_FORMAT, "%s: tensor \"%s\": the file has no data for it",
                       f->c->path, rv_show(t->name, strlen(t->name)).text);
    t->storage = s->data;
    return RV_OK;
}

rv_status rv_pytorch_read_legacy(rv_checkpoint *c, rv_error *err)
{
    legacy_file f = { .c = c };
    rv_value *root = NULL, *keys = NULL, *storages = NULL;
    c->kind = "PyTorch legacy";
    RV_TRY(check_head(&f, err));
    RV_TRY(next_pickle(&f, &root, "object", &storages, err));
    RV_TRY(next_pickle(&f, &keys, "storage keys", NULL, err));
    if (keys->kind != RV_PK_LIST)
        return RV_FAIL(err, RV_ERR_FORMAT, "%s: the storage keys are no list", c->path);
    RV_TRY(sort_storages(&f, storages, err));
    for (size_t i = 0; i < keys->list.n; i++)
        RV_TRY(place_storage(&f, keys->list.items[i], err));
    return rv_pytorch_package(c, root, locate_in_legacy, &f, err);
}
