/* synth_own_f0.h - see synth_own_f0.c */
#ifndef API_SYNTH_OWN_F0_H
#define API_SYNTH_OWN_F0_H

#include "api/synth_features.h"

/* Fill f0 [frames] of features whose path and frames are known; watch: of this alone. */
RV_NODISCARD rv_status rv_synth_own_f0(rv_synth_features *f, const rv_autoencoder_network *n,
                                       const rv_feature_watch *watch, int threads, rv_error *err);

#endif
