/* task_table.c - all tasks. */
#include "train/task.h"
#include "train/task_autoencoder.h"
#include "train/task_inverse.h"
#include "train/task_separation.h"

const rv_task *const rv_tasks[] = { &rv_task_separation, &rv_task_autoencoder, &rv_task_inverse,
                                    NULL };

const rv_task *rv_task_find(const char *model)
{
    for (const rv_task *const *t = rv_tasks; *t; t++)
        if ((*t)->learns(model))
            return *t;
    return rv_tasks[0];
}
