/* task_mctn.c - see task_mctn.h.
 *
 *   T. Skverer and A. Zukier, github.com/TalSk/cs236781-project */
#include "train/task_mctn.h"

#include "base/status.h"
#include "data/layout.h"
#include "train/mctn_recipe.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Recipe --------------------------------------------------------------------------------- */

static bool learns(const char *model)
{
    return strcmp(model, "mctn") == 0;
}

static void release_config(void *config)
{
    rv_mctn_recipe_fini(config);
}

static rv_status read_config(void *config, const rv_recipe *r, rv_error *err)
{
    return rv_mctn_recipe_read(config, r, err);
}

static json_t *identity(const rv_recipe *r)
{
    const rv_mctn_recipe *m = r->task_config;
    return rv_feature_recipe_identity(r, m->crepe);
}

static const rv_train_measure *measures_of(const rv_recipe *r, size_t *n)
{
    const rv_mctn_recipe *m = r->task_config;
    *n = m->n_measures;
    return m->measures;
}

/* Data ------------------------------------------------------------------------------------ */

typedef struct {
    const rv_recipe *recipe;
    const rv_mctn_recipe *own;
    const rv_train_options *options;
    rv_feature_cache *cache;
    rv_track_list *train_list, *valid_list;
    rv_feature_mixes *train, *valid; /* valid: NULL if there are no songs for it */
    float *in[RV_FEATURE_SEPARATION_INPUTS];
} work;

/* While features are measured, which may take long. */
static int tell_measuring(void *ctx, double fraction)
{
    const work *w = ctx;
    const rv_train_progress p = { .preparing = 1, .prepared = fraction };
    return w->options->progress ? w->options->progress(w->options->progress_ctx, &p) : 0;
}

static rv_status open_mixes(work *w, const char *split, rv_track_list **list,
                            rv_feature_mixes **out, rv_error *err)
{
    const bool valid = strcmp(split, "valid") == 0;
    const rv_feature_watch watch = { tell_measuring, w };
    rv_feature_mixes_config c = w->own->mixes;
    rv_track_query query = w->recipe->songs;
    query.split = split;
    query.may_be_empty = valid;
    c.phrases.threads = w->options->threads;
    if (valid) { /* all of it, each part once, as it is */
        c.phrases.batch = 1;
        c.phrases.shuffle = false;
        c.phrases.stride = 0;
        c.remix = c.gain = 0;
    }
    RV_TRY(rv_track_list_find(list, &query, err));
    if (!*list)
        return RV_OK;
    return rv_feature_mixes_new(out, &c, *list, w->cache, valid ? 0 : w->recipe->data_threads,
                                &watch, err);
}

static rv_status find_songs(work *w, rv_train_report *report, rv_error *err)
{
    RV_TRY(rv_feature_cache_open(&w->cache, w->own->cache, err));
    if (w->own->crepe)
        rv_feature_cache_set_engine(w->cache, rv_crepe_f0_engine(w->own->crepe));
    RV_TRY(open_mixes(w, "train", &w->train_list, &w->train, err));
    RV_TRY(open_mixes(w, "valid", &w->valid_list, &w->valid, err));
    snprintf(report->layout, sizeof report->layout, "%s", w->train_list->layout->name);
    report->train_songs = w->train_list->n;
    report->valid_songs = w->valid_list ? w->valid_list->n : 0;
    report->silent_songs = rv_feature_mixes_silent_songs(w->train);
    return RV_OK;
}

static rv_status take_memory(work *w, rv_error *err)
{
    const size_t batch = w->recipe->batch;
    bool ok = true;
    for (int i = 0; i < RV_FEATURE_SEPARATION_INPUTS; i++) {
        const size_t n = rv_feature_separation_size(&w->own->separation, i);
        ok = (w->in[i] = calloc(batch, n * sizeof(float))) && ok;
    }
    return ok ? RV_OK : RV_FAIL(err, RV_ERR_NOMEM, "a batch of %zu mixes", batch);
}

static void close_work(void *own)
{
    work *w = own;
    rv_feature_mixes_free(w->train);
    rv_feature_mixes_free(w->valid);
    rv_feature_cache_free(w->cache);
    rv_track_list_free(w->train_list);
    rv_track_list_free(w->valid_list);
    for (int i = 0; i < RV_FEATURE_SEPARATION_INPUTS; i++)
        free(w->in[i]);
}

