/* separate_file.c - file -> source -> session -> drain -> outputs.
 *
 * Networks want the track's mean and deviation taken out (level.h), so the file is read twice: once
 * to measure, once to separate. */
#include "infer/separate_file.h"

#include "base/status.h"
#include "dsp/level.h"
#include "infer/drain.h"
#include "infer/play_params.h"
#include "infer/session.h"
#include "infer/source_params.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PULL = 16384 }; /* frames taken from the session at a time */

/* Shares of the time, for the progress. */
static const double measure_share = 0.01, encode_share = 0.02;

typedef struct {
    rv_model *model;
    const rv_file_options *opt;
    rv_source *source;
    rv_session session;
    rv_output_plan plan;
    rv_outputs *outputs;
    rv_drain *drain;
    rv_play_params *params; /* [stems] those that are written, NULL: none */
    char **param_paths;     /* [stems] NULL: not of this one */
    float *memory;
    float **stems; /* [stem * channels + channel][PULL] */
    double done;   /* fraction reported */
} track;

/* Progress ------------------------------------------------------------------------- */

static int report(track *t, double fraction)
{
    const rv_separate_options *o = &t->opt->separate;
    const uint64_t total = rv_source_frames_about(t->source);
    if (!o->progress)
        return 0;
    fraction = fraction < 1 ? fraction : 1;
    t->done = fraction > t->done ? fraction : t->done;
    const rv_progress p = { .fraction = t->done,
                            .frames_done = (uint64_t)(t->done * (double)total),
                            .frames_total = total };
    return o->progress(o->progress_ctx, &p);
}

static int watch_session(void *ctx, double frames)
{
    track *t = ctx;
    const rv_source_format *f = rv_source_format_of(t->source);
    const double about = (double)rv_source_frames_about(t->source) * f->rate / f->file_rate;
    const double share = about > 0 ? frames / about : 0;
    return report(t, measure_share + (1 - measure_share - encode_share) * (share < 1 ? share : 1));
}

static int watch_outputs(void *ctx, double share)
{
    return report(ctx, 1 - encode_share * (1 - share));
}

/* Passes --------------------------------------------------------------------------- */

static rv_status measure(track *t, rv_error *err)
{
    rv_level level = { 0 };
    const size_t channels = rv_source_format_of(t->source)->channels;
    for (;;) {
        const float *const *x;
        size_t n;
        RV_TRY(rv_source_next(t->source, &x, &n, err));
        if (n == 0)
            break;
        rv_level_add(&level, x, channels, n);
        if (report(t, 0))
            return RV_FAIL(err, RV_ERR_CANCELLED, "stopped on request");
    }
    float mean, deviation;
    rv_level_result(&level, &mean, &deviation);
    rv_session_level(&t->session, mean, deviation);
    return rv_source_rewind(t->source, err);
}

static rv_status pull_all(track *t, rv_error *err)
{
    for (;;) {
        size_t made;
        RV_TRY(rv_session_pull(&t->session, t->stems, PULL, &made, err));
        if (made == 0)
            return RV_OK;
        RV_TRY(rv_drain_write(t->drain, (const float *const *)t->stems, made, err));
    }
}

static rv_status separate(track *t, rv_error *err)
{
    if (report(t, 0))
        return RV_FAIL(err, RV_ERR_CANCELLED, "stopped on request");
    for (;;) {
        const float *const *x;
        size_t n;
        RV_TRY(rv_source_next(t->source, &x, &n, err));
        if (n == 0)
            break;
        RV_TRY(rv_session_push(&t->session, x, n, err));
        RV_TRY(pull_all(t, err));
    }
    rv_session_finish(&t->session);
    RV_TRY(pull_all(t, err));
    return rv_drain_finish(t->drain, rv_source_frames_read(t->source), err);
}

/* Opening -------------------------------------------------------------------------- */

static rv_status open_outputs(track *t, rv_error *err)
{
    const rv_source_format *f = rv_source_format_of(t->source);
    const rv_audio_writer_options format = { .format = t->opt->format,
                                             .bits = t->opt->bits,
                                             .channels = (int)rv_drain_channels(f),
                                             .sample_rate = f->file_rate,
                                             .quality = t->opt->quality };
    RV_TRY(rv_outputs_open(&t->outputs, t->plan.paths, t->plan.n, &format, t->opt->clip, err));
    return rv_drain_new(&t->drain, f, t->model->card.n_stems, &t->plan, t->outputs, err);
}

