/* recipe.c - the table of keys, and from checked values to the parts of a run. */
#include "train/recipe.h"

#include "base/status.h"
#include "data/submix_read.h"
#include "infer/arguments.h"
#include "io/config.h"
#include "io/config_schema.h"
#include "train/loss_recipe.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NUMBER(key, least, most, standard, about)                 \
    {                                                             \
        key, RV_CONFIG_NUMBER, least, most, NULL, standard, about \
    }
#define INTEGER(key, least, most, standard, about)                 \
    {                                                              \
        key, RV_CONFIG_INTEGER, least, most, NULL, standard, about \
    }
#define BOOL(key, standard, about)                       \
    {                                                    \
        key, RV_CONFIG_BOOL, 0, 0, NULL, standard, about \
    }
#define CHOICE(key, choices, standard, about)                 \
    {                                                         \
        key, RV_CONFIG_CHOICE, 0, 0, choices, standard, about \
    }

static const rv_config_key rows[] = {
    { "model.name", RV_CONFIG_TEXT, 0, 0, NULL, NULL, "htdemucs, conv_tasnet, ..." },
    { "model.arguments", RV_CONFIG_MAPPING, 0, 0, NULL, "{}",
      "of the reference's constructor; stems, rate, channels and segment come from data" },
    { "data.root", RV_CONFIG_TEXT, 0, 0, NULL, NULL,
      "the data set: docs/datasets.md has the layouts" },
    { "data.layout", RV_CONFIG_TEXT, 0, 0, NULL, "auto", "auto, songs, musdb18, slakh, ..." },
    { "data.stems", RV_CONFIG_TEXTS, 0, 0, NULL, "[\"drums\", \"bass\", \"other\", \"vocals\"]",
      "names of files, classes of instruments, or submixes" },
    { "data.submix", RV_CONFIG_MAPPING, 0, 0, NULL, "{}",
      "what a stem is made of: {keys: {classes: [Piano, Organ], programs: [0-7]}}" },
    CHOICE("data.missing", "auto|error|silence|skip", "auto", "songs that lack a stem"),
    { "data.train_split", RV_CONFIG_TEXT, 0, 0, NULL, "", "songs to train on, \"train\"; or all" },
    { "data.valid_split", RV_CONFIG_TEXT, 0, 0, NULL, "",
      "songs to validate on, \"valid\", or those published for it" },
    { "data.valid_songs", RV_CONFIG_TEXTS, 0, 0, NULL, "[]", "names of songs to validate on" },
    NUMBER("data.valid_fraction", 0, 0.9, "0", "of the songs, drawn by train.seed, to validate on"),
    INTEGER("data.sample_rate", 1000, 768000, "44100", "Hz; songs of other rates are resampled"),
    INTEGER("data.channels", 1, 16, "2", "of the audio"),
    NUMBER("data.segment", 0.01, 600, "10", "seconds of an example"),
    NUMBER("data.stride", 0, 600, "1", "seconds between a song's examples; 0: segment"),
    INTEGER("data.batch", 1, 4096, "4", "examples of a step"),
    INTEGER("data.threads", 0, 64, "1", "that read ahead; 0: read when needed"),
    CHOICE(
        "data.normalise", "none|track", "none",
        "track: each song by mean and deviation of its mixture, as Demucs does; so will separate"),
    BOOL("data.shuffle", "true", "another order in each epoch"),
    NUMBER("data.augment.remix", 0, 1, "0", "probability of mixing stems across songs"),
    INTEGER("data.augment.remix_group", 0, 4096, "0", "examples that mix; 0: all of a batch"),
    NUMBER("data.augment.gain", 0, 1, "0", "probability of random gains"),
    NUMBER("data.augment.gain_min", 0, 10, "0.25", "least gain"),
    NUMBER("data.augment.gain_max", 0, 10, "1.25", "largest gain"),
    BOOL("data.augment.swap_channels", "false", "half of the stems"),
    BOOL("data.augment.flip_sign", "false", "half of the stems"),
    NUMBER("data.augment.shift", 0, 60, "0", "seconds, at most"),
    NUMBER("data.augment.silence", 0, 1, "0", "probability of silence for a stem"),
    NUMBER("data.augment.repitch", 0, 1, "0", "probability of another pitch and tempo"),
    INTEGER("data.augment.pitch_max", 0, 12, "2", "semitones"),
    NUMBER("data.augment.tempo_max", 0, 50, "12", "percent"),
    { "loss.terms", RV_CONFIG_ANY, 0, 0, NULL, "[{\"kind\": \"l1\"}]",
      "list of {kind, weight, ...}; kinds and their keys are at the end of this list" },
    { "loss.stem_weights", RV_CONFIG_NUMBERS, 0, 1e6, NULL, "[]", "empty: all equal" },
    CHOICE("optimiser.kind", "adam|adamw|sgd", "adam", "PyTorch's formulas"),
    NUMBER("optimiser.lr", 0, 100, "3e-4", "learning rate"),
    NUMBER("optimiser.beta1", 0, 0.999999, "0.9", "Adam"),
    NUMBER("optimiser.beta2", 0, 0.9999999, "0.999", "Adam"),
    NUMBER("optimiser.eps", 0, 1, "1e-8", "Adam"),
    NUMBER("optimiser.weight_decay", 0, 100, "0", "AdamW: decoupled"),
    NUMBER("optimiser.momentum", 0, 0.999999, "0", "SGD"),
    BOOL("optimiser.nesterov", "false", "SGD"),
    NUMBER("optimiser.clip_norm", 0, 1e9, "0", "largest norm of all gradients; 0: any"),
    CHOICE("schedule.kind", "constant|exponential|plateau|cosine|multi_step", "constant",
           "of the learning rate"),
    INTEGER("schedule.warmup_steps", 0, 1e9, "0", "linear, from 0"),
    NUMBER("schedule.factor", 1e-9, 1, "", "exponential 0.98, plateau and multi_step 0.1"),
    INTEGER("schedule.every", 1, 1e9, "10000", "exponential: steps for each factor"),
    BOOL("schedule.staircase", "false", "exponential"),
    INTEGER("schedule.total_steps", 0, 1e12, "100000", "cosine"),
    NUMBER("schedule.min_lr", 0, 100, "0", "plateau, cosine"),
    INTEGER("schedule.patience", 0, 1e6, "10", "plateau: epochs without gain that are borne"),
    { "schedule.milestones", RV_CONFIG_NUMBERS, 0, 1e12, NULL, "[]", "multi_step: steps" },
    { "train.out", RV_CONFIG_TEXT, 0, 0, NULL, NULL, "folder of the run" },
    { "train.init", RV_CONFIG_TEXT, 0, 0, NULL, "", "checkpoint to start from, where names fit" },
    { "train.freeze", RV_CONFIG_TEXTS, 0, 0, NULL, "[]", "patterns of parameters' names" },
    INTEGER("train.seed", 0, 9007199254740991, "0", "of weights, data and augmentation"),
    INTEGER("train.epochs", 1, 1e9, "100", "at most"),
    INTEGER("train.steps", 0, 1e12, "0", "of an epoch at most; 0: all the data has"),
    INTEGER("train.accumulate", 1, 4096, "1", "batches for each step"),
    BOOL("train.recompute", "false",
         "compute values again for the gradient: the same bits in less memory and more time"),
    { "train.ema", RV_CONFIG_NUMBERS, 0, 0.9999999, NULL, "[]",
      "decays of averaged weights; the first is the one that is validated and released" },
    INTEGER("train.patience", 0, 1e9, "0", "epochs without gain before stopping; 0: never stop"),
    INTEGER("train.save_every", 0, 1e12, "0", "steps; 0: at the end of epochs"),
    INTEGER("train.log_every", 1, 1e9, "10", "steps"),
};
enum { N_ROWS = sizeof rows / sizeof *rows };

