/* npz_write.c - see npz_write.h. libzip asks for the bytes of each array while it closes the
 * archive, so that arrays of any length pass through a small buffer. */
#include "io/npz_write.h"

#include "io/audio_sink.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zip.h>

enum { HEAD = 128, BUFFER = 65536 };

typedef struct entry {
    const rv_npz_array *array;
    const char *path;
    char head[HEAD + 1];
    size_t rows, row_bytes; /* of the array */
    uint64_t at;            /* bytes given */
    unsigned char *buffer;  /* [in_buffer] rows from `first` on */
    size_t first, in_buffer, room;
    rv_error *err;
    rv_status *failure; /* of all entries: the first one */
    zip_error_t zip;
} entry;

/* "\x93NUMPY", version 1.0, the length of the text, the text with blanks up to 128 bytes. */
static void fill_head(entry *e)
{
    const rv_npz_array *a = e->array;
    char shape[64] = "";
    if (a->rank == 1)
        snprintf(shape, sizeof shape, "%zu,", a->shape[0]);
    if (a->rank == 2)
        snprintf(shape, sizeof shape, "%zu, %zu", a->shape[0], a->shape[1]);
    memset(e->head, ' ', HEAD);
    memcpy(e->head, "\x93NUMPY\x01\x00", 8);
    e->head[8] = HEAD - 10;
    e->head[9] = 0;
    const int n =
        snprintf(e->head + 10, HEAD - 10,
                 "{'descr': '%.8s', 'fortran_order': False, 'shape': (%s), }", a->type, shape);
    e->head[10 + n] = ' ';
    e->head[HEAD - 1] = '\n';
}

static uint64_t total(const entry *e)
{
    return HEAD + (uint64_t)e->rows * e->row_bytes;
}

/* Some bytes at e->at, which is before the end; 0: reading the array failed. */
static size_t give(entry *e, unsigned char *out, size_t n)
{
    if (e->at < HEAD) {
        const size_t some = n < HEAD - e->at ? n : (size_t)(HEAD - e->at);
        memcpy(out, e->head + e->at, some);
        return some;
    }
    const uint64_t byte = e->at - HEAD;
    const size_t row = (size_t)(byte / e->row_bytes);
    if (row < e->first || row >= e->first + e->in_buffer) {
        const size_t left = e->rows - row;
        e->first = row;
        e->in_buffer = left < e->room ? left : e->room;
        *e->failure = e->array->read(e->array->ctx, row, e->in_buffer, e->buffer, e->err);
        if (*e->failure != RV_OK)
            return 0;
    }
    const size_t skip = (size_t)(byte - (uint64_t)e->first * e->row_bytes);
    const size_t there = e->in_buffer * e->row_bytes - skip, some = n < there ? n : there;
    memcpy(out, e->buffer + skip, some);
    return some;
}

static zip_int64_t read_entry(entry *e, unsigned char *out, uint64_t n)
{
    uint64_t done = 0;
    while (done < n && e->at < total(e)) {
        const size_t some = give(e, out + done, (size_t)(n - done));
        if (some == 0) {
            zip_error_set(&e->zip, ZIP_ER_READ, EIO);
            return -1;
        }
        e->at += some;
        done += some;
    }
    return (zip_int64_t)done;
}

static zip_int64_t on_zip(void *state, void *data, zip_uint64_t n, zip_source_cmd_t command)
{
    entry *e = state;
    switch (command) {
    case ZIP_SOURCE_OPEN:
        e->at = 0;
        e->in_buffer = 0;
        return 0;
    case ZIP_SOURCE_READ:
        return read_entry(e, data, n);
    case ZIP_SOURCE_STAT:
        zip_stat_init(data);
        ((zip_stat_t *)data)->valid = ZIP_STAT_SIZE;
        ((zip_stat_t *)data)->size = total(e);
        return sizeof(zip_stat_t);
    case ZIP_SOURCE_ERROR:
        return zip_error_to_data(&e->zip, data, n);
    case ZIP_SOURCE_SUPPORTS:
        return zip_source_make_command_bitmap(ZIP_SOURCE_OPEN, ZIP_SOURCE_READ, ZIP_SOURCE_CLOSE,
                                              ZIP_SOURCE_STAT, ZIP_SOURCE_ERROR, ZIP_SOURCE_FREE,
                                              -1);
    default:
        return 0;
    }
}

