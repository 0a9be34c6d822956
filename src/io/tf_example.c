/* tf_example.c - see tf_example.h.
 *
 * A field is its number << 3 | kind as a varint (7 bits a byte, least first, the top bit set on all
 * but the last), then by kind: 0 a varint, 1 eight bytes, 2 a length and that many bytes, 5 four
 * bytes (protobuf.dev/programming-guides/encoding). Repeated numbers come packed in one field of
 * kind 2, or one field each; both are read. */
#include "io/tf_example.h"

#include "io/bytes.h"

#include <stdlib.h>
#include <string.h>

enum { VARINT = 0, EIGHT = 1, LENGTH = 2, FOUR = 5, VARINT_MAX = 10 };

/* Writing */

static bool reserve(rv_tf_example *e, size_t more)
{
    if (e->failed || more > SIZE_MAX / 2 - e->n) {
        e->failed = true;
        return false;
    }
    if (e->n + more <= e->room)
        return true;
    const size_t room = e->n + more + e->n / 2;
    unsigned char *grown = realloc(e->bytes, room);
    e->failed = !grown;
    if (grown) {
        e->bytes = grown;
        e->room = room;
    }
    return grown;
}

static size_t varint_size(uint64_t value)
{
    size_t n = 1;
    for (; value > 127; value >>= 7)
        n++;
    return n;
}

static size_t put_varint(unsigned char *to, uint64_t value)
{
    size_t n = 0;
    for (; value > 127; value >>= 7)
        to[n++] = (unsigned char)(value | 128);
    to[n++] = (unsigned char)value;
    return n;
}

/* The tag of a field of n bytes, and its length. */
static void add_head(rv_tf_example *e, int number, size_t n)
{
    e->n += put_varint(e->bytes + e->n, (uint64_t)number << 3 | LENGTH);
    e->n += put_varint(e->bytes + e->n, n);
}

static void add_raw(rv_tf_example *e, const void *bytes, size_t n)
{
    if (n > 0)
        memcpy(e->bytes + e->n, bytes, n);
    e->n += n;
}

/* Size of a field of kind LENGTH whose number is below 16. */
static size_t field_size(size_t n)
{
    return 1 + varint_size(n) + n;
}

/* Everything around a list's content: the map's entry, key, Feature, list. */
static bool add_feature(rv_tf_example *e, const char *key, rv_tf_kind kind, size_t content)
{
    const size_t key_size = strlen(key), feature = field_size(content);
    const size_t entry = field_size(key_size) + field_size(feature);
    if (content > SIZE_MAX / 4 || !reserve(e, field_size(entry)))
        return false;
    add_head(e, 1, entry);
    add_head(e, 1, key_size);
    add_raw(e, key, key_size);
    add_head(e, 2, feature);
    add_head(e, (int)kind, content);
    return true;
}

void rv_tf_add_bytes(rv_tf_example *e, const char *key, const void *bytes, size_t n)
{
    if (!add_feature(e, key, RV_TF_BYTES, field_size(n)))
        return;
    add_head(e, 1, n);
    add_raw(e, bytes, n);
}

void rv_tf_add_text(rv_tf_example *e, const char *key, const char *text)
{
    rv_tf_add_bytes(e, key, text, strlen(text));
}

void rv_tf_add_floats(rv_tf_example *e, const char *key, const float *values, size_t n)
{
    if (n > SIZE_MAX / 8) {
        e->failed = true;
        return;
    }
    const size_t size = n * sizeof *values;
    if (!add_feature(e, key, RV_TF_FLOATS, field_size(size)))
        return;
    add_head(e, 1, size);
    add_raw(e, values, size);
}

void rv_tf_add_integer(rv_tf_example *e, const char *key, int64_t value)
{
    unsigned char bytes[VARINT_MAX];
    const size_t n = put_varint(bytes, (uint64_t)value);
    if (!add_feature(e, key, RV_TF_INTEGERS, field_size(n)))
        return;
    add_head(e, 1, n);
    add_raw(e, bytes, n);
}

/* Example and Features differ by one field of kind LENGTH around all. */
rv_status rv_tf_finish(rv_tf_example *e, rv_error *err)
{
    const size_t n = e->n, before = field_size(n) - n;
    if (!reserve(e, before))
        return RV_FAIL(err, RV_ERR_NOMEM, "out of memory for an example of %zu bytes", n);
    memmove(e->bytes + before, e->bytes, n);
    e->n = 0;
    add_head(e, 1, n);
    e->n += n;
    return RV_OK;
}

