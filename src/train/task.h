/* task.h - what a run learns, as one row of functions. The trainer, the recipe and the state know
 * nothing else of it: the loop, resume, averages and logs are the same for all. */
#ifndef TRAIN_TASK_H
#define TRAIN_TASK_H

#include "io/config_schema.h"
#include "ravel/train.h"
#include "train/learner.h"

typedef struct rv_recipe rv_recipe;

typedef struct rv_task {
    const char *about;         /* for the list of keys: "models that separate" */
    const rv_config_key *keys; /* of it alone, or in place of common ones; the last has no path */
    const rv_train_measure *measures; /* [n_measures] of a validation, beside the loss; value 0 */
    size_t n_measures;
    /* In place of both where they depend on the recipe; NULL: they do not. They live as long as
     * it. At most RV_TRAIN_MEASURES. */
    const rv_train_measure *(*measures_of)(const rv_recipe *r, size_t *n);
    bool without_songs; /* data.root may be empty: rv_recipe.songs.root is then NULL */

    /* Whether this is the task of the model that a recipe names. */
    bool (*learns)(const char *model);

    /* Its part of a recipe whose common part has been read -> rv_recipe.task_config, zeros at
     * first. Whatever became of it, the second gives up what it holds. */
    size_t config_size;
    rv_status (*read)(void *config, const rv_recipe *r, rv_error *err);
    void (*release_config)(void *config);

    /* The section `data` as far as it decides on the bits of a run: a state is not taken up with
     * another one. Model and seed count as well, whatever the task. NULL without memory. */
    json_t *(*identity)(const rv_recipe *r);

    /* The data of a run -> work, zeros at first; report: what was found. The options are kept.
     * Whatever became of it, the second gives up what it holds. */
    size_t work_size;
    rv_status (*open)(void *work, const rv_recipe *r, const rv_train_options *options,
                      rv_train_report *report, rv_error *err);
    void (*close)(void *work);
    size_t (*batches)(const void *work); /* of an epoch, above 0 */

    /* The inputs of the learner for batch `index`, a function of (recipe, data, index); they are
     * valid until the next call. */
    rv_status (*fill)(void *work, uint64_t index, const float *const **in, rv_error *err);

    rv_status (*learner)(rv_learner **out, void *work, rv_pool *pool, rv_error *err);

    /* Whether there is data to validate on; then, over all of it, the mean loss and the measures
     * [n_measures]. */
    bool (*can_validate)(const void *work);
    rv_status (*validate)(void *work, rv_learner *l, double *loss, double *measures, rv_error *err);

    /* What the released checkpoint's configuration says beside its format. NULL without memory. */
    json_t *(*release)(const void *work);
} rv_task;

/* Those of the recipe's task. */
const rv_train_measure *rv_task_measures(const rv_recipe *r, size_t *n);

/* The task that trains the model of this name; the first, which complains of unknown ones, if there
 * is none. And all of them, NULL-terminated. */
const rv_task *rv_task_find(const char *model);
extern const rv_task *const rv_tasks[];

#endif
