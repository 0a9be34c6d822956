/* task_autoencoder.c - see task_autoencoder.h.
 *
 *   J. Engel, L. Hantrakul, C. Gu and A. Roberts, "DDSP: Differentiable Digital Signal
 *   Processing", ICLR 2020, arXiv:2001.04643 */
#include "train/task_autoencoder.h"

#include "base/status.h"
#include "ddsp/synth_noise.h"
#include "train/autoencoder_recipe.h"
#include "train/feature_recipe.h"
#include "train/phrase_data.h"
#include "train/phrase_distance.h"
#include "train/resynthesis.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const rv_train_measure measures[] = { { "loudness_l1", "loudness L1", "dB", 0 },
                                             { "f0_l1", "f0 L1", "semitones", 0 },
                                             { "f0_lost", "f0 lost", "%", 0 } };

/* Streams of random numbers beside those of the batches. */
enum { REVERB_STREAM = 1 };
static const uint64_t valid_steps = (uint64_t)1 << 62; /* batches are below, phrases of validation
                                                           from here on */

/* Recipe --------------------------------------------------------------------------------- */

static bool learns(const char *model)
{
    return strcmp(model, "ddsp_autoencoder") == 0;
}

static void release_config(void *config)
{
    rv_autoencoder_recipe_fini(config);
}

static rv_status read_config(void *config, const rv_recipe *r, rv_error *err)
{
    return rv_autoencoder_recipe_read(config, r, err);
}

static json_t *identity(const rv_recipe *r)
{
    const rv_autoencoder_recipe *a = r->task_config;
    return rv_feature_recipe_identity(r, a->crepe);
}

/* Data ------------------------------------------------------------------------------------ */

typedef struct {
    const rv_recipe *recipe;
    const rv_autoencoder_recipe *own;
    rv_phrase_data data;
    json_t *arguments; /* of the model, with the statistics of the data */
    rv_autoencoder_config model;
    rv_resynthesis resynthesis;
    float *in[RV_RESYNTHESIS_INPUTS]; /* of a batch; NULL: there is no such input */
    float *confidence;
    bool *voiced; /* of a phrase */
} work;

/* The model with what the data says of it. */
static rv_status configure(work *w, rv_error *err)
{
    rv_phrase_statistics s;
    if (!(w->arguments = json_deep_copy(w->own->arguments)))
        return RV_FAIL(err, RV_ERR_NOMEM, "a model");
    RV_TRY(rv_phrases_statistics(w->data.train, &s, err));
    RV_TRY(rv_autoencoder_add_statistics(w->arguments, &s, err));
    RV_TRY(rv_autoencoder_from_json(&w->model, w->arguments, err));
    w->resynthesis =
        (rv_resynthesis){ &w->model, &w->recipe->loss, rv_phrases_shape(w->data.train).frames };
    return RV_OK;
}

static rv_status take_memory(work *w, rv_error *err)
{
    const size_t batch = w->recipe->batch;
    bool ok = (w->confidence = calloc(batch, w->resynthesis.frames * sizeof(float)));
    ok = (w->voiced = calloc(w->resynthesis.frames, sizeof *w->voiced)) && ok;
    for (int i = 0; i < RV_RESYNTHESIS_INPUTS; i++) {
        const size_t n = rv_resynthesis_size(&w->resynthesis, i);
        if (n > 0)
            ok = (w->in[i] = calloc(batch, n * sizeof(float))) && ok;
    }
    return ok ? RV_OK : RV_FAIL(err, RV_ERR_NOMEM, "a batch of %zu phrases", batch);
}

static void close_work(void *own)
{
    work *w = own;
    rv_phrase_data_close(&w->data);
    json_decref(w->arguments);
    for (int i = 0; i < RV_RESYNTHESIS_INPUTS; i++)
        free(w->in[i]);
    free(w->confidence);
    free(w->voiced);
}

static rv_status open_work(void *own, const rv_recipe *r, const rv_train_options *options,
                           rv_train_report *report, rv_error *err)
{
    work *w = own;
    w->recipe = r;
    w->own = r->task_config;
    RV_TRY(rv_phrase_data_open(&w->data, r, &w->own->phrases, w->own->crepe, options, report, err));
    RV_TRY(configure(w, err));
    return take_memory(w, err);
}

