/* mctn_recipe.h - what a recipe says of a feature separator, its mixes and its loss. */
#ifndef TRAIN_MCTN_RECIPE_H
#define TRAIN_MCTN_RECIPE_H

#include "train/feature_mixes.h"
#include "train/feature_recipe.h"
#include "train/feature_separation.h"

typedef struct rv_mctn_recipe {
    json_t *arguments; /* of the model, as checkpoints hold them */
    rv_mctn_config model;
    rv_feature_mixes_config mixes; /* to train on */
    rv_feature_separation separation;
    const char *cache;                            /* folder of features, NULL: the user's */
    rv_crepe_f0 *crepe;                           /* that finds pitch; NULL: another method */
    rv_train_measure measures[RV_TRAIN_MEASURES]; /* loudness and pitch: of all, then of each */
    size_t n_measures;
} rv_mctn_recipe;

extern const rv_config_key rv_mctn_keys[];

RV_NODISCARD rv_status rv_mctn_recipe_read(rv_mctn_recipe *out, const rv_recipe *r, rv_error *err);
void rv_mctn_recipe_fini(rv_mctn_recipe *m);

/* The configuration that the arguments give; it borrows nothing. */
RV_NODISCARD rv_status rv_mctn_from_json(rv_mctn_config *out, json_t *arguments, rv_error *err);

#endif
