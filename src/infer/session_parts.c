/* session_parts.c - a session for each model, and a strip for the stems that it has ahead of the
 * slowest: as much as their latencies differ.
 *
 *     stem k = sum over models m of w[m][k] stem_m / sum over m of w[m][k]
 *
 * over those that have a stem of this name (ensemble.h). */
#include "infer/session_parts.h"

#include "base/status.h"
#include "infer/strip.h"

#include <stdlib.h>
#include <string.h>

typedef struct part {
    rv_session_parts *all;
    rv_session session;
    rv_strip stems; /* [stem * channels] those of the model, in its order */
    double done;    /* frames, as it told the watch */
} part;

struct rv_session_parts {
    const rv_model *model;
    rv_session_options options;
    rv_separate_options separate; /* of each part */
    part *parts;
    size_t n, opened, channels;
    float **block;  /* [most planes][RV_SESSION_BLOCK] */
    float *factors; /* [part][stem] */
    size_t pulled;  /* frames */
};

/* Making ------------------------------------------------------------------------------ */

/* The mean of what the parts have done. */
static int watch(void *ctx, double frames)
{
    part *of = ctx;
    const rv_session_parts *p = of->all;
    double sum = 0;
    of->done = frames;
    for (size_t i = 0; i < p->n; i++)
        sum += p->parts[i].done;
    return p->options.watch ? p->options.watch(p->options.watch_ctx, sum / (double)p->n) : 0;
}

static rv_status take_factors(rv_session_parts *p, rv_error *err)
{
    const size_t stems = p->model->card.n_stems;
    p->factors = calloc(p->n * stems, sizeof *p->factors);
    if (!p->factors)
        return RV_FAIL(err, RV_ERR_NOMEM, "%zu weights", p->n * stems);
    for (size_t k = 0; k < stems; k++) {
        double sum = 0;
        for (size_t i = 0; i < p->n; i++)
            sum += p->model->weights[i * stems + k];
        for (size_t i = 0; i < p->n; i++)
            p->factors[i * stems + k] = (float)(p->model->weights[i * stems + k] / sum);
    }
    return RV_OK;
}

static rv_status open_part(rv_session_parts *p, size_t i, rv_engine *engine, rv_error *err)
{
    part *at = &p->parts[i];
    rv_model *m = p->model->parts[i];
    const rv_session_options options = { .channels = p->options.channels,
                                         .sample_rate = p->options.sample_rate,
                                         .separate = &p->separate,
                                         .engine = engine,
                                         .watch = watch,
                                         .watch_ctx = at };
    *at = (part){ .all = p };
    rv_strip_init(&at->stems, p->channels * m->card.n_stems);
    return rv_session_open(&at->session, m, &options, err);
}

static rv_status open_parts(rv_session_parts *p, rv_engine *engine, rv_error *err)
{
    size_t most = 0;
    p->parts = calloc(p->n, sizeof *p->parts);
    if (!p->parts)
        return RV_FAIL(err, RV_ERR_NOMEM, "%zu models", p->n);
    for (; p->opened < p->n; p->opened++) {
        RV_TRY(open_part(p, p->opened, engine, err));
        const size_t stems = p->model->parts[p->opened]->card.n_stems;
        most = stems > most ? stems : most;
    }
    RV_TRY(rv_session_planes_new(&p->block, most * p->channels, err));
    return take_factors(p, err);
}

rv_status rv_session_parts_new(rv_session_parts **out, rv_model *m, const rv_session_options *o,
                               rv_engine *engine, rv_error *err)
{
    rv_session_parts *p = calloc(1, sizeof *p);
    if (!p)
        return RV_FAIL(err, RV_ERR_NOMEM, "sessions");
    *p = (rv_session_parts){ .model = m,
                             .options = *o,
                             .separate = *o->separate,
                             .n = m->n_parts,
                             .channels = o->channels };
    p->separate.wiener = p->separate.refine = 0;
    const rv_status st = open_parts(p, engine, err);
    if (st != RV_OK) {
        rv_session_parts_free(p);
        return st;
    }
    *out = p;
    return RV_OK;
}

