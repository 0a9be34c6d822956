/* recipe_values.h - values of a checked recipe by their path, "train.seed": they are there, and of
 * their kind. */
#ifndef TRAIN_RECIPE_VALUES_H
#define TRAIN_RECIPE_VALUES_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

json_t *rv_recipe_value(json_t *values, const char *path); /* NULL: absent; borrowed */
double rv_recipe_number(json_t *values, const char *path);
uint64_t rv_recipe_integer(json_t *values, const char *path);
bool rv_recipe_flag(json_t *values, const char *path);
const char *rv_recipe_text(json_t *values, const char *path); /* NULL for an empty text */
/* Its place among `names`, which end with NULL. */
size_t rv_recipe_choice(json_t *values, const char *path, const char *const *names);
/* Seconds -> frames at data.sample_rate. */
size_t rv_recipe_frames(json_t *values, const char *path);

#endif
