/* autoencoder_recipe.h - what a recipe says of an autoencoder and its phrases. */
#ifndef TRAIN_AUTOENCODER_RECIPE_H
#define TRAIN_AUTOENCODER_RECIPE_H

#include "infer/crepe_f0.h"
#include "models/ddsp_autoencoder.h"
#include "train/phrases.h"
#include "train/recipe.h"

typedef struct rv_autoencoder_recipe {
    json_t *arguments;           /* of the model, as checkpoints hold them */
    rv_autoencoder_config model; /* as far as it is known without the data */
    rv_phrases_config phrases;   /* to train on */
    rv_crepe_f0 *crepe;          /* that finds pitch; NULL: another method */
} rv_autoencoder_recipe;

extern const rv_config_key rv_autoencoder_keys[];

RV_NODISCARD rv_status rv_autoencoder_recipe_read(rv_autoencoder_recipe *out, const rv_recipe *r,
                                                  rv_error *err);
void rv_autoencoder_recipe_fini(rv_autoencoder_recipe *a);

/* The configuration that the arguments give; it borrows nothing. */
RV_NODISCARD rv_status rv_autoencoder_from_json(rv_autoencoder_config *out, json_t *arguments,
                                                rv_error *err);

/* Add what is known of the data to the arguments, where the recipe does not say it. */
RV_NODISCARD rv_status rv_autoencoder_add_statistics(json_t *arguments,
                                                     const rv_phrase_statistics *s, rv_error *err);

#endif
