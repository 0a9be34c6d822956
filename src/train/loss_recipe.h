/* loss_recipe.h - the section `loss` of a recipe: which terms, and all that each of them can be
 * told. docs/training.md has the table. */
#ifndef TRAIN_LOSS_RECIPE_H
#define TRAIN_LOSS_RECIPE_H

#include "train/loss.h"

#include <jansson.h>

/* Read values.loss.terms and .stem_weights, which are there. Keys of a term without a meaning for
 * its kind are errors that name the nearest; defaults are filled in. `origins`: of
 * rv_config_load(), or NULL. */
RV_NODISCARD rv_status rv_loss_read(rv_loss_config *out, json_t *values, const json_t *origins,
                                    size_t n_stems, rv_error *err);
/* What was read from files for it; after failures, too. */
void rv_loss_release(rv_loss_config *c);

/* A line for each key of each kind of term (free() it). NULL without memory. */
char *rv_loss_help(void);

#endif
