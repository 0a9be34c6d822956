/* api_separate.c - bodies of ravel/separate.h for buffers and streams. */
#include "ravel/separate.h"

#include "base/status.h"
#include "dsp/level.h"
#include "infer/separate_file.h"
#include "infer/session.h"

#include <stdlib.h>

struct rv_separator {
    rv_session session;
    rv_separate_options options;
    size_t channels;
    bool level_known;
    uint64_t total; /* frames of the input if it is known, else 0 */
};

void rv_separate_defaults(rv_separate_options *opt)
{
    *opt = (rv_separate_options){ .overlap = -1, .jobs = 1 };
}

static int watch(void *ctx, double frames)
{
    const rv_separator *s = ctx;
    if (!s->options.progress)
        return 0;
    const rv_progress p = { .fraction = s->total ? frames / (double)s->total : 0,
                            .frames_done = (uint64_t)frames,
                            .frames_total = s->total };
    return s->options.progress(s->options.progress_ctx, &p);
}

rv_status rv_separator_new(rv_separator **out, rv_model *model, int channels, int sample_rate,
                           const rv_separate_options *opt, rv_error *err)
{
    if (channels < 1 || sample_rate < 1)
        return RV_FAIL(err, RV_ERR_ARG, "%d channels at %d Hz", channels, sample_rate);
    rv_separator *s = calloc(1, sizeof *s);
    if (!s)
        return RV_FAIL(err, RV_ERR_NOMEM, "a separator");
    rv_separate_defaults(&s->options);
    s->options = opt ? *opt : s->options;
    s->channels = (size_t)channels;
    const rv_session_options options = { .channels = (size_t)channels,
                                         .sample_rate = (size_t)sample_rate,
                                         .separate = &s->options,
                                         .watch = watch,
                                         .watch_ctx = s };
    const rv_status st = rv_session_open(&s->session, model, &options, err);
    if (st != RV_OK) {
        free(s);
        return st;
    }
    *out = s;
    return RV_OK;
}

void rv_separator_free(rv_separator *s)
{
    if (!s)
        return;
    rv_session_close(&s->session);
    free(s);
}

void rv_separator_level(rv_separator *s, float mean, float deviation)
{
    if (rv_session_wants_level(&s->session))
        rv_session_level(&s->session, mean, deviation);
    s->level_known = true;
}

static void measure(rv_separator *s, const float *const *mix, size_t frames, float least)
{
    rv_level level = { 0 };
    float mean, deviation;
    rv_level_add(&level, mix, s->channels, frames);
    rv_level_result(&level, &mean, &deviation);
    rv_separator_level(s, mean, deviation > least ? deviation : least);
}

rv_status rv_separator_push(rv_separator *s, const float *const *mix, size_t frames, rv_error *err)
{
    if (!s->level_known && frames > 0 && rv_session_wants_level(&s->session))
        measure(s, mix, frames, 1e-3F);
    return rv_session_push(&s->session, mix, frames, err);
}

void rv_separator_finish(rv_separator *s)
{
    rv_session_finish(&s->session);
}

rv_status rv_separator_pull(rv_separator *s, float *const *stems, size_t room, size_t *made,
                            rv_error *err)
{
    return rv_session_pull(&s->session, stems, room, made, err);
}

void rv_separator_reset(rv_separator *s)
{
    rv_session_reset(&s->session);
    s->level_known = false;
}

size_t rv_separator_latency(const rv_separator *s)
{
    return rv_session_latency(&s->session);
}

/* Frames are given in blocks, so that the separator does not keep a copy of the whole. */
static rv_status separate(rv_separator *s, const float *const *mix, size_t frames, size_t planes,
                          float *const *stems, const float **in, float **out, rv_error *err)
{
    enum { BLOCK = 65536 };
    size_t made, done = 0;
    for (size_t at = 0; at <= frames; at += BLOCK) {
        const size_t n = frames - at < BLOCK ? frames - at : BLOCK;
        for (size_t c = 0; c < s->channels; c++)
            in[c] = mix[c] + at;
        RV_TRY(rv_separator_push(s, in, n, err));
        if (n < BLOCK)
            rv_separator_finish(s);
        do {
            for (size_t p = 0; p < planes; p++)
                out[p] = stems[p] + done;
            RV_TRY(rv_separator_pull(s, out, frames - done, &made, err));
            done += made;
        } while (made > 0);
    }
    return RV_OK;
}

rv_status rv_separate(rv_model *model, const float *const *mix, int channels, int sample_rate,
                      size_t frames, float *const *stems, const rv_separate_options *opt,
                      rv_error *err)
{
    rv_separator *s = NULL;
    RV_TRY(rv_separator_new(&s, model, channels, sample_rate, opt, err));
    const size_t planes = s->channels * rv_model_about(model)->n_stems;
    const float **in = calloc(s->channels, sizeof *in);
    float **out = calloc(planes, sizeof *out);
    rv_status st = in && out ? RV_OK : RV_FAIL(err, RV_ERR_NOMEM, "%zu planes", planes);
    s->total = frames;
    if (st == RV_OK && rv_session_wants_level(&s->session))
        measure(s, mix, frames, 0);
    if (st == RV_OK)
        st = separate(s, mix, frames, planes, stems, in, out, err);
    free((void *)in);
    free((void *)out);
    rv_separator_free(s);
    return st;
}

rv_status rv_separate_file(rv_model *model, const char *path, const rv_file_options *opt,
                           rv_file_report *report, rv_error *err)
{
    return rv_separate_file_at(model, path, opt, NULL, report, err);
}
