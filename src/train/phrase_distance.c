/* phrase_distance.c - see phrase_distance.h. */
#include "train/phrase_distance.h"

#include "base/status.h"
#include "dsp/resample.h"

#include <math.h>
#include <stdlib.h>

static const double trough = 0.2;
enum { finer = 2 };

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

static rv_status add_loudness(rv_phrase_distance *d, const rv_feature_spec *spec, const float *got,
                              const float *want, size_t n, rv_error *err)
{
    const size_t frames = rv_feature_frames(spec, n);
    float *values = calloc(frames, 2 * sizeof *values);
    rv_status st = values ? RV_OK : RV_FAIL(err, RV_ERR_NOMEM, "%zu frames", frames);
    if (st == RV_OK)
        st = measure(spec, got, n, values, err);
    if (st == RV_OK)
        st = measure(spec, want, n, values + frames, err);
    for (size_t t = 0; st == RV_OK && t < frames; t++)
        d->loudness += fabs((double)values[t] - (double)values[frames + t]);
    d->frames += st == RV_OK ? frames : 0;
    free(values);
    return st;
}

/* rows [frames,3] of Hz, confidence, voiced; the phrase may have fewer frames. */
static void compare(rv_phrase_distance *d, const float *rows, size_t frames,
                    const rv_phrase_sound *want)
{
    for (size_t t = 0; t < frames && t < want->frames; t++) {
        const float got = rows[3 * t];
        const bool heard = rows[3 * t + 2] > 0 && got > 0;
        if (!want->voiced[t])
            continue;
        d->voiced++;
        d->both += heard;
        d->lost += !heard;
        if (heard)
            d->pitch += fabs(12 * log2((double)got / (double)want->f0[t]));
    }
}

/* x [n] at the rate of the spec -> rows of it, heard at `finer` times that rate */
static rv_status measure_finely(const rv_feature_spec *spec, const float *x, size_t n, float *rows,
                                rv_error *err)
{
    rv_feature_spec fine = *spec;
    float *y = calloc(n, finer * sizeof *y);
    if (!y)
        return RV_FAIL(err, RV_ERR_NOMEM, "%zu samples", n);
    fine.sample_rate *= finer;
    rv_status st = rv_resample_planes(&(float *){ y }, &(const float *){ x }, n, 1,
                                      spec->sample_rate, fine.sample_rate, err);
    if (st == RV_OK)
        st = measure(&fine, y, finer * n, rows, err);
    free(y);
    return st;
}

static rv_status add_pitch(rv_phrase_distance *d, const rv_feature_spec *spec, const float *got,
                           const rv_phrase_sound *want, rv_error *err)
{
    const size_t frames = rv_feature_frames(spec, want->samples);
    float *rows = calloc(frames, 3 * sizeof *rows);
    rv_status st = rows ? RV_OK : RV_FAIL(err, RV_ERR_NOMEM, "%zu frames", frames);
    if (st == RV_OK)
        st = measure_finely(spec, got, want->samples, rows, err);
    if (st == RV_OK)
        compare(d, rows, frames, want);
    free(rows);
    return st;
}

rv_status rv_phrase_distance_add(rv_phrase_distance *d, const rv_phrase_meter *m, const float *got,
                                 const rv_phrase_sound *want, rv_error *err)
{
    rv_feature_spec loudness, f0;
    rv_feature_defaults(&loudness, RV_FEATURE_LOUDNESS, m->sample_rate, m->frame_rate);
    rv_feature_defaults(&f0, RV_FEATURE_F0, m->sample_rate, m->frame_rate);
    f0.align = m->align;
    f0.f0_method = RV_F0_YIN;
    f0.f0_min = m->f0_min;
    f0.f0_max = fmin(m->f0_max, m->sample_rate / 2.0); /* CREPE's may be above */
    f0.trough = trough;
    RV_TRY(add_loudness(d, &loudness, got, want->audio, want->samples, err));
    return add_pitch(d, &f0, got, want, err);
}