/* Parameters ----------------------------------------------------------------------- */

/* "a/bass.wav" -> "a/bass.npz" */
static char *param_path(const char *path)
{
    const char *slash = strrchr(path, '/'), *dot = strrchr(path, '.');
    const size_t stem = dot && (!slash || dot > slash) ? (size_t)(dot - path) : strlen(path);
    char *out = malloc(stem + sizeof ".npz");
    if (out) {
        memcpy(out, path, stem);
        memcpy(out + stem, ".npz", sizeof ".npz");
    }
    return out;
}

static rv_autoencoder_config param_config(const track *t, size_t stem)
{
    const size_t rate = (size_t)rv_source_format_of(t->source)->rate;
    if (t->model->decoders)
        return *rv_autoencoder_network_config(t->model->decoders[stem]);
    return rv_source_params_format(rate, rv_wiener_stream_frame(rate) / RV_WIENER_OVERLAP);
}

/* Of files that hold one stem; folders are there by now. */
static rv_status open_params(track *t, rv_error *err)
{
    const size_t n = t->model->card.n_stems;
    if (!t->opt->params)
        return RV_OK;
    if (!t->model->decoders && !t->session.fit)
        return RV_FAIL(
            err, RV_ERR_UNSUPPORTED,
            "model %s has no decoders, whose parameters are wanted, and its stems are not "
            "refined (--refine ddsp), which gives parameters, too",
            t->model->card.name);
    t->params = calloc(n, sizeof *t->params);
    t->param_paths = calloc(n, sizeof *t->param_paths);
    if (!t->params || !t->param_paths)
        return RV_FAIL(err, RV_ERR_NOMEM, "parameters of %zu stems", n);
    for (size_t i = 0; i < t->plan.n; i++)
        for (size_t k = 0; k < n; k++) {
            if (t->plan.stems[i] != UINT32_C(1) << k)
                continue;
            if (!(t->param_paths[k] = param_path(t->plan.paths[i])))
                return RV_FAIL(err, RV_ERR_NOMEM, "the name of a file");
            if (t->opt->existing == RV_EXISTING_FAIL && access(t->param_paths[k], F_OK) == 0)
                return RV_FAIL(err, RV_ERR_EXISTS, "%s: is there already: --overwrite",
                               t->param_paths[k]);
            const rv_autoencoder_config config = param_config(t, k);
            RV_TRY(rv_play_params_init(&t->params[k], t->param_paths[k], &config, err));
        }
    return RV_OK;
}

static rv_status take_controls(void *ctx, size_t stem, const rv_play_controls *c, rv_error *err)
{
    track *t = ctx;
    return t->param_paths[stem] ? rv_play_params_add(&t->params[stem], c, err) : RV_OK;
}

static rv_status write_params(track *t, rv_error *err)
{
    for (size_t k = 0; t->params && k < t->model->card.n_stems; k++)
        if (t->param_paths[k])
            RV_TRY(rv_play_params_write(&t->params[k], err));
    return RV_OK;
}

static void close_params(track *t)
{
    for (size_t k = 0; t->params && t->param_paths && k < t->model->card.n_stems; k++) {
        rv_play_params_fini(&t->params[k]);
        free(t->param_paths[k]);
    }
    free(t->params);
    free(t->param_paths);
}

static rv_status take_stems(track *t, rv_error *err)
{
    const size_t planes = rv_source_format_of(t->source)->channels * t->model->card.n_stems;
    t->memory = malloc(planes * PULL * sizeof *t->memory);
    t->stems = calloc(planes, sizeof *t->stems);
    if (!t->memory || !t->stems)
        return RV_FAIL(err, RV_ERR_NOMEM, "%zu planes of audio", planes);
    for (size_t p = 0; p < planes; p++)
        t->stems[p] = t->memory + p * PULL;
    return RV_OK;
}

static rv_status open_track(track *t, const size_t *offsets, rv_error *err)
{
    const rv_source_format *f = rv_source_format_of(t->source);
    const rv_session_options options = { .channels = f->channels,
                                         .sample_rate = (size_t)f->rate,
                                         .separate = &t->opt->separate,
                                         .offsets = offsets,
                                         .watch = watch_session,
                                         .watch_ctx = t,
                                         .controls = t->opt->params ? take_controls : NULL,
                                         .controls_ctx = t };
    RV_TRY(rv_session_open(&t->session, t->model, &options, err));
    RV_TRY(take_stems(t, err));
    RV_TRY(open_outputs(t, err));
    return open_params(t, err);
}

