/* task_inverse.c - see task_inverse.h.
 *
 *   J. Engel, R. Swavely, L. Hantrakul, A. Roberts and C. Hawthorne, "Self-supervised Pitch
 *   Detection by Inverse Audio Synthesis", ICML 2020 Workshop on Self-supervision in Audio and
 *   Speech
 *
 * Batch `index` is notes index * batch, index * batch + 1, ..., and a batch of the songs; notes to
 * validate on are numbered from valid_notes on. */
#include "train/task_inverse.h"

#include "base/status.h"
#include "data/layout.h"
#include "ddsp/synth_noise.h"
#include "infer/arguments.h"
#include "train/examples.h"
#include "train/inversion.h"
#include "train/recipe.h"
#include "train/recipe_keys.h"
#include "train/recipe_values.h"
#include "train/synthetic_notes.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const rv_config_key keys[] = {
    { "model.arguments", RV_CONFIG_MAPPING, 0, 0, NULL, "{}",
      "src/models/ddsp_inverse_config.c lists them; the rate comes from data" },
    { "data.root", RV_CONFIG_TEXT, 0, 0, NULL, "", "songs; empty: synthetic notes alone" },
    { "data.stems", RV_CONFIG_TEXTS, 0, 0, NULL, "[\"other\"]", "the one that is heard, [violin]" },
    RV_KEY_INTEGER("data.sample_rate", 1000, 192000, "16000",
                   "Hz; songs of other rates are resampled"),
    RV_KEY_NUMBER("data.segment", 0.01, 600, "4", "seconds of an example, made whole frames"),
    RV_KEY_INTEGER("data.batch", 1, 4096, "16", "examples of a step: notes, and as many of songs"),
    RV_KEY_NUMBER("data.notes.lowest", 0, 127, "24", "MIDI note"),
    RV_KEY_NUMBER("data.notes.highest", 0, 127, "84", "MIDI note"),
    RV_KEY_NUMBER("data.notes.shortest", 0.001, 60, "0.16", "seconds"),
    RV_KEY_NUMBER("data.notes.longest", 0.001, 60, "0.8", "seconds"),
    RV_KEY_NUMBER("data.notes.fall", 0, 60, "0", "dB an octave that harmonics fall at most"),
    RV_KEY_NUMBER("data.notes.few", 0, 1, "0", "share of notes of but the first harmonics, or one"),
    RV_KEY_NUMBER("data.notes.quiet", 0, 60, "0", "dB that an example is quieter at most"),
    RV_KEY_INTEGER("data.notes.valid", 1, 100000, "32", "examples to validate on"),
    RV_KEY_NUMBER("loss.sinusoids", 0, 1e6, "1", "weight: sinusoids of the notes, by densities"),
    RV_KEY_NUMBER("loss.deviation", 1e-3, 100, "0.1", "semitones, of those densities"),
    RV_KEY_NUMBER("loss.level", 0, 1e6, "1", "weight within them: mean amplitudes"),
    RV_KEY_NUMBER("loss.amplitude", 0, 1e6, "1", "weight: of the notes"),
    RV_KEY_NUMBER("loss.distribution", 0, 1e6, "1", "weight: harmonics of the notes"),
    RV_KEY_NUMBER("loss.f0", 0, 1e6, "1", "weight: of the notes, semitones"),
    RV_KEY_NUMBER("loss.pitch_shares", 0, 1e6, "0",
                  "weight: cross entropy of the pitches whose mean is f0"),
    RV_KEY_NUMBER("loss.noise", 0, 1e6, "1", "weight: noise of the notes"),
    RV_KEY_NUMBER("loss.consistency", 0, 1e6, "1", "weight: harmonics against sinusoids"),
    RV_KEY_NUMBER("loss.audio", 0, 1e6, "0", "weight: loss.terms of what is resynthesised"),
    { "loss.terms", RV_CONFIG_ANY, 0, 0, NULL, "[{\"kind\": \"spectral\", \"logmag\": 1}]",
      "list of {kind, weight, ...}" },
    { 0 },
};

static const rv_train_measure measures[] = { { "raw_pitch", "raw pitch accuracy", "%", 0 } };

enum { STEPS_WITHOUT_SONGS = 1000 };
static const uint64_t valid_notes = (uint64_t)1 << 62;
static const double sounding = 0.01; /* amplitude from which on a pitch is asked for */

/* Recipe --------------------------------------------------------------------------------- */

typedef struct {
    json_t *arguments;
    rv_inverse_config model;
    rv_notes_config notes;
    rv_inversion_weights weights;
    size_t valid;
} config;

static bool learns(const char *model)
{
    return strcmp(model, "ddsp_inv") == 0;
}

static void release_config(void *own)
{
    config *c = own;
    json_decref(c->arguments);
}

static rv_status configure(void *to, const rv_args *args, rv_error *err)
{
    return rv_inverse_configure(to, args, err);
}

static rv_status read_model(config *c, const rv_recipe *r, rv_error *err)
{
    c->arguments = json_deep_copy(rv_recipe_value(r->values, "model.arguments"));
    json_object_set(c->arguments, "sample_rate", rv_recipe_value(r->values, "data.sample_rate"));
    return rv_arguments_apply(configure, &c->model, c->arguments, err);
}