char *rv_recipe_help(void)
{
    char *keys = rv_config_help(rows, N_ROWS), *terms = rv_loss_help(), *all = NULL;
    if (keys && terms && (all = malloc(strlen(keys) + strlen(terms) + 1)))
        strcat(strcpy(all, keys), terms);
    free(keys);
    free(terms);
    return all;
}

/* Values, by their path; they are there, and of their kind. --------------------------- */

static json_t *value(const rv_recipe *r, const char *path)
{
    json_t *v = r->values;
    for (const char *at = path; v && *at;) {
        const size_t n = strcspn(at, ".");
        char key[64];
        memcpy(key, at, n < sizeof key - 1 ? n : sizeof key - 1);
        key[n < sizeof key - 1 ? n : sizeof key - 1] = '\0';
        v = json_object_get(v, key);
        at += n + (at[n] == '.');
    }
    return v;
}

static double number(const rv_recipe *r, const char *path)
{
    return json_number_value(value(r, path));
}

static uint64_t integer(const rv_recipe *r, const char *path)
{
    return (uint64_t)json_integer_value(value(r, path));
}

static bool flag(const rv_recipe *r, const char *path)
{
    return json_is_true(value(r, path));
}

/* NULL for an empty text. */
static const char *text(const rv_recipe *r, const char *path)
{
    const char *t = json_string_value(value(r, path));
    return t && *t ? t : NULL;
}

