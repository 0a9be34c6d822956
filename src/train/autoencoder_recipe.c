/* autoencoder_recipe.c - see autoencoder_recipe.h. How features are measured is told to the model,
 * too: its file says so to those who use it. */
#include "train/autoencoder_recipe.h"

#include "base/status.h"
#include "ddsp/controls.h"
#include "infer/arguments.h"
#include "train/feature_recipe.h"
#include "train/phrase_data.h"
#include "train/recipe_values.h"

#include <math.h>
#include <string.h>

const rv_config_key rv_autoencoder_keys[] = {
    { "model.arguments", RV_CONFIG_MAPPING, 0, 0, NULL, "{}",
      "docs/ddsp.md lists them; rate, features and their statistics come from data" },
    { "data.stems", RV_CONFIG_TEXTS, 0, 0, NULL, NULL, "the one that is learned, [violin]" },
    RV_KEY_INTEGER("data.sample_rate", 1000, 192000, "16000",
                   "Hz; songs of other rates are resampled"),
    RV_KEY_NUMBER("data.segment", 0.01, 600, "4", "seconds of an example, made whole frames"),
    RV_KEY_INTEGER("data.batch", 1, 4096, "16", "examples of a step, side by side"),
    RV_FEATURE_KEYS,
    RV_KEY_CHOICE("data.features.loudness", "ddsp|ddsp1|ddsp-pytorch", "",
                  "docs/features.md; absent: as model.arguments.style"),
    { "loss.terms", RV_CONFIG_ANY, 0, 0, NULL, "[{\"kind\": \"spectral\", \"logmag\": 1}]",
      "list of {kind, weight, ...}" },
    RV_KEY_NUMBER("optimiser.lr", 0, 100, "1e-3", "learning rate"),
    { 0 },
};

/* Arguments -------------------------------------------------------------------------------- */

static rv_status configure(void *to, const rv_args *args, rv_error *err)
{
    return rv_autoencoder_configure(to, args, err);
}

rv_status rv_autoencoder_from_json(rv_autoencoder_config *out, json_t *arguments, rv_error *err)
{
    return rv_arguments_apply(configure, out, arguments, err);
}

/* In numbers that people can read in the file, and that are the same when they are read back. */
static bool add_number(json_t *arguments, const char *name, double value)
{
    return json_object_get(arguments, name) ||
           json_object_set_new(arguments, name, json_real(round(value * 1000) / 1000)) == 0;
}

rv_status rv_autoencoder_add_statistics(json_t *arguments, const rv_phrase_statistics *s,
                                        rv_error *err)
{
    /* Sound that is always as loud is not brought to a deviation of 1. */
    const double deviation = fmax(s->loudness_deviation, 1);
    const double pitch = s->f0_mean > 0 ? rv_note_of(s->f0_mean) : 0;
    const bool ok = add_number(arguments, "loudness_mean", s->loudness_mean) &&
                    add_number(arguments, "loudness_std", deviation) &&
                    add_number(arguments, "pitch_mean", fmax(pitch, 0));
    return ok ? RV_OK : RV_FAIL(err, RV_ERR_NOMEM, "a model");
}

/* Phrases ---------------------------------------------------------------------------------- */

/* What the phrases cannot give. */
static rv_status check_features(const rv_autoencoder_config *m, double frame_rate, rv_error *err)
{
    const double mfcc = m->features.mfcc_rate;
    if (m->features.loudness_window)
        return RV_FAIL(err, RV_ERR_UNSUPPORTED,
                       "model.arguments.loudness_window: training takes 0 alone");
    if (m->z_encoder != RV_Z_NONE && mfcc > 0 && fabs(mfcc - frame_rate) > 1e-9)
        return RV_FAIL(err, RV_ERR_UNSUPPORTED,
                       "model.arguments.mfcc_rate: training takes 0, or the %g of all features",
                       frame_rate);
    return RV_OK;
}

static rv_f0_method method_of(rv_pitch_tracker tracker)
{
    static const rv_f0_method methods[] = { [RV_TRACKER_YIN] = RV_F0_YIN,
                                            [RV_TRACKER_PYIN] = RV_F0_PYIN,
                                            [RV_TRACKER_CREPE] = RV_F0_CREPE };
    return methods[tracker];
}

static rv_status read_phrases(rv_autoencoder_recipe *a, const rv_recipe *r, rv_error *err)
{
    const rv_autoencoder_config *m = &a->model;
    rv_phrases_config *p = &a->phrases;
    *p = rv_phrase_config(r, (double)m->sample_rate / (double)m->hop);
    p->align = m->features.align;
    p->f0_method = method_of(m->features.tracker);
    p->f0_min = m->features.f0_min;
    p->f0_max = m->features.f0_max;
    p->loudness = m->features.loudness;
    p->mfcc = m->z_encoder != RV_Z_NONE;
    return check_features(m, p->frame_rate, err);
}

rv_status rv_autoencoder_recipe_read(rv_autoencoder_recipe *a, const rv_recipe *r, rv_error *err)
{
    if (r->songs.n_stems != 1)
        return RV_FAIL(err, RV_ERR_ARG, "data.stems: %zu stems, one is expected", r->songs.n_stems);
    a->arguments = json_deep_copy(rv_recipe_value(r->values, "model.arguments"));
    if (!a->arguments)
        return RV_FAIL(err, RV_ERR_NOMEM, "a model");
    RV_TRY(rv_phrase_arguments(a->arguments, r, err));
    RV_TRY(rv_autoencoder_from_json(&a->model, a->arguments, err));
    RV_TRY(read_phrases(a, r, err));
    return rv_feature_recipe_crepe(&a->crepe, a->phrases.f0_method, r, err);
}

void rv_autoencoder_recipe_fini(rv_autoencoder_recipe *a)
{
    json_decref(a->arguments);
    rv_crepe_f0_free(a->crepe);
}
