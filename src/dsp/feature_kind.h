/* feature_kind.h - what one feature provides to feature.c.
 *
 * A kind measures frame by frame (`frame`), or takes all frames and knows the values of any of them
 * only at the end (`collect`, `finish`, `row`). */
#ifndef DSP_FEATURE_KIND_H
#define DSP_FEATURE_KIND_H

#include "ravel/features.h"

typedef struct rv_feature_input {
    const rv_feature_spec *spec; /* checked; lives as long as the state */
    const float *f0;             /* [n_f0], likewise */
    size_t n_f0;
} rv_feature_input;

typedef struct rv_feature_kind {
    size_t (*width)(const rv_feature_spec *spec);
    rv_status (*create)(void **state, const rv_feature_input *input, rv_error *err);
    void (*destroy)(void *state);
    void (*frame)(void *state, const float *window, float *out);
    rv_status (*collect)(void *state, const float *window, rv_error *err);
    rv_status (*finish)(void *state, rv_error *err);
    void (*row)(void *state, size_t frame, float *out);
} rv_feature_kind;

extern const rv_feature_kind rv_feature_rms, rv_feature_loudness, rv_feature_mel, rv_feature_mfcc,
    rv_feature_centroid, rv_feature_harmonicity, rv_feature_stft, rv_feature_yin, rv_feature_pyin;

#endif
