/* checkpoint.h - named tensors and the configuration of a model, from any file of weights.
 *
 * The container is told by its content, never by its name: safetensors, PyTorch's zip archives
 * (1.6 and later) and PyTorch's older single stream. Nothing in a file is ever executed, and every
 * size is checked against the file before anything is allocated for it. */
#ifndef IO_CHECKPOINT_H
#define IO_CHECKPOINT_H

#include "base/status.h"

#include <jansson.h>
#include <stdbool.h>

enum { RV_MAX_RANK = 8 };

typedef enum rv_dtype {
    RV_F32,
    RV_F16,
    RV_BF16,
    RV_F64,
    RV_I64,
    RV_I32,
    RV_I16,
    RV_I8,
    RV_U8,
    RV_BOOL,
} rv_dtype;

typedef struct rv_checkpoint rv_checkpoint;

typedef struct rv_tensor {
    const char *name; /* "encoder.0.conv.weight" */
    rv_dtype dtype;
    int rank;
    size_t shape[RV_MAX_RANK];
    size_t count; /* product of the shape; 1 for rank 0 */

    /* Private: where the elements are. */
    const unsigned char *storage; /* in the mapping; NULL: to be inflated from `entry` */
    size_t entry;                 /* of the archive */
    size_t storage_size;          /* bytes */
    size_t offset;                /* of the first element in the storage, in elements */
    size_t stride[RV_MAX_RANK];   /* in elements */
    const rv_checkpoint *part;    /* that has it, of several joined ones; else NULL */
} rv_tensor;

/* Open a file of weights. Damaged files, and files that are no weights: RV_ERR_FORMAT; what is
 * valid but cannot be read here (TorchScript, the tar format of 2016): RV_ERR_UNSUPPORTED.
 */
RV_NODISCARD rv_status rv_checkpoint_open(rv_checkpoint **out, const char *path, rv_error *err);

/* The same from memory, which must outlive the checkpoint; `path` stands in messages. Views need
 * `data` aligned to 8 bytes. */
RV_NODISCARD rv_status rv_checkpoint_open_memory(rv_checkpoint **out, const void *data, size_t size,
                                                 const char *path, rv_error *err);
void rv_checkpoint_free(rv_checkpoint *c);

/* Tensors in the order of the file. */
size_t rv_checkpoint_count(const rv_checkpoint *c);
const rv_tensor *rv_checkpoint_tensor(const rv_checkpoint *c, size_t i);

/* The tensor of that name, or NULL. */
const rv_tensor *rv_checkpoint_find(const rv_checkpoint *c, const char *name);

/* Whether t has this shape. One value without axes has the shape [1], too, and the reverse, as when
 * PyTorch loads it. */
bool rv_tensor_has_shape(const rv_tensor *t, int rank, const size_t *shape);

/* Write t->count floats in row-major order, whatever the dtype and the strides in the file. */
RV_NODISCARD rv_status rv_checkpoint_read(const rv_checkpoint *c, const rv_tensor *t, float *dst,
                                          rv_error *err);

/* The elements in place, valid as long as the checkpoint; NULL unless they are floats, contiguous
 * and aligned. */
const float *rv_checkpoint_view(const rv_checkpoint *c, const rv_tensor *t);

/* What was read of the file need not stay in memory: views remain valid and are read again. */
void rv_checkpoint_unload(const rv_checkpoint *c);

/* One object, the same from all containers; never NULL, owned by the checkpoint:
 *   "class"          "demucs.htdemucs.HTDemucs"; absent for plain state dicts
 *   "args", "kwargs" of its constructor; Asteroid's model_name and model_args are "class" and
 *                    "kwargs" too
 *   "training_args"  if the file has them
 *   "format_version" 1
 *   "license", "provenance", "training_data" and anything else our safetensors hold
 *   "extra"          other plain data found beside the weights */
const json_t *rv_checkpoint_config(const rv_checkpoint *c);

/* "safetensors", "PyTorch zip" or "PyTorch legacy". */
const char *rv_checkpoint_kind(const rv_checkpoint *c);

/* "F32", "F16", ... as safetensors spell it; and the bytes of one element. */
const char *rv_dtype_name(rv_dtype dtype);
size_t rv_dtype_size(rv_dtype dtype);

typedef struct rv_expected {
    const char *name;
    int rank;
    size_t shape[RV_MAX_RANK];
} rv_expected;

/* Compare with what a model needs: one message (RV_ERR_SHAPE) lists all missing, extra and
 * misshapen tensors. Extra counters "...num_batches_tracked" are not counted as such. */
RV_NODISCARD rv_status rv_checkpoint_match(const rv_checkpoint *c, const rv_expected *want,
                                           size_t n, rv_error *err);

/* Weights quantised by DiffQ have no names in the file: there are no tensors until `want` gives
 * all parameters of the model in the order in which the reference's modules register them, that of
 * its state dict. They are de-quantised here. Nothing to do for other files. RV_ERR_SHAPE: these
 * are not the weights of that model. */
bool rv_checkpoint_is_quantized(const rv_checkpoint *c);
RV_NODISCARD rv_status rv_checkpoint_name_quantized(rv_checkpoint *c, const rv_expected *want,
                                                    size_t n, rv_error *err);

#endif
