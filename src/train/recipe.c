/* recipe.c - from checked values to the parts of a run. */
#include "train/recipe.h"

#include "base/status.h"
#include "data/submix_read.h"
#include "io/config.h"
#include "train/loss_recipe.h"
#include "train/recipe_keys.h"
#include "train/recipe_values.h"

#include <stdlib.h>

static void read_data(rv_recipe *r)
{
    r->sample_rate = (int)rv_recipe_integer(r->values, "data.sample_rate");
    r->segment = rv_recipe_frames(r->values, "data.segment");
    r->stride = rv_recipe_frames(r->values, "data.stride");
    r->batch = rv_recipe_integer(r->values, "data.batch");
    r->shuffle = rv_recipe_flag(r->values, "data.shuffle");
    r->data_threads = (int)rv_recipe_integer(r->values, "data.threads");
}

static rv_status read_stems(rv_recipe *r, rv_error *err)
{
    const json_t *list = rv_recipe_value(r->values, "data.stems");
    const size_t n = json_array_size(list);
    if (n == 0 || n > RV_MAX_LOSS_STEMS)
        return RV_FAIL(err, RV_ERR_ARG, "data.stems: %zu stems, 1 to %d are expected", n,
                       RV_MAX_LOSS_STEMS);
    for (size_t i = 0; i < n; i++)
        r->stems[i] = json_string_value(json_array_get(list, i));
    return RV_OK;
}

static rv_status read_songs(rv_recipe *r, rv_error *err)
{
    static const char *const missing[] = { "auto", "error", "silence", "skip", NULL };
    rv_track_query *q = &r->songs;
    q->root = rv_recipe_text(r->values, "data.root");
    q->layout = rv_recipe_text(r->values, "data.layout");
    q->stems = r->stems;
    q->n_stems = json_array_size(rv_recipe_value(r->values, "data.stems"));
    q->missing = (rv_missing)rv_recipe_choice(r->values, "data.missing", missing);
    q->train_split = rv_recipe_text(r->values, "data.train_split");
    q->valid_split = rv_recipe_text(r->values, "data.valid_split");
    q->valid_fraction = rv_recipe_number(r->values, "data.valid_fraction");
    q->seed = rv_recipe_integer(r->values, "train.seed");
    RV_TRY(rv_texts_read(&q->valid_songs, &q->n_valid_songs,
                         rv_recipe_value(r->values, "data.valid_songs"), "data.valid_songs",
                         &r->arena, err));
    return rv_submix_read(&q->submixes, &q->n_submixes, rv_recipe_value(r->values, "data.submix"),
                          "data.submix", &r->arena, err);
}

static void read_optimiser(rv_recipe *r)
{
    static const char *const kinds[] = { "adam", "adamw", "sgd", NULL };
    rv_optimiser_config *o = &r->optimiser;
    *o = rv_optimiser_defaults(
        (rv_optimiser_kind)rv_recipe_choice(r->values, "optimiser.kind", kinds));
    o->lr = rv_recipe_number(r->values, "optimiser.lr");
    o->beta1 = rv_recipe_number(r->values, "optimiser.beta1");
    o->beta2 = rv_recipe_number(r->values, "optimiser.beta2");
    o->eps = rv_recipe_number(r->values, "optimiser.eps");
    o->weight_decay = rv_recipe_number(r->values, "optimiser.weight_decay");
    o->momentum = rv_recipe_number(r->values, "optimiser.momentum");
    o->nesterov = rv_recipe_flag(r->values, "optimiser.nesterov");
    o->clip_norm = rv_recipe_number(r->values, "optimiser.clip_norm");
}

