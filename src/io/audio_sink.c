/* audio_sink.c - temporary file, then fsync and rename; see audio_sink.h. */
#include "io/audio_sink.h"

#include "base/status.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Makes every folder that `path` names before its last slash. */
static int make_parents(char *path)
{
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        const int failed = mkdir(path, 0777) != 0 && errno != EEXIST ? errno : 0;
        *slash = '/';
        if (failed)
            return failed;
    }
    return 0;
}

/* Tries hidden names in the folder of the final one. Not mkstemp, whose files only their owner
 * may read: these get the permissions that the user's umask says. */
static int create_temporary(audio_sink *s, size_t room)
{
    const char *slash = strrchr(s->path, '/');
    const int folder = slash ? (int)(slash - s->path) + 1 : 0;
    for (unsigned attempt = 0; attempt < 100000; attempt++) {
        snprintf(s->temporary, room, "%.*s.ravel-%ld-%u", folder, s->path, (long)getpid(), attempt);
        s->fd = open(s->temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (s->fd >= 0 || errno != EEXIST)
            break;
    }
    return s->fd < 0 ? errno : 0;
}

static void release(audio_sink *s)
{
    free(s->path);
    free(s->temporary);
    *s = (audio_sink){ .fd = -1 };
}

rv_status rv_sink_open(audio_sink *s, const char *path, rv_error *err)
{
    struct stat st;
    if (*path == '\0')
        return RV_FAIL(err, RV_ERR_ARG, "the name of the file to write is empty");
    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        return RV_FAIL(err, RV_ERR_IO, "%s: cannot be written: is a folder", path);
    const size_t room = strlen(path) + 64;
    *s = (audio_sink){ .fd = -1, .path = strdup(path), .temporary = malloc(room) };
    if (!s->path || !s->temporary) {
        release(s);
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", path);
    }
    int failed = make_parents(s->path);
    failed = failed ? failed : create_temporary(s, room);
    if (failed) {
        release(s);
        return RV_FAIL(err, RV_ERR_IO, "%s: cannot be written: %s", path, strerror(failed));
    }
    return RV_OK;
}

bool rv_sink_write(audio_sink *s, const void *bytes, size_t n)
{
    const char *from = bytes;
    while (n > 0 && !s->failure) {
        const ssize_t done = write(s->fd, from, n);
        if (done < 0 && errno != EINTR)
            s->failure = errno;
        if (done > 0) {
            from += done;
            n -= (size_t)done;
        }
    }
    return !s->failure;
}

bool rv_sink_seek(audio_sink *s, int64_t offset)
{
    if (!s->failure && lseek(s->fd, (off_t)offset, SEEK_SET) < 0)
        s->failure = errno;
    return !s->failure;
}

rv_status rv_sink_check(const audio_sink *s, rv_error *err)
{
    if (s->failure)
        return RV_FAIL(err, RV_ERR_IO, "%s: cannot be written: %s", s->path, strerror(s->failure));
    return RV_OK;
}

rv_status rv_sink_commit(audio_sink *s, rv_error *err)
{
    if (!s->failure && fsync(s->fd) != 0)
        s->failure = errno;
    const int closed = s->fd < 0 ? 0 : close(s->fd);
    s->fd = -1;
    if (!s->failure && closed != 0)
        s->failure = errno;
    if (!s->failure && rename(s->temporary, s->path) != 0)
        s->failure = errno;
    RV_TRY(rv_sink_check(s, err));
    free(s->temporary);
    s->temporary = NULL;
    return RV_OK;
}

void rv_sink_discard(audio_sink *s)
{
    if (s->fd >= 0)
        close(s->fd);
    if (s->temporary)
        unlink(s->temporary);
    release(s);
}

rv_status rv_sink_store(const char *path, const void *bytes, size_t n, rv_error *err)
{
    audio_sink sink = { 0 };
    RV_TRY(rv_sink_open(&sink, path, err));
    rv_sink_write(&sink, bytes, n);
    const rv_status status = rv_sink_commit(&sink, err);
    rv_sink_discard(&sink);
    return status;
}
