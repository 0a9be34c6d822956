/* feature.c - the table of features, and how a stream becomes frames of one. */
#include "dsp/feature.h"

#include "base/status.h"
#include "dsp/feature_frames.h"
#include "dsp/feature_kind.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const rv_feature_kind *const f0_methods[RV_F0_METHODS] = {
    [RV_F0_YIN] = &rv_feature_yin, [RV_F0_PYIN] = &rv_feature_pyin
};

static const struct {
    const char *name;
    const rv_feature_kind *kind; /* NULL: f0, by its method */
} features[RV_FEATURES] = {
    [RV_FEATURE_F0] = { "f0", NULL },
    [RV_FEATURE_LOUDNESS] = { "loudness", &rv_feature_loudness },
    [RV_FEATURE_RMS] = { "rms", &rv_feature_rms },
    [RV_FEATURE_MEL] = { "mel", &rv_feature_mel },
    [RV_FEATURE_MFCC] = { "mfcc", &rv_feature_mfcc },
    [RV_FEATURE_CENTROID] = { "centroid", &rv_feature_centroid },
    [RV_FEATURE_HARMONICITY] = { "harmonicity", &rv_feature_harmonicity },
    [RV_FEATURE_RESIDUAL] = { "residual", &rv_feature_harmonicity },
    [RV_FEATURE_STFT] = { "stft", &rv_feature_stft },
};

struct rv_feature {
    rv_feature_spec spec;
    const rv_feature_kind *kind;
    void *state;
    rv_frames frames;
    float *window; /* [spec.window] */
    float *f0;     /* [n_f0] */
    bool finished;
    size_t next; /* row, of kinds that know them at the end */
};

const char *rv_feature_text(rv_feature_name feature)
{
    return (unsigned)feature < RV_FEATURES ? features[feature].name : NULL;
}

bool rv_feature_is_network(rv_f0_method method)
{
    return method == RV_F0_CREPE || method == RV_F0_DDSP_INV;
}

static const rv_feature_kind *find_kind(const rv_feature_spec *s)
{
    return s->feature == RV_FEATURE_F0 ? f0_methods[s->f0_method] : features[s->feature].kind;
}

void rv_feature_defaults(rv_feature_spec *spec, rv_feature_name feature, int sample_rate,
                         double frame_rate)
{
    *spec = (rv_feature_spec){ .feature = feature,
                               .sample_rate = sample_rate,
                               .frame_rate = frame_rate,
                               .f0_method = RV_F0_PYIN,
                               .f0_min = 65.40639132514966,
                               .f0_max = 2093.004522404789,
                               .trough = 0.1,
                               .range_db = 80,
                               .power = 2,
                               .decibels = 1,
                               .mel_floor = 1e-10,
                               .bands = 128,
                               .coefficients = 30 };
    if (feature == RV_FEATURE_MFCC) {
        spec->mel_scale = RV_MEL_TENSORFLOW;
        spec->power = 1;
        spec->decibels = 0;
        spec->mel_floor = 1e-5;
        spec->mel_min = 20;
        spec->mel_max = sample_rate < 16000 ? 0 : 8000;
    }
}

/* The power of two from `samples` on, at least 64. */
static int enclosing(double samples)
{
    int n = 64;
    while (n < samples && n < 1 << 20)
        n *= 2;
    return n;
}

/* f0: four periods of the lowest pitch, which is librosa's 2048 at 22050 Hz; harmonicity: 32 ms as
 * in DDSP-Demucs; else the references' sizes whatever the rate, since values depend on them. */
static int default_window(const rv_feature_spec *s)
{
    switch (s->feature) {
    case RV_FEATURE_F0:
        if (rv_feature_is_network(s->f0_method))
            return 1024;
        return enclosing(4 * s->sample_rate / s->f0_min);
    case RV_FEATURE_HARMONICITY:
    case RV_FEATURE_RESIDUAL:
        return (int)(0.032 * s->sample_rate + 1) / 2 * 2;
    case RV_FEATURE_LOUDNESS:
        return s->loudness == RV_LOUDNESS_DDSP ? 512 : 2048;
    case RV_FEATURE_MFCC:
        return 1024;
    default:
        return 2048;
    }
}

