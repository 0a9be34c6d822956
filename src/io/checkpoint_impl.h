/* checkpoint_impl.h - what the readers of the single containers fill. */
#ifndef IO_CHECKPOINT_IMPL_H
#define IO_CHECKPOINT_IMPL_H

#include "base/arena.h"
#include "io/archive.h"
#include "io/checkpoint.h"
#include "io/mapping.h"

typedef struct rv_quantized rv_quantized;

struct rv_checkpoint {
    const char *path; /* in the arena */
    const char *kind;
    rv_mapping file;
    unsigned char *inflated; /* what `file` views if the weights were compressed; else NULL */
    rv_mapping outer;        /* and the file around them */
    rv_archive archive;      /* of a zip; else empty */
    rv_arena arena;          /* names, tensors, archive */
    json_t *config;
    rv_tensor *tensors; /* in the order of the file */
    size_t n, capacity;
    const rv_quantized *quantized; /* by DiffQ: what has no names yet; else NULL */
    const rv_tensor **by_name;     /* sorted; made by checkpoint.c */
    rv_checkpoint **parts;         /* of a joined one, whose tensors these are; else NULL */
    size_t n_parts;
};

/* Add a tensor whose name, which must last, and place are set; shape and strides are checked
 * against the storage and `count` is computed. Errors name tensor and file. */
RV_NODISCARD rv_status rv_checkpoint_add(rv_checkpoint *c, const rv_tensor *t, rv_error *err);

/* The check alone, which also computes `count`. */
RV_NODISCARD rv_status rv_checkpoint_check(const rv_checkpoint *c, rv_tensor *t, rv_error *err);

/* Make by_name; a name that is there twice is an error. */
RV_NODISCARD rv_status rv_checkpoint_index(rv_checkpoint *c, rv_error *err);

/* Row-major without gaps? Strides of dimensions of size 1 do not matter. */
bool rv_tensor_is_contiguous(const rv_tensor *t);

/* The bytes of t's storage, in place or inflated; *inflated, NULL or not, is to be freed. */
RV_NODISCARD rv_status rv_checkpoint_storage(const rv_checkpoint *c, const rv_tensor *t,
                                             const unsigned char **out, unsigned char **inflated,
                                             rv_error *err);

/* Text copied to the checkpoint's arena, or NULL. */
char *rv_checkpoint_keep(rv_checkpoint *c, const char *text, size_t n);

#endif
