/* method_model.c - estimates by a model, in memory. */
#include "base/status.h"
#include "eval/method.h"
#include "eval/stem_names.h"
#include "infer/separate_planes.h"

#include <stdlib.h>
#include <string.h>

/* Where the model's stems go: to the stem of the same name, or to memory of their own where they
 * are a part of the sum of others; else nowhere. */
typedef struct routes {
    const rv_model_card *card;
    size_t sum;     /* the stem that is a sum, or n_stems */
    float **planes; /* [card->n_stems * channels] */
    float *memory;
} routes;

static bool is_vocals(const char *name)
{
    return strcmp(name, "vocals") == 0;
}

static rv_status fail_stem(const rv_model_card *card, const char *stem, rv_error *err)
{
    char list[300] = "";
    for (size_t k = 0; k < card->n_stems; k++) {
        const size_t used = strlen(list);
        snprintf(list + used, sizeof list - used, "%s%s", k ? ", " : "", card->stems[k]);
    }
    return RV_FAIL(err, RV_ERR_ARG, "%s: no stem '%s' comes from this model; it has %s", card->name,
                   stem, list);
}

static rv_status find_sum(routes *r, const rv_song_audio *a, const char *const *names,
                          rv_error *err)
{
    const rv_model_card *card = r->card;
    r->sum = a->n_stems;
    for (size_t s = 0; s < a->n_stems; s++) {
        if (rv_stem_named(card->stems, card->n_stems, names[s]) < card->n_stems)
            continue;
        if (s != rv_stem_rest(names, a->n_stems) || card->n_stems < 2 ||
            rv_stem_named(card->stems, card->n_stems, "vocals") == card->n_stems)
            return fail_stem(card, names[s], err);
        r->sum = s;
    }
    return RV_OK;
}

static rv_status route(routes *r, const rv_song_audio *a, const char *const *names, rv_error *err)
{
    const rv_model_card *card = r->card;
    const size_t channels = a->channels;
    const bool sums = r->sum < a->n_stems;
    r->planes = calloc(card->n_stems * channels, sizeof *r->planes);
    r->memory = calloc(sums ? card->n_stems * channels : 1, a->frames * sizeof *r->memory);
    if (!r->planes || !r->memory)
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: %zu frames", card->name, a->frames);
    for (size_t k = 0; k < card->n_stems; k++) {
        const size_t s = rv_stem_named(names, a->n_stems, card->stems[k]);
        for (size_t c = 0; c < channels; c++)
            if (s < a->n_stems)
                r->planes[k * channels + c] = a->estimates[s * channels + c];
            else if (sums && !is_vocals(card->stems[k]))
                r->planes[k * channels + c] = r->memory + (k * channels + c) * a->frames;
    }
    return RV_OK;
}

static void add_up(const routes *r, const rv_song_audio *a)
{
    for (size_t k = 0; k < r->card->n_stems && r->sum < a->n_stems; k++) {
        if (is_vocals(r->card->stems[k]))
            continue;
        for (size_t c = 0; c < a->channels; c++)
            for (size_t t = 0; t < a->frames; t++)
                a->estimates[r->sum * a->channels + c][t] += r->planes[k * a->channels + c][t];
    }
}

static int watch(void *ctx, double frames)
{
    const rv_method *m = ctx;
    (void)frames;
    return m->stop ? m->stop(m->stop_ctx) : 0;
}

static rv_status separate(const rv_method *m, const rv_song_audio *a, const routes *r,
                          rv_error *err)
{
    rv_separate_options options;
    rv_separate_defaults(&options);
    options.threads = m->threads;
    options.wiener = m->wiener;
    const rv_planes_job job = { .model = m->model,
                                .options = &options,
                                .channels = a->channels,
                                .sample_rate = a->sample_rate,
                                .watch = watch,
                                .watch_ctx = (void *)m };
    return rv_separate_planes(&job, (const float *const *)a->mixture, a->frames, r->planes, err);
}

rv_status rv_method_run_model(const rv_method *m, const rv_song_audio *a, char *const *stem_names,
                              rv_error *err)
{
    const char *const *names = (const char *const *)stem_names;
    routes r = { .card = rv_model_about(m->model) };
    RV_TRY(find_sum(&r, a, names, err));
    rv_status status = route(&r, a, names, err);
    if (status == RV_OK)
        status = separate(m, a, &r, err);
    if (status == RV_OK)
        add_up(&r, a);
    free(r.planes);
    free(r.memory);
    return status;
}
