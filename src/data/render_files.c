/* render_files.c - folders that are removed, scratch memory. */
#include "base/status.h"
#include "data/render_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

const char *rv_base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static int remove_entry(const char *path, const struct stat *st, int kind, struct FTW *where)
{
    (void)st;
    (void)kind;
    (void)where;
    return remove(path);
}

rv_status rv_remove_tree(const char *path, rv_error *err)
{
    if (nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS) && errno != ENOENT)
        return RV_FAIL(err, RV_ERR_IO, "%s: cannot be removed: %s", path, strerror(errno));
    return RV_OK;
}

static int open_nameless(const char *folder)
{
    char name[4200];
    snprintf(name, sizeof name, "%s/.scratch-XXXXXX", folder);
    const int fd = mkostemp(name, O_CLOEXEC);
    if (fd >= 0)
        unlink(name);
    return fd;
}

/* The room on the disk is taken at once: a full disk is an error here, not a signal later. */
rv_status rv_map_scratch(void **out, size_t size, const char *folder, rv_error *err)
{
    const int fd = open_nameless(folder);
    if (fd < 0)
        return RV_FAIL(err, RV_ERR_IO, "%s: no file can be made there: %s", folder,
                       strerror(errno));
    const int failed = posix_fallocate(fd, 0, (off_t)size);
    void *map = failed ? MAP_FAILED : mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    const int why = failed ? failed : errno;
    close(fd);
    if (map == MAP_FAILED)
        return RV_FAIL(err, RV_ERR_IO, "%s: no room for %zu MiB of audio: %s", folder, size >> 20,
                       strerror(why));
    *out = map;
    return RV_OK;
}
