/* file_limit.h - writes that fail as on a full disk: beyond `bytes` of a file (EFBIG in place of
 * ENOSPC; every partial write before that is the same). Of the whole process. */
#ifndef TESTS_FILE_LIMIT_H
#define TESTS_FILE_LIMIT_H

#include "check.h"

#include <signal.h>
#include <sys/resource.h>

static inline void limit_files(rlim_t bytes)
{
    struct rlimit limit;
    signal(SIGXFSZ, SIG_IGN);
    CHECK(getrlimit(RLIMIT_FSIZE, &limit) == 0);
    limit.rlim_cur = bytes < limit.rlim_max ? bytes : limit.rlim_max;
    CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
}

static inline void unlimit_files(void)
{
    limit_files(RLIM_INFINITY);
}

#endif
