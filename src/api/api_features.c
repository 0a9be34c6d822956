/* api_features.c - rv_features_file(), of ravel/features.h. */
#include "base/status.h"
#include "data/f0_notes.h"
#include "data/feature_cache.h"
#include "data/feature_table.h"
#include "infer/crepe_f0.h"
#include "infer/inverse_f0.h"
#include "io/audio_read.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct job {
    const char *path, *out;
    const rv_features_options *opt;
    rv_features_report *report;
    rv_feature_cache *cache;
    rv_crepe_f0 *crepe;     /* NULL: another method */
    rv_inverse_f0 *inverse; /* NULL: another method */
    int sample_rate;
    rv_feature_name wanted[RV_FEATURES];
    size_t n_wanted, n_done, n_all; /* features; with those that MIDI needs */
    rv_feature_table table;
    rv_feature_rows *rows[RV_FEATURES];
} job;

void rv_features_defaults(rv_features_options *opt)
{
    rv_feature_spec spec;
    rv_feature_defaults(&spec, RV_FEATURE_F0, 44100, 250);
    *opt = (rv_features_options){ .features = "f0,loudness,rms",
                                  .format = "npz",
                                  .frame_rate = 250,
                                  .f0_method = spec.f0_method,
                                  .f0_min = spec.f0_min,
                                  .f0_max = spec.f0_max,
                                  .bands = spec.bands,
                                  .coefficients = spec.coefficients,
                                  .f0_threshold = 0.5 };
    rv_crepe_defaults(&opt->crepe);
}

/* What is wanted */

static rv_status add_wanted(job *j, const char *name, size_t n, rv_error *err)
{
    for (int f = 0; f < RV_FEATURES; f++) {
        const char *known = rv_feature_text((rv_feature_name)f);
        if (strlen(known) != n || strncmp(known, name, n) != 0)
            continue;
        for (size_t i = 0; i < j->n_wanted; i++)
            if (j->wanted[i] == (rv_feature_name)f)
                return RV_FAIL(err, RV_ERR_ARG, "features: %s is named twice", known);
        j->wanted[j->n_wanted++] = (rv_feature_name)f;
        return RV_OK;
    }
    return RV_FAIL(err, RV_ERR_ARG,
                   "features: %.*s is not known; f0, loudness, rms, mel, mfcc, centroid, "
                   "harmonicity, residual and stft are",
                   (int)(n < 60 ? n : 60), name);
}

static rv_status read_wanted(job *j, rv_error *err)
{
    for (const char *name = j->opt->features;; name++) {
        const size_t n = strcspn(name, ",");
        RV_TRY(add_wanted(j, name, n, err));
        name += n;
        if (*name == '\0')
            return RV_OK;
    }
}

static rv_feature_spec spec_of(const job *j, rv_feature_name feature)
{
    const rv_features_options *o = j->opt;
    const bool pitched = feature == RV_FEATURE_F0 || feature == RV_FEATURE_HARMONICITY ||
                         feature == RV_FEATURE_RESIDUAL;
    rv_feature_spec s;
    rv_feature_defaults(&s, feature, j->sample_rate, o->frame_rate);
    s.align = o->align;
    s.f0_method = o->f0_method;
    s.f0_min = o->f0_min;
    s.f0_max = o->f0_max;
    s.f0_librosa = o->f0_librosa;
    s.loudness = o->loudness;
    s.window = pitched ? 0 : o->window;
    s.coefficients = o->coefficients;
    s.bands = feature == RV_FEATURE_MEL ? o->bands : s.bands;
    if (o->loudness == RV_LOUDNESS_DDSP1) {
        s.ref_db = 20.7;
        s.range_db = 120;
    }
    return s;
}

/* The work */

static int tell(void *ctx, double fraction)
{
    const job *j = ctx;
    const rv_features_options *o = j->opt;
    return o->progress
               ? o->progress(o->progress_ctx, ((double)j->n_done + fraction) / (double)j->n_all)
               : 0;
}

static rv_status get(job *j, rv_feature_name feature, rv_error *err)
{
    rv_track_source file = { (char *)j->path, 0, RV_ALL_CHANNELS };
    const rv_track_sources source = { &file, 1 };
    const rv_feature_watch watch = { tell, j };
    const rv_feature_spec spec = spec_of(j, feature);
    if (!j->rows[feature])
        RV_TRY(rv_feature_get(j->cache, &source, &spec, &watch, &j->rows[feature], err));
    j->n_done++;
    return RV_OK;
}

static rv_status read_curve(job *j, float *hz, float *level, rv_error *err)
{
    rv_feature_rows *f0 = j->rows[RV_FEATURE_F0], *rms = j->rows[RV_FEATURE_RMS];
    const size_t n = rv_feature_rows_count(f0);
    float frame[3];
    for (size_t i = 0; i < n; i++) {
        RV_TRY(rv_feature_rows_read(f0, i, 1, frame, err));
        hz[i] = frame[2] > 0 ? frame[0] : 0;
    }
    return rv_feature_rows_read(rms, 0, n, level, err);
}

