/* run_state.h - everything of a run that changes as it goes, and its way to disk and back. */
#ifndef TRAIN_RUN_STATE_H
#define TRAIN_RUN_STATE_H

#include "train/average.h"
#include "train/init_report.h"
#include "train/recipe.h"

typedef struct rv_run_state {
    rv_learner *learner; /* of the task */
    rv_optimiser *optimiser;
    rv_span *spans;
    size_t n_spans;
    rv_init_report init; /* where the recipe says train.init */
    rv_average *average[RV_MAX_AVERAGES];
    size_t n_averages;
    rv_plateau plateau;
    rv_stopping stopping;
    double best[RV_TRAIN_MEASURES]; /* of the task, in the best epoch */
    uint64_t epoch;                 /* that is running */
    uint64_t epoch_step;            /* steps of it that are done */
    double epoch_loss;              /* their sum of losses */
} rv_run_state;

/* Learner, optimiser and averages at their start; work: of the task. `resumed`: rv_run_state_load()
 * will follow, so train.init, which may be gone by now, is not read. */
RV_NODISCARD rv_status rv_run_state_new(rv_run_state *s, const rv_recipe *r, void *work,
                                        bool resumed, rv_pool *pool, rv_error *err);
void rv_run_state_fini(rv_run_state *s);

RV_NODISCARD rv_status rv_run_state_save(rv_run_state *s, const rv_recipe *r, const char *path,
                                         rv_error *err);

/* Go on where the state at `path` was saved. warning [room]: "", or why it is an older one. A
 * state of another model or data configuration is an error that says so. */
RV_NODISCARD rv_status rv_run_state_load(rv_run_state *s, const rv_recipe *r, const char *path,
                                         char *warning, size_t room, rv_error *err);

/* The weights as a model that rv_model_open() takes. */
RV_NODISCARD rv_status rv_run_state_release(const rv_run_state *s, const rv_recipe *r,
                                            const void *work, const char *path, rv_error *err);

#endif