static rv_status read_schedule(rv_recipe *r, rv_error *err)
{
    static const char *const kinds[] = { "constant", "exponential", "plateau",
                                         "cosine",   "multi_step",  NULL };
    rv_schedule_config *s = &r->schedule;
    const json_t *milestones = rv_recipe_value(r->values, "schedule.milestones");
    *s = rv_schedule_defaults((rv_schedule_kind)rv_recipe_choice(r->values, "schedule.kind", kinds),
                              rv_recipe_number(r->values, "optimiser.lr"));
    if (rv_recipe_value(r->values, "schedule.factor"))
        s->factor = rv_recipe_number(r->values, "schedule.factor");
    s->warmup_steps = rv_recipe_integer(r->values, "schedule.warmup_steps");
    s->every = rv_recipe_integer(r->values, "schedule.every");
    s->staircase = rv_recipe_flag(r->values, "schedule.staircase");
    s->total_steps = rv_recipe_integer(r->values, "schedule.total_steps");
    s->min_lr = rv_recipe_number(r->values, "schedule.min_lr");
    s->patience = rv_recipe_integer(r->values, "schedule.patience");
    s->n_milestones = json_array_size(milestones);
    if (s->n_milestones > RV_MAX_MILESTONES)
        return RV_FAIL(err, RV_ERR_ARG, "schedule.milestones: at most %d", RV_MAX_MILESTONES);
    for (size_t i = 0; i < s->n_milestones; i++)
        s->milestones[i] = (uint64_t)json_number_value(json_array_get(milestones, i));
    return rv_schedule_check(s, err);
}

static rv_status read_run(rv_recipe *r, rv_error *err)
{
    const json_t *decays = rv_recipe_value(r->values, "train.ema");
    r->out = rv_recipe_text(r->values, "train.out");
    r->init = rv_recipe_text(r->values, "train.init");
    r->seed = rv_recipe_integer(r->values, "train.seed");
    r->epochs = rv_recipe_integer(r->values, "train.epochs");
    r->steps = rv_recipe_integer(r->values, "train.steps");
    r->accumulate = rv_recipe_integer(r->values, "train.accumulate");
    r->recompute = rv_recipe_flag(r->values, "train.recompute");
    r->save_every = rv_recipe_integer(r->values, "train.save_every");
    r->log_every = rv_recipe_integer(r->values, "train.log_every");
    r->stopping.patience = rv_recipe_integer(r->values, "train.patience")
                               ? rv_recipe_integer(r->values, "train.patience")
                               : UINT64_MAX;
    r->n_averages = json_array_size(decays);
    if (r->n_averages > RV_MAX_AVERAGES)
        return RV_FAIL(err, RV_ERR_ARG, "train.ema: at most %d decays", RV_MAX_AVERAGES);
    for (size_t i = 0; i < r->n_averages; i++)
        r->average[i] = json_number_value(json_array_get(decays, i));
    return RV_OK;
}

static rv_status read_all(rv_recipe *r, const char *path, const char *const *overrides, size_t n,
                          rv_error *err)
{
    json_t *origins = NULL;
    RV_TRY(rv_config_load(&r->values, &origins, path, overrides, n, err));
    const char *name = json_string_value(rv_recipe_value(r->values, "model.name"));
    r->task = rv_task_find(name ? name : "");
    rv_status st = rv_recipe_check(r->values, origins, r->task, err);
    if (st == RV_OK)
        st = rv_loss_read(&r->loss, r->values, origins,
                          json_array_size(rv_recipe_value(r->values, "data.stems")), err);
    json_decref(origins);
    RV_TRY(st);
    const bool songs = rv_recipe_text(r->values, "data.root") || r->task->without_songs;
    if (!songs || !rv_recipe_text(r->values, "train.out"))
        return RV_FAIL(err, RV_ERR_ARG, "%s: data.root and train.out must not be empty", path);
    RV_TRY(read_stems(r, err));
    RV_TRY(read_songs(r, err));
    read_data(r);
    read_optimiser(r);
    RV_TRY(read_schedule(r, err));
    RV_TRY(read_run(r, err));
    if (!(r->task_config = calloc(1, r->task->config_size)))
        return RV_FAIL(err, RV_ERR_NOMEM, "a recipe");
    return r->task->read(r->task_config, r, err);
}

rv_status rv_recipe_open(rv_recipe **out, const char *path, const char *const *overrides,
                         size_t n_overrides, rv_error *err)
{
    rv_recipe *r = calloc(1, sizeof *r);
    if (!r)
        return RV_FAIL(err, RV_ERR_NOMEM, "a recipe");
    rv_arena_init(&r->arena, NULL);
    const rv_status st = read_all(r, path, overrides, n_overrides, err);
    if (st != RV_OK) {
        rv_recipe_free(r);
        return st;
    }
    *out = r;
    return RV_OK;
}

void rv_recipe_free(rv_recipe *r)
{
    if (!r)
        return;
    json_decref(r->values);
    if (r->task_config)
        r->task->release_config(r->task_config);
    free(r->task_config);
    rv_loss_release(&r->loss);
    rv_arena_fini(&r->arena);
    free(r);
}