static size_t choice(const rv_recipe *r, const char *path, const char *const *names)
{
    size_t i = 0;
    while (names[i] && strcmp(names[i], text(r, path)) != 0)
        i++;
    return i;
}

/* Parts ------------------------------------------------------------------------------- */

static size_t frames(const rv_recipe *r, const char *path)
{
    return (size_t)llround(number(r, path) * number(r, "data.sample_rate"));
}

static void read_augment(rv_recipe *r, rv_augment *a)
{
    *a = rv_augment_none();
    a->remix = number(r, "data.augment.remix");
    a->remix_group = integer(r, "data.augment.remix_group");
    a->gain = number(r, "data.augment.gain");
    a->gain_min = number(r, "data.augment.gain_min");
    a->gain_max = number(r, "data.augment.gain_max");
    a->swap_channels = flag(r, "data.augment.swap_channels");
    a->flip_sign = flag(r, "data.augment.flip_sign");
    a->shift = frames(r, "data.augment.shift");
    a->silence = number(r, "data.augment.silence");
    a->repitch = number(r, "data.augment.repitch");
    a->pitch_max = (int)integer(r, "data.augment.pitch_max");
    a->tempo_max = number(r, "data.augment.tempo_max");
}

static void read_data(rv_recipe *r)
{
    rv_examples_config *e = &r->examples;
    *e = rv_examples_defaults();
    e->sample_rate = (int)integer(r, "data.sample_rate");
    e->channels = (int)integer(r, "data.channels");
    e->segment = frames(r, "data.segment");
    e->stride = frames(r, "data.stride");
    e->batch = integer(r, "data.batch");
    e->seed = integer(r, "train.seed");
    e->shuffle = flag(r, "data.shuffle");
    read_augment(r, &e->augment);
    r->normalise = strcmp(text(r, "data.normalise"), "track") == 0;
    r->data_threads = (int)integer(r, "data.threads");
}

static rv_status read_stems(rv_recipe *r, rv_error *err)
{
    const json_t *list = value(r, "data.stems");
    const size_t n = json_array_size(list);
    if (n == 0 || n > RV_MAX_STEMS)
        return RV_FAIL(err, RV_ERR_ARG, "data.stems: %zu stems, 1 to %d are expected", n,
                       RV_MAX_STEMS);
    for (size_t i = 0; i < n; i++)
        r->stems[i] = json_string_value(json_array_get(list, i));
    return RV_OK;
}

