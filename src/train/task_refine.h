/* task_refine.h - training of networks that refine separated stems: from shards of estimates and
 * the stems as they are. */
#ifndef TRAIN_TASK_REFINE_H
#define TRAIN_TASK_REFINE_H

#include "train/task.h"

extern const rv_task rv_task_refine;

#endif