static size_t batches(const void *own)
{
    const work *w = own;
    return rv_phrases_steps_per_epoch(w->data.train);
}

static rv_phrase_batch batch_of(const work *w)
{
    return (rv_phrase_batch){ .audio = w->in[RV_RESYNTHESIS_AUDIO],
                              .f0 = w->in[RV_RESYNTHESIS_F0],
                              .confidence = w->confidence,
                              .loudness = w->in[RV_RESYNTHESIS_LOUDNESS],
                              .mfcc = w->in[RV_RESYNTHESIS_MFCC] };
}

/* Of so many examples; the same whenever the step is taken again. */
static void fill_noise(work *w, size_t examples, uint64_t step)
{
    const rv_resynthesis *r = &w->resynthesis;
    const uint64_t seed = w->recipe->seed;
    rv_noise_fill(w->in[RV_RESYNTHESIS_NOISE],
                  examples * rv_resynthesis_size(r, RV_RESYNTHESIS_NOISE), seed, step);
    rv_noise_fill(w->in[RV_RESYNTHESIS_REVERB_NOISE],
                  rv_resynthesis_size(r, RV_RESYNTHESIS_REVERB_NOISE), seed + REVERB_STREAM, step);
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
    return rv_resynthesis_learner(out, &w->resynthesis, w->recipe->batch, w->recipe->recompute,
                                  pool, err);
}

static json_t *release(const void *own)
{
    const work *w = own;
    return json_pack("{sss[]sO}", "class", RV_AUTOENCODER_CLASS, "args", "kwargs", w->arguments);
}

/* Validation ------------------------------------------------------------------------------ */

typedef struct {
    double loss;
    size_t n;
    rv_phrase_distance distance;
} sums;

static bool can_validate(const void *own)
{
    const work *w = own;
    return w->data.valid != NULL;
}

static rv_status add_distance(const work *w, const float *estimate, sums *s, rv_error *err)
{
    const rv_phrases_config *c = &w->own->phrases;
    const rv_phrase_meter meter = { c->sample_rate, c->frame_rate, c->align, c->f0_min, c->f0_max };
    const rv_phrase_sound want = { .audio = w->in[RV_RESYNTHESIS_AUDIO],
                                   .f0 = w->in[RV_RESYNTHESIS_F0],
                                   .voiced = w->voiced,
                                   .samples =
                                       rv_resynthesis_size(&w->resynthesis, RV_RESYNTHESIS_AUDIO),
                                   .frames = w->resynthesis.frames };
    return rv_phrase_distance_add(&s->distance, &meter, estimate, &want, err);
}

/* Example i of a song. */
static rv_status add_example(work *w, rv_learner *l, size_t song, size_t i, sums *s, rv_error *err)
{
    rv_phrase_batch batch = batch_of(w);
    const float *estimate;
    batch.voiced = w->voiced;
    RV_TRY(rv_phrases_example(w->data.valid, song, i, &batch, err));
    fill_noise(w, 1, valid_steps + s->n);
    const double loss = rv_learner_estimate(l, (const float *const *)w->in, &estimate);
    s->loss += loss;
    s->n++;
    /* of a loss that is no number there is nothing to be measured */
    return isfinite(loss) ? add_distance(w, estimate, s, err) : RV_OK;
}

static double share(double sum, size_t n)
{
    return n ? sum / (double)n : 0;
}

static rv_status validate(void *own, rv_learner *l, double *loss, double *values, rv_error *err)
{
    work *w = own;
    sums s = { 0 };
    for (size_t song = 0; song < w->data.valid_list->n; song++)
        for (size_t i = 0; i < rv_phrases_of_song(w->data.valid, song); i++)
            RV_TRY(add_example(w, l, song, i, &s, err));
    *loss = share(s.loss, s.n);
    values[0] = share(s.distance.loudness, s.distance.frames);
    values[1] = share(s.distance.pitch, s.distance.both);
    values[2] = 100 * share((double)s.distance.lost, s.distance.voiced);
    return RV_OK;
}

const rv_task rv_task_autoencoder = {
    .about = "ddsp_autoencoder",
    .keys = rv_autoencoder_keys,
    .measures = measures,
    .n_measures = sizeof measures / sizeof *measures,
    .learns = learns,
    .config_size = sizeof(rv_autoencoder_recipe),
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