static rv_status read_songs(rv_recipe *r, rv_error *err)
{
    static const char *const missing[] = { "auto", "error", "silence", "skip", NULL };
    rv_track_query *q = &r->songs;
    q->root = text(r, "data.root");
    q->layout = text(r, "data.layout");
    q->stems = r->stems;
    q->n_stems = json_array_size(value(r, "data.stems"));
    q->missing = (rv_missing)choice(r, "data.missing", missing);
    q->train_split = text(r, "data.train_split");
    q->valid_split = text(r, "data.valid_split");
    q->valid_fraction = number(r, "data.valid_fraction");
    q->seed = integer(r, "train.seed");
    RV_TRY(rv_texts_read(&q->valid_songs, &q->n_valid_songs, value(r, "data.valid_songs"),
                         "data.valid_songs", &r->arena, err));
    return rv_submix_read(&q->submixes, &q->n_submixes, value(r, "data.submix"), "data.submix",
                          &r->arena, err);
}

static void read_optimiser(rv_recipe *r)
{
    static const char *const kinds[] = { "adam", "adamw", "sgd", NULL };
    rv_optimiser_config *o = &r->optimiser;
    *o = rv_optimiser_defaults((rv_optimiser_kind)choice(r, "optimiser.kind", kinds));
    o->lr = number(r, "optimiser.lr");
    o->beta1 = number(r, "optimiser.beta1");
    o->beta2 = number(r, "optimiser.beta2");
    o->eps = number(r, "optimiser.eps");
    o->weight_decay = number(r, "optimiser.weight_decay");
    o->momentum = number(r, "optimiser.momentum");
    o->nesterov = flag(r, "optimiser.nesterov");
    o->clip_norm = number(r, "optimiser.clip_norm");
}

static rv_status read_schedule(rv_recipe *r, rv_error *err)
{
    static const char *const kinds[] = { "constant", "exponential", "plateau",
                                         "cosine",   "multi_step",  NULL };
    rv_schedule_config *s = &r->schedule;
    const json_t *milestones = value(r, "schedule.milestones");
    *s = rv_schedule_defaults((rv_schedule_kind)choice(r, "schedule.kind", kinds),
                              number(r, "optimiser.lr"));
    if (value(r, "schedule.factor"))
        s->factor = number(r, "schedule.factor");
    s->warmup_steps = integer(r, "schedule.warmup_steps");
    s->every = integer(r, "schedule.every");
    s->staircase = flag(r, "schedule.staircase");
    s->total_steps = integer(r, "schedule.total_steps");
    s->min_lr = number(r, "schedule.min_lr");
    s->patience = integer(r, "schedule.patience");
    s->n_milestones = json_array_size(milestones);
    if (s->n_milestones > RV_MAX_MILESTONES)
        return RV_FAIL(err, RV_ERR_ARG, "schedule.milestones: at most %d", RV_MAX_MILESTONES);
    for (size_t i = 0; i < s->n_milestones; i++)
        s->milestones[i] = (uint64_t)json_number_value(json_array_get(milestones, i));
    return rv_schedule_check(s, err);
}

static rv_status read_run(rv_recipe *r, rv_error *err)
{
    const json_t *decays = value(r, "train.ema");
    r->out = text(r, "train.out");
    r->init = text(r, "train.init");
    r->seed = integer(r, "train.seed");
    r->epochs = integer(r, "train.epochs");
    r->steps = integer(r, "train.steps");
    r->accumulate = integer(r, "train.accumulate");
    r->recompute = flag(r, "train.recompute");
    r->save_every = integer(r, "train.save_every");
    r->log_every = integer(r, "train.log_every");
    r->stopping.patience = integer(r, "train.patience") ? integer(r, "train.patience") : UINT64_MAX;
    r->n_averages = json_array_size(decays);
    if (r->n_averages > RV_MAX_AVERAGES)
        return RV_FAIL(err, RV_ERR_ARG, "train.ema: at most %d decays", RV_MAX_AVERAGES);
    for (size_t i = 0; i < r->n_averages; i++)
        r->average[i] = json_number_value(json_array_get(decays, i));
    return RV_OK;
}

