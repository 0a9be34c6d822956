/* api_synth.c - rv_synth_file(), of ravel/synth.h. */
#include "api/synth_controls.h"
#include "api/synth_params.h"
#include "base/status.h"
#include "infer/outputs.h"
#include "infer/play_params.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

static const double measuring = 0.5; /* share of the work, about */

typedef struct job {
    const char *in, *out;
    const rv_synth_options *options;
    rv_synth_report *report;
    rv_autoencoder_network *network;
    rv_synth_features features;
    rv_synth_controls controls;
    rv_synth_params *own; /* what is played without a model */
    rv_play_params params;
    rv_outputs *outputs;
    rv_pool *pool;
    bool given; /* features, not audio */
} job;

void rv_synth_defaults(rv_synth_options *opt)
{
    *opt = (rv_synth_options){ .reverb = 1, .stretch = 1, .bits = 16 };
}

/* Options ---------------------------------------------------------------------------------- */

static rv_status in_range(const char *name, double x, double least, double most, rv_error *err)
{
    if (x >= least && x <= most)
        return RV_OK;
    return RV_FAIL(err, RV_ERR_ARG, "%s is %g, from %g to %g is expected", name, x, least, most);
}

static rv_status check_options(const rv_synth_options *o, rv_error *err)
{
    RV_TRY(in_range("pitch_shift", o->pitch_shift, -96, 96, err));
    RV_TRY(in_range("loudness", o->loudness, -200, 200, err));
    RV_TRY(in_range("harmonics_gain", o->harmonics_gain, -200, 60, err));
    RV_TRY(in_range("noise_gain", o->noise_gain, -200, 60, err));
    RV_TRY(in_range("threshold", o->threshold, 0, 1, err));
    RV_TRY(in_range("stretch", o->stretch, 0.01, 100, err));
    if (o->bits != 16 && o->bits != 24 && o->bits != 32)
        return RV_FAIL(err, RV_ERR_ARG, "bits is %d, 16, 24 or 32 is expected", o->bits);
    return RV_OK;
}

static rv_status check_free(const char *path, bool overwrite, rv_error *err)
{
    if (path && !overwrite && access(path, F_OK) == 0)
        return RV_FAIL(err, RV_ERR_EXISTS, "%s: is there already", path);
    return RV_OK;
}

