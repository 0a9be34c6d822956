/* session.c - segments for a model, made of what the caller asks for. */
#include "infer/session.h"

#include "base/status.h"
#include "infer/session_parts.h"

#include <stdlib.h>

static rv_status check_format(const rv_model *m, const rv_session_options *o, rv_error *err)
{
    const rv_model_card *c = &m->card;
    if ((c->channels && o->channels != (size_t)c->channels) ||
        (c->sample_rate && o->sample_rate != (size_t)c->sample_rate))
        return RV_FAIL(err, RV_ERR_ARG, "%s takes %d channels at %d Hz, not %zu at %zu", c->name,
                       c->channels, c->sample_rate, o->channels, o->sample_rate);
    if (o->separate->shifts < 0 || o->separate->jobs < 1)
        return RV_FAIL(err, RV_ERR_ARG, "%d shifts, %d jobs", o->separate->shifts,
                       o->separate->jobs);
    if (o->separate->wiener < 0 || o->separate->wiener > 1000)
        return RV_FAIL(err, RV_ERR_ARG, "%d iterations of the Wiener filter", o->separate->wiener);
    if (o->separate->precision != RV_FLOAT32 && o->separate->precision != RV_INT16)
        return RV_FAIL(err, RV_ERR_ARG, "precision %d; expected %d (float32) or %d (int16)",
                       (int)o->separate->precision, RV_FLOAT32, RV_INT16);
    return RV_OK;
}

static rv_status open_engine(rv_session *s, const rv_session_options *o, rv_error *err)
{
    const rv_engine_options options = { o->separate->threads, o->separate->precision };
    s->borrowed = o->engine != NULL;
    s->engine = o->engine;
    return s->engine ? RV_OK : rv_model_take_engine(&s->engine, s->model, &options, err);
}

static rv_status open_segments(rv_session *s, const rv_session_options *o, rv_error *err)
{
    const rv_model *m = s->model;
    const rv_separate_options *want = o->separate;
    const rv_network *const classic[] = { s->classic };
    const rv_segments_options options = {
        .engine = s->engine,
        .networks = s->classic ? classic : (const rv_network *const *)m->networks,
        .n_networks = s->classic ? 1 : m->n_networks,
        .weights = m->weights,
        .overlap = want->overlap < 0 ? m->card.overlap : want->overlap,
        .segment = want->segment,
        .shifts = (size_t)want->shifts,
        .offsets = o->offsets,
        .seed = want->seed,
        .side_by_side = (size_t)want->jobs,
        .watch = o->watch,
        .watch_ctx = o->watch_ctx,
    };
    return rv_segments_new(&s->segments, &options, err);
}

rv_status rv_session_planes_new(float ***out, size_t planes, rv_error *err)
{
    float **at = calloc(planes, sizeof *at);
    float *memory = malloc(planes * RV_SESSION_BLOCK * sizeof *memory);
    if (!at || !memory) {
        free(at);
        free(memory);
        return RV_FAIL(err, RV_ERR_NOMEM, "%zu planes of audio", planes);
    }
    for (size_t p = 0; p < planes; p++)
        at[p] = memory + p * RV_SESSION_BLOCK;
    *out = at;
    return RV_OK;
}

void rv_session_planes_free(float **planes)
{
    free(planes ? planes[0] : NULL);
    free(planes);
}

static rv_status open_players(rv_session *s, const rv_session_options *o, rv_error *err)
{
    const rv_model *m = s->model;
    const size_t n = m->card.n_stems;
    const rv_stem_players_options options = { .decoders = m->decoders,
                                              .n = n,
                                              .pool = rv_engine_pool(s->engine),
                                              .seed = o->separate->seed,
                                              .controls = o->controls,
                                              .ctx = o->controls_ctx };
    RV_TRY(rv_session_planes_new(&s->features, 2 * n, err));
    return rv_stem_players_new(&s->players, &options, err);
}

static rv_status open_fit(rv_session *s, const rv_session_options *o, rv_error *err)
{
    const size_t size = rv_wiener_stream_frame(o->sample_rate);
    const rv_source_fit_options options = { .names = s->model->stems,
                                            .stems = s->model->card.n_stems,
                                            .sample_rate = o->sample_rate,
                                            .size = size,
                                            .hop = size / RV_WIENER_OVERLAP,
                                            .pool = rv_engine_pool(s->engine),
                                            .controls = s->players ? NULL : o->controls,
                                            .ctx = o->controls_ctx };
    return o->separate->refine ? rv_source_fit_new(&s->fit, &options, err) : RV_OK;
}

static rv_status open_wiener(rv_session *s, const rv_session_options *o, rv_error *err)
{
    const rv_wiener_options options = { .channels = o->channels,
                                        .stems = s->model->card.n_stems,
                                        .sample_rate = o->sample_rate,
                                        .iterations = (size_t)o->separate->wiener,
                                        .fit = s->fit,
                                        .pool = rv_engine_pool(s->engine) };
    if (options.iterations == 0 && !s->fit)
        return RV_OK;
    RV_TRY(rv_session_planes_new(&s->estimates, options.channels * options.stems, err));
    return rv_wiener_stream_new(&s->wiener, &options, err);
}

