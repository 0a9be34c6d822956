/* refine_features.c - see refine_features.h. */
#include "api/refine_features.h"

#include "base/status.h"

#include <math.h>

static rv_status open_crepe(rv_refine_features *f, const rv_refine_options *o, rv_error *err)
{
    rv_crepe_options crepe;
    rv_crepe_defaults(&crepe);
    crepe.model = o->crepe;
    crepe.threads = o->threads;
    if (!o->crepe)
        return RV_FAIL(err, RV_ERR_ARG,
                       "the model learned from CREPE's pitch: its weights are expected");
    RV_TRY(rv_crepe_f0_new(&f->crepe, &crepe, err));
    rv_feature_cache_set_engine(f->cache, rv_crepe_f0_engine(f->crepe));
    return RV_OK;
}

static rv_status get(rv_refine_features *f, const rv_refiner_config *c, rv_feature_name name,
                     const rv_track_sources *stem, const rv_feature_watch *watch,
                     rv_feature_rows **rows, rv_error *err)
{
    rv_feature_spec s;
    rv_feature_defaults(&s, name, (int)c->sample_rate, (double)c->sample_rate / (double)c->hop);
    s.f0_method = c->f0_method;
    s.f0_min = c->f0_min;
    s.f0_max = c->f0_max;
    s.loudness = c->loudness;
    if (c->loudness == RV_LOUDNESS_DDSP1) {
        s.ref_db = 20.7;
        s.range_db = 120;
    }
    return rv_feature_get(f->cache, stem, &s, watch, rows, err);
}

rv_status rv_refine_features_open(rv_refine_features *f, const rv_refiner_config *c,
                                  const rv_track_sources *stem, const rv_refine_options *o,
                                  const rv_feature_watch *watch, rv_error *err)
{
    const bool pitched = c->kind != RV_REFINER_MASK_EQ;
    f->last_f0 = (float)sqrt(c->f0_min * c->f0_max);
    RV_TRY(rv_feature_cache_open(&f->cache, o->cache, err));
    if (pitched && c->f0_method == RV_F0_CREPE)
        RV_TRY(open_crepe(f, o, err));
    if (pitched)
        RV_TRY(get(f, c, RV_FEATURE_F0, stem, watch, &f->f0, err));
    return get(f, c, RV_FEATURE_LOUDNESS, stem, watch, &f->loudness, err);
}

void rv_refine_features_close(rv_refine_features *f)
{
    rv_feature_rows_free(f->f0);
    rv_feature_rows_free(f->loudness);
    rv_feature_cache_free(f->cache);
    rv_crepe_f0_free(f->crepe);
}

/* Of n frames from `first` on, those that there are. */
static size_t left(const rv_feature_rows *rows, size_t first, size_t n)
{
    const size_t count = rv_feature_rows_count(rows), rest = count > first ? count - first : 0;
    return n < rest ? n : rest;
}

/* Frames without a guess keep the pitch before them, as in training. */
static rv_status read_f0(rv_refine_features *f, size_t first, size_t n, float *f0, rv_error *err)
{
    const size_t has = f->f0 ? left(f->f0, first, n) : 0;
    for (size_t i = 0; i < n; i++) {
        float row[3] = { 0 };
        if (i < has)
            RV_TRY(rv_feature_rows_read(f->f0, first + i, 1, row, err));
        f->last_f0 = isfinite(row[0]) && row[0] > 0 ? row[0] : f->last_f0;
        f0[i] = f->last_f0;
    }
    return RV_OK;
}

rv_status rv_refine_features_read(rv_refine_features *f, size_t first, size_t n, float *f0,
                                  float *loudness, rv_error *err)
{
    const size_t has = left(f->loudness, first, n);
    const double quietest = -rv_feature_rows_spec(f->loudness)->range_db;
    if (has > 0)
        RV_TRY(rv_feature_rows_read(f->loudness, first, has, loudness, err));
    for (size_t i = has; i < n; i++)
        loudness[i] = (float)quietest;
    return read_f0(f, first, n, f0, err);
}
