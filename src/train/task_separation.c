/* task_separation.c - see task_separation.h. A batch is a mix [B,T,C] and its stems [B,T,S*C]. */
#include "train/task_separation.h"

#include "base/status.h"
#include "data/layout.h"
#include "data/track_level.h"
#include "infer/arguments.h"
#include "train/examples.h"
#include "train/recipe.h"
#include "train/recipe_keys.h"
#include "train/recipe_values.h"
#include "train/validation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const rv_config_key keys[] = {
    RV_KEY_INTEGER("data.channels", 1, 16, "2", "of the audio"),
    RV_KEY_CHOICE(
        "data.normalise", "none|track", "none",
        "track: each song by mean and deviation of its mixture, as Demucs does; so will separate"),
    RV_KEY_NUMBER("data.augment.remix", 0, 1, "0", "probability of mixing stems across songs"),
    RV_KEY_INTEGER("data.augment.remix_group", 0, 4096, "0",
                   "examples that mix; 0: all of a batch"),
    RV_KEY_NUMBER("data.augment.gain", 0, 1, "0", "probability of random gains"),
    RV_KEY_NUMBER("data.augment.gain_min", 0, 10, "0.25", "least gain"),
    RV_KEY_NUMBER("data.augment.gain_max", 0, 10, "1.25", "largest gain"),
    RV_KEY_BOOL("data.augment.swap_channels", "false", "half of the stems"),
    RV_KEY_BOOL("data.augment.flip_sign", "false", "half of the stems"),
    RV_KEY_NUMBER("data.augment.shift", 0, 60, "0", "seconds, at most"),
    RV_KEY_NUMBER("data.augment.silence", 0, 1, "0", "probability of silence for a stem"),
    RV_KEY_NUMBER("data.augment.borrow", 0, 1, "0",
                  "probability of another song's stem where a song has none"),
    RV_KEY_NUMBER("data.augment.repitch", 0, 1, "0", "probability of another pitch and tempo"),
    RV_KEY_INTEGER("data.augment.pitch_max", 0, 12, "2", "semitones"),
    RV_KEY_NUMBER("data.augment.tempo_max", 0, 50, "12", "percent"),
    RV_KEY_NUMBER("data.augment.effects", 0, 1, "0",
                  "probability that a stem gets a random equaliser, compressor, reverb"),
    RV_KEY_NUMBER("data.augment.effects_gain", 0, 40, "9", "dB of the equaliser, up or down"),
    RV_KEY_NUMBER("data.valid_seconds", 0, 1e6, "0",
                  "of the middle of each song that validation hears; 0: all"),
    { "loss.stem_weights", RV_CONFIG_NUMBERS, 0, 1e6, NULL, "[]", "empty: all equal" },
    { 0 },
};

static const rv_train_measure measures[] = { { "si_sdr", "SI-SDR", "dB", 0 } };

/* Recipe --------------------------------------------------------------------------------- */

typedef struct {
    const rv_model_def *def;
    json_t *arguments; /* of the reference's constructor, as checkpoints hold them */
    rv_arena arena;    /* of the lists among them */
    void *model;       /* configured */
    rv_model_info info;
    rv_examples_config examples; /* its segment is what the model wants for `scored` frames */
    size_t scored;               /* data.segment in frames: what the loss sees */
    bool normalise;              /* songs, each by the level of its mixture */
} config;

static void read_augment(const rv_recipe *r, rv_augment *a)
{
    *a = rv_augment_none();
    a->remix = rv_recipe_number(r->values, "data.augment.remix");
    a->remix_group = rv_recipe_integer(r->values, "data.augment.remix_group");
    a->gain = rv_recipe_number(r->values, "data.augment.gain");
    a->gain_min = rv_recipe_number(r->values, "data.augment.gain_min");
    a->gain_max = rv_recipe_number(r->values, "data.augment.gain_max");
    a->swap_channels = rv_recipe_flag(r->values, "data.augment.swap_channels");
    a->flip_sign = rv_recipe_flag(r->values, "data.augment.flip_sign");
    a->shift = rv_recipe_frames(r->values, "data.augment.shift");
    a->silence = rv_recipe_number(r->values, "data.augment.silence");
    a->borrow = rv_recipe_number(r->values, "data.augment.borrow");
    a->repitch = rv_recipe_number(r->values, "data.augment.repitch");
    a->pitch_max = (int)rv_recipe_integer(r->values, "data.augment.pitch_max");
    a->tempo_max = rv_recipe_number(r->values, "data.augment.tempo_max");
    a->effects = rv_recipe_number(r->values, "data.augment.effects");
    a->effects_gain = rv_recipe_number(r->values, "data.augment.effects_gain");
}

