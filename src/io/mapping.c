/* mapping.c - open, check, map, close: POSIX mmap. */
#include "io/mapping.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static rv_status map_descriptor(rv_mapping *out, int fd, const char *path, rv_error *err)
{
    struct stat st;
    if (fstat(fd, &st))
        return RV_FAIL(err, RV_ERR_IO, "%s: %s", path, strerror(errno));
    if (!S_ISREG(st.st_mode))
        return RV_FAIL(err, RV_ERR_IO, "%s: not a regular file", path);
    if ((uint64_t)st.st_size > SIZE_MAX / 2)
        return RV_FAIL(err, RV_ERR_UNSUPPORTED, "%s: too large for this machine", path);
    rv_mapping m = { .size = (size_t)st.st_size };
    if (m.size) {
        m.base = mmap(NULL, m.size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (m.base == MAP_FAILED)
            return RV_FAIL(err, RV_ERR_IO, "%s: cannot be mapped: %s", path, strerror(errno));
        m.data = m.base;
    }
    *out = m;
    return RV_OK;
}

rv_status rv_mapping_open(rv_mapping *out, const char *path, rv_error *err)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return RV_FAIL(err, RV_ERR_IO, "%s: %s", path, strerror(errno));
    const rv_status status = map_descriptor(out, fd, path, err);
    close(fd);
    return status;
}

void rv_mapping_unload(const rv_mapping *m)
{
#ifdef MADV_DONTNEED
    if (m->base)
        (void)madvise(m->base, m->size, MADV_DONTNEED);
#else
    (void)m;
#endif
}

void rv_mapping_close(rv_mapping *m)
{
    if (m->base)
        munmap(m->base, m->size);
    *m = (rv_mapping){ 0 };
}
