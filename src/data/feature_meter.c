/* feature_meter.c - see feature_meter.h. */
#include "data/feature_meter.h"

#include "base/status.h"
#include "dsp/feature.h"

enum { F0_WIDTH = 3 };

bool rv_feature_needs_engine(const rv_feature_spec *spec)
{
    const bool pitched = spec->feature == RV_FEATURE_F0 ||
                         spec->feature == RV_FEATURE_HARMONICITY ||
                         spec->feature == RV_FEATURE_RESIDUAL;
    return pitched && rv_feature_is_network(spec->f0_method);
}

rv_status rv_feature_meter_open(rv_feature_meter *m, const rv_feature_spec *spec,
                                const rv_f0_engine *engine, const float *f0, size_t n_f0,
                                rv_error *err)
{
    *m = (rv_feature_meter){ .engine = engine };
    if (spec->feature == RV_FEATURE_F0 && rv_feature_needs_engine(spec))
        return engine->open(&m->stream, engine->ctx, spec, err);
    return rv_feature_new(&m->feature, spec, f0, n_f0, err);
}

void rv_feature_meter_close(rv_feature_meter *m)
{
    if (m->stream)
        m->engine->close(m->stream);
    rv_feature_free(m->feature);
    *m = (rv_feature_meter){ 0 };
}

size_t rv_feature_meter_width(const rv_feature_meter *m)
{
    return m->feature ? rv_feature_width(m->feature) : F0_WIDTH;
}

rv_status rv_feature_meter_push(rv_feature_meter *m, const float *samples, size_t n, rv_error *err)
{
    return m->feature ? rv_feature_push(m->feature, samples, n, err)
                      : m->engine->push(m->stream, samples, n, err);
}

rv_status rv_feature_meter_finish(rv_feature_meter *m, rv_error *err)
{
    return m->feature ? rv_feature_finish(m->feature, err) : m->engine->finish(m->stream, err);
}

size_t rv_feature_meter_pull(rv_feature_meter *m, float *out, size_t room)
{
    return m->feature ? rv_feature_pull(m->feature, out, room)
                      : m->engine->pull(m->stream, out, room);
}
