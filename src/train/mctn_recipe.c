/* mctn_recipe.c - see mctn_recipe.h. */
#include "train/mctn_recipe.h"

#include "base/status.h"
#include "infer/arguments.h"
#include "train/recipe_values.h"

#include <stdio.h>

const rv_config_key rv_mctn_keys[] = {
    { "model.arguments", RV_CONFIG_MAPPING, 0, 0, NULL, "{}",
      "docs/mctn.md lists them; sources, rate, segment and features come from data" },
    { "data.stems", RV_CONFIG_TEXTS, 0, 0, NULL, "[\"bass\", \"drums\", \"vocals\"]",
      "sources whose features are found" },
    RV_KEY_INTEGER("data.sample_rate", 1000, 192000, "16000",
                   "Hz; songs of other rates are resampled"),
    RV_KEY_NUMBER("data.segment", 0.01, 600, "4", "seconds of an example, made whole frames"),
    RV_FEATURE_KEYS,
    RV_KEY_CHOICE("data.features.loudness", "ddsp|ddsp1|ddsp-pytorch", "ddsp",
                  "docs/features.md; that of the decoders"),
    RV_KEY_NUMBER("data.augment.remix", 0, 1, "0", "probability of mixing stems across songs"),
    RV_KEY_NUMBER("data.augment.gain", 0, 60, "0", "dB, at most, more or less for each stem"),
    RV_KEY_NUMBER("loss.f0_weight", 0, 1, "0.1", "share of pitch in the loss; the rest: loudness"),
    RV_KEY_CHOICE("loss.f0", "hertz|semitones|likelihood", "hertz",
                  "distance of pitches; likelihood: with model.arguments.pitch softmax"),
    RV_KEY_NUMBER("loss.deviation", 1e-3, 100, "0.5", "semitones: of the likelihood"),
    RV_KEY_BOOL("loss.voiced", "false", "pitch counts where there is one alone"),
    RV_KEY_NUMBER("optimiser.lr", 0, 100, "1e-3", "learning rate"),
    { 0 },
};

/* Arguments -------------------------------------------------------------------------------- */

/* Those that the section data decides, and where. */
static const struct {
    const char *argument, *key;
} decided[] = {
    { "sources", "data.stems" },
    { "sample_rate", "data.sample_rate" },
    { "segment", "data.segment" },
    { "loudness", "data.features.loudness" },
};
enum { DECIDED = sizeof decided / sizeof *decided };

static rv_status add_from_data(json_t *arguments, const rv_recipe *r, rv_error *err)
{
    for (size_t i = 0; i < DECIDED; i++)
        if (json_object_get(arguments, decided[i].argument))
            return RV_FAIL(err, RV_ERR_ARG, "model.arguments.%s: %s decides on it; set it there",
                           decided[i].argument, decided[i].key);
    for (size_t i = 0; i < DECIDED; i++)
        if (json_object_set(arguments, decided[i].argument,
                            rv_recipe_value(r->values, decided[i].key)) != 0)
            return RV_FAIL(err, RV_ERR_NOMEM, "a model");
    return RV_OK;
}

rv_status rv_mctn_from_json(rv_mctn_config *out, json_t *arguments, rv_error *err)
{
    rv_arena arena;
    rv_args args;
    json_t *said = json_pack("{sO}", "kwargs", arguments);
    rv_arena_init(&arena, NULL);
    rv_status st = said ? RV_OK : RV_FAIL(err, RV_ERR_NOMEM, "a model");
    if (st == RV_OK)
        st = rv_arguments_read(&args, said, NULL, &arena, err);
    if (st == RV_OK)
        st = rv_mctn_configure(out, &args, err);
    rv_arena_fini(&arena);
    json_decref(said);
    return st;
}

/* Data and loss ---------------------------------------------------------------------------- */