static void close_track(track *t)
{
    rv_drain_free(t->drain);
    close_params(t);
    rv_outputs_free(t->outputs);
    rv_session_close(&t->session);
    rv_source_free(t->source);
    free(t->memory);
    free((void *)t->stems);
}

static rv_status fill_report(rv_file_report *report, const track *t, double gain, rv_error *err)
{
    const rv_source_format *f = rv_source_format_of(t->source);
    report->gain = gain;
    report->frames = rv_source_frames_read(t->source);
    report->sample_rate = f->file_rate;
    report->channels = (int)rv_drain_channels(f);
    report->files = calloc(t->plan.n, sizeof *report->files);
    if (!report->files)
        return RV_FAIL(err, RV_ERR_NOMEM, "a report");
    for (; report->n_files < t->plan.n; report->n_files++) {
        report->files[report->n_files] = strdup(t->plan.paths[report->n_files]);
        if (!report->files[report->n_files])
            return RV_FAIL(err, RV_ERR_NOMEM, "a report");
    }
    return RV_OK;
}

static rv_status run_track(track *t, const char *path, const size_t *offsets,
                           rv_file_report *report, rv_error *err)
{
    const rv_model_card *card = &t->model->card;
    double gain = 1;
    RV_TRY(rv_source_open(&t->source, path, (size_t)card->channels, card->sample_rate, err));
    RV_TRY(open_track(t, offsets, err));
    if (rv_session_wants_level(&t->session))
        RV_TRY(measure(t, err));
    RV_TRY(separate(t, err));
    RV_TRY(write_params(t, err));
    RV_TRY(rv_outputs_finish(t->outputs, &gain, watch_outputs, t, err));
    return fill_report(report, t, gain, err);
}

/* What is there already ------------------------------------------------------------ */

static rv_status check_options(const rv_file_options *o, rv_error *err)
{
    if (o->stems && o->two_stems)
        return RV_FAIL(err, RV_ERR_ARG, "either some stems or two stems, not both");
    if (o->bits != 16 && o->bits != 24 && o->bits != 32)
        return RV_FAIL(err, RV_ERR_ARG, "%d bits: 16, 24 or 32 (float) are known", o->bits);
    return RV_OK;
}

static rv_status check_existing(const rv_output_plan *plan, const rv_file_options *o, bool *skip,
                                rv_error *err)
{
    *skip = o->existing == RV_EXISTING_SKIP && plan->n_present == plan->n;
    if (o->existing != RV_EXISTING_FAIL || plan->n_present == 0)
        return RV_OK;
    return RV_FAIL(err, RV_ERR_EXISTS,
                   "%s: %zu of %zu outputs are there already: --overwrite or --skip-existing",
                   plan->paths[0], plan->n_present, plan->n);
}

rv_status rv_separate_file_at(rv_model *m, const char *path, const rv_file_options *opt,
                              const size_t *offsets, rv_file_report *report, rv_error *err)
{
    rv_file_options defaults;
    rv_file_report done = { .gain = 1 };
    rv_file_defaults(&defaults);
    track t = { .model = m, .opt = opt ? opt : &defaults };
    RV_TRY(check_options(t.opt, err));
    RV_TRY(rv_output_plan_make(&t.plan, m, path, t.opt, err));

    bool skip = false;
    rv_status st = check_existing(&t.plan, t.opt, &skip, err);
    if (st == RV_OK && !skip)
        st = run_track(&t, path, offsets, &done, err);
    done.skipped = skip;
    close_track(&t);
    rv_output_plan_fini(&t.plan);
    if (st != RV_OK || !report)
        rv_file_report_free(&done);
    else
        *report = done;
    return st;
}

void rv_file_report_free(rv_file_report *report)
{
    for (size_t i = 0; report && i < report->n_files; i++)
        free(report->files[i]);
    if (report) {
        free(report->files);
        *report = (rv_file_report){ 0 };
    }
}

void rv_file_defaults(rv_file_options *opt)
{
    *opt = (rv_file_options){ .filename = "{track}/{stem}.{ext}",
                              .format = "wav",
                              .bits = 16,
                              .quality = -1,
                              .clip = RV_CLIP_RESCALE,
                              .existing = RV_EXISTING_FAIL };
    rv_separate_defaults(&opt->separate);
}
