/* feature_key.h - what a feature's values depend on, as bytes. */
#ifndef DATA_FEATURE_KEY_H
#define DATA_FEATURE_KEY_H

#include "data/audio_print.h"
#include "data/feature_store.h"
#include "ravel/features.h"

/* The spec is complete. Parameters that the feature does not use have no part. engine_print: of
 * what finds the pitch where that is a network. */
void rv_feature_key_of(rv_feature_key *key, const rv_audio_print *audio,
                       const rv_feature_spec *spec, uint64_t engine_print);

#endif
