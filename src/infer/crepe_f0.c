/* crepe_f0.c - the contour of a whole stream: pitch and periodicity of all frames are kept (8 bytes
 * a frame, and the samples at 16 kHz where silence is looked for), then filtered as
 * rv_crepe_options says. Where there is no pitch the network's guess stays, as RV_FEATURE_F0 wants
 * it. */
#include "infer/crepe_f0.h"

#include "base/status.h"
#include "dsp/resample.h"
#include "io/hash64.h"
#include "io/mapping.h"
#include "models/crepe.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { WIDEST = 100001, PULLED = 256, RESAMPLED = 4096 };

struct rv_crepe_f0 {
    rv_crepe_options options;
    rv_f0_engine engine;
    char *model;
};

typedef struct series {
    float *at;
    size_t n, room;
} series;

typedef struct stream {
    const rv_crepe_options *options;
    rv_feature_spec spec;
    rv_pitch *pitch;
    rv_resampler *resampler; /* NULL: silence is not looked for */
    series f0, periodicity, audio;
    float *contour; /* [f0.n] NaN: no pitch */
    uint64_t samples;
    size_t given;
} stream;

void rv_crepe_defaults(rv_crepe_options *o)
{
    *o = (rv_crepe_options){ .path = RV_PITCH_VITERBI,
                             .average = RV_PITCH_LOCAL,
                             .median = 1,
                             .mean = 1,
                             .silence = (double)-INFINITY,
                             .threshold = 0.21 };
}

/* Streams ----------------------------------------------------------------------------------- */

static rv_status reserve(series *s, size_t more, rv_error *err)
{
    if (s->room - s->n >= more)
        return RV_OK;
    const size_t room = 2 * s->room + more;
    float *grown = realloc(s->at, room * sizeof *grown);
    if (!grown)
        return RV_FAIL(err, RV_ERR_NOMEM, "pitch of %zu frames", room);
    s->at = grown;
    s->room = room;
    return RV_OK;
}

static bool finds_silence(const rv_crepe_options *o)
{
    return o->silence > (double)-INFINITY;
}

static rv_status check_silence(const rv_feature_spec *spec, rv_error *err)
{
    const double hop = RV_CREPE_RATE / spec->frame_rate;
    if (spec->align != RV_FRAMES_CENTRED || hop != floor(hop))
        return RV_FAIL(err, RV_ERR_ARG,
                       "CREPE's silence at %g frames a second: the frames must be centred, and a "
                       "whole number of samples apart at %d Hz",
                       spec->frame_rate, RV_CREPE_RATE);
    return RV_OK;
}

static void close_stream(void *at)
{
    stream *s = at;
    if (!s)
        return;
    rv_pitch_free(s->pitch);
    rv_resampler_free(s->resampler);
    free(s->f0.at);
    free(s->periodicity.at);
    free(s->audio.at);
    free(s->contour);
    free(s);
}

static rv_status start(stream *s, rv_error *err)
{
    const rv_crepe_options *o = s->options;
    rv_pitch_options p;
    rv_pitch_defaults(&p, s->spec.sample_rate);
    p.frame_rate = s->spec.frame_rate;
    p.path = o->path;
    p.average = o->average;
    p.f0_min = s->spec.f0_min;
    p.f0_max = s->spec.f0_max;
    p.pad = s->spec.align == RV_FRAMES_CENTRED;
    p.threads = o->threads;
    RV_TRY(rv_pitch_open(&s->pitch, o->model, &p, err));
    if (!finds_silence(o))
        return RV_OK;
    RV_TRY(check_silence(&s->spec, err));
    return rv_resampler_new(&s->resampler, 1, p.sample_rate, RV_CREPE_RATE, err);
}

