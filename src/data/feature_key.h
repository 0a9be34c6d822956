/* feature_key.h - what a feature's values depend on, as bytes. */
#ifndef DATA_FEATURE_KEY_H
#define DATA_FEATURE_KEY_H

#include "data/feature_store.h"
#include "ravel/features.h"

/* What was decoded: hash of the mono samples at the source's rate, and their number. */
typedef struct rv_audio_print {
    uint64_t hash, samples;
    int sample_rate;
} rv_audio_print;

/* The spec is complete. Parameters that the feature does not use have no part. */
void rv_feature_key_of(rv_feature_key *key, const rv_audio_print *audio,
                       const rv_feature_spec *spec);

#endif
