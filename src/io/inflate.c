/* inflate.c - a zlib stream, through zlib. */
#include "io/inflate.h"

#include <limits.h>
#include <stdlib.h>
#define ZLIB_CONST
#include <zlib.h>

enum { FIRST_ROOM = 1 << 16 };

typedef struct output {
    unsigned char *data;
    size_t n, room, limit;
    const char *path;
    rv_error *err;
} output;

static rv_status make_room(output *o)
{
    if (o->n < o->room)
        return RV_OK;
    if (o->room >= o->limit)
        return RV_FAIL(o->err, RV_ERR_FORMAT,
                       "%s: compressed weights grow to more than %d times their size", o->path,
                       RV_INFLATE_RATIO);
    const size_t room = o->room < o->limit / 2 ? 2 * o->room : o->limit;
    unsigned char *larger = realloc(o->data, room);
    if (!larger)
        return RV_FAIL(o->err, RV_ERR_NOMEM, "%s: out of memory for %zu bytes", o->path, room);
    o->data = larger;
    o->room = room;
    return RV_OK;
}

/* zlib counts in unsigned int, so both sides are handed over in pieces. */
static rv_status inflate_all(z_stream *z, output *o, size_t size)
{
    int status = Z_OK;
    while (status != Z_STREAM_END) {
        RV_TRY(make_room(o));
        const uInt piece = size < UINT_MAX ? (uInt)size : UINT_MAX;
        const uInt room = o->room - o->n < UINT_MAX ? (uInt)(o->room - o->n) : UINT_MAX;
        z->avail_in = piece;
        z->next_out = o->data + o->n;
        z->avail_out = room;
        status = inflate(z, Z_NO_FLUSH);
        size -= piece - z->avail_in;
        o->n += room - z->avail_out;
        if (status != Z_OK && status != Z_STREAM_END)
            return RV_FAIL(o->err, RV_ERR_FORMAT, "%s: compressed weights are damaged", o->path);
    }
    return RV_OK;
}

rv_status rv_inflate(unsigned char **out, size_t *n, const void *data, size_t size,
                     const char *path, rv_error *err)
{
    output o = { .path = path, .err = err, .room = FIRST_ROOM };
    z_stream z = { .next_in = data };
    if (__builtin_mul_overflow(size, (size_t)RV_INFLATE_RATIO, &o.limit))
        return RV_FAIL(err, RV_ERR_FORMAT, "%s: compressed weights are too large", path);
    o.limit += FIRST_ROOM;
    o.data = malloc(o.room);
    if (!o.data || inflateInit(&z) != Z_OK) {
        free(o.data);
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", path);
    }
    const rv_status status = inflate_all(&z, &o, size);
    inflateEnd(&z);
    if (status != RV_OK) {
        free(o.data);
        return status;
    }
    *out = o.data;
    *n = o.n;
    return RV_OK;
}
