/* api_refine.c - rv_refine_file(), of ravel/refine.h. */
#include "ravel/refine.h"

#include "api/refine_features.h"
#include "base/status.h"
#include "data/mono_source.h"
#include "dsp/resample.h"
#include "infer/outputs.h"
#include "infer/refine_play.h"
#include "io/audio_read.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BLOCK = 8192 };
static const double measuring = 0.3; /* share of the work, about */

typedef struct job {
    const char *in;
    const rv_refine_options *options;
    rv_refine_report *report;
    rv_refiner_network *network;
    rv_refine_features features;
    rv_mono *mono; /* the stem as the network sees it */
    const float *block;
    size_t block_left;
    rv_audio_reader *reader; /* the stem as it is */
    rv_resampler *resampler; /* from the network's rate to the stem's */
    rv_outputs *outputs;
    float *planes[RV_AUDIO_CHANNELS_MAX]; /* [BLOCK] */
    float *difference, *raised;           /* [BLOCK] at the network's rate, and at the stem's */
    double seconds, energy, changed;      /* of the file, about; sums of squares */
} job;

void rv_refine_defaults(rv_refine_options *opt)
{
    *opt = (rv_refine_options){ .window = 4, .bits = 32 };
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

static int tell_playing(void *ctx, double seconds)
{
    const job *j = ctx;
    const double share = j->seconds > 0 ? fmin(seconds / j->seconds, 1) : 0;
    return tell(j, measuring + (1 - measuring) * share);
}

/* Source ----------------------------------------------------------------------------------- */

static rv_status read_stem(void *ctx, float *samples, size_t n, size_t *got, rv_error *err)
{
    job *j = ctx;
    for (*got = 0; *got < n;) {
        if (j->block_left == 0)
            RV_TRY(rv_mono_next(j->mono, &j->block, &j->block_left, err));
        if (j->block_left == 0)
            break;
        const size_t some = j->block_left < n - *got ? j->block_left : n - *got;
        memcpy(samples + *got, j->block, some * sizeof *samples);
        j->block += some;
        j->block_left -= some;
        *got += some;
    }
    return RV_OK;
}

static rv_status read_frames(void *ctx, size_t first, size_t n, float *f0, float *loudness,
                             rv_error *err)
{
    job *j = ctx;
    return rv_refine_features_read(&j->features, first, n, f0, loudness, err);
}

/* Result ----------------------------------------------------------------------------------- */

/* n samples of `raised`, added to as many frames of the stem, or put in their place; *got: frames
 * that the stem still had. */
static rv_status write_frames(job *j, size_t n, size_t *got, rv_error *err)
{
    const bool keeps = rv_refiner_network_config(j->network)->kind != RV_REFINER_DECODER;
    RV_TRY(rv_audio_reader_read(j->reader, j->planes, n, got, err));
    for (int c = 0; c < j->report->channels; c++)
        for (size_t t = 0; t < *got; t++)
            j->planes[c][t] = keeps ? j->planes[c][t] + j->raised[t] : j->raised[t];
    j->report->frames += *got;
    return *got ? rv_outputs_write(j->outputs, j->planes, *got, err) : RV_OK;
}

/* in NULL: what is still in the resampler. */
static rv_status raise_rate(job *j, const float *in, size_t n, rv_error *err)
{
    for (;;) {
        size_t used = 0, made = 0, got = 0;
        RV_TRY(rv_resampler_process(j->resampler, in ? &in : NULL, n, &used, &j->raised, BLOCK,
                                    &made, err));
        if (made > 0)
            RV_TRY(write_frames(j, made, &got, err));
        n -= used;
        in = in ? in + used : NULL;
        if (in ? n == 0 && made < BLOCK : made == 0)
            return RV_OK;
    }
}

static rv_status take(void *ctx, const float *refined, const float *stem, size_t n, rv_error *err)
{
    job *j = ctx;
    const bool keeps = rv_refiner_network_config(j->network)->kind != RV_REFINER_DECODER;
    for (size_t at = 0; at < n; at += BLOCK) {
        const size_t some = n - at < BLOCK ? n - at : BLOCK;
        for (size_t t = 0; t < some; t++) {
            const float was = stem[at + t], change = refined[at + t] - was;
            j->energy += (double)was * (double)was;
            j->changed += (double)change * (double)change;
            j->difference[t] = keeps ? change : refined[at + t];
        }
        RV_TRY(raise_rate(j, j->difference, some, err));
    }
    return RV_OK;
}

/* The stem to its last frame, where rounding of rates made the change end before it. */
static rv_status write_rest(job *j, rv_error *err)
{
    memset(j->raised, 0, BLOCK * sizeof *j->raised);
    for (size_t got = 1; got > 0;)
        RV_TRY(write_frames(j, BLOCK, &got, err));
    return RV_OK;
}

/* Work ------------------------------------------------------------------------------------- */

static rv_status take_memory(job *j, rv_error *err)
{
    bool ok = (j->difference = calloc(BLOCK, sizeof(float)));
    ok = (j->raised = calloc(BLOCK, sizeof(float))) && ok;
    for (int c = 0; c < j->report->channels; c++)
        ok = (j->planes[c] = calloc(BLOCK, sizeof(float))) && ok;
    return ok ? RV_OK : RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", j->in);
}

static rv_status open_audio(job *j, const rv_track_sources *source, const char *out, rv_error *err)
{
    const rv_refiner_config *c = rv_refiner_network_config(j->network);
    rv_audio_writer_options format = rv_audio_writer_defaults();
    RV_TRY(rv_audio_reader_open(&j->reader, j->in, 0, err));
    const rv_audio_info *info = rv_audio_reader_info(j->reader);
    j->report->channels = format.channels = info->channels;
    j->report->sample_rate = format.sample_rate = info->sample_rate;
    j->seconds = info->frames_about > 0 ? (double)info->frames_about / info->sample_rate : 0;
    format.bits = j->options->bits;
    RV_TRY(take_memory(j, err));
    RV_TRY(rv_mono_open(&j->mono, source, (int)c->sample_rate, err));
    RV_TRY(rv_resampler_new(&j->resampler, 1, (int)c->sample_rate, info->sample_rate, err));
    return rv_outputs_open(&j->outputs, (char *const[]){ (char *)out }, 1, &format,
                           j->options->clip, err);
}

static rv_status refine(job *j, rv_pool *pool, rv_error *err)
{
    const rv_refine_source source = {
        .stem = read_stem, .frames = read_frames, .take = take, .watch = tell_playing, .ctx = j
    };
    const rv_refine_play_options options = { j->options->window, j->options->seed, pool };
    double gain;
    RV_TRY(rv_refine_play(j->network, &source, &options, err));
    RV_TRY(raise_rate(j, NULL, 0, err));
    RV_TRY(write_rest(j, err));
    j->report->change = 10 * log10(j->changed / fmax(j->energy, 1e-30));
    return rv_outputs_finish(j->outputs, &gain, NULL, NULL, err);
}

static rv_status run(job *j, const char *model, const char *out, rv_error *err)
{
    rv_track_source file = { (char *)j->in, 0, RV_ALL_CHANNELS };
    const rv_track_sources source = { &file, 1 };
    const rv_feature_watch watch = { tell_measuring, j };
    rv_pool *pool = NULL;
    RV_TRY(rv_refiner_network_open(&j->network, model, err));
    j->report->parameters = rv_refiner_network_parameters(j->network);
    RV_TRY(rv_refine_features_open(&j->features, rv_refiner_network_config(j->network), &source,
                                   j->options, &watch, err));
    RV_TRY(open_audio(j, &source, out, err));
    RV_TRY(rv_pool_new(&pool, j->options->threads, NULL, err));
    const rv_status st = refine(j, pool, err);
    rv_pool_free(pool);
    return st;
}

static rv_status check(const char *out, const rv_refine_options *o, rv_error *err)
{
    if (o->bits != 16 && o->bits != 24 && o->bits != 32)
        return RV_FAIL(err, RV_ERR_ARG, "bits is %d, 16, 24 or 32 is expected", o->bits);
    if (!o->overwrite && access(out, F_OK) == 0)
        return RV_FAIL(err, RV_ERR_EXISTS, "%s: is there already", out);
    return RV_OK;
}

rv_status rv_refine_file(const char *model, const char *in, const char *out,
                         const rv_refine_options *opt, rv_refine_report *report, rv_error *err)
{
    rv_refine_options defaults;
    rv_refine_report ignored;
    rv_refine_defaults(&defaults);
    job j = { .in = in, .options = opt ? opt : &defaults, .report = report ? report : &ignored };
    *j.report = (rv_refine_report){ 0 };
    RV_TRY(check(out, j.options, err));
    const rv_status st = run(&j, model, out, err);
    rv_outputs_free(j.outputs);
    rv_resampler_free(j.resampler);
    rv_mono_free(j.mono);
    rv_audio_reader_free(j.reader);
    for (int c = 0; c < RV_AUDIO_CHANNELS_MAX; c++)
        free(j.planes[c]);
    free(j.difference);
    free(j.raised);
    rv_refine_features_close(&j.features);
    rv_refiner_network_free(j.network);
    return st;
}
