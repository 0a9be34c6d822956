/* safetensors.h - the safetensors format: 8 bytes with the length of a JSON header, the header,
 * and the elements of all tensors behind it (github.com/huggingface/safetensors).
 *
 * Ours hold the configuration of rv_checkpoint_config as one JSON text, "ravel", in the header's
 * metadata. */
#ifndef IO_SAFETENSORS_H
#define IO_SAFETENSORS_H

#include "io/checkpoint.h"

typedef struct rv_tensor_source {
    const char *name;
    rv_dtype dtype; /* in the file: RV_F32, RV_F16 or RV_BF16 */
    int rank;
    size_t shape[RV_MAX_RANK];
    const float *data; /* row-major */
} rv_tensor_source;

/* Write to a temporary file in the same folder, which takes the name `path`, replacing what was
 * there, only when it is complete and on the disk; so is its name when this returns. */
RV_NODISCARD rv_status rv_safetensors_write(const char *path, const rv_tensor_source *tensors,
                                            size_t n, const json_t *config, rv_error *err);

/* For checkpoint.c: does the content look like it, and fill a checkpoint whose file is open. */
bool rv_safetensors_is(const unsigned char *data, size_t size);
RV_NODISCARD rv_status rv_safetensors_read(rv_checkpoint *c, rv_error *err);

#endif
