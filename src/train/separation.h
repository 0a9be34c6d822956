/* separation.h - what a separator learns: stems from a mix. The first input of its learner is the
 * mix [1,frames,C], the second the stems [1,frames,S*C]; the estimate has the shape of the stems.
 */
#ifndef TRAIN_SEPARATION_H
#define TRAIN_SEPARATION_H

#include "models/model.h"
#include "train/learner.h"

/* Build the loss [1] of an estimate [1,T,S*C] against the target of the same shape; T is the
 * number of frames that are scored. */
typedef rv_node *rv_loss_fn(void *ctx, rv_node *estimate, rv_node *target);

typedef struct rv_separation {
    const rv_model_def *def;
    const void *config; /* of the model, borrowed */
    const rv_model_info *info;
    size_t frames; /* of an example */
    size_t scored; /* the loss sees so many frames in the middle; 0: all. Demucs v2 has no
                      estimate beside the segment for which `frames` is the valid length. */
    rv_loss_fn *loss;
    void *loss_ctx;
} rv_separation;

RV_NODISCARD rv_status rv_separation_learner(rv_learner **out, const rv_separation *s, size_t batch,
                                             bool recompute, rv_pool *pool, rv_error *err);

size_t rv_separation_scored(const rv_separation *s); /* frames, above 0 */

#endif
