/* evaluate.c - song by song: read, measure, keep the figures. */
#include "eval/evaluate.h"

#include "base/pool.h"
#include "data/entries.h"
#include "eval/evaluation.h"
#include "eval/song_audio.h"
#include "eval/song_bss.h"
#include "eval/spectral_distance.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TAPS = 512 }; /* of BSS Eval's filters, in all versions */

typedef struct evaluator {
    const rv_eval_options *opt;
    const char *estimates;
    rv_track_list *list;
    rv_track_cache *cache;
    rv_pool *pool;
    rv_evaluation *result;
} evaluator;

/* Which songs ----------------------------------------------------------------------------- */

static rv_status find_references(evaluator *e, const char *root, rv_error *err)
{
    const rv_eval_options *o = e->opt;
    const rv_track_query query = { .root = root,
                                   .layout = o->layout,
                                   .split = o->split,
                                   .stems = o->stems,
                                   .n_stems = o->n_stems,
                                   .missing = RV_MISSING_SILENCE };
    return rv_track_list_find(&e->list, &query, err);
}

/* Songs without estimates go, with their namesakes in other splits. */
static rv_status keep_estimated(evaluator *e, const char *root, rv_error *err)
{
    rv_track_list *l = e->list;
    const char **without = calloc(l->n, sizeof *without);
    rv_status status = without ? RV_OK : RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", root);
    const size_t all = l->n;
    size_t n = 0;
    for (size_t i = 0; i < all && status == RV_OK; i++) {
        char *folder = NULL;
        status = rv_estimates_folder(&folder, e->estimates, &l->tracks[i], err);
        if (status == RV_OK && !folder)
            without[n++] = l->tracks[i].name;
        free(folder);
    }
    if (status == RV_OK && n == all)
        status = RV_FAIL(err, RV_ERR_IO,
                         "%s: no folder here is named like a song of %s, such as '%s'; expected "
                         "SONG/STEM.wav",
                         e->estimates, root, l->tracks[0].name);
    if (status == RV_OK && n > 0)
        status = rv_track_list_filter(l, without, n, false, err);
    e->result->without_estimates = all - l->n;
    free((void *)without);
    return status;
}

/* Figures of a song ----------------------------------------------------------------------- */

typedef struct song_job {
    const evaluator *e;
    const rv_song_audio *audio;
    const rv_eval_progress *now;
    rv_eval_stem *stems;
    rv_status *status; /* [n_stems] */
    rv_error *errors;  /* [n_stems] */
} song_job;

static double si_sdr_of_mixture(const rv_song_audio *a, size_t stem)
{
    rv_stem_pair p = rv_song_audio_pair(a, stem);
    p.estimate = (const float *const *)a->mixture;
    return rv_si_sdr(&p);
}

static rv_status measure_whole(const song_job *j, size_t stem, rv_error *err)
{
    const rv_stem_pair p = rv_song_audio_pair(j->audio, stem);
    const uint32_t wanted = j->e->opt->metrics;
    double *values = j->stems[stem].values;
    rv_spectral_distance d = { (double)NAN, (double)NAN };
    if (rv_eval_wants(wanted, RV_METRIC_SC) || rv_eval_wants(wanted, RV_METRIC_LSD))
        RV_TRY(rv_spectral_distance_of(&d, &p, err));
    values[RV_METRIC_SC] = d.convergence;
    values[RV_METRIC_LSD] = d.log_distance;
    values[RV_METRIC_SI_SDR] = rv_si_sdr(&p);
    if (j->audio->mixture)
        values[RV_METRIC_SI_SDRI] = values[RV_METRIC_SI_SDR] - si_sdr_of_mixture(j->audio, stem);
    values[RV_METRIC_SDR_MDX21] = rv_sdr_mdx21(&p);
    values[RV_METRIC_SNR] = rv_snr(&p);
    return RV_OK;
}

static void measure_stem(void *job, size_t stem, int worker)
{
    const song_job *j = job;
    const rv_song_audio *a = j->audio;
    const rv_stem_pair p = rv_song_audio_pair(a, stem);
    rv_eval_stem *s = &j->stems[stem];
    (void)worker;
    for (int m = 0; m < RV_METRICS; m++)
        s->values[m] = (double)NAN;
    s->has_reference = !rv_is_silent(p.reference, p.channels, p.frames);
    s->silent = rv_is_silent(p.estimate, p.channels, p.frames);
    if (s->has_reference)
        j->status[stem] = measure_whole(j, stem, &j->errors[stem]);
}

static rv_status measure_stems(song_job *j, size_t n, rv_error *err)
{
    j->status = calloc(n, sizeof *j->status);
    j->errors = calloc(n, sizeof *j->errors);
    rv_status status = RV_OK;
    if (j->status && j->errors)
        rv_pool_run(j->e->pool, n, measure_stem, j);
    else
        status = RV_FAIL(err, RV_ERR_NOMEM, "%zu stems", n);
    for (size_t s = 0; s < n && status == RV_OK; s++)
        if (j->status[s] != RV_OK)
            status = RV_FAIL(err, j->status[s], "%s", j->errors[s].text);
    free(j->status);
    free(j->errors);
    return status;
}

