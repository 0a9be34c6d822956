/* refine_features.h - pitch and loudness of a stem, as the model that refines it learned from them.
 */
#ifndef API_REFINE_FEATURES_H
#define API_REFINE_FEATURES_H

#include "data/feature_cache.h"
#include "infer/crepe_f0.h"
#include "models/refiner.h"
#include "ravel/refine.h"

typedef struct rv_refine_features {
    rv_feature_cache *cache;
    rv_crepe_f0 *crepe;
    rv_feature_rows *f0, *loudness; /* f0 NULL: the model does not look at it */
    float last_f0;                  /* Hz, where there was a guess */
} rv_refine_features;

/* Starts at zero; close it after a failure, too. */
RV_NODISCARD rv_status rv_refine_features_open(rv_refine_features *f, const rv_refiner_config *c,
                                               const rv_track_sources *stem,
                                               const rv_refine_options *o,
                                               const rv_feature_watch *watch, rv_error *err);
void rv_refine_features_close(rv_refine_features *f);

/* See rv_refine_source.frames. */
RV_NODISCARD rv_status rv_refine_features_read(rv_refine_features *f, size_t first, size_t n,
                                               float *f0, float *loudness, rv_error *err);

#endif
