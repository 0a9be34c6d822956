/* phrase_data.h - phrases to train on and to validate on, as a recipe says: what the tasks that
 * learn from pitch and loudness have in common. */
#ifndef TRAIN_PHRASE_DATA_H
#define TRAIN_PHRASE_DATA_H

#include "infer/crepe_f0.h"
#include "train/phrases.h"
#include "train/recipe.h"

/* Add to a model's arguments what the section data decides; an error where they say it, too. */
RV_NODISCARD rv_status rv_phrase_arguments(json_t *arguments, const rv_recipe *r, rv_error *err);

/* Fill what the recipe says, but how features are measured. */
rv_phrases_config rv_phrase_config(const rv_recipe *r, double frame_rate);

typedef struct rv_phrase_data {
    rv_feature_cache *cache;
    rv_track_list *train_list, *valid_list;
    rv_phrases *train, *valid; /* valid: NULL if there are no songs for it */
} rv_phrase_data;

/* All start at zero. Opens what it can; close it after a failure, too. */
RV_NODISCARD rv_status rv_phrase_data_open(rv_phrase_data *d, const rv_recipe *r,
                                           const rv_phrases_config *phrases,
                                           const rv_crepe_f0 *crepe,
                                           const rv_train_options *options, rv_train_report *report,
                                           rv_error *err);
void rv_phrase_data_close(rv_phrase_data *d);

#endif
