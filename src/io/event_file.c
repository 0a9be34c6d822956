/* event_file.c - TFRecord frames (io/tfrecord.h) around protocol-buffer messages written by hand.
 * Of event.proto and summary.proto six fields are used:
 *
 *     Event       wall_time = 1 (double), step = 2 (int64), file_version = 3 (text),
 *                 summary = 5 (Summary), session_log = 7 (SessionLog)
 *     Summary     value = 1 (Value)          Value   tag = 1 (text), simple_value = 2 (float)
 *     SessionLog  status = 1 (START is 1)
 *
 * A field is its number << 3 | kind (0 varint, 1 eight bytes, 2 a length and bytes, 5 four bytes),
 * then the value. All lengths here fit one or two bytes of a varint. */
#include "io/event_file.h"

#include "io/text.h"
#include "io/tfrecord.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TAG_LIMIT = 255, MESSAGE = 512, SAME_SECOND = 1000 };

struct rv_event_file {
    FILE *stream;
    char *path;
};

/* Messages */

typedef struct message {
    size_t size;
    unsigned char bytes[MESSAGE];
} message;

static void add_bytes(message *m, const void *bytes, size_t n)
{
    memcpy(m->bytes + m->size, bytes, n);
    m->size += n;
}

static void add_varint(message *m, uint64_t value)
{
    for (; value > 127; value >>= 7)
        m->bytes[m->size++] = (unsigned char)(value | 128);
    m->bytes[m->size++] = (unsigned char)value;
}

static void add_field(message *m, int number, const void *bytes, size_t n)
{
    add_varint(m, (uint64_t)number << 3 | 2);
    add_varint(m, n);
    add_bytes(m, bytes, n);
}

static message start_event(double wall_time, int64_t step)
{
    message m = { 0 };
    add_varint(&m, 1 << 3 | 1);
    add_bytes(&m, &wall_time, sizeof wall_time);
    if (step) { /* an absent number is 0 */
        add_varint(&m, 2 << 3 | 0);
        add_varint(&m, (uint64_t)step);
    }
    return m;
}

static message scalar_value(const char *tag, float value)
{
    message m = { 0 };
    add_field(&m, 1, tag, strlen(tag));
    add_varint(&m, 2 << 3 | 5);
    add_bytes(&m, &value, sizeof value);
    return m;
}

/* Frames */

static rv_status io_error(const rv_event_file *file, rv_error *err)
{
    return RV_FAIL(err, RV_ERR_IO, "%s: cannot be written: %s", file->path, strerror(errno));
}

static rv_status write_message(rv_event_file *file, const message *m, rv_error *err)
{
    unsigned char head[RV_TFRECORD_HEAD], tail[RV_TFRECORD_TAIL];
    rv_tfrecord_head(head, m->size);
    rv_tfrecord_tail(tail, m->bytes, m->size);
    const bool done = fwrite(head, sizeof head, 1, file->stream) == 1 &&
                      fwrite(m->bytes, m->size, 1, file->stream) == 1 &&
                      fwrite(tail, sizeof tail, 1, file->stream) == 1;
    return done ? RV_OK : io_error(file, err);
}

/* The file */

static char *file_name(const char *folder, double wall_time, int attempt)
{
    char host[256] = "", number[16] = "", *path;
    if (gethostname(host, sizeof host - 1) || !host[0] || strchr(host, '/'))
        strcpy(host, "localhost");
    if (attempt)
        snprintf(number, sizeof number, ".%d", attempt);
    return asprintf(&path, "%s/events.out.tfevents.%010.0f.%s%s", folder, wall_time, host, number) <
                   0
               ? NULL
               : path;
}

/* A run that is resumed within the second gets a number. */
static rv_status create(rv_event_file *file, const char *folder, double wall_time, rv_error *err)
{
    int fd = -1;
    for (int attempt = 0; fd < 0 && attempt < SAME_SECOND; attempt++) {
        free(file->path);
        file->path = file_name(folder, wall_time, attempt);
        if (!file->path)
            return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", folder);
        fd = open(file->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (fd < 0 && errno != EEXIST)
            break;
    }
    if (fd < 0)
        return io_error(file, err);
    file->stream = fdopen(fd, "wb");
    if (file->stream)
        return RV_OK;
    close(fd);
    return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", folder);
}

static rv_status start_file(rv_event_file *file, const char *folder, double wall_time,
                            rv_error *err)
{
    static const char version[] = "brain.Event:2";
    RV_TRY(create(file, folder, wall_time, err));
    message m = start_event(wall_time, 0);
    add_field(&m, 3, version, sizeof version - 1);
    RV_TRY(write_message(file, &m, err));
    return rv_event_file_flush(file, err);
}

rv_status rv_event_file_open(rv_event_file **out, const char *folder, double wall_time,
                             rv_error *err)
{
    rv_event_file *file = calloc(1, sizeof *file);
    if (!file)
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", folder);
    const rv_status status = start_file(file, folder, wall_time, err);
    if (status == RV_OK)
        *out = file;
    else
        rv_event_file_close(file, NULL);
    return status;
}

rv_status rv_event_file_scalar(rv_event_file *file, const char *tag, int64_t step, double value,
                               double wall_time, rv_error *err)
{
    const size_t n = strlen(tag);
    if (!n || n > TAG_LIMIT)
        return RV_FAIL(err, RV_ERR_ARG, "a tag must have 1 to 255 bytes, not %zu: \"%s\"", n,
                       rv_show(tag, n).text);
    const message v = scalar_value(tag, (float)value);
    message summary = { 0 }, event = start_event(wall_time, step);
    add_field(&summary, 1, v.bytes, v.size);
    add_field(&event, 5, summary.bytes, summary.size);
    return write_message(file, &event, err);
}

rv_status rv_event_file_resume(rv_event_file *file, int64_t step, double wall_time, rv_error *err)
{
    static const unsigned char session_start[] = { 1 << 3 | 0, 1 };
    message m = start_event(wall_time, step);
    add_field(&m, 7, session_start, sizeof session_start);
    return write_message(file, &m, err);
}

rv_status rv_event_file_flush(rv_event_file *file, rv_error *err)
{
    return fflush(file->stream) ? io_error(file, err) : RV_OK;
}

rv_status rv_event_file_close(rv_event_file *file, rv_error *err)
{
    if (!file)
        return RV_OK;
    const bool failed = file->stream && fclose(file->stream);
    const rv_status status = failed ? io_error(file, err) : RV_OK;
    free(file->path);
    free(file);
    return status;
}
