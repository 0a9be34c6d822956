/* safetensors_write.c - header, then the tensors one after the other in small pieces.
 *
 * Floats come first, so that everything stays aligned without gaps, which the format forbids; the
 * header is filled up with spaces to a multiple of 8 bytes for the same reason. */
#include "io/folder.h"
#include "io/half.h"
#include "io/safetensors.h"

#include "base/status.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PIECE = 16384 }; /* elements converted at once */

typedef struct writer {
    const char *path;
    char *part; /* name of the temporary file */
    int fd;
    rv_error *err;
} writer;

static rv_status io_error(const writer *w, const char *what)
{
    return RV_FAIL(w->err, RV_ERR_IO, "%s: %s: %s", w->path, what, strerror(errno));
}

static rv_status write_bytes(const writer *w, const void *bytes, size_t n)
{
    const char *p = bytes;
    while (n) {
        const ssize_t done = write(w->fd, p, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return io_error(w, "cannot be written");
        p += done;
        n -= (size_t)done;
    }
    return RV_OK;
}

/* The header */

static rv_status source_size(const writer *w, const rv_tensor_source *t, size_t *bytes)
{
    *bytes = rv_dtype_size(t->dtype);
    bool fits = t->dtype <= RV_BF16 && t->rank >= 0 && t->rank <= RV_MAX_RANK;
    for (int i = 0; fits && i < t->rank; i++)
        fits = !__builtin_mul_overflow(*bytes, t->shape[i], bytes) && *bytes <= SIZE_MAX / 8;
    return fits ? RV_OK
                : RV_FAIL(w->err, RV_ERR_ARG, "%s: tensor \"%s\" has no valid dtype and shape",
                          w->path, t->name);
}

static rv_status add_entry(const writer *w, json_t *header, const rv_tensor_source *t, size_t *at)
{
    size_t bytes = 0;
    RV_TRY(source_size(w, t, &bytes));
    if (json_object_get(header, t->name))
        return RV_FAIL(w->err, RV_ERR_ARG, "%s: tensor \"%s\" is given twice, or its name is taken",
                       w->path, t->name);
    json_t *shape = json_array();
    for (int i = 0; i < t->rank; i++)
        json_array_append_new(shape, json_integer((json_int_t)t->shape[i]));
    json_t *entry = json_pack("{s:s, s:o, s:[I,I]}", "dtype", rv_dtype_name(t->dtype), "shape",
                              shape, "data_offsets", (json_int_t)*at, (json_int_t)(*at + bytes));
    *at += bytes;
    if (json_object_set_new(header, t->name, entry))
        return RV_FAIL(w->err, RV_ERR_ARG, "%s: the name of tensor \"%s\" is no UTF-8", w->path,
                       t->name);
    return RV_OK;
}

static json_t *metadata(const json_t *config)
{
    char *text = json_dumps(config, JSON_COMPACT | JSON_REAL_PRECISION(17));
    json_t *m =
        text ? json_pack("{s:{s:s, s:s}}", "__metadata__", "format", "ravel", "ravel", text) : NULL;
    free(text);
    return m;
}

static rv_status add_entries(const writer *w, json_t *header, const rv_tensor_source *tensors,
                             size_t n)
{
    size_t at = 0;
    for (int narrow = 0; narrow < 2; narrow++)
        for (size_t i = 0; i < n; i++)
            if ((tensors[i].dtype != RV_F32) == narrow)
                RV_TRY(add_entry(w, header, &tensors[i], &at));
    return RV_OK;
}

static rv_status write_header(const writer *w, const json_t *header)
{
    char *text = json_dumps(header, JSON_COMPACT);
    if (!text)
        return RV_FAIL(w->err, RV_ERR_NOMEM, "%s: out of memory for the header", w->path);
    const size_t n = strlen(text), padding = (8 - n % 8) % 8;
    const uint64_t length = n + padding;
    rv_status status = write_bytes(w, &length, sizeof length);
    if (status == RV_OK)
        status = write_bytes(w, text, n);
    if (status == RV_OK)
        status = write_bytes(w, "       ", padding);
    free(text);
    return status;
}

/* The elements */

static rv_status write_narrow(const writer *w, const rv_tensor_source *t, size_t count,
                              uint16_t *piece)
{
    for (size_t done = 0; done < count;) {
        const size_t n = count - done < PIECE ? count - done : PIECE;
        for (size_t i = 0; i < n; i++)
            piece[i] = t->dtype == RV_F16 ? rv_float_to_half(t->data[done + i])
                                          : rv_float_to_bfloat(t->data[done + i]);
        RV_TRY(write_bytes(w, piece, n * sizeof *piece));
        done += n;
    }
    return RV_OK;
}

static rv_status write_tensors(const writer *w, const rv_tensor_source *tensors, size_t n,
                               uint16_t *piece)
{
    for (int narrow = 0; narrow < 2; narrow++)
        for (size_t i = 0; i < n; i++) {
            size_t bytes = 0;
            RV_TRY(source_size(w, &tensors[i], &bytes));
            if (!narrow && tensors[i].dtype == RV_F32)
                RV_TRY(write_bytes(w, tensors[i].data, bytes));
            if (narrow && tensors[i].dtype != RV_F32)
                RV_TRY(write_narrow(w, &tensors[i], bytes / sizeof *piece, piece));
        }
    return RV_OK;
}

static rv_status write_content(const writer *w, const json_t *header,
                               const rv_tensor_source *tensors, size_t n)
{
    uint16_t *piece = malloc(PIECE * sizeof *piece);
    if (!piece)
        return RV_FAIL(w->err, RV_ERR_NOMEM, "%s: out of memory", w->path);
    rv_status status = write_header(w, header);
    if (status == RV_OK)
        status = write_tensors(w, tensors, n, piece);
    free(piece);
    return status;
}

/* The file */

/* A new file beside the final one, with the rights that a new file gets. */
static rv_status open_part(writer *w)
{
    const size_t size = strlen(w->path) + 48;
    w->part = malloc(size);
    if (!w->part)
        return RV_FAIL(w->err, RV_ERR_NOMEM, "%s: out of memory", w->path);
    for (int i = 0; i < 100; i++) {
        snprintf(w->part, size, "%s.part-%ld-%d", w->path, (long)getpid(), i);
        w->fd = open(w->part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (w->fd >= 0)
            return RV_OK;
        if (errno != EEXIST)
            break;
    }
    const rv_status status = io_error(w, "cannot be created");
    free(w->part);
    return status;
}

/* Close, and rename if all went well; else remove. */
static rv_status close_part(writer *w, rv_status status)
{
    if (status == RV_OK && fsync(w->fd))
        status = io_error(w, "cannot be written");
    if (close(w->fd) && status == RV_OK)
        status = io_error(w, "cannot be written");
    if (status == RV_OK && rename(w->part, w->path))
        status = io_error(w, "cannot be renamed to");
    if (status != RV_OK)
        unlink(w->part);
    free(w->part);
    return status == RV_OK ? rv_folder_sync(w->path, w->err) : status;
}

rv_status rv_safetensors_write(const char *path, const rv_tensor_source *tensors, size_t n,
                               const json_t *config, rv_error *err)
{
    writer w = { .path = path, .err = err };
    json_t *header = metadata(config);
    if (!header)
        return RV_FAIL(err, RV_ERR_ARG, "%s: the configuration cannot be written as JSON", path);
    rv_status status = add_entries(&w, header, tensors, n);
    if (status == RV_OK)
        status = open_part(&w);
    if (status == RV_OK)
        status = close_part(&w, write_content(&w, header, tensors, n));
    json_decref(header);
    return status;
}
