/* checkpoint.c - tell the container, let its reader fill the checkpoint, index the names. */
#include "io/checkpoint_impl.h"
#include "io/pytorch.h"
#include "io/safetensors.h"
#include "io/text.h"

#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    size_t size;
} dtypes[] = {
    [RV_F32] = { "F32", 4 },   [RV_F16] = { "F16", 2 }, [RV_BF16] = { "BF16", 2 },
    [RV_F64] = { "F64", 8 },   [RV_I64] = { "I64", 8 }, [RV_I32] = { "I32", 4 },
    [RV_I16] = { "I16", 2 },   [RV_I8] = { "I8", 1 },   [RV_U8] = { "U8", 1 },
    [RV_BOOL] = { "BOOL", 1 },
};

const char *rv_dtype_name(rv_dtype dtype)
{
    return dtypes[dtype].name;
}

size_t rv_dtype_size(rv_dtype dtype)
{
    return dtypes[dtype].size;
}

char *rv_checkpoint_keep(rv_checkpoint *c, const char *text, size_t n)
{
    char *copy = rv_arena_take(&c->arena, n + 1);
    return copy ? memcpy(copy, text, n) : NULL;
}

/* Adding tensors */

enum { EXPANDED_LIMIT = 1 << 24 }; /* elements that a tensor may have beyond those stored */

/* The product of the shape, and of its dimensions other than zero, which must not overflow. */
static bool count_elements(rv_tensor *t)
{
    size_t product = 1;
    bool empty = false;
    for (int i = 0; i < t->rank; i++) {
        empty |= t->shape[i] == 0;
        if (t->shape[i] && __builtin_mul_overflow(product, t->shape[i], &product))
            return false;
    }
    t->count = empty ? 0 : product;
    return product <= SIZE_MAX / 8;
}

/* Does the storage hold the last element, and not much less than are claimed? */
static bool fits_storage(const rv_tensor *t)
{
    const size_t stored = t->storage_size / rv_dtype_size(t->dtype);
    if (!t->count)
        return true;
    size_t last = t->offset, step;
    for (int i = 0; i < t->rank; i++)
        if (__builtin_mul_overflow(t->shape[i] - 1, t->stride[i], &step) ||
            __builtin_add_overflow(last, step, &last))
            return false;
    return last < stored && (t->count <= stored || t->count <= EXPANDED_LIMIT);
}

rv_status rv_checkpoint_check(const rv_checkpoint *c, rv_tensor *t, rv_error *err)
{
    if (count_elements(t) && fits_storage(t))
        return RV_OK;
    return RV_FAIL(err, RV_ERR_FORMAT,
                   "%s: tensor \"%s\" claims more elements than the file holds (%zu bytes of %s)",
                   c->path, rv_show(t->name, strlen(t->name)).text, t->storage_size,
                   rv_dtype_name(t->dtype));
}

rv_status rv_checkpoint_add(rv_checkpoint *c, const rv_tensor *t, rv_error *err)
{
    if (c->n == c->capacity) {
        const size_t capacity = c->capacity ? 2 * c->capacity : 64;
        rv_tensor *larger = realloc(c->tensors, capacity * sizeof *larger);
        if (!larger)
            return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory for %zu tensors", c->path,
                           capacity);
        c->tensors = larger;
        c->capacity = capacity;
    }
    rv_tensor copy = *t;
    RV_TRY(rv_checkpoint_check(c, &copy, err));
    c->tensors[c->n++] = copy;
    return RV_OK;
}

/* The index */

static int by_name(const void *a, const void *b)
{
    const rv_tensor *const *x = a, *const *y = b;
    return strcmp((*x)->name, (*y)->name);
}