static void read_mixes(rv_mctn_recipe *m, const rv_recipe *r)
{
    static const char *const methods[] = { "yin", "pyin", "crepe", NULL };
    static const rv_f0_method known[] = { RV_F0_YIN, RV_F0_PYIN, RV_F0_CREPE };
    rv_phrases_config *p = &m->mixes.phrases;
    *p = rv_phrases_defaults();
    p->sample_rate = r->sample_rate;
    p->segment = m->model.segment;
    p->frame_rate = (double)m->model.sample_rate / (double)m->model.hop;
    p->stride = r->stride;
    p->batch = r->batch;
    p->seed = r->seed;
    p->shuffle = r->shuffle;
    p->f0_method = known[rv_recipe_choice(r->values, "data.features.f0_method", methods)];
    p->f0_min = rv_recipe_number(r->values, "data.features.f0_min");
    p->f0_max = rv_recipe_number(r->values, "data.features.f0_max");
    p->loudness = m->model.loudness;
    p->silence = rv_recipe_number(r->values, "data.features.silence");
    m->mixes.remix = rv_recipe_number(r->values, "data.augment.remix");
    m->mixes.gain = rv_recipe_number(r->values, "data.augment.gain");
}

static rv_status read_loss(rv_mctn_recipe *m, const rv_recipe *r, rv_error *err)
{
    static const char *const measures[] = { "hertz", "semitones", "likelihood", NULL };
    rv_feature_loss *l = &m->separation.loss;
    m->separation.config = &m->model;
    m->separation.frames = m->model.segment / m->model.hop;
    l->f0_weight = rv_recipe_number(r->values, "loss.f0_weight");
    l->measure = (rv_pitch_measure)rv_recipe_choice(r->values, "loss.f0", measures);
    l->deviation = rv_recipe_number(r->values, "loss.deviation");
    l->voiced = rv_recipe_flag(r->values, "loss.voiced");
    if (l->measure == RV_PITCH_LIKELIHOOD && m->model.pitch != RV_MCTN_SOFTMAX)
        return RV_FAIL(err, RV_ERR_ARG,
                       "loss.f0: likelihood needs model.arguments.pitch: softmax, whose shares it "
                       "weighs");
    return RV_OK;
}

/* Measures --------------------------------------------------------------------------------- */

/* Of a source, or "" for all. */
static void add_measures(rv_mctn_recipe *m, const char *source)
{
    static const char *const names[] = { "loudness_l1", "f0_l1" }, *const units[] = { "dB", "Hz" };
    static const char *const labels[] = { "loudness L1", "f0 L1" };
    for (int i = 0; i < 2; i++) {
        rv_train_measure *to = &m->measures[m->n_measures++];
        snprintf(to->name, sizeof to->name, "%s%s%s", source, *source ? "_" : "", names[i]);
        snprintf(to->label, sizeof to->label, "%s%s%s", source, *source ? " " : "", labels[i]);
        snprintf(to->unit, sizeof to->unit, "%s", units[i]);
    }
}

static void name_measures(rv_mctn_recipe *m)
{
    add_measures(m, "");
    for (size_t s = 0; s < m->model.n_sources; s++)
        add_measures(m, m->model.sources[s]);
}

rv_status rv_mctn_recipe_read(rv_mctn_recipe *m, const rv_recipe *r, rv_error *err)
{
    m->cache = rv_recipe_text(r->values, "data.features.cache");
    m->arguments = json_deep_copy(rv_recipe_value(r->values, "model.arguments"));
    if (!m->arguments)
        return RV_FAIL(err, RV_ERR_NOMEM, "a model");
    RV_TRY(add_from_data(m->arguments, r, err));
    RV_TRY(rv_mctn_from_json(&m->model, m->arguments, err));
    read_mixes(m, r);
    RV_TRY(read_loss(m, r, err));
    name_measures(m);
    return rv_feature_recipe_crepe(&m->crepe, m->mixes.phrases.f0_method, r, err);
}

void rv_mctn_recipe_fini(rv_mctn_recipe *m)
{
    json_decref(m->arguments);
    rv_crepe_f0_free(m->crepe);
}
