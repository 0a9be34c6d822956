/* phrase_data.c - see phrase_data.h. */
#include "train/phrase_data.h"

#include "base/status.h"
#include "data/layout.h"
#include "train/recipe_values.h"

#include <stdio.h>
#include <string.h>

/* Recipe --------------------------------------------------------------------------------- */

/* Arguments that the section data decides, and where. */
static const struct {
    const char *argument, *key;
} decided[] = {
    { "sample_rate", "data.sample_rate" },      { "sampling_rate", "data.sample_rate" },
    { "f0_method", "data.features.f0_method" }, { "f0_min", "data.features.f0_min" },
    { "f0_max", "data.features.f0_max" },       { "loudness", "data.features.loudness" }
};
enum { DECIDED = sizeof decided / sizeof *decided };

rv_status rv_phrase_arguments(json_t *arguments, const rv_recipe *r, rv_error *err)
{
    for (size_t i = 0; i < DECIDED; i++)
        if (json_object_get(arguments, decided[i].argument))
            return RV_FAIL(err, RV_ERR_ARG, "model.arguments.%s: %s decides on it; set it there",
                           decided[i].argument, decided[i].key);
    for (size_t i = 0; i < DECIDED; i++) {
        json_t *value = rv_recipe_value(r->values, decided[i].key);
        const bool other_name = strcmp(decided[i].argument, "sampling_rate") == 0;
        if (value && !other_name && json_object_set(arguments, decided[i].argument, value) != 0)
            return RV_FAIL(err, RV_ERR_NOMEM, "a model");
    }
    return RV_OK;
}

rv_phrases_config rv_phrase_config(const rv_recipe *r, double frame_rate)
{
    rv_phrases_config p = rv_phrases_defaults();
    p.sample_rate = r->sample_rate;
    p.segment = r->segment;
    p.frame_rate = frame_rate;
    p.stride = r->stride;
    p.batch = r->batch;
    p.seed = r->seed;
    p.shuffle = r->shuffle;
    p.silence = rv_recipe_number(r->values, "data.features.silence");
    return p;
}

/* Songs ---------------------------------------------------------------------------------- */

/* While features are measured, which may take long. */
static int tell_measuring(void *ctx, double fraction)
{
    const rv_train_options *o = ctx;
    const rv_train_progress p = { .preparing = 1, .prepared = fraction };
    return o->progress ? o->progress(o->progress_ctx, &p) : 0;
}

static rv_status open_phrases(const rv_phrase_data *d, const rv_recipe *r,
                              const rv_phrases_config *phrases, const rv_train_options *options,
                              bool valid, rv_track_list **list, rv_phrases **out, rv_error *err)
{
    const rv_feature_watch watch = { tell_measuring, (void *)options };
    rv_phrases_config c = *phrases;
    rv_track_query query = r->songs;
    query.split = valid ? "valid" : "train";
    query.may_be_empty = valid;
    c.threads = options->threads;
    if (valid) { /* all of it, each part once */
        c.batch = 1;
        c.shuffle = false;
        c.stride = 0;
    }
    RV_TRY(rv_track_list_find(list, &query, err));
    if (!*list)
        return RV_OK;
    return rv_phrases_new(out, &c, *list, d->cache, valid ? 0 : r->data_threads, &watch, err);
}

rv_status rv_phrase_data_open(rv_phrase_data *d, const rv_recipe *r,
                              const rv_phrases_config *phrases, const rv_crepe_f0 *crepe,
                              const rv_train_options *options, rv_train_report *report,
                              rv_error *err)
{
    const char *folder = rv_recipe_text(r->values, "data.features.cache");
    RV_TRY(rv_feature_cache_open(&d->cache, folder, err));
    if (crepe)
        rv_feature_cache_set_engine(d->cache, rv_crepe_f0_engine(crepe));
    RV_TRY(open_phrases(d, r, phrases, options, false, &d->train_list, &d->train, err));
    RV_TRY(open_phrases(d, r, phrases, options, true, &d->valid_list, &d->valid, err));
    snprintf(report->layout, sizeof report->layout, "%s", d->train_list->layout->name);
    report->train_songs = d->train_list->n;
    report->valid_songs = d->valid_list ? d->valid_list->n : 0;
    report->silent_songs = rv_phrases_silent_songs(d->train);
    return RV_OK;
}

void rv_phrase_data_close(rv_phrase_data *d)
{
    rv_phrases_free(d->train);
    rv_phrases_free(d->valid);
    rv_feature_cache_free(d->cache);
    rv_track_list_free(d->train_list);
    rv_track_list_free(d->valid_list);
}
