/* task_refine.c - see task_refine.h. After DDSP-Demucs (github.com/alehg/ddsp-demucs), train.py and
 * evaluate.py: what is learned is judged by how much nearer it is to the stem than the estimate
 * that it was given, example by example. */
#include "train/task_refine.h"

#include "base/status.h"
#include "ddsp/synth_noise.h"
#include "dsp/median.h"
#include "infer/arguments.h"
#include "train/feature_recipe.h"
#include "train/phrase_data.h"
#include "train/recipe_values.h"
#include "train/refinement.h"
#include "train/stem_distance.h"

#include <math.h>
#include <stdlib.h>

static const rv_config_key keys[] = {
    { "model.arguments", RV_CONFIG_MAPPING, 0, 0, NULL, "{}",
      "docs/ddsp.md lists them; rate and features come from data" },
    { "data.root", RV_CONFIG_TEXT, 0, 0, NULL, NULL,
      "shards of `ravel dataset shards --inputs ESTIMATES`" },
    { "data.stems", RV_CONFIG_TEXTS, 0, 0, NULL, "[\"vocals\"]", "the one that is refined" },
    RV_KEY_INTEGER("data.sample_rate", 1000, 192000, "22050", "Hz, that of the shards"),
    RV_KEY_NUMBER("data.segment", 0.01, 600, "4",
                  "seconds of an example, made whole frames; that of the shards"),
    RV_KEY_INTEGER("data.batch", 1, 4096, "8", "examples of a step, side by side"),
    RV_FEATURE_KEYS,
    RV_KEY_CHOICE("data.features.loudness", "ddsp|ddsp1|ddsp-pytorch", "ddsp", "docs/features.md"),
    { "loss.terms", RV_CONFIG_ANY, 0, 0, NULL,
      "[{\"kind\": \"spectral\", \"logmag\": 0.2, \"delta_freq\": 0.2, \"delta_time\": 0.05}, "
      "{\"kind\": \"mel\", \"n_fft\": 1024, \"lowest\": 50, \"floor\": \"added\"}, "
      "{\"kind\": \"mean_centroid\", \"weight\": 0.05, \"n_fft\": 1024, \"hop\": 256}]",
      "list of {kind, weight, ...}" },
    { 0 },
};

static const rv_train_measure measures[] = {
    { "si_sdr_delta", "median change of SI-SDR", "dB", 0 },
    { "si_sdr", "SI-SDR", "dB", 0 },
    { "si_sdr_stem", "of the separated stem", "dB", 0 },
    { "convergence_delta", "median change of spectral convergence", "", 0 },
    { "convergence", "spectral convergence", "", 0 },
    { "convergence_stem", "of the separated stem", "", 0 },
};
enum { SDR_DELTA, SDR, SDR_STEM, SC_DELTA, SC, SC_STEM, MEASURES };

/* Batches are below, examples of validation from here on. */
static const uint64_t valid_steps = (uint64_t)1 << 62;

/* Recipe --------------------------------------------------------------------------------- */

typedef struct {
    json_t *arguments; /* of the model, as checkpoints hold them */
    rv_refiner_config model;
    rv_phrases_config phrases; /* to train on */
    rv_crepe_f0 *crepe;        /* that finds pitch; NULL: another method */
} config;

static bool learns(const char *model)
{
    return rv_refiner_find(model) != RV_REFINER_KINDS;
}

static void release_config(void *own)
{
    config *c = own;
    json_decref(c->arguments);
    rv_crepe_f0_free(c->crepe);
}

static rv_status configure(void *to, const rv_args *args, rv_error *err)
{
    rv_refiner_config *c = to;
    return rv_refiner_configure(c, c->kind, args, err);
}

