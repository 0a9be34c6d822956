/* evaluate.c - song by song: read it, then for each method estimate, measure, keep the figures. */
#include "eval/evaluate.h"

#include "eval/comparison.h"
#include "eval/keep_stems.h"
#include "eval/measure.h"
#include "eval/method.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { METHODS_MAX = 64 };

typedef struct evaluator {
    const rv_eval_options *opt;
    const char *references;
    rv_method *methods; /* [n] */
    size_t n;
    rv_track_query query;
    rv_track_list *list;
    rv_track_cache *cache;
    rv_mixtures mixtures;
    rv_pool *pool;
    rv_comparison *result;
    rv_eval_progress now;
    size_t without_estimates;
} evaluator;

/* Asks the caller's callback. */
static int report(void *ctx)
{
    const evaluator *e = ctx;
    return e->opt->progress ? e->opt->progress(e->opt->progress_ctx, &e->now) : 0;
}

/* Methods --------------------------------------------------------------------------------- */

static rv_status check_names(const evaluator *e, rv_error *err)
{
    for (size_t i = 0; i < e->n; i++)
        for (size_t k = 0; k < i; k++)
            if (strcmp(e->methods[i].name, e->methods[k].name) == 0)
                return RV_FAIL(err, RV_ERR_ARG, "two methods are named '%s': %s and %s",
                               e->methods[i].name, e->methods[k].source, e->methods[i].source);
    return RV_OK;
}

static rv_status open_methods(evaluator *e, const rv_eval_method *methods, size_t n, rv_error *err)
{
    if (n < 1 || n > METHODS_MAX)
        return RV_FAIL(err, RV_ERR_ARG, "%zu methods; expected 1 to %d", n, METHODS_MAX);
    if (!(e->methods = calloc(n, sizeof *e->methods)))
        return RV_FAIL(err, RV_ERR_NOMEM, "%zu methods", n);
    for (; e->n < n; e->n++) {
        rv_method *m = &e->methods[e->n];
        const rv_status status = rv_method_open(m, &methods[e->n], err);
        m->threads = e->opt->threads;
        m->stop = report;
        m->stop_ctx = e;
        if (status != RV_OK) {
            rv_method_close(m);
            return status;
        }
    }
    return check_names(e, err);
}

static bool wants_mixture(const evaluator *e)
{
    bool wants = rv_measure_wants_mixture(e->opt->metrics);
    for (size_t i = 0; i < e->n; i++)
        wants |= rv_method_wants_mixture(&e->methods[i]);
    return wants;
}

/* Which songs ----------------------------------------------------------------------------- */

static rv_status has_song(const rv_method *m, const rv_track *t, bool *has, rv_error *err)
{
    char *folder = NULL;
    *has = true;
    if (m->kind != RV_METHOD_ESTIMATES)
        return RV_OK;
    RV_TRY(rv_estimates_folder(&folder, m->source, t, err));
    *has = folder != NULL;
    free(folder);
    return RV_OK;
}

static rv_status all_have_song(const evaluator *e, const rv_track *t, bool *all, rv_error *err)
{
    *all = true;
    for (size_t i = 0; i < e->n && *all; i++)
        RV_TRY(has_song(&e->methods[i], t, all, err));
    return RV_OK;
}

/* Names a folder that has none of the songs; or says that they have different ones. */
static rv_status fail_without_songs(const evaluator *e, rv_error *err)
{
    size_t folders = 0;
    for (size_t i = 0; i < e->n; i++) {
        bool any = false;
        for (size_t t = 0; t < e->list->n && !any; t++)
            RV_TRY(has_song(&e->methods[i], &e->list->tracks[t], &any, err));
        if (!any)
            return RV_FAIL(err, RV_ERR_IO,
                           "%s: no folder here is named like a song of %s, such as '%s'; expected "
                           "SONG/STEM.wav",
                           e->methods[i].source, e->references, e->list->tracks[0].name);
        folders += e->methods[i].kind == RV_METHOD_ESTIMATES;
    }
    return RV_FAIL(err, RV_ERR_IO, "no song of %s is in all %zu folders of estimates",
                   e->references, folders);
}

/* Songs that some method has no estimates of go, with their namesakes in other splits. */
static rv_status keep_estimated(evaluator *e, rv_error *err)
{
    rv_track_list *l = e->list;
    const char **without = calloc(l->n, sizeof *without);
    rv_status status =
        without ? RV_OK : RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", e->references);
    const size_t all = l->n;
    size_t n = 0;
    for (size_t i = 0; i < all && status == RV_OK; i++) {
        bool has = true;
        status = all_have_song(e, &l->tracks[i], &has, err);
        if (!has)
            without[n++] = l->tracks[i].name;
    }
    if (status == RV_OK && n == all)
        status = fail_without_songs(e, err);
    if (status == RV_OK && n > 0)
        status = rv_track_list_filter(l, without, n, false, err);
    e->without_estimates = all - l->n;
    free((void *)without);
    return status;
}

static rv_status find_songs(evaluator *e, rv_error *err)
{
    const rv_eval_options *o = e->opt;
    e->query = (rv_track_query){ .root = e->references,
                                 .layout = o->layout,
                                 .split = o->split,
                                 .stems = o->stems,
                                 .n_stems = o->n_stems,
                                 .missing = RV_MISSING_SILENCE };
    RV_TRY(rv_track_list_find(&e->list, &e->query, err));
    RV_TRY(keep_estimated(e, err));
    RV_TRY(rv_track_cache_new(&e->cache, e->list, err));
    return wants_mixture(e) ? rv_mixtures_open(&e->mixtures, e->cache, &e->query, err) : RV_OK;
}

