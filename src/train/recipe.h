/* recipe.h - everything a training run is told, from a checked configuration file. */
#ifndef TRAIN_RECIPE_H
#define TRAIN_RECIPE_H

#include "data/track_list.h"
#include "train/loss.h"
#include "train/optimiser.h"
#include "train/schedule.h"
#include "train/task.h"

#include <jansson.h>

enum { RV_MAX_AVERAGES = 4 };

struct rv_recipe {
    json_t *values; /* the whole configuration, defaults filled in */
    rv_arena arena;
    const rv_task *task;  /* what is learned */
    void *task_config;    /* the part of the recipe that it has read */
    rv_track_query songs; /* texts belong to `values` */
    const char *stems[RV_MAX_LOSS_STEMS];
    const char *out;        /* folder of the run */
    const char *init;       /* checkpoint to start from, or NULL */
    int sample_rate;        /* Hz */
    size_t segment, stride; /* frames of an example, and from one to the next */
    size_t batch;           /* examples */
    bool shuffle;
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
};

/* Read and check. Errors name file, line and key, with the nearest known one. */
RV_NODISCARD rv_status rv_recipe_open(rv_recipe **out, const char *path,
                                      const char *const *overrides, size_t n_overrides,
                                      rv_error *err);
void rv_recipe_free(rv_recipe *r);

#endif
