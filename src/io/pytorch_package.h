/* pytorch_package.h - from the object that torch.save wrote to tensors and a configuration. */
#ifndef IO_PYTORCH_PACKAGE_H
#define IO_PYTORCH_PACKAGE_H

#include "io/checkpoint_impl.h"
#include "io/pickle.h"

/* Find the bytes of t's storage: set t->storage or t->entry, and t->storage_size. */
typedef rv_status rv_locate_fn(void *ctx, const rv_value *storage, rv_tensor *t, rv_error *err);

/* What the tensor `v` says of its shape and place; t->name must be set, for messages. */
RV_NODISCARD rv_status rv_pytorch_tensor(const rv_value *v, rv_locate_fn *locate, void *ctx,
                                         rv_tensor *t, rv_error *err);

/* Add all tensors of the state dict in `root` and set the configuration. */
RV_NODISCARD rv_status rv_pytorch_package(rv_checkpoint *c, const rv_value *root,
                                          rv_locate_fn *locate, void *ctx, rv_error *err);

#endif