/* Figures of a song ----------------------------------------------------------------------- */

static uint32_t present_stems(const rv_track *t, size_t n_stems)
{
    uint32_t bits = 0;
    for (size_t s = 0; s < n_stems; s++)
        bits |= t->stems[s].n > 0 ? UINT32_C(1) << s : 0;
    return bits;
}

static rv_status evaluate_method(evaluator *e, size_t method, size_t track, rv_song_audio *audio,
                                 double *mixture, rv_error *err)
{
    const rv_method *m = &e->methods[method];
    const rv_track *t = &e->list->tracks[track];
    rv_eval_song *song = NULL;
    e->now.method = m->name;
    if (report(e))
        return RV_FAIL(err, RV_ERR_CANCELLED, "stopped");
    rv_song_audio_clear(audio);
    RV_TRY(rv_method_estimate(m, audio, e->cache, track, err));
    if (e->opt->keep && m->kind != RV_METHOD_ESTIMATES)
        RV_TRY(rv_keep_stems(e->opt->keep, m->name, audio, e->list, track, err));
    RV_TRY(rv_evaluation_add(&song, e->result->methods[method], t->name, t->split, err));
    const rv_measure measure = { .options = e->opt,
                                 .audio = audio,
                                 .stem_names = e->list->stems,
                                 .present = present_stems(t, e->list->n_stems),
                                 .mixture = mixture,
                                 .pool = e->pool,
                                 .stop = report,
                                 .stop_ctx = e };
    return rv_measure_song(song, &measure, err);
}

static rv_status evaluate_song(evaluator *e, size_t track, rv_error *err)
{
    rv_song_audio audio = { 0 };
    double mixture[RV_STEMS_MAX];
    for (size_t s = 0; s < RV_STEMS_MAX; s++)
        mixture[s] = (double)NAN;
    e->now = (rv_eval_progress){ e->list->tracks[track].name, track, e->list->n, "" };
    if (report(e))
        return RV_FAIL(err, RV_ERR_CANCELLED, "stopped");
    RV_TRY(
        rv_song_audio_read(&audio, e->cache, track, wants_mixture(e) ? &e->mixtures : NULL, err));
    rv_status status = RV_OK;
    for (size_t m = 0; m < e->n && status == RV_OK; m++)
        status = evaluate_method(e, m, track, &audio, mixture, err);
    rv_song_audio_free(&audio);
    return status;
}

/* All songs ------------------------------------------------------------------------------- */

static rv_status new_result(evaluator *e, rv_error *err)
{
    RV_TRY(rv_comparison_new(&e->result, e->n, err));
    e->result->resamples = e->opt->resamples;
    e->result->seed = e->opt->seed;
    for (size_t i = 0; i < e->n; i++) {
        RV_TRY(rv_evaluation_new(&e->result->methods[i], e->methods[i].name, e->methods[i].kind,
                                 e->list->stems, e->list->n_stems, e->list->n, err));
        e->result->methods[i]->metrics = e->opt->metrics;
        e->result->methods[i]->without_estimates = e->without_estimates;
    }
    return RV_OK;
}

static rv_status run(evaluator *e, rv_error *err)
{
    for (size_t i = 0; i < e->list->n; i++)
        RV_TRY(evaluate_song(e, i, err));
    return rv_comparison_finish(e->result, e->pool, err);
}

static rv_status check_options(const rv_eval_options *o, rv_error *err)
{
    if (o->metrics == 0 || o->metrics >> RV_METRICS)
        return RV_FAIL(err, RV_ERR_ARG, "metrics 0x%x: expected bits of at least one rv_metric",
                       o->metrics);
    if (!(o->window >= 0.01 && o->window <= 1e6 && o->hop >= 0.01 && o->hop <= 1e6))
        return RV_FAIL(err, RV_ERR_ARG, "window %g s, hop %g s; expected 0.01 to 1e6", o->window,
                       o->hop);
    if (o->bss_version != 3 && o->bss_version != 4)
        return RV_FAIL(err, RV_ERR_ARG, "BSS Eval %d; expected 3 or 4", o->bss_version);
    if (o->resamples < 100 || o->resamples > 1000000)
        return RV_FAIL(err, RV_ERR_ARG, "%d resamples; expected 100 to 1000000", o->resamples);
    if (o->threads < 0)
        return RV_FAIL(err, RV_ERR_ARG, "%d threads", o->threads);
    return RV_OK;
}

static void close_evaluator(evaluator *e)
{
    rv_pool_free(e->pool);
    rv_mixtures_close(&e->mixtures);
    rv_track_cache_free(e->cache);
    rv_track_list_free(e->list);
    for (size_t i = 0; i < e->n; i++)
        rv_method_close(&e->methods[i]);
    free(e->methods);
}

rv_status rv_compare_methods(rv_comparison **out, const char *references,
                             const rv_eval_method *methods, size_t n, const rv_eval_options *opt,
                             rv_error *err)
{
    evaluator e = { .opt = opt, .references = references };
    RV_TRY(check_options(opt, err));
    rv_status status = open_methods(&e, methods, n, err);
    if (status == RV_OK)
        status = find_songs(&e, err);
    if (status == RV_OK)
        status = rv_pool_new(&e.pool, opt->threads, NULL, err);
    if (status == RV_OK)
        status = new_result(&e, err);
    if (status == RV_OK)
        status = run(&e, err);
    close_evaluator(&e);
    if (status == RV_OK)
        *out = e.result;
    else
        rv_comparison_free(e.result);
    return status;
}