static rv_status read_config(void *own, const rv_recipe *r, rv_error *err)
{
    config *c = own;
    rv_phrases_config *p = &c->phrases;
    if (r->songs.n_stems != 1)
        return RV_FAIL(err, RV_ERR_ARG, "data.stems: %zu stems, one is expected", r->songs.n_stems);
    c->model.kind = rv_refiner_find(rv_recipe_text(r->values, "model.name"));
    c->arguments = json_deep_copy(rv_recipe_value(r->values, "model.arguments"));
    if (!c->arguments)
        return RV_FAIL(err, RV_ERR_NOMEM, "a model");
    RV_TRY(rv_phrase_arguments(c->arguments, r, err));
    RV_TRY(rv_arguments_apply(configure, &c->model, c->arguments, err));
    *p = rv_phrase_config(r, (double)c->model.sample_rate / (double)c->model.hop);
    p->f0_method = c->model.f0_method;
    p->f0_min = c->model.f0_min;
    p->f0_max = c->model.f0_max;
    p->loudness = c->model.loudness;
    p->pairs = true;
    return rv_feature_recipe_crepe(&c->crepe, p->f0_method, r, err);
}

static json_t *identity(const rv_recipe *r)
{
    const config *c = r->task_config;
    return rv_feature_recipe_identity(r, c->crepe);
}

/* Data ------------------------------------------------------------------------------------ */

typedef struct {
    const rv_recipe *recipe;
    const config *config;
    rv_phrase_data data;
    rv_refinement refinement;
    float *in[RV_REFINEMENT_INPUTS]; /* of a batch */
    float *confidence;
} work;

static rv_status take_memory(work *w, rv_error *err)
{
    const size_t batch = w->recipe->batch;
    bool ok = (w->confidence = calloc(batch, w->refinement.frames * sizeof(float)));
    for (int i = 0; i < RV_REFINEMENT_INPUTS; i++)
        ok =
            (w->in[i] = calloc(batch, rv_refinement_size(&w->refinement, i) * sizeof(float))) && ok;
    return ok ? RV_OK : RV_FAIL(err, RV_ERR_NOMEM, "a batch of %zu examples", batch);
}

static void close_work(void *own)
{
    work *w = own;
    rv_phrase_data_close(&w->data);
    for (int i = 0; i < RV_REFINEMENT_INPUTS; i++)
        free(w->in[i]);
    free(w->confidence);
}

static rv_status open_work(void *own, const rv_recipe *r, const rv_train_options *options,
                           rv_train_report *report, rv_error *err)
{
    work *w = own;
    w->recipe = r;
    w->config = r->task_config;
    RV_TRY(rv_phrase_data_open(&w->data, r, &w->config->phrases, w->config->crepe, options, report,
                               err));
    const size_t frames = rv_phrases_shape(w->data.train).frames;
    w->refinement = (rv_refinement){ &w->config->model, &r->loss, frames };
    return take_memory(w, err);
}

static size_t batches(const void *own)
{
    const work *w = own;
    return rv_phrases_steps_per_epoch(w->data.train);
}

static rv_phrase_batch batch_of(const work *w)
{
    return (rv_phrase_batch){ .audio = w->in[RV_REFINEMENT_STEM],
                              .f0 = w->in[RV_REFINEMENT_F0],
                              .confidence = w->confidence,
                              .loudness = w->in[RV_REFINEMENT_LOUDNESS],
                              .target = w->in[RV_REFINEMENT_TARGET] };
}

/* Of so many examples; the same whenever the step is taken again. */
static void fill_noise(work *w, size_t examples, uint64_t step)
{
    rv_noise_fill(w->in[RV_REFINEMENT_NOISE],
                  examples * rv_refinement_size(&w->refinement, RV_REFINEMENT_NOISE),
                  w->recipe->seed, step);
}

static rv_status fill(void *own, uint64_t index, const float *const **in, rv_error *err)
{
    work *w = own;
    const rv_phrase_batch batch = batch_of(w);
    *in = (const float *const *)w->in;
    fill_noise(w, w->recipe->batch, index);
    return rv_phrases_fill(w->data.train, index, &batch, err);
}

/* Learner --------------------------------------------------------------------------------- */