static rv_status check_f0(const rv_feature_spec *s, rv_error *err)
{
    const double nyquist = s->sample_rate / 2.0;
    if ((unsigned)s->f0_method >= RV_F0_METHODS)
        return RV_FAIL(err, RV_ERR_ARG, "f0 method %d is not known", (int)s->f0_method);
    if (rv_feature_is_network(s->f0_method))
        return RV_OK; /* has its own range, whatever the rate */
    if (!(s->f0_min >= 1 && s->f0_min * 1.01 < s->f0_max && s->f0_max <= nyquist))
        return RV_FAIL(err, RV_ERR_ARG,
                       "f0 from %g to %g Hz: 1 Hz or more, and up to half the sample rate, %g Hz, "
                       "is possible",
                       s->f0_min, s->f0_max, nyquist);
    if (s->sample_rate / s->f0_min >= s->window - 1)
        return RV_FAIL(err, RV_ERR_ARG,
                       "f0 from %g Hz: a window of %d samples at %d Hz is shorter than its period",
                       s->f0_min, s->window, s->sample_rate);
    if (ceil(s->sample_rate / s->f0_min) - floor(s->sample_rate / s->f0_max) < 3)
        return RV_FAIL(err, RV_ERR_ARG, "f0 from %g to %g Hz: too narrow at %d Hz", s->f0_min,
                       s->f0_max, s->sample_rate);
    return RV_OK;
}

static rv_status check_mel(const rv_feature_spec *s, rv_error *err)
{
    const double nyquist = s->sample_rate / 2.0, top = s->mel_max > 0 ? s->mel_max : nyquist;
    if (!(s->mel_min >= 0 && s->mel_min < top && top <= nyquist))
        return RV_FAIL(err, RV_ERR_ARG, "mel bands from %g to %g Hz: 0 to %g Hz are possible",
                       s->mel_min, top, nyquist);
    if (s->bands < 1 || s->bands > 4096 || s->coefficients < 1 || s->coefficients > 4096 ||
        (s->feature == RV_FEATURE_MFCC && s->coefficients > s->bands))
        return RV_FAIL(err, RV_ERR_ARG, "%d coefficients of %d mel bands: 1 to 4096 are possible",
                       s->coefficients, s->bands);
    if ((unsigned)s->mel_scale >= RV_MEL_SCALES || s->power < 1 || s->power > 2 ||
        !(s->mel_floor > 0 && s->mel_floor < 1))
        return RV_FAIL(err, RV_ERR_ARG, "mel bands: scale, power (1 or 2) or floor (above 0)");
    return RV_OK;
}

static rv_status check(const rv_feature_spec *s, rv_error *err)
{
    if ((unsigned)s->feature >= RV_FEATURES)
        return RV_FAIL(err, RV_ERR_ARG, "feature %d is not known", (int)s->feature);
    if (s->sample_rate < 1000 || s->sample_rate > 768000)
        return RV_FAIL(err, RV_ERR_ARG, "features at %d Hz: 1000 to 768000 are possible",
                       s->sample_rate);
    if (!(s->frame_rate >= 0.01 && s->frame_rate <= s->sample_rate))
        return RV_FAIL(err, RV_ERR_ARG, "%g frames a second: 0.01 to the sample rate, %d",
                       s->frame_rate, s->sample_rate);
    if (s->window < 4 || s->window > 1 << 20 || s->window % 2)
        return RV_FAIL(err, RV_ERR_ARG, "a window of %d samples: even, 4 to 1048576", s->window);
    if (!(s->range_db >= 0 && s->range_db <= 300 && fabs(s->ref_db) <= 300) ||
        (unsigned)s->loudness >= RV_LOUDNESS_KINDS)
        return RV_FAIL(err, RV_ERR_ARG, "loudness: range 0 to 300 dB, reference to 300 dB");
    if (s->feature == RV_FEATURE_F0)
        return check_f0(s, err);
    return s->feature == RV_FEATURE_MEL || s->feature == RV_FEATURE_MFCC ? check_mel(s, err)
                                                                         : RV_OK;
}