static rv_status open_stream(void **out, const void *ctx, const rv_feature_spec *spec,
                             rv_error *err)
{
    const rv_crepe_f0 *c = ctx;
    stream *s = calloc(1, sizeof *s);
    if (!s)
        return RV_FAIL(err, RV_ERR_NOMEM, "a pitch contour");
    s->options = &c->options;
    s->spec = *spec;
    const rv_status st = start(s, err);
    if (st == RV_OK)
        *out = s;
    else
        close_stream(s);
    return st;
}

static rv_status drain(stream *s, rv_error *err)
{
    for (size_t n = PULLED; n == PULLED;) {
        RV_TRY(reserve(&s->f0, PULLED, err));
        RV_TRY(reserve(&s->periodicity, PULLED, err));
        n = rv_pitch_pull(s->pitch, s->f0.at + s->f0.n, s->periodicity.at + s->periodicity.n,
                          PULLED);
        s->f0.n += n;
        s->periodicity.n += n;
    }
    return RV_OK;
}

/* samples NULL: the end */
static rv_status keep_audio(stream *s, const float *samples, size_t n, rv_error *err)
{
    for (size_t taken = 0, made = 1; taken < n || (!samples && made > 0);) {
        size_t used = 0;
        const float *in = samples ? samples + taken : NULL;
        RV_TRY(reserve(&s->audio, RESAMPLED, err));
        RV_TRY(rv_resampler_process(s->resampler, samples ? &in : NULL, n - taken, &used,
                                    &(float *){ s->audio.at + s->audio.n }, RESAMPLED, &made, err));
        s->audio.n += made;
        taken += used;
    }
    return RV_OK;
}

static rv_status push(void *at, const float *samples, size_t n, rv_error *err)
{
    stream *s = at;
    s->samples += n;
    if (s->resampler)
        RV_TRY(keep_audio(s, samples, n, err));
    RV_TRY(rv_pitch_push(s->pitch, samples, n, err));
    return drain(s, err);
}

/* Frames that begin before the end of the stream are frames, too: zeros follow it. */
static rv_status push_end(stream *s, rv_error *err)
{
    const float zeros[PULLED] = { 0 };
    const double left = 2.0 * RV_CREPE_WINDOW * s->spec.sample_rate / RV_CREPE_RATE;
    if (s->spec.align == RV_FRAMES_STARTED && s->samples > 0)
        for (size_t done = 0; (double)done < left; done += PULLED)
            RV_TRY(rv_pitch_push(s->pitch, zeros, PULLED, err));
    return rv_pitch_finish(s->pitch, err);
}

/* The contour of the whole --------------------------------------------------------------- */

/* y of the `width` values around each of x, in place of x */
static rv_status filter(float *x, size_t n, int width, bool median, rv_error *err)
{
    if (width == 1)
        return RV_OK;
    float *y = malloc((n + 1) * sizeof *y);
    if (!y)
        return RV_FAIL(err, RV_ERR_NOMEM, "pitch of %zu frames", n);
    rv_status st = RV_OK;
    if (median)
        st = rv_pitch_median(y, x, n, (size_t)width, err);
    else
        rv_pitch_mean(y, x, n, (size_t)width);
    memcpy(x, y, n * sizeof *y);
    free(y);
    return st;
}

static rv_status find_silence(stream *s, rv_error *err)
{
    if (!s->resampler)
        return RV_OK;
    RV_TRY(keep_audio(s, NULL, 0, err));
    return rv_pitch_silence(s->periodicity.at, s->f0.n, s->audio.at, s->audio.n,
                            (size_t)(RV_CREPE_RATE / s->spec.frame_rate), s->options->silence, err);
}

static rv_status make_contour(stream *s, rv_error *err)
{
    const rv_crepe_options *o = s->options;
    const size_t n = s->f0.n;
    if (!(s->contour = malloc((n + 1) * sizeof *s->contour)))
        return RV_FAIL(err, RV_ERR_NOMEM, "pitch of %zu frames", n);
    RV_TRY(filter(s->periodicity.at, n, o->median, true, err));
    RV_TRY(find_silence(s, err));
    memcpy(s->contour, s->f0.at, n * sizeof *s->contour);
    if (o->hysteresis)
        RV_TRY(rv_pitch_hysteresis(s->contour, s->periodicity.at, n, NULL, err));
    else
        rv_pitch_at(s->contour, s->periodicity.at, n, o->threshold);
    return filter(s->contour, n, o->mean, false, err);
}