rv_status rv_checkpoint_index(rv_checkpoint *c, rv_error *err)
{
    free(c->by_name);
    c->by_name = malloc((c->n + 1) * sizeof *c->by_name);
    if (!c->by_name)
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", c->path);
    for (size_t i = 0; i < c->n; i++)
        c->by_name[i] = &c->tensors[i];
    qsort(c->by_name, c->n, sizeof *c->by_name, by_name);
    for (size_t i = 1; i < c->n; i++)
        if (!by_name(&c->by_name[i - 1], &c->by_name[i]))
            return RV_FAIL(err, RV_ERR_FORMAT, "%s: tensor \"%s\" is there twice", c->path,
                           rv_show(c->by_name[i]->name, strlen(c->by_name[i]->name)).text);
    return RV_OK;
}

const rv_tensor *rv_checkpoint_find(const rv_checkpoint *c, const char *name)
{
    const rv_tensor key = { .name = name }, *wanted = &key;
    const rv_tensor **found = bsearch(&wanted, c->by_name, c->n, sizeof *c->by_name, by_name);
    return found ? *found : NULL;
}

/* Opening */

static rv_status read_container(rv_checkpoint *c, rv_error *err)
{
    const unsigned char *data = c->file.data;
    const size_t size = c->file.size;
    if (!size)
        return RV_FAIL(err, RV_ERR_FORMAT, "%s: the file is empty", c->path);
    if (rv_archive_is(data, size))
        return rv_pytorch_read_zip(c, err);
    if (rv_safetensors_is(data, size))
        return rv_safetensors_read(c, err);
    if (rv_pytorch_is_legacy(data, size))
        return rv_pytorch_read_legacy(c, err);
    if (rv_pytorch_is_tar(data, size))
        return RV_FAIL(err, RV_ERR_UNSUPPORTED,
                       "%s: the tar format of PyTorch 0.1 is not supported; save the weights again "
                       "with a newer version",
                       c->path);
    return RV_FAIL(err, RV_ERR_FORMAT,
                   "%s: not a file of weights (neither safetensors nor PyTorch)", c->path);
}

/* Takes over the mapping. */
static rv_status open_mapping(rv_checkpoint **out, rv_mapping file, const char *path, rv_error *err)
{
    rv_checkpoint *c = calloc(1, sizeof *c);
    if (!c) {
        rv_mapping_close(&file);
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", path);
    }
    c->file = file;
    rv_arena_init(&c->arena, NULL);
    c->path = rv_checkpoint_keep(c, path, strlen(path));
    rv_status status = c->path ? RV_OK : RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", path);
    if (status == RV_OK)
        status = read_container(c, err);
    if (status == RV_OK)
        status = rv_checkpoint_index(c, err);
    if (status == RV_OK)
        *out = c;
    else
        rv_checkpoint_free(c);
    return status;
}

rv_status rv_checkpoint_open(rv_checkpoint **out, const char *path, rv_error *err)
{
    rv_mapping file = { 0 };
    RV_TRY(rv_mapping_open(&file, path, err));
    return open_mapping(out, file, path, err);
}

rv_status rv_checkpoint_open_memory(rv_checkpoint **out, const void *data, size_t size,
                                    const char *path, rv_error *err)
{
    return open_mapping(out, (rv_mapping){ .data = data, .size = size }, path, err);
}

void rv_checkpoint_free(rv_checkpoint *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->n_parts; i++)
        rv_checkpoint_free(c->parts[i]);
    free((void *)c->parts);
    json_decref(c->config);
    free(c->by_name);
    free(c->tensors);
    rv_arena_fini(&c->arena);
    rv_mapping_close(&c->file);
    rv_mapping_close(&c->outer);
    free(c->inflated);
    free(c);
}

size_t rv_checkpoint_count(const rv_checkpoint *c)
{
    return c->n;
}

const rv_tensor *rv_checkpoint_tensor(const rv_checkpoint *c, size_t i)
{
    return &c->tensors[i];
}

const json_t *rv_checkpoint_config(const rv_checkpoint *c)
{
    return c->config;
}

const char *rv_checkpoint_kind(const rv_checkpoint *c)
{
    return c->kind;
}
