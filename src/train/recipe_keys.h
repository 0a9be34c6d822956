/* recipe_keys.h - the table of keys of a recipe: common ones, and those of its task. */
#ifndef TRAIN_RECIPE_KEYS_H
#define TRAIN_RECIPE_KEYS_H

#include "train/task.h"

#define RV_KEY_NUMBER(key, least, most, standard, about)          \
    {                                                             \
        key, RV_CONFIG_NUMBER, least, most, NULL, standard, about \
    }
#define RV_KEY_INTEGER(key, least, most, standard, about)          \
    {                                                              \
        key, RV_CONFIG_INTEGER, least, most, NULL, standard, about \
    }
#define RV_KEY_BOOL(key, standard, about)                \
    {                                                    \
        key, RV_CONFIG_BOOL, 0, 0, NULL, standard, about \
    }
#define RV_KEY_CHOICE(key, choices, standard, about)          \
    {                                                         \
        key, RV_CONFIG_CHOICE, 0, 0, choices, standard, about \
    }

/* Check and complete `values` by the keys that a recipe of this task may have. */
RV_NODISCARD rv_status rv_recipe_check(json_t *values, const json_t *origins, const rv_task *task,
                                       rv_error *err);

/* A line for each key (free() it). NULL without memory. */
char *rv_recipe_help(void);

#endif
