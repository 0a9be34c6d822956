/* json_log.c - a line is one write(); if the disk is full in its middle, the file is cut back. */
#include "io/json_log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct rv_json_log {
    int fd;
    off_t size;
    char *path;
};

static rv_status io_error(const rv_json_log *log, const char *what, rv_error *err)
{
    return RV_FAIL(err, RV_ERR_IO, "%s: %s: %s", log->path, what, strerror(errno));
}

static rv_status out_of_memory(const char *path, rv_error *err)
{
    return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", path);
}

/* What a resumed run keeps */

enum verdict { KEEP, CUT, BROKEN };

/* A half-written line has no end, but the beginning of an object. */
static enum verdict judge(const char *text, size_t n, int64_t step)
{
    if (text[n - 1] != '\n')
        return text[0] == '{' ? CUT : BROKEN;
    json_t *line = json_loadb(text, n, 0, NULL);
    const json_t *at = json_object_get(line, "step");
    const bool later = json_is_integer(at) && json_integer_value(at) > step;
    const enum verdict v = !json_is_object(line) ? BROKEN : later ? CUT : KEEP;
    json_decref(line);
    return v;
}

/* Add up the bytes to keep. */
static rv_status find_end(rv_json_log *log, FILE *in, int64_t step, rv_error *err)
{
    char *text = NULL;
    size_t room = 0, number = 0;
    enum verdict v = KEEP;
    for (ssize_t n; v == KEEP && (n = getline(&text, &room, in)) > 0; number++) {
        v = judge(text, (size_t)n, step);
        log->size += v == KEEP ? n : 0;
    }
    free(text);
    if (v == KEEP && !feof(in))
        return io_error(log, "cannot be read", err);
    if (v == BROKEN)
        return RV_FAIL(err, RV_ERR_FORMAT, "%s, line %zu: not a log: a line must be a JSON object",
                       log->path, number);
    return RV_OK;
}

static rv_status read_old(rv_json_log *log, int64_t step, rv_error *err)
{
    FILE *in = fopen(log->path, "rb");
    if (!in)
        return io_error(log, "cannot be read", err);
    const rv_status status = find_end(log, in, step, err);
    fclose(in);
    return status;
}

static rv_status start(rv_json_log *log, int64_t step, rv_error *err)
{
    log->fd = open(log->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (log->fd < 0)
        return io_error(log, "cannot be opened", err);
    if (step >= 0)
        RV_TRY(read_old(log, step, err));
    return ftruncate(log->fd, log->size) ? io_error(log, "cannot be cut", err) : RV_OK;
}

rv_status rv_json_log_open(rv_json_log **out, const char *path, int64_t step, rv_error *err)
{
    rv_json_log *log = calloc(1, sizeof *log);
    if (!log)
        return out_of_memory(path, err);
    log->fd = -1;
    log->path = strdup(path);
    const rv_status status = log->path ? start(log, step, err) : out_of_memory(path, err);
    if (status == RV_OK)
        *out = log;
    else
        rv_json_log_free(log);
    return status;
}

/* Writing */

static rv_status write_line(rv_json_log *log, const char *text, size_t n, rv_error *err)
{
    size_t done = 0;
    while (done < n) {
        const ssize_t k = write(log->fd, text + done, n - done);
        if (k < 0 && errno != EINTR)
            break;
        done += k > 0 ? (size_t)k : 0;
    }
    if (done < n) {
        const rv_status status = io_error(log, "cannot be written", err);
        const int cut = ftruncate(log->fd, log->size); /* resuming drops the rest otherwise */
        (void)cut;
        return status;
    }
    log->size += (off_t)n;
    return RV_OK;
}

rv_status rv_json_log_write(rv_json_log *log, const json_t *line, rv_error *err)
{
    if (!json_is_object(line))
        return RV_FAIL(err, RV_ERR_ARG, "%s: a line must be a JSON object", log->path);
    const size_t n = json_dumpb(line, NULL, 0, JSON_COMPACT);
    char *text = n ? malloc(n + 1) : NULL;
    if (!text || json_dumpb(line, text, n, JSON_COMPACT) != n) {
        free(text);
        return out_of_memory(log->path, err);
    }
    text[n] = '\n';
    const rv_status status = write_line(log, text, n + 1, err);
    free(text);
    return status;
}

void rv_json_log_free(rv_json_log *log)
{
    if (!log)
        return;
    if (log->fd >= 0)
        close(log->fd);
    free(log->path);
    free(log);
}
