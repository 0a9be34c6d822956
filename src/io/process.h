/* process.h - run a program, give it text, take what it prints. */
#ifndef IO_PROCESS_H
#define IO_PROCESS_H

#include "ravel/base.h"

typedef struct rv_process_limits {
    size_t bytes;   /* of output */
    double seconds; /* from start to end; then the program is killed */
} rv_process_limits;

/* Runs argv[0] (searched for in PATH; no shell) with `input` as its standard input; its standard
 * output becomes *data, of *size bytes, to be freed with free(). RV_ERR_UNSUPPORTED: there is no
 * such program. RV_ERR_IO: it failed (the first line of its standard error is in the message), was
 * too slow or printed too much. Nothing is left behind: no file, no process. */
RV_NODISCARD rv_status rv_process_run(unsigned char **data, size_t *size, const char *const *argv,
                                      const char *input, rv_process_limits limits, rv_error *err);

#endif
