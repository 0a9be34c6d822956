/* partial_load.h - start from another checkpoint as far as names and shapes agree. */
#ifndef TRAIN_PARTIAL_LOAD_H
#define TRAIN_PARTIAL_LOAD_H

#include "io/checkpoint.h"
#include "train/span.h"

typedef enum rv_partial_kind {
    RV_PARTIAL_MISSING, /* a parameter that the checkpoint lacks */
    RV_PARTIAL_MISFIT,  /* one of another shape there */
    RV_PARTIAL_UNUSED,  /* a tensor of the checkpoint that the model lacks */
    RV_PARTIAL_KINDS,
} rv_partial_kind;

/* Told of each parameter that was not loaded, and each tensor that was not used: `why` is one
 * line with the name in it. */
typedef void rv_partial_fn(void *ctx, rv_partial_kind kind, const char *name, const char *why);

/* Copy into the block `parameters` every tensor that has the name and the shape of a span; the
 * others keep their values. Names may all begin with "module.", or lack the "v." of the
 * transformer's (AST's and DeiT's files), if more of them are found so. *loaded: how many. tell may
 * be NULL. */
RV_NODISCARD rv_status rv_partial_load(const rv_checkpoint *c, const rv_span *spans, size_t n,
                                       float *parameters, size_t *loaded, rv_partial_fn *tell,
                                       void *ctx, rv_error *err);

#endif
