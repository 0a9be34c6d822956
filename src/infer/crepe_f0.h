/* crepe_f0.h - CREPE as a way to find pitch for the feature cache (dsp/f0_engine.h). */
#ifndef INFER_CREPE_F0_H
#define INFER_CREPE_F0_H

#include "dsp/f0_engine.h"
#include "ravel/pitch.h"

typedef struct rv_crepe_f0 rv_crepe_f0;

/* Reads the weights once, to hash them; options that are out of range are an error. */
RV_NODISCARD rv_status rv_crepe_f0_new(rv_crepe_f0 **out, const rv_crepe_options *options,
                                       rv_error *err);
void rv_crepe_f0_free(rv_crepe_f0 *c);

/* Lives as long as `c`. */
const rv_f0_engine *rv_crepe_f0_engine(const rv_crepe_f0 *c);

#endif