/* Seconds -> frames of controls */
static size_t frames_of(const config *c, const rv_recipe *r, const char *key)
{
    const rv_mel_config *mel = &c->model.sinusoidal.mel;
    const double frames = rv_recipe_number(r->values, key) * mel->sample_rate / (double)mel->hop;
    return frames > 1 ? (size_t)(frames + 0.5) : 1;
}

static rv_status read_notes(config *c, const rv_recipe *r, rv_error *err)
{
    rv_notes_config *n = &c->notes;
    *n = rv_notes_defaults();
    n->frames = r->segment / c->model.sinusoidal.mel.hop;
    n->n_harmonic = c->model.harmonic.n_harmonic;
    n->bands = c->model.sinusoidal.bands;
    n->sample_rate = r->sample_rate;
    n->seed = r->seed;
    n->note_min = rv_recipe_number(r->values, "data.notes.lowest");
    n->note_max = rv_recipe_number(r->values, "data.notes.highest");
    n->fall = rv_recipe_number(r->values, "data.notes.fall");
    n->few = rv_recipe_number(r->values, "data.notes.few");
    n->quiet = rv_recipe_number(r->values, "data.notes.quiet");
    n->shortest = frames_of(c, r, "data.notes.shortest");
    n->longest = frames_of(c, r, "data.notes.longest");
    c->valid = rv_recipe_integer(r->values, "data.notes.valid");
    if (n->frames == 0)
        return RV_FAIL(err, RV_ERR_ARG, "data.segment: %zu frames are less than one of %zu",
                       r->segment, c->model.sinusoidal.mel.hop);
    if (n->shortest > n->longest || n->note_min > n->note_max)
        return RV_FAIL(err, RV_ERR_ARG,
                       "data.notes: shortest must not be above longest, nor "
                       "lowest above highest");
    return RV_OK;
}

static void read_weights(rv_inversion_weights *w, const rv_recipe *r)
{
    w->sinusoids = rv_recipe_number(r->values, "loss.sinusoids");
    w->deviation = rv_recipe_number(r->values, "loss.deviation");
    w->level = rv_recipe_number(r->values, "loss.level");
    w->amplitude = rv_recipe_number(r->values, "loss.amplitude");
    w->distribution = rv_recipe_number(r->values, "loss.distribution");
    w->f0 = rv_recipe_number(r->values, "loss.f0");
    w->pitch_shares = rv_recipe_number(r->values, "loss.pitch_shares");
    w->noise = rv_recipe_number(r->values, "loss.noise");
    w->consistency = rv_recipe_number(r->values, "loss.consistency");
    w->audio = rv_recipe_number(r->values, "loss.audio");
}

static rv_status read_config(void *own, const rv_recipe *r, rv_error *err)
{
    config *c = own;
    if (r->songs.n_stems != 1)
        return RV_FAIL(err, RV_ERR_ARG, "data.stems: %zu stems, one is expected", r->songs.n_stems);
    read_weights(&c->weights, r);
    RV_TRY(read_model(c, r, err));
    return read_notes(c, r, err);
}

static json_t *identity(const rv_recipe *r)
{
    json_t *data = json_deep_copy(json_object_get(r->values, "data"));
    json_object_del(data, "threads");
    return data;
}

/* Data ------------------------------------------------------------------------------------ */

typedef struct {
    const rv_recipe *recipe;
    const config *config;
    rv_inversion inversion;
    rv_track_list *list; /* NULL, as what follows from it, where there are no songs */
    rv_track_cache *songs;
    rv_examples *examples;
    float *stem; /* the same as the mix */
    float *in[RV_INVERSION_INPUTS];
} work;

static rv_status open_songs(work *w, rv_train_report *report, rv_error *err)
{
    const rv_recipe *r = w->recipe;
    rv_examples_config e = rv_examples_defaults();
    rv_track_query query = r->songs;
    query.split = "train";
    e.sample_rate = r->sample_rate;
    e.channels = 1;
    e.segment = rv_inversion_size(&w->inversion, RV_INVERSION_NOISE);
    e.stride = r->stride;
    e.batch = r->batch;
    e.seed = r->seed;
    e.shuffle = r->shuffle;
    RV_TRY(rv_track_list_find(&w->list, &query, err));
    RV_TRY(rv_track_cache_new(&w->songs, w->list, err));
    RV_TRY(rv_track_cache_check_sound(w->songs, err));
    snprintf(report->layout, sizeof report->layout, "%s", w->list->layout->name);
    report->train_songs = w->list->n;
    report->silent_songs = w->songs->n_silent;
    return rv_examples_new(&w->examples, &e, w->songs, r->data_threads, err);
}

static rv_status take_memory(work *w, rv_error *err)
{
    const size_t batch = w->recipe->batch;
    bool ok = true;
    for (int i = 0; i < RV_INVERSION_INPUTS; i++) {
        const size_t n = rv_inversion_size(&w->inversion, i);
        if (n > 0)
            ok = (w->in[i] = calloc(batch, n * sizeof(float))) && ok;
    }
    const size_t samples = rv_inversion_size(&w->inversion, RV_INVERSION_AUDIO);
    if (samples > 0)
        ok = (w->stem = calloc(batch, samples * sizeof(float))) && ok;
    return ok ? RV_OK : RV_FAIL(err, RV_ERR_NOMEM, "a batch of %zu examples", batch);
}