/* Asks the caller's callback once more. */
static int stop(void *ctx)
{
    const song_job *j = ctx;
    const rv_eval_options *o = j->e->opt;
    return o->progress ? o->progress(o->progress_ctx, j->now) : 0;
}

static rv_status measure_audio(song_job *j, rv_eval_song *song, rv_error *err)
{
    const evaluator *e = j->e;
    const rv_bss_options opt = { .taps = TAPS,
                                 .window_filters = e->opt->bss_version == 3,
                                 .pool = e->pool,
                                 .stop = stop,
                                 .stop_ctx = j };
    RV_TRY(measure_stems(j, e->list->n_stems, err));
    song->window = e->opt->window;
    song->hop = e->opt->hop;
    if (!(e->opt->metrics & (RV_METRIC_BIT(RV_FRAME_METRICS) - 1)))
        return RV_OK;
    return rv_song_bss(song, e->list->stems, j->audio, &opt, err);
}

static rv_status measure_song(const evaluator *e, const rv_eval_progress *now, rv_eval_song *song,
                              rv_error *err)
{
    const size_t track = (size_t)now->songs_done;
    const rv_track *t = &e->list->tracks[track];
    const bool mixture = rv_eval_wants(e->opt->metrics, RV_METRIC_SI_SDRI);
    rv_song_audio audio = { 0 };
    char *folder = NULL;
    song->name = strdup(t->name);
    song->split = strdup(t->split);
    song->stems = calloc(e->list->n_stems, sizeof *song->stems);
    if (!song->name || !song->split || !song->stems)
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", t->name);
    RV_TRY(rv_estimates_folder(&folder, e->estimates, t, err));
    if (!folder)
        return RV_FAIL(err, RV_ERR_IO, "%s: the folder of song '%s' is gone", e->estimates,
                       t->name);
    const rv_status read = rv_song_audio_read(&audio, e->cache, track, folder, mixture, err);
    free(folder);
    RV_TRY(read);
    song_job job = { .e = e, .audio = &audio, .stems = song->stems, .now = now };
    const rv_status status = measure_audio(&job, song, err);
    rv_song_audio_free(&audio);
    return status;
}

/* All songs ------------------------------------------------------------------------------- */

static rv_status prepare(evaluator *e, const char *references, rv_error *err)
{
    rv_evaluation *r = e->result;
    if (!rv_is_folder(e->estimates))
        return RV_FAIL(err, RV_ERR_IO, "%s: not a folder; expected estimates, SONG/STEM.wav",
                       e->estimates);
    RV_TRY(find_references(e, references, err));
    RV_TRY(keep_estimated(e, references, err));
    RV_TRY(rv_track_cache_new(&e->cache, e->list, err));
    RV_TRY(rv_pool_new(&e->pool, e->opt->threads, NULL, err));
    r->metrics = e->opt->metrics;
    r->stems = calloc(e->list->n_stems, sizeof *r->stems);
    r->songs = calloc(e->list->n, sizeof *r->songs);
    if (!r->stems || !r->songs)
        return RV_FAIL(err, RV_ERR_NOMEM, "figures of %zu songs", e->list->n);
    for (; r->n_stems < e->list->n_stems; r->n_stems++)
        if (!(r->stems[r->n_stems] = strdup(e->list->stems[r->n_stems])))
            return RV_FAIL(err, RV_ERR_NOMEM, "names of stems");
    return RV_OK;
}

static rv_status run(evaluator *e, rv_error *err)
{
    rv_evaluation *r = e->result;
    for (size_t i = 0; i < e->list->n; i++) {
        const rv_eval_progress now = { e->list->tracks[i].name, i, e->list->n };
        if (e->opt->progress && e->opt->progress(e->opt->progress_ctx, &now))
            return RV_FAIL(err, RV_ERR_CANCELLED, "stopped");
        r->n_songs++;
        RV_TRY(measure_song(e, &now, &r->songs[i], err));
    }
    return RV_OK;
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
    if (o->threads < 0)
        return RV_FAIL(err, RV_ERR_ARG, "%d threads", o->threads);
    return RV_OK;
}

rv_status rv_evaluate_songs(rv_evaluation **out, const char *references, const char *estimates,
                            const rv_eval_options *opt, rv_error *err)
{
    RV_TRY(check_options(opt, err));
    evaluator e = { .opt = opt, .estimates = estimates, .result = calloc(1, sizeof *e.result) };
    if (!e.result)
        return RV_FAIL(err, RV_ERR_NOMEM, "figures");
    rv_status status = prepare(&e, references, err);
    if (status == RV_OK)
        status = run(&e, err);
    rv_pool_free(e.pool);
    rv_track_cache_free(e.cache);
    rv_track_list_free(e.list);
    if (status == RV_OK)
        *out = e.result;
    else
        rv_evaluation_free(e.result);
    return status;
}