static rv_status write_midi(job *j, const char *path, rv_error *err)
{
    const size_t n = rv_feature_rows_count(j->rows[RV_FEATURE_F0]);
    rv_f0_note *notes = NULL;
    size_t n_notes = 0;
    float *hz = calloc(n + 1, sizeof *hz), *level = calloc(n + 1, sizeof *level);
    const rv_f0_curve curve = { hz, level, n, j->opt->frame_rate };
    rv_status st = hz && level ? read_curve(j, hz, level, err)
                               : RV_FAIL(err, RV_ERR_NOMEM, "f0 of %zu frames", n);
    if (st == RV_OK)
        st = rv_f0_notes(&notes, &n_notes, &curve, err);
    if (st == RV_OK)
        st = rv_f0_midi(&curve, notes, n_notes, path, err);
    j->report->notes = n_notes;
    free(notes);
    free(hz);
    free(level);
    return st;
}

static rv_status make_name(char **name, const job *j, const char *end, rv_error *err)
{
    const size_t room = strlen(j->out) + strlen(end) + 2;
    *name = malloc(room);
    if (!*name)
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", j->out);
    snprintf(*name, room, "%s.%s", j->out, end);
    if (!j->opt->overwrite && access(*name, F_OK) == 0)
        return RV_FAIL(err, RV_ERR_EXISTS, "%s: is there already", *name);
    return RV_OK;
}

static rv_status write_all(job *j, const char *table, const char *midi, rv_error *err)
{
    const bool csv = strcmp(j->opt->format, "csv") == 0;
    for (size_t i = 0; i < j->n_wanted; i++)
        RV_TRY(get(j, j->wanted[i], err));
    if (midi) {
        RV_TRY(get(j, RV_FEATURE_F0, err));
        RV_TRY(get(j, RV_FEATURE_RMS, err));
    }
    for (size_t i = 0; i < j->n_wanted; i++)
        rv_feature_table_add(&j->table, j->rows[j->wanted[i]], j->opt->f0_everywhere);
    j->report->frames = j->table.frames;
    RV_TRY(csv ? rv_feature_table_csv(&j->table, table, err)
               : rv_feature_table_npz(&j->table, table, err));
    return midi ? write_midi(j, midi, err) : RV_OK;
}

static rv_status run_job(job *j, rv_error *err)
{
    char *table = NULL, *midi = NULL;
    rv_status st = make_name(&table, j, j->opt->format, err);
    if (st == RV_OK && j->opt->midi)
        st = make_name(&midi, j, "mid", err);
    if (st == RV_OK)
        st = write_all(j, table, midi, err);
    for (int f = 0; f < RV_FEATURES; f++)
        rv_feature_rows_free(j->rows[f]);
    free(table);
    free(midi);
    return st;
}

static void close_all(job *j)
{
    rv_feature_cache_free(j->cache);
    rv_crepe_f0_free(j->crepe);
    rv_inverse_f0_free(j->inverse);
}

static rv_status open_all(job *j, rv_error *err)
{
    const rv_features_options *o = j->opt;
    const rv_inverse_f0_options inverse = { .model = o->f0_model, .threshold = o->f0_threshold };
    RV_TRY(rv_feature_cache_open(&j->cache, o->cache, err));
    if (o->f0_method == RV_F0_CREPE)
        RV_TRY(rv_crepe_f0_new(&j->crepe, &o->crepe, err));
    if (o->f0_method == RV_F0_DDSP_INV)
        RV_TRY(rv_inverse_f0_new(&j->inverse, &inverse, err));
    if (j->crepe || j->inverse)
        rv_feature_cache_set_engine(j->cache, j->crepe ? rv_crepe_f0_engine(j->crepe)
                                                       : rv_inverse_f0_engine(j->inverse));
    return RV_OK;
}

static rv_status check(job *j, rv_error *err)
{
    const rv_features_options *o = j->opt;
    rv_audio_reader *reader = NULL;
    if (strcmp(o->format, "npz") != 0 && strcmp(o->format, "csv") != 0)
        return RV_FAIL(err, RV_ERR_ARG, "format %s is not known; npz and csv are", o->format);
    RV_TRY(read_wanted(j, err));
    j->n_all = j->n_wanted + (o->midi ? 2 : 0);
    RV_TRY(rv_audio_reader_open(&reader, j->path, 0, err));
    j->sample_rate = o->sample_rate ? o->sample_rate : rv_audio_reader_info(reader)->sample_rate;
    rv_audio_reader_free(reader);
    return RV_OK;
}

rv_status rv_features_file(const char *path, const char *out, const rv_features_options *opt,
                           rv_features_report *report, rv_error *err)
{
    rv_features_options defaults;
    rv_features_report ignored;
    rv_features_defaults(&defaults);
    job j = {
        .path = path, .out = out, .opt = opt ? opt : &defaults, .report = report ? report : &ignored
    };
    *j.report = (rv_features_report){ 0 };
    RV_TRY(check(&j, err));
    rv_status st = open_all(&j, err);
    if (st == RV_OK)
        st = run_job(&j, err);
    const rv_feature_counts counts =
        j.cache ? rv_feature_cache_counts(j.cache) : (rv_feature_counts){ 0 };
    j.report->sample_rate = j.sample_rate;
    j.report->found = counts.found;
    j.report->measured = counts.measured;
    j.report->damaged = counts.damaged;
    close_all(&j);
    return st;
}