void rv_tf_clear(rv_tf_example *e)
{
    e->n = 0;
    e->failed = false;
}

void rv_tf_free(rv_tf_example *e)
{
    free(e->bytes);
    *e = (rv_tf_example){ 0 };
}

/* Reading */

typedef struct field {
    uint64_t number, varint;
    int kind;
    const unsigned char *bytes; /* of all kinds but VARINT */
    size_t n;
} field;

static bool take_varint(rv_tf_list *from, uint64_t *value)
{
    *value = 0;
    for (int shift = 0; shift < 70 && from->n > 0; shift += 7) {
        const unsigned char byte = *from->bytes++;
        from->n--;
        if (shift < 64)
            *value |= (uint64_t)(byte & 127) << shift;
        if (byte < 128)
            return true;
    }
    return false;
}

/* The next field; false at the end and where the message is broken, which leaves from->n > 0. */
static bool take_field(rv_tf_list *from, field *f)
{
    rv_tf_list rest = *from;
    uint64_t tag, n = 0;
    if (!take_varint(&rest, &tag))
        return false;
    *f = (field){ .number = tag >> 3, .kind = (int)(tag & 7) };
    if (f->kind == VARINT && !take_varint(&rest, &f->varint))
        return false;
    if (f->kind == LENGTH && !take_varint(&rest, &n))
        return false;
    if (f->kind != VARINT && f->kind != LENGTH && f->kind != EIGHT && f->kind != FOUR)
        return false;
    n = f->kind == EIGHT ? 8 : f->kind == FOUR ? 4 : n;
    if (n > rest.n)
        return false;
    f->bytes = rest.bytes;
    f->n = (size_t)n;
    *from = (rv_tf_list){ rest.bytes + n, rest.n - (size_t)n };
    return true;
}

/* The last field of that number, as protocol buffers have it. */
static bool find_field(rv_tf_list from, uint64_t number, rv_tf_list *out)
{
    bool found = false;
    for (field f; take_field(&from, &f);)
        if (f.number == number && f.kind == LENGTH) {
            *out = (rv_tf_list){ f.bytes, f.n };
            found = true;
        }
    return found;
}

static bool has_key(rv_tf_list entry, const char *key)
{
    rv_tf_list text;
    return find_field(entry, 1, &text) && text.n == strlen(key) &&
           memcmp(text.bytes, key, text.n) == 0;
}

bool rv_tf_find(rv_tf_list *out, const unsigned char *record, size_t n, const char *key,
                rv_tf_kind kind)
{
    rv_tf_list features, feature;
    bool found = false;
    if (!find_field((rv_tf_list){ record, n }, 1, &features))
        return false;
    for (field f; take_field(&features, &f);) {
        const rv_tf_list entry = { f.bytes, f.n };
        if (f.number == 1 && f.kind == LENGTH && has_key(entry, key))
            found = find_field(entry, 2, &feature) && find_field(feature, (uint64_t)kind, out);
    }
    return found;
}

bool rv_tf_bytes(const rv_tf_list *list, const unsigned char **bytes, size_t *n)
{
    rv_tf_list from = *list;
    for (field f; take_field(&from, &f);)
        if (f.number == 1 && f.kind == LENGTH) {
            *bytes = f.bytes;
            *n = f.n;
            return true;
        }
    return false;
}

bool rv_tf_integer(const rv_tf_list *list, int64_t *value)
{
    rv_tf_list from = *list;
    field f;
    if (!take_field(&from, &f) || f.number != 1)
        return false;
    rv_tf_list packed = { f.bytes, f.n };
    uint64_t bits = f.varint;
    if (f.kind == LENGTH && !take_varint(&packed, &bits))
        return false;
    *value = (int64_t)bits;
    return f.kind == LENGTH || f.kind == VARINT;
}

bool rv_tf_floats(const rv_tf_list *list, float *out, size_t room, size_t *n)
{
    rv_tf_list from = *list;
    *n = 0;
    for (field f; take_field(&from, &f);) {
        if (f.number != 1 || (f.kind != LENGTH && f.kind != FOUR) || f.n % sizeof *out)
            return false;
        const size_t count = f.n / sizeof *out, fits = *n < room ? room - *n : 0;
        if (fits > 0 && count > 0)
            memcpy(out + *n, f.bytes, (fits < count ? fits : count) * sizeof *out);
        *n += count;
    }
    return from.n == 0;
}