static void read_examples(config *c, const rv_recipe *r)
{
    rv_examples_config *e = &c->examples;
    *e = rv_examples_defaults();
    e->sample_rate = r->sample_rate;
    e->channels = (int)rv_recipe_integer(r->values, "data.channels");
    e->segment = r->segment;
    e->stride = r->stride;
    e->batch = r->batch;
    e->seed = r->seed;
    e->shuffle = r->shuffle;
    read_augment(r, &e->augment);
    c->normalise = strcmp(rv_recipe_text(r->values, "data.normalise"), "track") == 0;
}

static bool takes(const rv_model_def *def, const char *name)
{
    for (const char *const *p = def->positional; p && *p; p++)
        if (!strcmp(*p, name))
            return true;
    return false;
}

/* What the data says, under the names the model's constructor has for it. */
static void add_from_data(config *c, const rv_recipe *r)
{
    json_t *a = c->arguments;
    json_object_set(a, "sources", rv_recipe_value(r->values, "data.stems"));
    json_object_set(a, "audio_channels", rv_recipe_value(r->values, "data.channels"));
    json_object_set(a, "samplerate", rv_recipe_value(r->values, "data.sample_rate"));
    if (takes(c->def, "segment"))
        json_object_set(a, "segment", rv_recipe_value(r->values, "data.segment"));
    else if (takes(c->def, "segment_length"))
        json_object_set_new(a, "segment_length", json_integer((json_int_t)r->segment));
}

/* Examples as long as the model wants them. */
static rv_status fit_segment(config *c, rv_error *err)
{
    c->scored = c->examples.segment;
    c->examples.segment = c->def->valid_length(c->model, &c->info, c->scored);
    if (c->examples.segment == 0)
        return RV_FAIL(err, RV_ERR_ARG, "data.segment: %zu frames are more than the model takes",
                       c->scored);
    return RV_OK;
}

static rv_status configure(config *c, rv_error *err)
{
    rv_args args;
    json_t *said = json_pack("{sO}", "kwargs", c->arguments);
    c->model = calloc(1, c->def->config_size + 1);
    rv_status st = said && c->model ? RV_OK : RV_FAIL(err, RV_ERR_NOMEM, "a model");
    if (st == RV_OK)
        st = rv_arguments_read(&args, said, c->def->positional, &c->arena, err);
    if (st == RV_OK)
        st = c->def->configure(c->model, &c->info, &args, err);
    json_decref(said);
    return st;
}

static rv_status read_model(config *c, const rv_recipe *r, rv_error *err)
{
    const char *name = rv_recipe_text(r->values, "model.name");
    c->def = rv_model_find(name ? name : "");
    if (!c->def)
        return RV_FAIL(err, RV_ERR_ARG, "model.name: there is no model '%s'", name ? name : "");
    c->arguments = json_copy(rv_recipe_value(r->values, "model.arguments"));
    add_from_data(c, r);
    RV_TRY(configure(c, err));
    return fit_segment(c, err);
}

static void release_config(void *own)
{
    config *c = own;
    json_decref(c->arguments);
    rv_arena_fini(&c->arena);
    free(c->model);
}

static rv_status read_config(void *own, const rv_recipe *r, rv_error *err)
{
    config *c = own;
    rv_arena_init(&c->arena, NULL);
    read_examples(c, r);
    RV_TRY(rv_augment_check(&c->examples.augment, c->examples.batch, err));
    return read_model(c, r, err);
}

static json_t *identity(const rv_recipe *r)
{
    json_t *data = json_copy(json_object_get(r->values, "data"));
    json_object_del(data, "threads");
    return data;
}

static bool learns(const char *model)
{
    const rv_model_def *def = rv_model_find(model);
    return def && !def->features;
}

/* Data ------------------------------------------------------------------------------------ */

typedef struct {
    const rv_recipe *recipe;
    const config *config;
    rv_separation separation;
    rv_track_list *train_list, *valid_list;
    rv_track_cache *train_songs, *valid_songs; /* valid: NULL if there are none */
    rv_examples *examples;
    float *mix, *target;
    const float *in[2];
} work;