static rv_status finish(void *at, rv_error *err)
{
    stream *s = at;
    const size_t wanted = rv_feature_frames(&s->spec, s->samples);
    RV_TRY(push_end(s, err));
    RV_TRY(drain(s, err));
    s->f0.n = s->f0.n < wanted ? s->f0.n : wanted;
    return s->f0.n > 0 ? make_contour(s, err) : RV_OK;
}

static size_t pull(void *at, float *out, size_t room)
{
    stream *s = at;
    size_t n = 0;
    for (; s->contour && n < room && s->given < s->f0.n; n++, s->given++) {
        const float hz = s->contour[s->given];
        out[3 * n] = isnan(hz) ? s->f0.at[s->given] : hz;
        out[3 * n + 1] = s->periodicity.at[s->given];
        out[3 * n + 2] = isnan(hz) ? 0.0F : 1.0F;
    }
    return n;
}

/* The engine -------------------------------------------------------------------------------- */

static rv_status check(const rv_crepe_options *o, rv_error *err)
{
    if (!o->model)
        return RV_FAIL(err, RV_ERR_ARG, "f0 by CREPE needs a file with its weights");
    if (o->median < 1 || o->median % 2 == 0 || o->median > WIDEST || o->mean < 1 ||
        o->mean % 2 == 0 || o->mean > WIDEST)
        return RV_FAIL(err, RV_ERR_ARG,
                       "CREPE's median of %d frames, mean of %d; both are odd, 1 to %d", o->median,
                       o->mean, WIDEST);
    if (!(o->threshold >= 0 && o->threshold <= 1) || isnan(o->silence))
        return RV_FAIL(err, RV_ERR_ARG, "CREPE's threshold %g, silence %g dB; expected 0 to 1, dB",
                       o->threshold, o->silence);
    return RV_OK;
}

/* Of the weights and all options but the number of threads. */
static rv_status find_print(uint64_t *print, const rv_crepe_options *o, rv_error *err)
{
    const double values[] = { o->path,
                              o->average,
                              o->median,
                              o->mean,
                              finds_silence(o) ? o->silence : -1000,
                              o->hysteresis ? -1 : o->threshold };
    rv_mapping file = { 0 };
    RV_TRY(rv_mapping_open(&file, o->model, err));
    *print = rv_hash64(values, sizeof values, rv_hash64(file.data, file.size, 0));
    rv_mapping_close(&file);
    return RV_OK;
}

static rv_status init(rv_crepe_f0 *c, const rv_crepe_options *o, rv_error *err)
{
    RV_TRY(check(o, err));
    if (!(c->model = strdup(o->model)))
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", o->model);
    c->options = *o;
    c->options.model = c->model;
    c->engine = (rv_f0_engine){ .method = RV_F0_CREPE,
                                .ctx = c,
                                .open = open_stream,
                                .push = push,
                                .finish = finish,
                                .pull = pull,
                                .close = close_stream };
    return find_print(&c->engine.print, o, err);
}

rv_status rv_crepe_f0_new(rv_crepe_f0 **out, const rv_crepe_options *options, rv_error *err)
{
    rv_crepe_f0 *c = calloc(1, sizeof *c);
    if (!c)
        return RV_FAIL(err, RV_ERR_NOMEM, "CREPE");
    const rv_status st = init(c, options, err);
    if (st == RV_OK)
        *out = c;
    else
        rv_crepe_f0_free(c);
    return st;
}

void rv_crepe_f0_free(rv_crepe_f0 *c)
{
    if (!c)
        return;
    free(c->model);
    free(c);
}

const rv_f0_engine *rv_crepe_f0_engine(const rv_crepe_f0 *c)
{
    return &c->engine;
}
