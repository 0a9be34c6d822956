/* task_autoencoder.h - the task of DDSP autoencoders: the sound of one instrument or voice from its
 * pitch and loudness. Its part of the recipe is read in autoencoder_recipe.c. */
#ifndef TRAIN_TASK_AUTOENCODER_H
#define TRAIN_TASK_AUTOENCODER_H

#include "train/task.h"

extern const rv_task rv_task_autoencoder;

#endif
