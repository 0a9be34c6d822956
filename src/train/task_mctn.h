/* task_mctn.h - the task of MCTN's feature separator: pitch and loudness of each source of a mix.
 * Its part of the recipe is read in mctn_recipe.c. */
#ifndef TRAIN_TASK_MCTN_H
#define TRAIN_TASK_MCTN_H

#include "train/task.h"

extern const rv_task rv_task_mctn;

#endif