static rv_status init(rv_feature *f, const float *f0, size_t n_f0, rv_error *err)
{
    f->window = calloc((size_t)f->spec.window, sizeof *f->window);
    f->f0 = calloc(n_f0 + 1, sizeof *f->f0);
    if (!f->window || !f->f0)
        return RV_FAIL(err, RV_ERR_NOMEM, "a window of %d samples", f->spec.window);
    if (n_f0 > 0)
        memcpy(f->f0, f0, n_f0 * sizeof *f0);
    const rv_feature_input input = { .spec = &f->spec, .f0 = f->f0, .n_f0 = n_f0 };
    f->kind = find_kind(&f->spec);
    rv_frames_init(&f->frames, &f->spec);
    return f->kind->create(&f->state, &input, err);
}

rv_status rv_feature_complete(rv_feature_spec *spec, rv_error *err)
{
    if (spec->window == 0)
        spec->window = default_window(spec);
    return check(spec, err);
}

rv_status rv_feature_new(rv_feature **out, const rv_feature_spec *spec, const float *f0,
                         size_t n_f0, rv_error *err)
{
    rv_feature_spec whole = *spec;
    RV_TRY(rv_feature_complete(&whole, err));
    if (!find_kind(&whole))
        return RV_FAIL(err, RV_ERR_ARG,
                       whole.f0_method == RV_F0_CREPE
                           ? "f0 by CREPE: see ravel/pitch.h for streams"
                           : "f0 by ddsp_inv: see rv_features_file(), there is none of streams");
    rv_feature *f = calloc(1, sizeof *f);
    if (!f)
        return RV_FAIL(err, RV_ERR_NOMEM, "a feature");
    f->spec = whole;
    const rv_status st = init(f, f0, n_f0, err);
    if (st != RV_OK) {
        rv_feature_free(f);
        return st;
    }
    *out = f;
    return RV_OK;
}

void rv_feature_free(rv_feature *f)
{
    if (!f)
        return;
    if (f->state)
        f->kind->destroy(f->state);
    rv_frames_fini(&f->frames);
    free(f->window);
    free(f->f0);
    free(f);
}

size_t rv_feature_width(const rv_feature *f)
{
    return f->kind->width(&f->spec);
}

size_t rv_feature_frames(const rv_feature_spec *spec, uint64_t samples)
{
    return (size_t)rv_frames_count(spec, samples);
}

static rv_status collect(rv_feature *f, rv_error *err)
{
    while (f->kind->collect && rv_frames_next(&f->frames, f->window))
        RV_TRY(f->kind->collect(f->state, f->window, err));
    return RV_OK;
}

rv_status rv_feature_push(rv_feature *f, const float *samples, size_t n, rv_error *err)
{
    if (f->finished)
        return RV_FAIL(err, RV_ERR_ARG, "samples after the end of a stream");
    RV_TRY(rv_frames_push(&f->frames, samples, n, err));
    return collect(f, err);
}

rv_status rv_feature_finish(rv_feature *f, rv_error *err)
{
    if (f->finished)
        return RV_OK;
    rv_frames_finish(&f->frames);
    RV_TRY(collect(f, err));
    f->finished = true;
    return f->kind->finish ? f->kind->finish(f->state, err) : RV_OK;
}

size_t rv_feature_pull(rv_feature *f, float *out, size_t room)
{
    const size_t width = rv_feature_width(f);
    size_t n = 0;
    if (f->kind->row)
        for (; f->finished && n < room && f->next < f->frames.total; n++)
            f->kind->row(f->state, f->next++, out + n * width);
    else
        for (; n < room && rv_frames_next(&f->frames, f->window); n++)
            f->kind->frame(f->state, f->window, out + n * width);
    return n;
}
