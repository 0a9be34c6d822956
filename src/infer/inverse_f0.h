/* inverse_f0.h - a trained model of pitch detection by inverse synthesis as a way to find pitch for
 * the feature cache (dsp/f0_engine.h). */
#ifndef INFER_INVERSE_F0_H
#define INFER_INVERSE_F0_H

#include "dsp/f0_engine.h"

typedef struct rv_inverse_f0 rv_inverse_f0;

typedef struct rv_inverse_f0_options {
    const char *model; /* of class RV_INVERSE_CLASS */
    double threshold;  /* least confidence of a voiced frame, 0 to 1 */
    int threads;       /* 0: one for each core */
} rv_inverse_f0_options;

/* Opens the model once to check it, and to hash it; options out of range are an error. */
RV_NODISCARD rv_status rv_inverse_f0_new(rv_inverse_f0 **out, const rv_inverse_f0_options *options,
                                         rv_error *err);
void rv_inverse_f0_free(rv_inverse_f0 *c);

/* Lives as long as `c`. */
const rv_f0_engine *rv_inverse_f0_engine(const rv_inverse_f0 *c);

#endif
