/* trainer.h - the loop: data, gradient, step, validation, checkpoints, logs, resume. */
#ifndef TRAIN_TRAINER_H
#define TRAIN_TRAINER_H

#include "ravel/train.h"
#include "train/recipe.h"

/* See rv_train() in ravel/train.h, whose body this is. */
RV_NODISCARD rv_status rv_trainer_run(const rv_recipe *recipe, const rv_train_options *options,
                                      rv_train_report *report, rv_error *err);

#endif
