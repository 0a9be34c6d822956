/* separate_planes.c - map channels, resample, separate, and all the way back. */
#include "infer/separate_planes.h"

#include "base/status.h"
#include "dsp/level.h"
#include "dsp/resample.h"

#include <stdlib.h>
#include <string.h>

enum { BLOCK = 65536 };

/* Planes of one format in memory. */
typedef struct planes {
    float **at; /* [n][frames] */
    float *memory;
    size_t n, frames;
} planes;

typedef struct work {
    const rv_planes_job *job;
    rv_session session;
    size_t channels, frames; /* of the model */
    int sample_rate;
    planes mix, stems;
    const float **in; /* [channels] */
    float **out;      /* [stems.n] */
} work;

static rv_status planes_new(planes *p, size_t n, size_t frames, rv_error *err)
{
    *p = (planes){ .n = n, .frames = frames };
    p->at = calloc(n, sizeof *p->at);
    p->memory = calloc(n, (frames + 1) * sizeof *p->memory);
    if (!p->at || !p->memory)
        return RV_FAIL(err, RV_ERR_NOMEM, "%zu planes of %zu frames", n, frames);
    for (size_t i = 0; i < n; i++)
        p->at[i] = p->memory + i * frames;
    return RV_OK;
}

static void planes_free(planes *p)
{
    free(p->at);
    free(p->memory);
    *p = (planes){ 0 };
}

/* from planes -> to planes: a copy, a plane repeated, or the mean. */
static void map_channels(float *const *y, size_t to, const float *const *x, size_t from,
                         size_t frames)
{
    for (size_t c = 0; c < to; c++)
        for (size_t t = 0; t < frames; t++) {
            double sum = 0;
            for (size_t i = 0; i < from && to == 1; i++)
                sum += (double)x[i][t];
            y[c][t] = to == 1 ? (float)(sum / (double)from) : x[from == 1 ? 0 : c][t];
        }
}

/* Input ------------------------------------------------------------------------------------- */

/* The mix in the model's format. */
static rv_status convert_mix(work *w, const float *const *mix, size_t frames, rv_error *err)
{
    planes mapped = { 0 };
    RV_TRY(planes_new(&w->mix, w->channels, w->frames, err));
    rv_status status = planes_new(&mapped, w->channels, frames, err);
    if (status == RV_OK) {
        map_channels(mapped.at, w->channels, mix, w->job->channels, frames);
        status = rv_resample_planes(w->mix.at, (const float *const *)mapped.at, frames,
                                    (int)w->channels, w->job->sample_rate, w->sample_rate, err);
    }
    planes_free(&mapped);
    return status;
}

static void measure(work *w)
{
    rv_level level = { 0 };
    float mean, deviation;
    rv_level_add(&level, (const float *const *)w->mix.at, w->channels, w->frames);
    rv_level_result(&level, &mean, &deviation);
    rv_session_level(&w->session, mean, deviation);
}

/* Separation -------------------------------------------------------------------------------- */

static rv_status pull(work *w, size_t *done, rv_error *err)
{
    for (size_t made = 1; made > 0; *done += made) {
        for (size_t p = 0; p < w->stems.n; p++)
            w->out[p] = w->stems.at[p] + *done;
        RV_TRY(rv_session_pull(&w->session, w->out, w->frames - *done, &made, err));
    }
    return RV_OK;
}

/* In blocks, so that the segments do not keep a copy of the whole. */
static rv_status separate(work *w, rv_error *err)
{
    size_t done = 0;
    if (rv_session_wants_level(&w->session))
        measure(w);
    for (size_t at = 0; at < w->frames; at += BLOCK) {
        for (size_t c = 0; c < w->channels; c++)
            w->in[c] = w->mix.at[c] + at;
        RV_TRY(rv_session_push(&w->session, w->in, w->frames - at < BLOCK ? w->frames - at : BLOCK,
                               err));
        RV_TRY(pull(w, &done, err));
    }
    rv_session_finish(&w->session);
    return pull(w, &done, err);
}

/* Output ------------------------------------------------------------------------------------ */

static rv_status convert_stem(const work *w, size_t stem, const planes *back, size_t frames,
                              float *const *out, rv_error *err)
{
    const float *const *from = (const float *const *)w->stems.at + stem * w->channels;
    RV_TRY(rv_resample_planes(back->at, from, w->frames, (int)w->channels, w->sample_rate,
                              w->job->sample_rate, err));
    map_channels(out, w->job->channels, (const float *const *)back->at, w->channels, frames);
    return RV_OK;
}

static rv_status convert_stems(const work *w, size_t frames, float *const *stems, rv_error *err)
{
    planes back = { 0 };
    const size_t length = rv_resampled_length(w->frames, w->sample_rate, w->job->sample_rate);
    rv_status status = planes_new(&back, w->channels, length, err);
    for (size_t s = 0; s < w->job->model->card.n_stems && status == RV_OK; s++)
        if (stems[s * w->job->channels])
            status = convert_stem(w, s, &back, frames, stems + s * w->job->channels, err);
    planes_free(&back);
    return status;
}

/* ------------------------------------------------------------------------------------------- */

static rv_status choose_format(work *w, size_t frames, rv_error *err)
{
    const rv_model_card *c = &w->job->model->card;
    const size_t channels = w->job->channels;
    w->channels = c->channels ? (size_t)c->channels : channels;
    w->sample_rate = c->sample_rate ? c->sample_rate : w->job->sample_rate;
    w->frames = rv_resampled_length(frames, w->job->sample_rate, w->sample_rate);
    if (w->channels != channels && w->channels != 1 && channels != 1)
        return RV_FAIL(err, RV_ERR_ARG, "%s takes %zu channels, not %zu", c->name, w->channels,
                       channels);
    return RV_OK;
}

static rv_status open_work(work *w, rv_error *err)
{
    const size_t n = w->channels * w->job->model->card.n_stems;
    const rv_session_options options = { .channels = w->channels,
                                         .sample_rate = (size_t)w->sample_rate,
                                         .separate = w->job->options,
                                         .watch = w->job->watch,
                                         .watch_ctx = w->job->watch_ctx };
    RV_TRY(rv_session_open(&w->session, w->job->model, &options, err));
    RV_TRY(planes_new(&w->stems, n, w->frames, err));
    w->in = calloc(w->channels, sizeof *w->in);
    w->out = calloc(n, sizeof *w->out);
    return w->in && w->out ? RV_OK : RV_FAIL(err, RV_ERR_NOMEM, "%zu planes", n);
}

static void close_work(work *w)
{
    rv_session_close(&w->session);
    planes_free(&w->mix);
    planes_free(&w->stems);
    free((void *)w->in);
    free(w->out);
}

rv_status rv_separate_planes(const rv_planes_job *job, const float *const *mix, size_t frames,
                             float *const *stems, rv_error *err)
{
    work w = { .job = job };
    RV_TRY(choose_format(&w, frames, err));
    rv_status status = open_work(&w, err);
    if (status == RV_OK)
        status = convert_mix(&w, mix, frames, err);
    if (status == RV_OK)
        status = separate(&w, err);
    if (status == RV_OK)
        status = convert_stems(&w, frames, stems, err);
    close_work(&w);
    return status;
}