rv_status rv_session_open(rv_session *s, rv_model *m, const rv_session_options *o, rv_error *err)
{
    RV_TRY(check_format(m, o, err));
    *s = (rv_session){ .model = m };
    rv_status st = RV_OK;
    if (!m->networks && !m->parts)
        st = rv_network_classic(&s->classic, o->channels, o->sample_rate, err);
    if (st == RV_OK)
        st = open_engine(s, o, err);
    if (st == RV_OK)
        st = m->parts ? rv_session_parts_new(&s->parts, m, o, s->engine, err)
                      : open_segments(s, o, err);
    if (st == RV_OK && m->decoders)
        st = open_players(s, o, err);
    if (st == RV_OK)
        st = open_fit(s, o, err);
    if (st == RV_OK)
        st = open_wiener(s, o, err);
    if (st != RV_OK)
        rv_session_close(s);
    return st;
}

void rv_session_close(rv_session *s)
{
    rv_segments_free(s->segments);
    rv_session_parts_free(s->parts);
    rv_stem_players_free(s->players);
    rv_session_planes_free(s->features);
    rv_wiener_stream_free(s->wiener);
    rv_source_fit_free(s->fit);
    rv_session_planes_free(s->estimates);
    if (s->engine && s->classic)
        rv_engine_forget(s->engine, s->classic);
    if (s->engine && !s->borrowed)
        rv_model_give_engine(s->model, s->engine);
    rv_network_free(s->classic);
    *s = (rv_session){ 0 };
}

bool rv_session_wants_level(const rv_session *s)
{
    if (s->parts)
        return rv_session_parts_want_level(s->parts);
    return s->classic == NULL && s->model->networks[0]->level;
}

void rv_session_level(rv_session *s, float mean, float deviation)
{
    if (s->parts)
        rv_session_parts_level(s->parts, mean, deviation);
    else
        rv_segments_level(s->segments, mean, deviation);
}

rv_status rv_session_push(rv_session *s, const float *const *mix, size_t frames, rv_error *err)
{
    if (s->wiener)
        RV_TRY(rv_wiener_stream_mix(s->wiener, mix, frames, err));
    return s->parts ? rv_session_parts_push(s->parts, mix, frames, err)
                    : rv_segments_push(s->segments, mix, frames, err);
}

void rv_session_finish(rv_session *s)
{
    if (s->parts)
        rv_session_parts_finish(s->parts);
    else
        rv_segments_finish(s->segments);
    s->finished = true;
}

/* Features from the segments to the players. *moved: whether these can go on. */
static rv_status move_features(rv_session *s, bool *moved, rv_error *err)
{
    size_t n;
    RV_TRY(rv_segments_pull(s->segments, s->features, RV_SESSION_BLOCK, &n, err));
    *moved = n > 0;
    if (n > 0)
        return rv_stem_players_push(s->players, (const float *const *)s->features, n, err);
    if (s->finished && !s->played_out) {
        rv_stem_players_finish(s->players);
        *moved = s->played_out = true;
    }
    return RV_OK;
}

/* The stems as the model makes them. */
static rv_status pull_stems(rv_session *s, float *const *stems, size_t room, size_t *made,
                            rv_error *err)
{
    if (s->parts)
        return rv_session_parts_pull(s->parts, stems, room, made, err);
    if (!s->players)
        return rv_segments_pull(s->segments, stems, room, made, err);
    for (bool moved = true; moved;) {
        RV_TRY(rv_stem_players_pull(s->players, stems, room, made, err));
        if (*made > 0 || room == 0)
            return RV_OK;
        RV_TRY(move_features(s, &moved, err));
    }
    return RV_OK;
}

/* Stems from the model to the filter. *moved: whether it can go on. */
static rv_status move_stems(rv_session *s, bool *moved, rv_error *err)
{
    size_t n;
    RV_TRY(pull_stems(s, s->estimates, RV_SESSION_BLOCK, &n, err));
    *moved = n > 0;
    if (n > 0)
        return rv_wiener_stream_stems(s->wiener, (const float *const *)s->estimates, n, err);
    if (s->finished && !s->filtered_out) {
        rv_wiener_stream_finish(s->wiener);
        *moved = s->filtered_out = true;
    }
    return RV_OK;
}

rv_status rv_session_pull(rv_session *s, float *const *stems, size_t room, size_t *made,
                          rv_error *err)
{
    if (!s->wiener)
        return pull_stems(s, stems, room, made, err);
    for (bool moved = true; moved;) {
        RV_TRY(rv_wiener_stream_pull(s->wiener, stems, room, made, err));
        if (*made > 0 || room == 0)
            return RV_OK;
        RV_TRY(move_stems(s, &moved, err));
    }
    return RV_OK;
}

void rv_session_reset(rv_session *s)
{
    if (s->parts)
        rv_session_parts_reset(s->parts);
    else
        rv_segments_reset(s->segments);
    if (s->players)
        rv_stem_players_reset(s->players);
    if (s->wiener)
        rv_wiener_stream_reset(s->wiener);
    s->finished = s->played_out = s->filtered_out = false;
}

size_t rv_session_latency(const rv_session *s)
{
    const size_t made =
        s->parts ? rv_session_parts_latency(s->parts) : rv_segments_latency(s->segments);
    return made + (s->players ? rv_stem_players_latency(s->players) : 0) +
           (s->wiener ? rv_wiener_stream_latency(s->wiener) : 0);
}
