/* feature.h - of the features (ravel/features.h), what other layers need beside. */
#ifndef DSP_FEATURE_H
#define DSP_FEATURE_H

#include "ravel/features.h"

/* Put in what was left 0 (the window), and check everything. */
RV_NODISCARD rv_status rv_feature_complete(rv_feature_spec *spec, rv_error *err);

#endif
