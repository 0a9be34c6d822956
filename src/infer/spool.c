/* spool.c - blocks of [planes][up to BLOCK] floats; all but the last are full. */
#include "infer/spool.h"

#include "base/status.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BLOCK = 16384 };

struct rv_spool {
    int fd;
    char *folder;
    size_t planes;
    float *block; /* [planes][BLOCK] */
    float **place;
    size_t held;            /* frames in the block while writing */
    uint64_t written, read; /* frames */
    bool reading;
};

static rv_status open_file(rv_spool *s, const char *path, rv_error *err)
{
    const char *slash = strrchr(path, '/');
    s->folder = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup("./");
    const size_t room = s->folder ? strlen(s->folder) + sizeof ".ravel-XXXXXX" : 0;
    char *name = room ? malloc(room) : NULL;
    if (!name)
        return RV_FAIL(err, RV_ERR_NOMEM, "a file name");
#ifdef O_TMPFILE
    s->fd = open(s->folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
#endif
    if (s->fd < 0) { /* not on every file system */
        snprintf(name, room, "%s.ravel-XXXXXX", s->folder);
        s->fd = mkostemp(name, O_CLOEXEC);
        if (s->fd >= 0)
            unlink(name);
    }
    free(name);
    if (s->fd < 0)
        return RV_FAIL(err, RV_ERR_IO, "%s: no temporary file can be made there: %s", s->folder,
                       strerror(errno));
    return RV_OK;
}

static rv_status init(rv_spool *s, const char *path, rv_error *err)
{
    s->place = calloc(s->planes, sizeof *s->place);
    s->block = malloc(s->planes * BLOCK * sizeof *s->block);
    if (!s->place || !s->block)
        return RV_FAIL(err, RV_ERR_NOMEM, "a spool of %zu planes", s->planes);
    return open_file(s, path, err);
}

rv_status rv_spool_new(rv_spool **out, const char *path, size_t planes, rv_error *err)
{
    rv_spool *s = calloc(1, sizeof *s);
    if (!s)
        return RV_FAIL(err, RV_ERR_NOMEM, "a spool");
    s->fd = -1;
    s->planes = planes;
    const rv_status st = init(s, path, err);
    if (st != RV_OK) {
        rv_spool_free(s);
        return st;
    }
    *out = s;
    return RV_OK;
}

void rv_spool_free(rv_spool *s)
{
    if (!s)
        return;
    if (s->fd >= 0)
        close(s->fd);
    free(s->folder);
    free(s->block);
    free((void *)s->place);
    free(s);
}

static rv_status flush(rv_spool *s, rv_error *err)
{
    const char *at = (const char *)s->block;
    size_t rest = s->planes * BLOCK * sizeof *s->block;
    s->held = 0;
    while (rest > 0) {
        const ssize_t n = write(s->fd, at, rest);
        if (n < 0 && errno != EINTR)
            return RV_FAIL(err, RV_ERR_IO, "%s: no room for temporary data: %s", s->folder,
                           strerror(errno));
        at += n > 0 ? n : 0;
        rest -= n > 0 ? (size_t)n : 0;
    }
    return RV_OK;
}

rv_status rv_spool_write(rv_spool *s, const float *const *planes, size_t frames, rv_error *err)
{
    for (size_t done = 0; done < frames;) {
        const size_t room = BLOCK - s->held, n = frames - done < room ? frames - done : room;
        for (size_t p = 0; p < s->planes; p++)
            memcpy(s->block + p * BLOCK + s->held, planes[p] + done, n * sizeof *s->block);
        s->held += n;
        s->written += n;
        done += n;
        if (s->held == BLOCK)
            RV_TRY(flush(s, err));
    }
    return RV_OK;
}

static rv_status start_reading(rv_spool *s, rv_error *err)
{
    if (s->held > 0)
        RV_TRY(flush(s, err));
    s->reading = true;
    if (lseek(s->fd, 0, SEEK_SET) != 0)
        return RV_FAIL(err, RV_ERR_IO, "%s: temporary data: %s", s->folder, strerror(errno));
    return RV_OK;
}

static rv_status fetch(rv_spool *s, rv_error *err)
{
    char *at = (char *)s->block;
    size_t rest = s->planes * BLOCK * sizeof *s->block;
    while (rest > 0) {
        const ssize_t n = read(s->fd, at, rest);
        if (n == 0 || (n < 0 && errno != EINTR))
            return RV_FAIL(err, RV_ERR_IO, "%s: temporary data: %s", s->folder,
                           n ? strerror(errno) : "unexpected end");
        at += n > 0 ? n : 0;
        rest -= n > 0 ? (size_t)n : 0;
    }
    return RV_OK;
}

rv_status rv_spool_read(rv_spool *s, float *const **planes, size_t *frames, rv_error *err)
{
    if (!s->reading)
        RV_TRY(start_reading(s, err));
    const uint64_t rest = s->written - s->read;
    *frames = rest < BLOCK ? (size_t)rest : BLOCK;
    if (*frames > 0)
        RV_TRY(fetch(s, err));
    for (size_t p = 0; p < s->planes; p++)
        s->place[p] = s->block + p * BLOCK;
    s->read += *frames;
    *planes = s->place;
    return RV_OK;
}

double rv_spool_share(const rv_spool *s)
{
    return s->written ? (double)s->read / (double)s->written : 1;
}
