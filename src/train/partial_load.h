/* partial_load.h - start from another checkpoint as far as names and shapes agree. */
#ifndef TRAIN_PARTIAL_LOAD_H
#define TRAIN_PARTIAL_LOAD_H

#include "io/checkpoint.h"
#include "train/span.h"

/* Told of each parameter that was not loaded, and each tensor that was not used: `why` is one
 * line with the name in it. */
typedef void rv_partial_fn(void *ctx, const char *name, const char *why);

/* Copy into the block `parameters` every tensor that has the name and the shape of a span; the
 * others keep their values. *loaded: how many. tell may be NULL. */
RV_NODISCARD rv_status rv_partial_load(const rv_checkpoint *c, const rv_span *spans, size_t n,
                                       float *parameters, size_t *loaded, rv_partial_fn *tell,
                                       void *ctx, rv_error *err);

#endif
