/* recipe.h - everything a training run is told, from a checked configuration file. */
#ifndef TRAIN_RECIPE_H
#define TRAIN_RECIPE_H

#include "data/track_list.h"
#include "models/model.h"
#include "train/examples.h"
#include "train/loss.h"
#include "train/optimiser.h"
#include "train/schedule.h"

#include <jansson.h>

enum { RV_MAX_AVERAGES = 4 };

typedef struct rv_recipe {
    json_t *values;          /* the whole configuration, defaults filled in */
    json_t *model_arguments; /* of the reference's constructor, as checkpoints hold them */
    rv_arena arena;
    const rv_model_def *def;
    void *model; /* configured */
    rv_model_info info;
    rv_track_query songs; /* texts belong to `values` */
    bool normalise;       /* songs, each by the level of its mixture */
    const char *stems[RV_MAX_STEMS];
    const char *out;             /* folder of the run */
    const char *init;            /* checkpoint to start from, or NULL */
    rv_examples_config examples; /* its segment is what the model wants for `scored` frames */
    size_t scored;               /* data.segment in frames: what the loss sees */
    rv_loss_config loss;
    rv_optimiser_config optimiser;
    rv_schedule_config schedule;
    rv_stopping_config stopping;
    double average[RV_MAX_AVERAGES]; /* decays */
    size_t n_averages;
    int data_threads;
    uint64_t seed, epochs;
    uint64_t steps;      /* of an epoch at most; 0: all */
    uint64_t accumulate; /* batches for each step of the optimiser */
    bool recompute;      /* values for the gradient: less memory, more time, the same bits */
    uint64_t save_every; /* steps; 0: at the end of epochs only */
    uint64_t log_every;  /* steps */
} rv_recipe;

/* Read and check. Errors name file, line and key, with the nearest known one. */
RV_NODISCARD rv_status rv_recipe_open(rv_recipe **out, const char *path,
                                      const char *const *overrides, size_t n_overrides,
                                      rv_error *err);
void rv_recipe_free(rv_recipe *r);

/* A line for each key (free() it). */
char *rv_recipe_help(void);

#endif
