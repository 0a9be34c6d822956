/* config.h - a recipe: YAML that inherits from other files, changed by arguments.
 *
 *     _base_: default.yaml          a file, or a list of them, relative to this one
 *     train: {lr: 3e-4}             mappings are merged with the base's, all else is replaced
 *
 * Arguments such as "train.lr=1e-3" or "data.stems.0=drums" change single values. */
#ifndef IO_CONFIG_H
#define IO_CONFIG_H

#include "base/status.h"

#include <jansson.h>

/* Read a recipe. Later bases win over earlier ones, the file over its bases, arguments over all, in
 * their order. *origins (NULL: not wanted) says where each value stands, for rv_config_place().
 * Both belong to the caller. Errors name file, line and column, or the argument. */
RV_NODISCARD rv_status rv_config_load(json_t **out, json_t **origins, const char *path,
                                      const char *const *overrides, size_t n, rv_error *err);

/* Where "train.lr" comes from: "recipe.yaml:3:5", or the mapping that it would stand in. Never
 * NULL; lives as long as `origins`, which may be NULL. */
const char *rv_config_place(const json_t *origins, const char *key);

/* The values as YAML (free() it) that rv_config_load() reads as the same values. */
RV_NODISCARD rv_status rv_config_dump(char **out, const json_t *values, rv_error *err);

#endif
