/* task_table.c - all tasks. */
#include "train/recipe.h"
#include "train/task_autoencoder.h"
#include "train/task_inverse.h"
#include "train/task_mctn.h"
#include "train/task_refine.h"
#include "train/task_separation.h"

const rv_task *const rv_tasks[] = {
    &rv_task_separation, &rv_task_autoencoder, &rv_task_inverse,
    &rv_task_mctn,       &rv_task_refine,      NULL,
};

const rv_train_measure *rv_task_measures(const rv_recipe *r, size_t *n)
{
    if (r->task->measures_of)
        return r->task->measures_of(r, n);
    *n = r->task->n_measures;
    return r->task->measures;
}

const rv_task *rv_task_find(const char *model)
{
    for (const rv_task *const *t = rv_tasks; *t; t++)
        if ((*t)->learns(model))
            return *t;
    return rv_tasks[0];
}
