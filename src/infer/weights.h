/* weights.h - a checkpoint's tensors as the parameters of a graph: used where they lie in the file
 * if they are floats, converted to one block otherwise. */
#ifndef INFER_WEIGHTS_H
#define INFER_WEIGHTS_H

#include "io/checkpoint.h"
#include "nn/nn.h"

typedef struct rv_weights {
    const float **value; /* of each parameter, in the order of building */
    float *converted;
} rv_weights;

/* All start at zero; the checkpoint must outlive them. Single numbers of no axis in the file fit
 * parameters of one number. The error names the first of those missing or misshapen. */
RV_NODISCARD rv_status rv_weights_take(rv_weights *w, const rv_checkpoint *checkpoint,
                                       const nn_builder *nn, const char *path, rv_error *err);
void rv_weights_free(rv_weights *w);

#endif