/* The model ----------------------------------------------------------------------------- */

static bool takes(const rv_model_def *def, const char *name)
{
    for (const char *const *p = def->positional; p && *p; p++)
        if (!strcmp(*p, name))
            return true;
    return false;
}

/* What the data says, under the names the model's constructor has for it. */
static void add_from_data(rv_recipe *r)
{
    json_t *a = r->model_arguments;
    json_object_set(a, "sources", value(r, "data.stems"));
    json_object_set(a, "audio_channels", value(r, "data.channels"));
    json_object_set(a, "samplerate", value(r, "data.sample_rate"));
    if (takes(r->def, "segment"))
        json_object_set(a, "segment", value(r, "data.segment"));
    else if (takes(r->def, "segment_length"))
        json_object_set_new(a, "segment_length", json_integer((json_int_t)r->examples.segment));
}

/* Examples as long as the model wants them. */
static rv_status fit_segment(rv_recipe *r, rv_error *err)
{
    r->scored = r->examples.segment;
    r->examples.segment = r->def->valid_length(r->model, &r->info, r->scored);
    if (r->examples.segment == 0)
        return RV_FAIL(err, RV_ERR_ARG, "data.segment: %zu frames are more than the model takes",
                       r->scored);
    return RV_OK;
}

static rv_status read_model(rv_recipe *r, rv_error *err)
{
    rv_args args;
    r->def = rv_model_find(text(r, "model.name") ? text(r, "model.name") : "");
    if (!r->def)
        return RV_FAIL(err, RV_ERR_ARG, "model.name: there is no model '%s'",
                       text(r, "model.name") ? text(r, "model.name") : "");
    r->model_arguments = json_copy(value(r, "model.arguments"));
    add_from_data(r);
    json_t *config = json_pack("{sO}", "kwargs", r->model_arguments);
    r->model = calloc(1, r->def->config_size + 1);
    rv_status st = config && r->model ? RV_OK : RV_FAIL(err, RV_ERR_NOMEM, "a model");
    if (st == RV_OK)
        st = rv_arguments_read(&args, config, r->def->positional, &r->arena, err);
    if (st == RV_OK)
        st = r->def->configure(r->model, &r->info, &args, err);
    json_decref(config);
    return st == RV_OK ? fit_segment(r, err) : st;
}

static rv_status read_all(rv_recipe *r, const char *path, const char *const *overrides, size_t n,
                          rv_error *err)
{
    json_t *origins = NULL;
    RV_TRY(rv_config_load(&r->values, &origins, path, overrides, n, err));
    rv_status st = rv_config_check(r->values, origins, rows, N_ROWS, err);
    if (st == RV_OK)
        st = rv_loss_read(&r->loss, r->values, origins, json_array_size(value(r, "data.stems")),
                          err);
    json_decref(origins);
    RV_TRY(st);
    if (!text(r, "data.root") || !text(r, "train.out"))
        return RV_FAIL(err, RV_ERR_ARG, "%s: data.root and train.out must not be empty", path);
    RV_TRY(read_stems(r, err));
    RV_TRY(read_songs(r, err));
    read_data(r);
    RV_TRY(rv_augment_check(&r->examples.augment, r->examples.batch, err));
    read_optimiser(r);
    RV_TRY(read_schedule(r, err));
    RV_TRY(read_run(r, err));
    return read_model(r, err);
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
    json_decref(r->model_arguments);
    rv_arena_fini(&r->arena);
    free(r->model);
    free(r);
}
