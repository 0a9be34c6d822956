/* folder.c - fsync of a folder. */
#include "io/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* "a/b" -> "a", "b" -> ".", "/b" -> "/" */
static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        return strdup(".");
    return strndup(path, slash > path ? (size_t)(slash - path) : 1);
}

rv_status rv_folder_sync(const char *path, rv_error *err)
{
    char *folder = folder_of(path);
    if (!folder)
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", path);
    const int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    free(folder);
    if (fd < 0 && errno == EACCES) /* files may be made in a folder that may not be read */
        return RV_OK;
    if (fd < 0 || (fsync(fd) && errno != EINVAL && errno != ENOTSUP && errno != EROFS)) {
        const int why = errno;
        if (fd >= 0)
            close(fd);
        return RV_FAIL(err, RV_ERR_IO, "%s: its folder cannot be written to the disk: %s", path,
                       strerror(why));
    }
    close(fd);
    return RV_OK;
}
