/* synth_measure.c - features of an audio file, measured as a model's training data was: in the
 * cache, save for pitch by CREPE or by the model. */
#include "api/synth_features.h"
#include "api/synth_own_f0.h"
#include "base/status.h"
#include "data/mono_source.h"
#include "io/audio_read.h"
#include "ravel/pitch.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What is being done: `done` of `all` features. */
typedef struct work {
    rv_synth_features *f;
    const rv_autoencoder_network *network;
    const rv_autoencoder_config *config; /* of the network */
    const rv_synth_options *options;
    const rv_feature_watch *watch;
    double done, all;
} work;

static int tell(void *ctx, double fraction)
{
    const work *w = ctx;
    return w->watch->tell ? w->watch->tell(w->watch->ctx, (w->done + fraction) / w->all) : 0;
}

static rv_synth_pitch chosen(const rv_autoencoder_config *c, const rv_synth_options *o)
{
    if (o->pitch != RV_SYNTH_PITCH_MODEL)
        return o->pitch;
    if (c->f0_encoder == RV_F0_LEARNED)
        return RV_SYNTH_PITCH_OWN;
    switch (c->features.tracker) {
    case RV_TRACKER_YIN:
        return RV_SYNTH_PITCH_YIN;
    case RV_TRACKER_CREPE:
        return o->crepe ? RV_SYNTH_PITCH_CREPE : RV_SYNTH_PITCH_PYIN;
    case RV_TRACKER_PYIN:
        break;
    }
    return RV_SYNTH_PITCH_PYIN;
}

static rv_feature_spec spec_of(const work *w, rv_feature_name feature, double rate)
{
    const rv_autoencoder_features *c = &w->config->features;
    rv_feature_spec s;
    rv_feature_defaults(&s, feature, (int)w->config->sample_rate, rate);
    s.align = c->align;
    s.f0_method = w->f->pitch == RV_SYNTH_PITCH_YIN ? RV_F0_YIN : RV_F0_PYIN;
    s.f0_min = c->f0_min;
    s.f0_max = fmin(c->f0_max, (double)w->config->sample_rate / 2);
    s.loudness = c->loudness;
    s.coefficients = RV_AUTOENCODER_MFCC;
    if (feature == RV_FEATURE_LOUDNESS && c->loudness_window > 0)
        s.window = (int)c->loudness_window;
    if (c->loudness == RV_LOUDNESS_DDSP1) {
        s.ref_db = 20.7;
        s.range_db = 120;
    }
    return s;
}

static rv_status get(work *w, rv_feature_name feature, double rate, rv_feature_rows **rows,
                     rv_error *err)
{
    rv_track_source file = { (char *)w->f->path, 0, RV_ALL_CHANNELS };
    const rv_track_sources source = { &file, 1 };
    const rv_feature_watch watch = { tell, w };
    const rv_feature_spec spec = spec_of(w, feature, rate);
    RV_TRY(rv_feature_get(w->f->cache, &source, &spec, &watch, rows, err));
    w->done++;
    return RV_OK;
}

/* CREPE ------------------------------------------------------------------------------------ */

static void pull(rv_synth_features *f, rv_pitch *pitch, size_t *n)
{
    size_t got;
    while (*n < f->frames &&
           (got = rv_pitch_pull(pitch, f->f0 + *n, f->confidence + *n, f->frames - *n)) > 0)
        *n += got;
}

static rv_status track(work *w, rv_mono *mono, rv_pitch *pitch, size_t *n, rv_error *err)
{
    const float *samples;
    size_t got;
    for (;;) {
        RV_TRY(rv_mono_next(mono, &samples, &got, err));
        if (got == 0)
            break;
        RV_TRY(rv_pitch_push(pitch, samples, got, err));
        pull(w->f, pitch, n);
        if (tell(w, rv_mono_progress(mono)))
            return RV_FAIL(err, RV_ERR_CANCELLED, "stopped on request");
    }
    RV_TRY(rv_pitch_finish(pitch, err));
    pull(w->f, pitch, n);
    w->f->frames = *n < w->f->frames ? *n : w->f->frames;
    w->done++;
    return RV_OK;
}