static rv_status make_learner(rv_learner **out, void *own, rv_pool *pool, rv_error *err)
{
    work *w = own;
    return rv_refinement_learner(out, &w->refinement, w->recipe->batch, w->recipe->recompute, pool,
                                 err);
}

static json_t *release(const void *own)
{
    const work *w = own;
    const config *c = w->config;
    return json_pack("{sss[]sO}", "class", rv_refiner_defs[c->model.kind].class, "args", "kwargs",
                     c->arguments);
}

/* Validation ------------------------------------------------------------------------------ */

typedef struct {
    double loss;
    size_t n, scored;         /* examples; those that have measures */
    double *values[MEASURES]; /* [n] of each example */
    double *memory;
} scores;

static bool can_validate(const void *own)
{
    const work *w = own;
    return w->data.valid != NULL;
}

static double si_sdr(const float *estimate, const float *target, size_t n)
{
    rv_stem_energies e = { 0 };
    for (size_t t = 0; t < n; t++)
        rv_stem_energies_add(&e, estimate[t], target[t]);
    return e.ss > 0 ? rv_stem_si_sdr(&e) : 0;
}

static rv_status score(const work *w, const float *estimate, scores *s, rv_error *err)
{
    const float *stem = w->in[RV_REFINEMENT_STEM], *target = w->in[RV_REFINEMENT_TARGET];
    const size_t n = rv_refinement_size(&w->refinement, RV_REFINEMENT_TARGET), at = s->scored++;
    s->values[SDR][at] = si_sdr(estimate, target, n);
    s->values[SDR_STEM][at] = si_sdr(stem, target, n);
    s->values[SDR_DELTA][at] = s->values[SDR][at] - s->values[SDR_STEM][at];
    RV_TRY(rv_stem_convergence(&s->values[SC][at], estimate, target, n, err));
    RV_TRY(rv_stem_convergence(&s->values[SC_STEM][at], stem, target, n, err));
    s->values[SC_DELTA][at] = s->values[SC][at] - s->values[SC_STEM][at];
    return RV_OK;
}

/* Example i of a song. */
static rv_status add_example(work *w, rv_learner *l, size_t song, size_t i, scores *s,
                             rv_error *err)
{
    const rv_phrase_batch batch = batch_of(w);
    const float *estimate;
    RV_TRY(rv_phrases_example(w->data.valid, song, i, &batch, err));
    fill_noise(w, 1, valid_steps + s->n++);
    const double loss = rv_learner_estimate(l, (const float *const *)w->in, &estimate);
    s->loss += loss;
    /* of a loss that is no number there is nothing to be measured */
    return isfinite(loss) ? score(w, estimate, s, err) : RV_OK;
}

static rv_status score_all(work *w, rv_learner *l, scores *s, rv_error *err)
{
    const size_t n = rv_phrases_count(w->data.valid);
    s->memory = calloc(n + 1, MEASURES * sizeof *s->memory);
    if (!s->memory)
        return RV_FAIL(err, RV_ERR_NOMEM, "%zu examples", n);
    for (int m = 0; m < MEASURES; m++)
        s->values[m] = s->memory + (size_t)m * n;
    for (size_t song = 0; song < w->data.valid_list->n; song++)
        for (size_t i = 0; i < rv_phrases_of_song(w->data.valid, song); i++)
            RV_TRY(add_example(w, l, song, i, s, err));
    return RV_OK;
}

static rv_status validate(void *own, rv_learner *l, double *loss, double *values, rv_error *err)
{
    scores s = { 0 };
    const rv_status st = score_all(own, l, &s, err);
    for (int m = 0; st == RV_OK && m < MEASURES; m++)
        values[m] = s.scored ? rv_median_sort(s.values[m], s.scored) : 0;
    *loss = s.n ? s.loss / (double)s.n : 0;
    free(s.memory);
    return st;
}

const rv_task rv_task_refine = {
    .about = "ddsp_demucs_decoder, ddsp_demucs_residual, ddsp_demucs_mask_eq",
    .keys = keys,
    .measures = measures,
    .n_measures = MEASURES,
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
