/* session.c - segments for a model, made of what the caller asks for. */
#include "infer/session.h"

#include "base/status.h"

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
    return RV_OK;
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

rv_status rv_session_open(rv_session *s, rv_model *m, const rv_session_options *o, rv_error *err)
{
    RV_TRY(check_format(m, o, err));
    *s = (rv_session){ .model = m };
    rv_status st = RV_OK;
    if (!m->networks)
        st = rv_network_classic(&s->classic, o->channels, o->sample_rate, err);
    if (st == RV_OK)
        st = rv_model_take_engine(&s->engine, m, o->separate->threads, err);
    if (st == RV_OK)
        st = open_segments(s, o, err);
    if (st != RV_OK)
        rv_session_close(s);
    return st;
}

void rv_session_close(rv_session *s)
{
    rv_segments_free(s->segments);
    if (s->engine && s->classic)
        rv_engine_forget(s->engine, s->classic);
    if (s->engine)
        rv_model_give_engine(s->model, s->engine);
    rv_network_free(s->classic);
    *s = (rv_session){ 0 };
}

bool rv_session_wants_level(const rv_session *s)
{
    return s->classic == NULL && s->model->networks[0]->level;
}
