/* feature_meter.h - measures one feature of a stream: by dsp/, or pitch by what was lent for it. */
#ifndef DATA_FEATURE_METER_H
#define DATA_FEATURE_METER_H

#include "dsp/f0_engine.h"

#include <stdbool.h>

typedef struct rv_feature_meter {
    rv_feature *feature; /* NULL: by the engine */
    const rv_f0_engine *engine;
    void *stream;
} rv_feature_meter;

/* Whether the feature is, or follows, a pitch that `engine` finds. */
bool rv_feature_needs_engine(const rv_feature_spec *spec);

/* As rv_feature_new() and what follows it; engine may be NULL where it is not needed. */
RV_NODISCARD rv_status rv_feature_meter_open(rv_feature_meter *m, const rv_feature_spec *spec,
                                             const rv_f0_engine *engine, const float *f0,
                                             size_t n_f0, rv_error *err);
void rv_feature_meter_close(rv_feature_meter *m); /* also if it never was open: all 0 */

size_t rv_feature_meter_width(const rv_feature_meter *m);
RV_NODISCARD rv_status rv_feature_meter_push(rv_feature_meter *m, const float *samples, size_t n,
                                             rv_error *err);
RV_NODISCARD rv_status rv_feature_meter_finish(rv_feature_meter *m, rv_error *err);
size_t rv_feature_meter_pull(rv_feature_meter *m, float *out, size_t room);

#endif
