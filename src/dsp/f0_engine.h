/* f0_engine.h - a way to find pitch that lies in a higher layer, for the feature cache: CREPE and
 * ddsp_inv are networks. */
#ifndef DSP_F0_ENGINE_H
#define DSP_F0_ENGINE_H

#include "ravel/features.h"

/* A stream of it takes samples and gives rows of RV_FEATURE_F0, like rv_feature. */
typedef struct rv_f0_engine {
    rv_f0_method method;
    const void *ctx; /* streams of it may be used by a thread each */
    uint64_t print;  /* hash of all that values depend on beside the spec: weights, options */
    rv_status (*open)(void **stream, const void *ctx, const rv_feature_spec *spec, rv_error *err);
    rv_status (*push)(void *stream, const float *samples, size_t n, rv_error *err);
    rv_status (*finish)(void *stream, rv_error *err);
    size_t (*pull)(void *stream, float *out, size_t room); /* out [room,3] */
    void (*close)(void *stream);
} rv_f0_engine;

#endif
