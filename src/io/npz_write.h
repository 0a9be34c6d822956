/* npz_write.h - arrays in numpy's .npz: a zip archive of uncompressed .npy files (NEP 1, version
 * 1.0), as numpy.savez writes it. */
#ifndef IO_NPZ_WRITE_H
#define IO_NPZ_WRITE_H

#include "base/status.h"

typedef struct rv_npz_array {
    const char *name;
    const char *type; /* numpy's: "<f4", "|b1", "<i8", "<f8" */
    int rank;         /* 0 to 2 */
    size_t shape[2];
    /* Fills out with rows first .. first + n (a scalar is one row); asked for in order. */
    rv_status (*read)(void *ctx, size_t first, size_t n, void *out, rv_error *err);
    void *ctx;
} rv_npz_array;

/* The file gets its name when it is whole, replacing what has it. The same arrays give the same
 * bytes. RV_ERR_UNSUPPORTED in a build without libzip. */
RV_NODISCARD rv_status rv_npz_write(const char *path, const rv_npz_array *arrays, size_t n,
                                    rv_error *err);

#endif