/* Without songs in the split, which may be so for validation, both stay NULL. */
static rv_status open_songs(const work *w, const char *split, rv_track_list **list,
                            rv_track_cache **songs, rv_error *err)
{
    rv_track_query query = w->recipe->songs;
    query.split = split;
    query.may_be_empty = strcmp(split, "valid") == 0;
    RV_TRY(rv_track_list_find(list, &query, err));
    if (!*list)
        return RV_OK;
    RV_TRY(rv_track_cache_new(songs, *list, err));
    RV_TRY(rv_track_cache_check_sound(*songs, err));
    return w->config->normalise ? rv_track_normalise(*songs, err) : RV_OK;
}

static rv_status find_songs(work *w, rv_train_report *report, rv_error *err)
{
    RV_TRY(open_songs(w, "train", &w->train_list, &w->train_songs, err));
    RV_TRY(open_songs(w, "valid", &w->valid_list, &w->valid_songs, err));
    snprintf(report->layout, sizeof report->layout, "%s", w->train_list->layout->name);
    report->train_songs = w->train_list->n;
    report->valid_songs = w->valid_list ? w->valid_list->n : 0;
    report->silent_songs = w->train_songs->n_silent;
    return RV_OK;
}

static rv_status open_examples(work *w, rv_error *err)
{
    const rv_examples_config *e = &w->config->examples;
    const size_t frames = e->batch * e->segment * (size_t)e->channels;
    RV_TRY(rv_examples_new(&w->examples, e, w->train_songs, w->recipe->data_threads, err));
    w->in[0] = w->mix = malloc(frames * sizeof *w->mix);
    w->in[1] = w->target = malloc(frames * w->config->info.n_stems * sizeof *w->target);
    return w->mix && w->target ? RV_OK
                               : RV_FAIL(err, RV_ERR_NOMEM, "a batch of %zu frames", frames);
}

static void close_work(void *own)
{
    work *w = own;
    rv_examples_free(w->examples);
    rv_track_cache_free(w->train_songs);
    rv_track_cache_free(w->valid_songs);
    rv_track_list_free(w->train_list);
    rv_track_list_free(w->valid_list);
    free(w->mix);
    free(w->target);
}

static rv_status open_work(void *own, const rv_recipe *r, const rv_train_options *options,
                           rv_train_report *report, rv_error *err)
{
    work *w = own;
    (void)options;
    w->recipe = r;
    w->config = r->task_config;
    RV_TRY(find_songs(w, report, err));
    return open_examples(w, err);
}

static size_t batches(const void *own)
{
    const work *w = own;
    return rv_examples_steps_per_epoch(w->examples);
}

static rv_status fill(void *own, uint64_t index, const float *const **in, rv_error *err)
{
    work *w = own;
    *in = w->in;
    return rv_examples_fill(w->examples, index, w->mix, w->target, err);
}

/* Learner --------------------------------------------------------------------------------- */

static rv_node *build_loss(void *ctx, rv_node *estimate, rv_node *target)
{
    const work *w = ctx;
    return rv_loss_build(&w->recipe->loss, estimate, target, w->config->info.n_stems,
                         (double)w->recipe->sample_rate);
}

static rv_status make_learner(rv_learner **out, void *own, rv_pool *pool, rv_error *err)
{
    work *w = own;
    const config *c = w->config;
    w->separation = (rv_separation){ .def = c->def,
                                     .config = c->model,
                                     .info = &c->info,
                                     .frames = c->examples.segment,
                                     .scored = c->scored,
                                     .loss = build_loss,
                                     .loss_ctx = w };
    return rv_separation_learner(out, &w->separation, w->recipe->batch, w->recipe->recompute, pool,
                                 err);
}

static bool can_validate(const void *own)
{
    const work *w = own;
    return w->valid_songs != NULL;
}

static rv_status validate(void *own, rv_learner *l, double *loss, double *values, rv_error *err)
{
    const work *w = own;
    rv_validation_result result;
    const rv_status st =
        rv_validate(&result, l, &w->separation, w->valid_songs, w->recipe->sample_rate,
                    rv_recipe_frames(w->recipe->values, "data.valid_seconds"), err);
    *loss = result.loss;
    values[0] = result.si_sdr;
    return st;
}

static json_t *release(const void *own)
{
    const work *w = own;
    return json_pack("{sss[]sOss}", "class", w->config->def->classes[0], "args", "kwargs",
                     w->config->arguments, "normalise", w->config->normalise ? "track" : "none");
}

const rv_task rv_task_separation = {
    .about = "models that separate",
    .keys = keys,
    .measures = measures,
    .n_measures = sizeof measures / sizeof *measures,
    .learns = learns,
    .config_size = sizeof(config),
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
