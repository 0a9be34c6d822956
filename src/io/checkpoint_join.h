/* checkpoint_join.h - several files of weights as one checkpoint. */
#ifndef IO_CHECKPOINT_JOIN_H
#define IO_CHECKPOINT_JOIN_H

#include "io/checkpoint.h"

/* One of the files, and what its tensors' names then start with. */
typedef struct rv_checkpoint_part {
    rv_checkpoint *checkpoint;
    const char *prefix;          /* "target_models.bass." */
    const char *const *left_out; /* names of tensors that are not wanted, NULL-terminated */
} rv_checkpoint_part;

/* A checkpoint with the tensors of all parts and the configuration `config` (both taken over, also
 * where it fails); `path` stands in messages. */
RV_NODISCARD rv_status rv_checkpoint_join(rv_checkpoint **out, const rv_checkpoint_part *parts,
                                          size_t n, json_t *config, const char *path,
                                          rv_error *err);

#endif
