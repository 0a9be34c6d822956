/* checkpoint_read.c - the elements of a tensor as floats, or in place. */
#include "io/bytes.h"
#include "io/checkpoint_impl.h"
#include "io/half.h"
#include "io/text.h"

#include <stdlib.h>

/* dst[i] = float(src[i stride]), i < n; src may have any alignment. */
#define GATHER(name, type, convert)                                                 \
    static void name(float *dst, const unsigned char *src, size_t n, size_t stride) \
    {                                                                               \
        for (size_t i = 0; i < n; i++) {                                            \
            type x;                                                                 \
            memcpy(&x, src + i * stride * sizeof x, sizeof x);                      \
            dst[i] = convert(x);                                                    \
        }                                                                           \
    }

#define AS_FLOAT(x) ((float)(x))
#define AS_BOOL(x)  ((x) ? 1.0f : 0.0f)

GATHER(gather_f32, float, AS_FLOAT)
GATHER(gather_f16, uint16_t, rv_half_to_float)
GATHER(gather_bf16, uint16_t, rv_bfloat_to_float)
GATHER(gather_f64, double, AS_FLOAT)
GATHER(gather_i64, int64_t, AS_FLOAT)
GATHER(gather_i32, int32_t, AS_FLOAT)
GATHER(gather_i16, int16_t, AS_FLOAT)
GATHER(gather_i8, int8_t, AS_FLOAT)
GATHER(gather_u8, uint8_t, AS_FLOAT)
GATHER(gather_bool, uint8_t, AS_BOOL)

typedef void gather_fn(float *dst, const unsigned char *src, size_t n, size_t stride);

static gather_fn *const gathers[] = {
    [RV_F32] = gather_f32, [RV_F16] = gather_f16,   [RV_BF16] = gather_bf16, [RV_F64] = gather_f64,
    [RV_I64] = gather_i64, [RV_I32] = gather_i32,   [RV_I16] = gather_i16,   [RV_I8] = gather_i8,
    [RV_U8] = gather_u8,   [RV_BOOL] = gather_bool,
};

bool rv_tensor_is_contiguous(const rv_tensor *t)
{
    size_t expected = 1;
    for (int i = t->rank - 1; i >= 0; i--) {
        if (t->shape[i] != 1 && t->stride[i] != expected)
            return false;
        expected *= t->shape[i];
    }
    return true;
}

/* Step the index of the outer dimensions; *at follows, in elements. */
static void next_row(const rv_tensor *t, size_t *index, size_t *at)
{
    for (int i = t->rank - 2; i >= 0; i--) {
        *at += t->stride[i];
        if (++index[i] < t->shape[i])
            return;
        *at -= t->shape[i] * t->stride[i];
        index[i] = 0;
    }
}

/* Row by row along the last dimension; t->count is not 0. */
static void gather_rows(const rv_tensor *t, const unsigned char *storage, float *dst)
{
    const size_t size = rv_dtype_size(t->dtype), n = t->rank ? t->shape[t->rank - 1] : 1;
    const size_t stride = t->rank ? t->stride[t->rank - 1] : 1;
    size_t index[RV_MAX_RANK] = { 0 }, at = t->offset;
    for (size_t done = 0; done < t->count; done += n) {
        gathers[t->dtype](dst + done, storage + at * size, n, stride);
        next_row(t, index, &at);
    }
}

static void gather(const rv_tensor *t, const unsigned char *storage, float *dst)
{
    if (!t->count)
        return;
    if (rv_tensor_is_contiguous(t))
        gathers[t->dtype](dst, storage + t->offset * rv_dtype_size(t->dtype), t->count, 1);
    else
        gather_rows(t, storage, dst);
}

rv_status rv_checkpoint_storage(const rv_checkpoint *c, const rv_tensor *t,
                                const unsigned char **out, unsigned char **inflated, rv_error *err)
{
    c = t->part ? t->part : c;
    *out = t->storage;
    *inflated = NULL;
    if (t->storage)
        return RV_OK;
    unsigned char *bytes = malloc(t->storage_size + 1);
    if (!bytes)
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: tensor \"%s\": out of memory for %zu bytes", c->path,
                       rv_show(t->name, strlen(t->name)).text, t->storage_size);
    const rv_status status =
        rv_archive_inflate(&c->archive, &c->archive.entries[t->entry], bytes, err);
    if (status == RV_OK)
        *out = *inflated = bytes;
    else
        free(bytes);
    return status;
}

rv_status rv_checkpoint_read(const rv_checkpoint *c, const rv_tensor *t, float *dst, rv_error *err)
{
    const unsigned char *bytes = NULL;
    unsigned char *inflated = NULL;
    if (!t->count)
        return RV_OK;
    RV_TRY(rv_checkpoint_storage(c, t, &bytes, &inflated, err));
    gather(t, bytes, dst);
    free(inflated);
    return RV_OK;
}

void rv_checkpoint_unload(const rv_checkpoint *c)
{
    for (size_t i = 0; i < c->n_parts; i++)
        rv_checkpoint_unload(c->parts[i]);
    rv_mapping_unload(&c->file);
    rv_mapping_unload(&c->outer);
}

const float *rv_checkpoint_view(const rv_checkpoint *c, const rv_tensor *t)
{
    (void)c;
    if (t->dtype != RV_F32 || !t->storage || !rv_tensor_is_contiguous(t))
        return NULL;
    const unsigned char *p = t->storage + t->offset * sizeof(float);
    return (uintptr_t)p % sizeof(float) ? NULL : (const float *)(const void *)p;
}
