/* npz_read.h - arrays of numpy's .npz and .npy (NEP 1, versions 1.0 to 3.0), read where they lie.
 *
 * Numbers of up to 8 bytes, little-endian; arrays of several axes in C's order. */
#ifndef IO_NPZ_READ_H
#define IO_NPZ_READ_H

#include "base/status.h"

enum { RV_NPY_RANK = 4 };

typedef struct rv_npy {
    const char *type; /* numpy's without the order of bytes: "f4", "b1", "i8" */
    int rank;
    size_t shape[RV_NPY_RANK];
    size_t count;              /* product of the shape */
    const unsigned char *data; /* private */
} rv_npy;

typedef struct rv_npz rv_npz;

RV_NODISCARD rv_status rv_npz_open(rv_npz **out, const char *path, rv_error *err);

/* From memory, which must outlive it; `path` stands in messages. */
RV_NODISCARD rv_status rv_npz_open_memory(rv_npz **out, const void *data, size_t size,
                                          const char *path, rv_error *err);
void rv_npz_free(rv_npz *z);

/* NULL where there is no array of that name. Lives as long as the archive. Errors: damaged, or
 * of a kind that is not read here. */
RV_NODISCARD rv_status rv_npz_find(const rv_npy **out, rv_npz *z, const char *name, rv_error *err);

/* Values first .. first + n, which must be there. */
void rv_npy_read(const rv_npy *a, size_t first, size_t n, float *out);
double rv_npy_value(const rv_npy *a, size_t i);

#endif
