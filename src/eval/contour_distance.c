/* contour_distance.c - see contour_distance.h. */
#include "eval/contour_distance.h"

#include "base/status.h"
#include "eval/mono.h"
#include "ravel/features.h"

#include <math.h>
#include <stdlib.h>

enum { BLOCK = 4096 };

/* One feature of one signal ---------------------------------------------------------------- */

typedef struct contour {
    float *values; /* [frames,width] */
    size_t frames, width;
} contour;

static rv_status measure_blocks(contour *c, rv_feature *f, const float *const *planes,
                                const rv_stem_pair *p, rv_error *err)
{
    float x[BLOCK];
    size_t got = 0;
    for (size_t at = 0; at < p->frames; at += BLOCK) {
        const size_t n = p->frames - at < BLOCK ? p->frames - at : BLOCK;
        rv_mono(x, planes, p->channels, at, n);
        RV_TRY(rv_feature_push(f, x, n, err));
        got += rv_feature_pull(f, c->values + got * c->width, c->frames - got);
    }
    RV_TRY(rv_feature_finish(f, err));
    got += rv_feature_pull(f, c->values + got * c->width, c->frames - got);
    c->frames = got;
    return RV_OK;
}

static rv_status measure(contour *c, const rv_feature_spec *spec, const float *const *planes,
                         const rv_stem_pair *p, rv_error *err)
{
    rv_feature *f = NULL;
    RV_TRY(rv_feature_new(&f, spec, NULL, 0, err));
    c->width = rv_feature_width(f);
    c->frames = rv_feature_frames(spec, p->frames);
    c->values = calloc(c->frames + 1, c->width * sizeof *c->values);
    const rv_status status = c->values
                                 ? measure_blocks(c, f, planes, p, err)
                                 : RV_FAIL(err, RV_ERR_NOMEM, "contour of %zu frames", c->frames);
    rv_feature_free(f);
    return status;
}

static rv_status measure_both(contour c[2], const rv_feature_spec *spec, const rv_stem_pair *p,
                              rv_error *err)
{
    RV_TRY(measure(&c[0], spec, p->reference, p, err));
    return measure(&c[1], spec, p->estimate, p, err);
}

/* Distances -------------------------------------------------------------------------------- */

rv_status rv_loudness_distance(double *out, const rv_stem_pair *p, int sample_rate, rv_error *err)
{
    contour c[2] = { { 0 } };
    rv_feature_spec spec;
    double sum = 0;
    rv_feature_defaults(&spec, RV_FEATURE_LOUDNESS, sample_rate, 250);
    const rv_status status = measure_both(c, &spec, p, err);
    for (size_t f = 0; f < c[0].frames && status == RV_OK; f++)
        sum += fabs((double)c[0].values[f] - (double)c[1].values[f]);
    *out = c[0].frames > 0 ? sum / (double)c[0].frames : (double)NAN;
    free(c[0].values);
    free(c[1].values);
    return status;
}

rv_pitch_distance rv_pitch_distance_between(const float *reference, const float *estimate, size_t n)
{
    double sum = 0;
    size_t voiced = 0, near = 0;
    for (size_t f = 0; f < n; f++) {
        const double s = (double)reference[3 * f], e = (double)estimate[3 * f];
        if (reference[3 * f + 2] == 0)
            continue;
        voiced++;
        sum += fabs(s - e);
        near += fabs(1200 * log2(e / s)) < 50;
    }
    return (rv_pitch_distance){ voiced > 0 ? sum / (double)voiced : (double)NAN,
                                voiced > 0 ? (double)near / (double)voiced : (double)NAN };
}

rv_status rv_pitch_distance_of(rv_pitch_distance *out, const rv_stem_pair *p, int sample_rate,
                               rv_error *err)
{
    contour c[2] = { { 0 } };
    rv_feature_spec spec;
    rv_feature_defaults(&spec, RV_FEATURE_F0, sample_rate, 100);
    spec.f0_min = 32.703; /* C1: a bass has its lowest note at 41 Hz */
    const rv_status status = measure_both(c, &spec, p, err);
    if (status == RV_OK)
        *out = rv_pitch_distance_between(c[0].values, c[1].values, c[0].frames);
    free(c[0].values);
    free(c[1].values);
    return status;
}