static bool ends_with(const char *text, const char *end)
{
    const size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

/* Progress --------------------------------------------------------------------------------- */

static int tell(const job *j, double fraction)
{
    return j->options->progress ? j->options->progress(j->options->progress_ctx, fraction) : 0;
}

static int tell_measuring(void *ctx, double share)
{
    return tell(ctx, measuring * share);
}

static int tell_playing(void *ctx, double share)
{
    const job *j = ctx;
    const double before = j->given ? 0 : measuring;
    return tell(j, before + (1 - before) * share);
}

/* Sink ------------------------------------------------------------------------------------- */

static rv_status take_audio(void *ctx, float *samples, size_t n, rv_error *err)
{
    job *j = ctx;
    for (size_t i = 0; i < n; i++)
        if (!isfinite(samples[i]))
            return RV_FAIL(err, RV_ERR_FORMAT, "the model gives no number at %.3f s",
                           (double)(j->report->samples + i) / j->report->sample_rate);
    j->report->samples += n;
    return rv_outputs_write(j->outputs, &samples, n, err);
}

static rv_status take_controls(void *ctx, const rv_play_controls *c, rv_error *err)
{
    job *j = ctx;
    return rv_play_params_add(&j->params, c, err);
}

/* Work ------------------------------------------------------------------------------------- */

static rv_status get_features(job *j, const rv_autoencoder_config *c, rv_error *err)
{
    const rv_feature_watch watch = { tell_measuring, j };
    if (j->given)
        return rv_synth_features_open(&j->features, j->in, c, j->options, err);
    return rv_synth_features_measure(&j->features, j->in, j->network, j->options, &watch, err);
}

static rv_status open_output(job *j, int sample_rate, rv_error *err)
{
    rv_audio_writer_options format = rv_audio_writer_defaults();
    format.bits = j->options->bits;
    format.channels = 1;
    format.sample_rate = sample_rate;
    return rv_outputs_open(&j->outputs, (char *const[]){ (char *)j->out }, 1, &format,
                           j->options->clip, err);
}

/* As long as the input, but not longer than there are frames. */
static size_t samples_of(const job *j, const rv_autoencoder_config *c)
{
    const double wanted = j->features.seconds * j->options->stretch * (double)c->sample_rate;
    const double most = (double)j->controls.frames * (double)c->hop;
    return (size_t)fmax(floor(fmin(wanted, most) + 0.5), 1);
}

static rv_status play(job *j, const rv_autoencoder_config *c, rv_error *err)
{
    const rv_synth_options *o = j->options;
    const rv_play_source source = rv_synth_controls_source(&j->controls);
    const rv_play_sink sink = { .audio = take_audio,
                                .controls = o->params ? take_controls : NULL,
                                .watch = tell_playing,
                                .ctx = j };
    const rv_play_options options = { .harmonics_gain = pow(10, o->harmonics_gain / 20),
                                      .noise_gain = pow(10, o->noise_gain / 20),
                                      .room = o->reverb,
                                      .seed = o->seed,
                                      .samples = samples_of(j, c),
                                      .pool = j->pool };
    return rv_autoencoder_play(j->network, &source, &sink, &options, err);
}

static void fill_report(const job *j)
{
    const rv_synth_controls *c = &j->controls;
    j->report->frames = c->frames;
    j->report->voiced = c->voiced;
    j->report->parameters = rv_autoencoder_network_parameters(j->network);
    j->report->pitch = (int)j->features.pitch;
    j->report->loudness_mean = c->mean;
    j->report->loudness_deviation = c->deviation;
    j->report->pitch_mean = c->voiced > 0 ? c->notes / (double)c->voiced : 0;
}

static rv_status run(job *j, const char *model, rv_error *err)
{
    RV_TRY(rv_autoencoder_network_open(&j->network, model, j->options->config, err));
    const rv_autoencoder_config *c = rv_autoencoder_network_config(j->network);
    j->report->sample_rate = (int)c->sample_rate;
    RV_TRY(get_features(j, c, err));
    RV_TRY(rv_synth_controls_init(&j->controls, &j->features, c, j->options, err));
    RV_TRY(rv_pool_new(&j->pool, j->options->threads, NULL, err));
    if (j->options->params)
        RV_TRY(rv_play_params_init(&j->params, j->options->params, c, err));
    RV_TRY(open_output(j, (int)c->sample_rate, err));
    RV_TRY(play(j, c, err));
    fill_report(j);
    if (j->options->params)
        RV_TRY(rv_play_params_write(&j->params, err));
    return rv_outputs_finish(j->outputs, &j->report->gain, NULL, NULL, err);
}

/* The file's own parameters, by no model. */
static rv_status run_params(job *j, rv_error *err)
{
    const rv_play_sink sink = { .audio = take_audio, .watch = tell_playing, .ctx = j };
    if (!j->given || j->options->params)
        return RV_FAIL(err, RV_ERR_ARG, "%s: the model `params` plays an .npz, and writes none",
                       j->in);
    RV_TRY(rv_synth_params_open(&j->own, j->in, j->options, err));
    rv_synth_params_report(j->own, j->report);
    RV_TRY(open_output(j, j->report->sample_rate, err));
    RV_TRY(rv_synth_params_play(j->own, &sink, err));
    return rv_outputs_finish(j->outputs, &j->report->gain, NULL, NULL, err);
}

rv_status rv_synth_file(const char *model, const char *in, const char *out,
                        const rv_synth_options *opt, rv_synth_report *report, rv_error *err)
{
    rv_synth_options defaults;
    rv_synth_report ignored;
    rv_synth_defaults(&defaults);
    job j = { .in = in,
              .out = out,
              .options = opt ? opt : &defaults,
              .report = report ? report : &ignored,
              .given = ends_with(in, ".npz") };
    *j.report = (rv_synth_report){ 0 };
    RV_TRY(check_options(j.options, err));
    RV_TRY(check_free(out, j.options->overwrite, err));
    RV_TRY(check_free(j.options->params, j.options->overwrite, err));
    const rv_status st = strcmp(model, "params") == 0 ? run_params(&j, err) : run(&j, model, err);
    rv_outputs_free(j.outputs);
    rv_play_params_fini(&j.params);
    rv_synth_features_close(&j.features);
    rv_synth_params_close(j.own);
    rv_pool_free(j.pool);
    rv_autoencoder_network_free(j.network);
    return st;
}