static rv_status by_crepe(work *w, rv_error *err)
{
    rv_synth_features *f = w->f;
    rv_track_source file = { (char *)f->path, 0, RV_ALL_CHANNELS };
    const rv_track_sources source = { &file, 1 };
    rv_mono *mono = NULL;
    rv_pitch *pitch = NULL;
    rv_pitch_options o;
    size_t n = 0;
    if (!w->options->crepe)
        return RV_FAIL(err, RV_ERR_ARG, "pitch by CREPE needs its weights, which are not given");
    f->f0 = calloc(f->frames + 1, sizeof *f->f0);
    f->confidence = calloc(f->frames + 1, sizeof *f->confidence);
    if (!f->f0 || !f->confidence)
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: pitch of %zu frames", f->path, f->frames);
    rv_status st = rv_mono_open(&mono, &source, 0, err);
    if (st == RV_OK) {
        rv_pitch_defaults(&o, rv_mono_rate(mono));
        o.frame_rate = f->rate;
        o.f0_min = w->config->features.f0_min;
        o.f0_max = w->config->features.f0_max;
        o.pad = w->config->features.align == RV_FRAMES_CENTRED;
        o.threads = w->options->threads;
        st = rv_pitch_open(&pitch, w->options->crepe, &o, err);
    }
    if (st == RV_OK)
        st = track(w, mono, pitch, &n, err);
    rv_pitch_free(pitch);
    rv_mono_free(mono);
    return st;
}

/* By the model ----------------------------------------------------------------------------- */

static rv_status by_model(work *w, rv_error *err)
{
    const rv_feature_watch watch = { tell, w };
    if (w->config->f0_encoder != RV_F0_LEARNED)
        return RV_FAIL(err, RV_ERR_ARG, "pitch by the model's own encoder: it has none");
    if (w->options->threshold > 0)
        return RV_FAIL(err, RV_ERR_ARG,
                       "threshold is %g, but pitch by the model's own encoder has no confidence",
                       w->options->threshold);
    RV_TRY(rv_synth_own_f0(w->f, w->network, &watch, w->options->threads, err));
    w->done++;
    return RV_OK;
}

/* All -------------------------------------------------------------------------------------- */

static rv_status measure(work *w, rv_error *err)
{
    rv_synth_features *f = w->f;
    RV_TRY(get(w, RV_FEATURE_LOUDNESS, f->rate, &f->loudness_rows, err));
    f->frames = rv_feature_rows_count(f->loudness_rows);
    if (f->pitch == RV_SYNTH_PITCH_CREPE) {
        RV_TRY(by_crepe(w, err));
    } else if (f->pitch == RV_SYNTH_PITCH_OWN) {
        RV_TRY(by_model(w, err));
    } else {
        RV_TRY(get(w, RV_FEATURE_F0, f->rate, &f->f0_rows, err));
        const size_t n = rv_feature_rows_count(f->f0_rows);
        f->frames = n < f->frames ? n : f->frames;
    }
    if (w->config->decoder.z > 0) {
        RV_TRY(get(w, RV_FEATURE_MFCC, f->mfcc_rate, &f->mfcc_rows_of, err));
        f->mfcc_rows = rv_feature_rows_count(f->mfcc_rows_of);
    }
    if (f->frames == 0 || (w->config->decoder.z > 0 && f->mfcc_rows == 0))
        return RV_FAIL(err, RV_ERR_FORMAT, "%s: holds no audio", f->path);
    return RV_OK;
}

static rv_status find_length(rv_synth_features *f, rv_error *err)
{
    rv_audio_reader *reader = NULL;
    RV_TRY(rv_audio_reader_open(&reader, f->path, 0, err));
    const rv_audio_info *info = rv_audio_reader_info(reader);
    f->seconds = info->frames > 0 ? (double)info->frames / info->sample_rate : 0;
    rv_audio_reader_free(reader);
    return RV_OK;
}

rv_status rv_synth_features_measure(rv_synth_features *f, const char *path,
                                    const rv_autoencoder_network *n, const rv_synth_options *o,
                                    const rv_feature_watch *watch, rv_error *err)
{
    const rv_autoencoder_config *c = rv_autoencoder_network_config(n);
    work w = { .f = f, .network = n, .config = c, .options = o, .watch = watch };
    f->path = path;
    f->pitch = chosen(c, o);
    f->rate = (double)c->sample_rate / (double)c->hop;
    f->mfcc_rate = c->features.mfcc_rate > 0 ? c->features.mfcc_rate : f->rate;
    w.all = c->decoder.z > 0 ? 3 : 2;
    RV_TRY(find_length(f, err));
    RV_TRY(rv_feature_cache_open(&f->cache, o->cache, err));
    RV_TRY(measure(&w, err));
    if (f->seconds <= 0)
        f->seconds = (double)f->frames / f->rate;
    return RV_OK;
}
