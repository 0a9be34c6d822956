/* diffq_decode.c - the values of one parameter from its codes.
 *
 *   value = code / (2^bits - 1) (high - low) + low,   rounded as DiffQ does in float
 *
 * Packed integers are planes of bits. A tensor [lines, planes, block] of words of w bits holds
 * lines * w * block integers: number (line * w + j) * block + i has as its bit k the bit j of word
 * [line, k, i]. A rank of 2 means one line. Without planes all integers are 0. */
#include "io/diffq_impl.h"
#include "io/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct decoder {
    const rv_checkpoint *c;
    const char *name;
    rv_error *err;
} decoder;

static rv_status damaged(const decoder *d, const char *what)
{
    return RV_FAIL(d->err, RV_ERR_FORMAT, "%s: tensor \"%s\", quantised by DiffQ: %s", d->c->path,
                   rv_show(d->name, strlen(d->name)).text, what);
}

static rv_status allocate(const decoder *d, float **out, size_t n)
{
    *out = calloc(n + 1, sizeof **out);
    return *out ? RV_OK
                : RV_FAIL(d->err, RV_ERR_NOMEM, "%s: tensor \"%s\": out of memory for %zu elements",
                          d->c->path, rv_show(d->name, strlen(d->name)).text, n);
}

/* Integers */

typedef struct planes {
    size_t lines, count, block, width;
    const unsigned char *words;
} planes;

static unsigned integer_at(const planes *p, size_t at)
{
    const size_t word_size = p->width / 8, column = at % p->block, row = at / p->block;
    const size_t bit = row % p->width, line = row / p->width;
    unsigned value = 0;
    for (size_t k = 0; k < p->count; k++) {
        const size_t word = (line * p->count + k) * p->block + column;
        value |= (p->words[word * word_size + bit / 8] >> bit % 8 & 1u) << k;
    }
    return value;
}

/* Are there n integers of at most 15 bits? */
static bool describe(const rv_tensor *t, planes *p, size_t n)
{
    if (t->rank < 2 || t->rank > 3 || !t->count ||
        (t->dtype != RV_I64 && t->dtype != RV_I32 && t->dtype != RV_I16 && t->dtype != RV_U8))
        return false;
    *p = (planes){ .lines = t->rank == 3 ? t->shape[0] : 1,
                   .count = t->shape[t->rank - 2],
                   .block = t->shape[t->rank - 1],
                   .width = 8 * rv_dtype_size(t->dtype) };
    return p->count <= RV_DIFFQ_BITS && n <= t->count / p->count * p->width;
}

static rv_status unpack(const decoder *d, const rv_tensor *t, float *dst, size_t n)
{
    planes p;
    unsigned char *inflated = NULL;
    if (!n)
        return RV_OK;
    if (t->rank >= 2 && !t->shape[t->rank - 2]) {
        memset(dst, 0, n * sizeof *dst);
        return RV_OK;
    }
    if (!describe(t, &p, n) || !rv_tensor_is_contiguous(t))
        return damaged(d, "the packed codes are missing, too few or of another layout");
    RV_TRY(rv_checkpoint_storage(d->c, t, &p.words, &inflated, d->err));
    p.words += t->offset * p.width / 8;
    for (size_t i = 0; i < n; i++)
        dst[i] = (float)integer_at(&p, i);
    free(inflated);
    return RV_OK;
}

static rv_status read_integers(const decoder *d, const rv_tensor *t, float *dst, size_t n)
{
    if (d->c->quantized->packed)
        return unpack(d, t, dst, n);
    if (t->count != n)
        return damaged(d, "the number of codes is not that of its elements");
    return rv_checkpoint_read(d->c, t, dst, d->err);
}

/* Values */

static float step(float bits)
{
    return 1.0f / (powf(2.0f, bits) - 1.0f);
}

static void scale(const rv_coded *p, float *codes, size_t n, float bits)
{
    const float unit = step(bits);
    for (size_t i = 0; i < n; i++)
        codes[i] = codes[i] * unit * p->range + p->low;
}

/* The bits of each group; they are whole numbers from 1 to 15. */
static rv_status read_bits(const decoder *d, const rv_coded *p, float *bits, size_t groups)
{
    RV_TRY(read_integers(d, &p->bits, bits, groups));
    for (size_t i = 0; i < groups; i++) {
        bits[i] += d->c->quantized->packed ? d->c->quantized->least_bits : 0.0f;
        if (!(bits[i] >= 1 && bits[i] <= RV_DIFFQ_BITS) || bits[i] != floorf(bits[i]))
            return damaged(d, "the bits of a group are not from 1 to 15");
    }
    return RV_OK;
}

/* The codes of all groups of `width` bits lie together; `scratch` has room for all groups. */
static rv_status spread_codes(const decoder *d, const rv_tensor *codes, const float *bits,
                              float width, size_t groups, float *scratch, float *dst)
{
    const size_t group = d->c->quantized->group;
    size_t n = 0, at = 0;
    for (size_t g = 0; g < groups; g++)
        n += bits[g] == width ? group : 0;
    RV_TRY(unpack(d, codes, scratch, n));
    for (size_t g = 0; g < groups; g++)
        if (bits[g] == width)
            memcpy(dst + g * group, scratch + group * at++, group * sizeof *dst);
    return RV_OK;
}

static rv_status read_codes(const decoder *d, const rv_coded *p, const float *bits, size_t groups,
                            float *dst, size_t n)
{
    float *scratch = NULL;
    if (!d->c->quantized->packed)
        return read_integers(d, &p->codes[0], dst, n);
    RV_TRY(allocate(d, &scratch, n));
    rv_status status = RV_OK;
    for (int b = 1; b <= RV_DIFFQ_BITS && status == RV_OK; b++)
        status = spread_codes(d, &p->codes[b - 1], bits, (float)b, groups, scratch, dst);
    free(scratch);
    return status;
}

static rv_status decode_groups(const decoder *d, const rv_coded *p, float *dst, size_t n)
{
    const size_t group = d->c->quantized->group;
    const size_t groups = d->c->quantized->packed ? n / group : p->bits.count;
    float *bits = NULL;
    if (!groups || groups > n || n % groups || (d->c->quantized->packed && n % group))
        return damaged(d, "its elements do not divide into groups");
    RV_TRY(allocate(d, &bits, groups));
    rv_status status = read_bits(d, p, bits, groups);
    if (status == RV_OK)
        status = read_codes(d, p, bits, groups, dst, n);
    for (size_t g = 0; g < groups && status == RV_OK; g++)
        scale(p, dst + g * (n / groups), n / groups, bits[g]);
    free(bits);
    return status;
}

rv_status rv_diffq_decode(const rv_checkpoint *c, const rv_coded *p, const char *name, float *dst,
                          size_t n, rv_error *err)
{
    const decoder d = { .c = c, .name = name, .err = err };
    if (!c->quantized->uniform)
        return decode_groups(&d, p, dst, n);
    RV_TRY(read_integers(&d, &p->codes[0], dst, n));
    scale(p, dst, n, c->quantized->uniform_bits);
    return RV_OK;
}