void rv_session_parts_free(rv_session_parts *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->opened; i++) {
        rv_session_close(&p->parts[i].session);
        rv_strip_fini(&p->parts[i].stems);
    }
    rv_session_planes_free(p->block);
    free(p->parts);
    free(p->factors);
    free(p);
}

/* Work -------------------------------------------------------------------------------- */

rv_status rv_session_parts_push(rv_session_parts *p, const float *const *mix, size_t frames,
                                rv_error *err)
{
    for (size_t i = 0; i < p->n; i++)
        RV_TRY(rv_session_push(&p->parts[i].session, mix, frames, err));
    return RV_OK;
}

void rv_session_parts_finish(rv_session_parts *p)
{
    for (size_t i = 0; i < p->n; i++)
        rv_session_finish(&p->parts[i].session);
}

static part *slowest(const rv_session_parts *p)
{
    part *least = &p->parts[0];
    for (size_t i = 1; i < p->n; i++)
        if (p->parts[i].stems.end < least->stems.end)
            least = &p->parts[i];
    return least;
}

/* Until all have frames to give, or the slowest needs more input. */
static rv_status advance(rv_session_parts *p, size_t *ready, rv_error *err)
{
    for (;;) {
        size_t n;
        part *at = slowest(p);
        *ready = at->stems.end - p->pulled;
        if (*ready > 0)
            return RV_OK;
        RV_TRY(rv_session_pull(&at->session, p->block, RV_SESSION_BLOCK, &n, err));
        if (n == 0)
            return RV_OK;
        RV_TRY(rv_strip_append(&at->stems, (const float *const *)p->block, n, err));
    }
}

/* One plane of stem k. */
static void add_up(const rv_session_parts *p, size_t k, size_t channel, float *y, size_t n)
{
    const size_t stems = p->model->card.n_stems;
    bool first = true;
    for (size_t i = 0; i < p->n; i++) {
        const float factor = p->factors[i * stems + k];
        if (factor == 0)
            continue;
        const size_t plane = p->model->routes[i * stems + k] * p->channels + channel;
        const float *x = rv_strip_at(&p->parts[i].stems, plane, p->pulled);
        for (size_t t = 0; t < n; t++)
            y[t] = first ? factor * x[t] : y[t] + factor * x[t];
        first = false;
    }
}

rv_status rv_session_parts_pull(rv_session_parts *p, float *const *stems, size_t room, size_t *made,
                                rv_error *err)
{
    size_t ready;
    RV_TRY(advance(p, &ready, err));
    *made = ready < room ? ready : room;
    for (size_t k = 0; k < p->model->card.n_stems && *made; k++)
        for (size_t c = 0; c < p->channels; c++)
            add_up(p, k, c, stems[k * p->channels + c], *made);
    p->pulled += *made;
    for (size_t i = 0; i < p->n; i++)
        rv_strip_drop(&p->parts[i].stems, p->pulled);
    return RV_OK;
}

void rv_session_parts_reset(rv_session_parts *p)
{
    for (size_t i = 0; i < p->n; i++) {
        rv_session_reset(&p->parts[i].session);
        rv_strip_reset(&p->parts[i].stems);
        p->parts[i].done = 0;
    }
    p->pulled = 0;
}

size_t rv_session_parts_latency(const rv_session_parts *p)
{
    size_t most = 0;
    for (size_t i = 0; i < p->n; i++) {
        const size_t latency = rv_session_latency(&p->parts[i].session);
        most = latency > most ? latency : most;
    }
    return most;
}

bool rv_session_parts_want_level(const rv_session_parts *p)
{
    bool any = false;
    for (size_t i = 0; i < p->n; i++)
        any |= rv_session_wants_level(&p->parts[i].session);
    return any;
}

void rv_session_parts_level(rv_session_parts *p, float mean, float deviation)
{
    for (size_t i = 0; i < p->n; i++)
        if (rv_session_wants_level(&p->parts[i].session))
            rv_session_level(&p->parts[i].session, mean, deviation);
}