static rv_status init_entry(entry *e, rv_error *err)
{
    const rv_npz_array *a = e->array;
    e->row_bytes = (size_t)(a->type[2] - '0') * (a->rank == 2 ? a->shape[1] : 1);
    e->rows = a->rank == 0 ? 1 : a->shape[0];
    e->room = e->row_bytes < BUFFER ? BUFFER / e->row_bytes : 1;
    e->buffer = malloc(e->room * e->row_bytes);
    zip_error_init(&e->zip);
    fill_head(e);
    return e->buffer ? RV_OK : RV_FAIL(err, RV_ERR_NOMEM, "%s: array %s", e->path, a->name);
}

static rv_status zip_failed(const char *path, zip_t *zip, rv_error *err)
{
    return RV_FAIL(err, RV_ERR_IO, "%s: cannot be written: %s", path, zip_strerror(zip));
}

static rv_status add_entry(zip_t *zip, entry *e, rv_error *err)
{
    char name[200];
    RV_TRY(init_entry(e, err));
    snprintf(name, sizeof name, "%.190s.npy", e->array->name);
    zip_source_t *source = zip_source_function(zip, on_zip, e);
    if (!source)
        return zip_failed(e->path, zip, err);
    const zip_int64_t index = zip_file_add(zip, name, source, ZIP_FL_ENC_UTF_8);
    if (index < 0) {
        zip_source_free(source);
        return zip_failed(e->path, zip, err);
    }
    /* the first day a zip knows: results do not depend on the clock */
    if (zip_set_file_compression(zip, (zip_uint64_t)index, ZIP_CM_STORE, 0) != 0 ||
        zip_file_set_dostime(zip, (zip_uint64_t)index, 0, 1 << 5 | 1, 0) != 0)
        return zip_failed(e->path, zip, err);
    return RV_OK;
}

static rv_status write_entries(zip_t *zip, const char *path, entry *entries, size_t n,
                               rv_error *err)
{
    rv_status failure = RV_OK, st = RV_OK;
    for (size_t i = 0; i < n && st == RV_OK; i++) {
        entries[i].path = path;
        entries[i].err = err;
        entries[i].failure = &failure;
        st = add_entry(zip, &entries[i], err);
    }
    if (st == RV_OK && zip_close(zip) == 0)
        return RV_OK;
    if (st == RV_OK)
        st = failure != RV_OK ? failure : zip_failed(path, zip, err);
    zip_discard(zip);
    return st;
}

/* libzip replaces the file that it is given: what is flushed and renamed is the new one. */
static rv_status reopen(audio_sink *sink, rv_error *err)
{
    close(sink->fd);
    sink->fd = open(sink->temporary, O_RDWR | O_CLOEXEC);
    if (sink->fd < 0)
        sink->failure = errno;
    return rv_sink_check(sink, err);
}

static rv_status write_sink(audio_sink *sink, entry *entries, size_t n, rv_error *err)
{
    int code = 0;
    zip_t *zip = zip_open(sink->temporary, ZIP_CREATE | ZIP_TRUNCATE, &code);
    if (!zip)
        return RV_FAIL(err, RV_ERR_IO, "%s: cannot be written: error %d of libzip (%s)", sink->path,
                       code, strerror(errno));
    RV_TRY(write_entries(zip, sink->path, entries, n, err));
    RV_TRY(reopen(sink, err));
    return rv_sink_commit(sink, err);
}

rv_status rv_npz_write(const char *path, const rv_npz_array *arrays, size_t n, rv_error *err)
{
    audio_sink sink;
    entry *entries = calloc(n + 1, sizeof *entries);
    if (!entries)
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: %zu arrays", path, n);
    for (size_t i = 0; i < n; i++)
        entries[i].array = &arrays[i];
    rv_status st = rv_sink_open(&sink, path, err);
    if (st == RV_OK) {
        st = write_sink(&sink, entries, n, err);
        rv_sink_discard(&sink);
    }
    for (size_t i = 0; i < n; i++)
        free(entries[i].buffer);
    free(entries);
    return st;
}
