/* task_separation.h - the task of separators: stems from mixes of songs. */
#ifndef TRAIN_TASK_SEPARATION_H
#define TRAIN_TASK_SEPARATION_H

#include "train/task.h"

extern const rv_task rv_task_separation;

#endif