static rv_status open_work(void *own, const rv_recipe *r, const rv_train_options *options,
                           rv_train_report *report, rv_error *err)
{
    work *w = own;
    w->recipe = r;
    w->own = r->task_config;
    w->options = options;
    RV_TRY(find_songs(w, report, err));
    return take_memory(w, err);
}

static size_t batches(const void *own)
{
    const work *w = own;
    return rv_feature_mixes_steps_per_epoch(w->train);
}

static rv_feature_mix batch_of(const work *w)
{
    return (rv_feature_mix){ w->in[RV_FEATURE_SEPARATION_MIX], w->in[RV_FEATURE_SEPARATION_F0],
                             w->in[RV_FEATURE_SEPARATION_LOUDNESS],
                             w->in[RV_FEATURE_SEPARATION_VOICED] };
}

static rv_status fill(void *own, uint64_t index, const float *const **in, rv_error *err)
{
    work *w = own;
    const rv_feature_mix batch = batch_of(w);
    *in = (const float *const *)w->in;
    return rv_feature_mixes_fill(w->train, index, &batch, err);
}

static rv_status make_learner(rv_learner **out, void *own, rv_pool *pool, rv_error *err)
{
    work *w = own;
    return rv_feature_separation_learner(out, &w->own->separation, w->recipe->batch,
                                         w->recipe->recompute, pool, err);
}

static json_t *release(const void *own)
{
    const work *w = own;
    return json_pack("{sss[]sO}", "class", RV_MCTN_CLASS, "args", "kwargs", w->own->arguments);
}

/* Validation ------------------------------------------------------------------------------ */

typedef struct {
    double loss, loudness[RV_MCTN_SOURCES], f0[RV_MCTN_SOURCES];
    double frames, voiced[RV_MCTN_SOURCES];
} sums;

static bool can_validate(const void *own)
{
    const work *w = own;
    return w->valid != NULL;
}

/* estimate [F,2S]: f0, then loudness */
static void add_distances(const work *w, const float *estimate, sums *s)
{
    const rv_feature_mix want = batch_of(w);
    const size_t n = w->own->model.n_sources, frames = w->own->separation.frames;
    s->frames += (double)frames;
    for (size_t t = 0; t < frames; t++)
        for (size_t k = 0; k < n; k++) {
            const size_t at = t * n + k, f0 = 2 * t * n + k;
            s->loudness[k] += fabs((double)estimate[f0 + n] - (double)want.loudness[at]);
            s->voiced[k] += (double)want.voiced[at];
            s->f0[k] += (double)want.voiced[at] * fabs((double)estimate[f0] - (double)want.f0[at]);
        }
}

static double share(double sum, double n)
{
    return n > 0 ? sum / n : 0;
}

/* Of all sources, then of each. */
static void fill_measures(const rv_mctn_recipe *m, const sums *s, double *values)
{
    double loudness = 0, f0 = 0, voiced = 0;
    for (size_t k = 0; k < m->model.n_sources; k++) {
        loudness += s->loudness[k];
        f0 += s->f0[k];
        voiced += s->voiced[k];
        values[2 + 2 * k] = share(s->loudness[k], s->frames);
        values[3 + 2 * k] = share(s->f0[k], s->voiced[k]);
    }
    values[0] = share(loudness, s->frames * (double)m->model.n_sources);
    values[1] = share(f0, voiced);
}

static rv_status validate(void *own, rv_learner *l, double *loss, double *values, rv_error *err)
{
    work *w = own;
    sums s = { 0 };
    const rv_feature_mix batch = batch_of(w);
    const size_t n = rv_feature_mixes_count(w->valid);
    for (size_t i = 0; i < n; i++) {
        const float *estimate;
        RV_TRY(rv_feature_mixes_example(w->valid, i, &batch, err));
        s.loss += rv_learner_estimate(l, (const float *const *)w->in, &estimate);
        add_distances(w, estimate, &s);
    }
    *loss = s.loss / (double)n;
    fill_measures(w->own, &s, values);
    return RV_OK;
}

const rv_task rv_task_mctn = {
    .about = "mctn",
    .keys = rv_mctn_keys,
    .measures_of = measures_of,
    .learns = learns,
    .config_size = sizeof(rv_mctn_recipe),
    .read = read_config,
    .release_config = release_config,
    .identity = identity,
    .work_size = sizeof(work),
    .open = open_work,
    .close = close_work,
    .batches = batches,
    .fill = fill,
    .learner = make_learner,
    .can_validate = can_validate,
    .validate = validate,
    .release = release,
};
