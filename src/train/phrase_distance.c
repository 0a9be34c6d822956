/* phrase_distance.c - see phrase_distance.h. */
#include "train/phrase_distance.h"

#include "base/status.h"

#include <math.h>
#include <stdlib.h>

/* x [n] -> out [frames,width], as many as the feature has of n samples */
static rv_status measure(const rv_feature_spec *spec, const float *x, size_t n, float *out,
                         rv_error *err)
{
    const size_t frames = rv_feature_frames(spec, n);
    rv_feature *f = NULL;
    RV_TRY(rv_feature_new(&f, spec, NULL, 0, err));
    rv_status st = rv_feature_push(f, x, n, err);
    if (st == RV_OK)
        st = rv_feature_finish(f, err);
    if (st == RV_OK && rv_feature_pull(f, out, frames) != frames)
        st = RV_FAIL(err, RV_ERR_SHAPE, "a feature has less than %zu frames", frames);
    rv_feature_free(f);
    return st;
}

/* Of both signals: values [2][frames,3] of their features. */
static rv_status measure_both(float *values, size_t frames, const rv_feature_spec *spec,
                              const float *got, const float *want, size_t n, rv_error *err)
{
    RV_TRY(measure(spec, got, n, values, err));
    return measure(spec, want, n, values + 3 * frames, err);
}

static void add_loudness(rv_phrase_distance *d, const float *values, size_t frames)
{
    const float *got = values, *want = values + 3 * frames;
    for (size_t t = 0; t < frames; t++)
        d->loudness += fabs((double)got[t] - (double)want[t]);
    d->frames += frames;
}

/* Rows of Hz, confidence, voiced. */
static void add_pitch(rv_phrase_distance *d, const float *values, size_t frames)
{
    const float *got = values, *want = values + 3 * frames;
    for (size_t t = 0; t < frames; t++)
        if (want[3 * t + 2] > 0 && got[3 * t] > 0 && want[3 * t] > 0) {
            d->pitch += fabs(12 * log2((double)got[3 * t] / (double)want[3 * t]));
            d->voiced++;
        }
}

rv_status rv_phrase_distance_add(rv_phrase_distance *d, const rv_phrase_meter *m, const float *got,
                                 const float *want, size_t n, rv_error *err)
{
    rv_feature_spec loudness, f0;
    rv_feature_defaults(&loudness, RV_FEATURE_LOUDNESS, m->sample_rate, m->frame_rate);
    rv_feature_defaults(&f0, RV_FEATURE_F0, m->sample_rate, m->frame_rate);
    f0.f0_method = RV_F0_YIN;
    f0.f0_min = m->f0_min;
    f0.f0_max = m->f0_max;
    const size_t frames = rv_feature_frames(&f0, n); /* as many of both */
    float *values = calloc(frames, 6 * sizeof *values);
    rv_status st = values ? RV_OK : RV_FAIL(err, RV_ERR_NOMEM, "%zu frames", frames);
    if (st == RV_OK)
        st = measure_both(values, frames, &loudness, got, want, n, err);
    if (st == RV_OK)
        add_loudness(d, values, frames);
    if (st == RV_OK)
        st = measure_both(values, frames, &f0, got, want, n, err);
    if (st == RV_OK)
        add_pitch(d, values, frames);
    free(values);
    return st;
}
