/* feature.h - of the features (ravel/features.h), what other layers need beside. */
#ifndef DSP_FEATURE_H
#define DSP_FEATURE_H

#include "ravel/features.h"

#include <stdbool.h>

/* Whether pitch by the method needs an engine from a higher layer (dsp/f0_engine.h). */
bool rv_feature_is_network(rv_f0_method method);

/* Put in what was left 0 (the window), and check everything. */
RV_NODISCARD rv_status rv_feature_complete(rv_feature_spec *spec, rv_error *err);

#endif
