/* arguments.h - a model's configuration in a checkpoint, as constructor arguments. */
#ifndef INFER_ARGUMENTS_H
#define INFER_ARGUMENTS_H

#include "models/model.h"

#include <jansson.h>

/* Read "args" and "kwargs" of a checkpoint's configuration; the positional ones get their names
 * from `positional` (NULL-terminated). Texts are borrowed from `config`, lists live in `arena`. */
RV_NODISCARD rv_status rv_arguments_read(rv_args *out, const json_t *config,
                                         const char *const *positional, rv_arena *arena,
                                         rv_error *err);

/* Configure `to` by named arguments alone. */
typedef rv_status rv_configure_fn(void *to, const rv_args *args, rv_error *err);
RV_NODISCARD rv_status rv_arguments_apply(rv_configure_fn *configure, void *to, json_t *named,
                                          rv_error *err);

#endif