static void close_work(void *own)
{
    work *w = own;
    rv_examples_free(w->examples);
    rv_track_cache_free(w->songs);
    rv_track_list_free(w->list);
    for (int i = 0; i < RV_INVERSION_INPUTS; i++)
        free(w->in[i]);
    free(w->stem);
}

static rv_status open_work(void *own, const rv_recipe *r, const rv_train_options *options,
                           rv_train_report *report, rv_error *err)
{
    work *w = own;
    (void)options;
    w->recipe = r;
    w->config = r->task_config;
    w->inversion = (rv_inversion){ &w->config->model, &r->loss, w->config->weights,
                                   w->config->notes.frames, r->songs.root != NULL };
    snprintf(report->layout, sizeof report->layout, "notes");
    RV_TRY(take_memory(w, err));
    return w->inversion.real ? open_songs(w, report, err) : RV_OK;
}

static size_t batches(const void *own)
{
    const work *w = own;
    if (w->examples)
        return rv_examples_steps_per_epoch(w->examples);
    return w->recipe->steps ? w->recipe->steps : STEPS_WITHOUT_SONGS;
}

/* Where example i of an input begins. */
static float *example_of(const work *w, rv_inversion_input input, size_t i)
{
    return w->in[input] + i * rv_inversion_size(&w->inversion, input);
}

/* Notes `index` as example i, with their noise. */
static void fill_notes(const work *w, size_t i, uint64_t index)
{
    const config *c = w->config;
    rv_notes_fill(&c->notes, index, example_of(w, RV_INVERSION_AMPLITUDE, i),
                  example_of(w, RV_INVERSION_DISTRIBUTION, i), example_of(w, RV_INVERSION_F0, i),
                  example_of(w, RV_INVERSION_MAGNITUDES, i));
    /* Another stream than the notes' own. */
    rv_noise_fill(example_of(w, RV_INVERSION_NOISE, i),
                  rv_inversion_size(&w->inversion, RV_INVERSION_NOISE), ~c->notes.seed, index);
}

static rv_status fill(void *own, uint64_t index, const float *const **in, rv_error *err)
{
    work *w = own;
    const size_t batch = w->recipe->batch;
    *in = (const float *const *)w->in;
    for (size_t i = 0; i < batch; i++)
        fill_notes(w, i, index * batch + i);
    if (!w->examples)
        return RV_OK;
    return rv_examples_fill(w->examples, index, w->in[RV_INVERSION_AUDIO], w->stem, err);
}

/* Learner and validation ------------------------------------------------------------------- */

static rv_status make_learner(rv_learner **out, void *own, rv_pool *pool, rv_error *err)
{
    work *w = own;
    return rv_inversion_learner(out, &w->inversion, w->recipe->batch, w->recipe->recompute, pool,
                                err);
}

static bool can_validate(const void *own)
{
    (void)own;
    return true;
}

typedef struct {
    double loss;
    size_t right, asked;
} sums;

/* Frames whose pitch is less than half a semitone off, of those that sound. */
static void count_pitches(const work *w, const float *estimate, sums *s)
{
    const float *f0 = w->in[RV_INVERSION_F0], *amplitude = w->in[RV_INVERSION_AMPLITUDE];
    for (size_t t = 0; t < w->inversion.frames; t++) {
        const double off = 12 * log2((double)estimate[2 * t] / (double)f0[t]);
        s->asked += (double)amplitude[t] >= sounding;
        s->right += (double)amplitude[t] >= sounding && fabs(off) <= 0.5;
    }
}

/* On notes alone, beside which real sound is silence. */
static rv_status validate(void *own, rv_learner *l, double *loss, double *values, rv_error *err)
{
    work *w = own;
    sums s = { 0 };
    (void)err;
    if (w->inversion.real)
        memset(w->in[RV_INVERSION_AUDIO], 0,
               rv_inversion_size(&w->inversion, RV_INVERSION_AUDIO) * sizeof(float));
    for (size_t i = 0; i < w->config->valid; i++) {
        const float *estimate;
        fill_notes(w, 0, valid_notes + i);
        s.loss += rv_learner_estimate(l, (const float *const *)w->in, &estimate);
        count_pitches(w, estimate, &s);
    }
    *loss = s.loss / (double)w->config->valid;
    values[0] = s.asked ? 100 * (double)s.right / (double)s.asked : 0;
    return RV_OK;
}

static json_t *release(const void *own)
{
    const work *w = own;
    return json_pack("{sss[]sO}", "class", RV_INVERSE_CLASS, "args", "kwargs",
                     w->config->arguments);
}

const rv_task rv_task_inverse = {
    .about = "ddsp_inv",
    .keys = keys,
    .measures = measures,
    .n_measures = sizeof measures / sizeof *measures,
    .without_songs = true,
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
