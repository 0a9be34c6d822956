/* tfrecord.c - see tfrecord.h. */
#include "io/tfrecord.h"

#include "io/audio_sink.h"
#include "io/bytes.h"
#include "io/crc32c.h"
#include "io/mapping.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint32_t masked_crc(const void *bytes, size_t n)
{
    const uint32_t crc = rv_crc32c(bytes, n);
    return (crc >> 15 | crc << 17) + 0xa282ead8;
}

void rv_tfrecord_head(unsigned char head[RV_TFRECORD_HEAD], uint64_t length)
{
    memcpy(head, &length, 8);
    const uint32_t crc = masked_crc(head, 8);
    memcpy(head + 8, &crc, 4);
}

void rv_tfrecord_tail(unsigned char tail[RV_TFRECORD_TAIL], const void *bytes, size_t n)
{
    const uint32_t crc = masked_crc(bytes, n);
    memcpy(tail, &crc, 4);
}

/* Writing */

struct rv_tfrecord_writer {
    audio_sink sink;
};

rv_status rv_tfrecord_writer_open(rv_tfrecord_writer **out, const char *path, rv_error *err)
{
    rv_tfrecord_writer *w = calloc(1, sizeof *w);
    if (!w)
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", path);
    const rv_status status = rv_sink_open(&w->sink, path, err);
    if (status == RV_OK)
        *out = w;
    else
        free(w);
    return status;
}

rv_status rv_tfrecord_write(rv_tfrecord_writer *w, const void *bytes, size_t n, rv_error *err)
{
    unsigned char head[RV_TFRECORD_HEAD], tail[RV_TFRECORD_TAIL];
    rv_tfrecord_head(head, n);
    rv_tfrecord_tail(tail, bytes, n);
    rv_sink_write(&w->sink, head, sizeof head);
    rv_sink_write(&w->sink, bytes, n);
    rv_sink_write(&w->sink, tail, sizeof tail);
    return rv_sink_check(&w->sink, err);
}

rv_status rv_tfrecord_commit(rv_tfrecord_writer *w, rv_error *err)
{
    return rv_sink_commit(&w->sink, err);
}

void rv_tfrecord_writer_free(rv_tfrecord_writer *w)
{
    if (w)
        rv_sink_discard(&w->sink);
    free(w);
}

/* Reading */

struct rv_tfrecords {
    rv_mapping file;
    char *path;
    size_t *offsets; /* [n] of the records' heads */
    size_t n, room;
};

static rv_tfrecord_place place_at(const rv_tfrecords *r, size_t i, size_t offset)
{
    rv_tfrecord_place p;
    snprintf(p.text, sizeof p.text, "%.240s: record %zu at byte %zu", r->path, i, offset);
    return p;
}

rv_tfrecord_place rv_tfrecords_place(const rv_tfrecords *r, size_t i)
{
    return place_at(r, i, r->offsets[i]);
}

static rv_status add_offset(rv_tfrecords *r, size_t offset, rv_error *err)
{
    if (r->n == r->room) {
        const size_t room = r->room ? 2 * r->room : 64;
        size_t *grown = realloc(r->offsets, room * sizeof *grown);
        if (!grown)
            return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", r->path);
        r->offsets = grown;
        r->room = room;
    }
    r->offsets[r->n++] = offset;
    return RV_OK;
}

/* The bytes of the record whose head is at `offset`, which must be followed by all of it. */
static rv_status check_head(const rv_tfrecords *r, size_t offset, size_t *length, rv_error *err)
{
    const unsigned char *head = r->file.data + offset;
    const size_t left = r->file.size - offset;
    if (left < RV_TFRECORD_HEAD + RV_TFRECORD_TAIL)
        return RV_FAIL(err, RV_ERR_FORMAT, "%s: cut short: %zu bytes are no whole record",
                       place_at(r, r->n, offset).text, left);
    if (rv_le32(head + 8) != masked_crc(head, 8))
        return RV_FAIL(err, RV_ERR_FORMAT,
                       "%s: the checksum of its length is wrong: damaged, or no TFRecord file",
                       place_at(r, r->n, offset).text);
    const uint64_t bytes = rv_le64(head);
    if (bytes > left - RV_TFRECORD_HEAD - RV_TFRECORD_TAIL)
        return RV_FAIL(err, RV_ERR_FORMAT, "%s: cut short: %" PRIu64 " bytes expected, %zu left",
                       place_at(r, r->n, offset).text, bytes, left);
    *length = (size_t)bytes;
    return RV_OK;
}

static rv_status find_records(rv_tfrecords *r, rv_error *err)
{
    for (size_t offset = 0; offset < r->file.size;) {
        size_t length = 0;
        RV_TRY(check_head(r, offset, &length, err));
        RV_TRY(add_offset(r, offset, err));
        offset += RV_TFRECORD_HEAD + length + RV_TFRECORD_TAIL;
    }
    return RV_OK;
}

rv_status rv_tfrecords_open(rv_tfrecords **out, const char *path, rv_error *err)
{
    rv_tfrecords *r = calloc(1, sizeof *r);
    if (!r || !(r->path = strdup(path))) {
        free(r);
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", path);
    }
    rv_status status = rv_mapping_open(&r->file, path, err);
    if (status == RV_OK)
        status = find_records(r, err);
    if (status == RV_OK)
        *out = r;
    else
        rv_tfrecords_free(r);
    return status;
}

void rv_tfrecords_free(rv_tfrecords *r)
{
    if (!r)
        return;
    rv_mapping_close(&r->file);
    free(r->path);
    free(r->offsets);
    free(r);
}

size_t rv_tfrecords_count(const rv_tfrecords *r)
{
    return r->n;
}

rv_status rv_tfrecords_get(const rv_tfrecords *r, size_t i, const unsigned char **bytes, size_t *n,
                           rv_error *err)
{
    const unsigned char *head = r->file.data + r->offsets[i];
    const size_t length = (size_t)rv_le64(head);
    if (rv_le32(head + RV_TFRECORD_HEAD + length) != masked_crc(head + RV_TFRECORD_HEAD, length))
        return RV_FAIL(err, RV_ERR_FORMAT, "%s: damaged: the checksum of its bytes is wrong",
                       rv_tfrecords_place(r, i).text);
    *bytes = head + RV_TFRECORD_HEAD;
    *n = length;
    return RV_OK;
}
