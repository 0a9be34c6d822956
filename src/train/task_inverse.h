/* task_inverse.h - the task of DDSP-inv: the pitch and the other controls of sounds, from notes
 * that the run makes itself, and from real sound where there is some. */
#ifndef TRAIN_TASK_INVERSE_H
#define TRAIN_TASK_INVERSE_H

#include "train/task.h"

extern const rv_task rv_task_inverse;

#endif
