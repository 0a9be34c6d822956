/* ensemble.c - open what a name stands for, and keep one engine between separations: packing the
 * weights of a large model takes a good part of a second. */
#include "infer/ensemble.h"

#include "base/status.h"
#include "dsp/classic.h"
#include "infer/decoder_set.h"
#include "infer/model_path.h"
#include "io/bag.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct rv_shelf {
    pthread_mutex_t lock;
    rv_engine *idle;
};

static rv_status take_networks(rv_model *m, size_t n, rv_error *err)
{
    m->networks = calloc(n, sizeof *m->networks);
    m->cards = calloc(n, sizeof *m->cards);
    return m->networks && m->cards ? RV_OK : RV_FAIL(err, RV_ERR_NOMEM, "%zu networks", n);
}

static rv_status open_parts(rv_model *m, const rv_bag *bag, const char *path, rv_error *err)
{
    rv_status st = take_networks(m, bag->n_models, err);
    for (size_t i = 0; st == RV_OK && i < bag->n_models; i++) {
        char *part = NULL;
        st = rv_model_path_of_part(&part, path, bag->models[i], err);
        if (st == RV_OK)
            st = rv_network_open(&m->networks[i], &m->cards[i], part, bag->segment, NULL, err);
        m->n_networks += st == RV_OK;
        free(part);
    }
    return st;
}

static rv_status take_weights(rv_model *m, const rv_bag *bag, const char *path, rv_error *err)
{
    const size_t stems = m->networks[0]->n_stems, n = m->n_networks * stems;
    if (!bag->weights)
        return RV_OK;
    if (bag->n_sources != stems)
        return RV_FAIL(err, RV_ERR_FORMAT, "%s: has weights for %zu stems, its models have %zu",
                       path, bag->n_sources, stems);
    m->weights = malloc(n * sizeof *m->weights);
    if (!m->weights)
        return RV_FAIL(err, RV_ERR_NOMEM, "%zu weights", n);
    memcpy(m->weights, bag->weights, n * sizeof *m->weights);
    return RV_OK;
}

static rv_status check_bag(const rv_model *m, const char *path, rv_error *err)
{
    const rv_model_info *first = &m->cards[0].info;
    for (size_t i = 1; i < m->n_networks; i++) {
        const rv_model_info *info = &m->cards[i].info;
        bool same = info->n_stems == first->n_stems && info->channels == first->channels &&
                    info->sample_rate == first->sample_rate;
        for (size_t k = 0; same && k < first->n_stems; k++)
            same = strcmp(info->stems[k], first->stems[k]) == 0;
        if (!same)
            return RV_FAIL(err, RV_ERR_FORMAT,
                           "%s: models 1 and %zu differ in stems, channels or sample rate", path,
                           i + 1);
        if (m->networks[i]->level != m->networks[0]->level)
            return RV_FAIL(err, RV_ERR_FORMAT,
                           "%s: one of models 1 and %zu wants normalised audio, the other does not",
                           path, i + 1);
    }
    return RV_OK;
}

static rv_status open_bag(rv_model *m, const char *path, rv_error *err)
{
    rv_bag *bag = NULL;
    RV_TRY(rv_bag_open(&bag, path, err));
    rv_status st = open_parts(m, bag, path, err);
    if (st == RV_OK)
        st = check_bag(m, path, err);
    if (st == RV_OK)
        st = take_weights(m, bag, path, err);
    rv_bag_free(bag);
    return st;
}

static bool is_bag(const char *path)
{
    const char *dot = strrchr(path, '.');
    return dot && (strcasecmp(dot, ".yaml") == 0 || strcasecmp(dot, ".yml") == 0);
}

static rv_status open_one(rv_model *m, const char *path, rv_error *err)
{
    RV_TRY(take_networks(m, 1, err));
    RV_TRY(rv_network_open(&m->networks[0], &m->cards[0], path, 0, NULL, err));
    m->n_networks = 1;
    return RV_OK;
}

static rv_status open_decoders(rv_model *m, const json_t *set, const char *path, rv_error *err)
{
    char *features = NULL;
    RV_TRY(rv_decoder_set_features(&features, set, path, err));
    rv_status st = open_one(m, features, err);
    if (st == RV_OK && !m->cards[0].def->features)
        st = RV_FAIL(err, RV_ERR_UNSUPPORTED, "%s: gives sound (%s), no features", features,
                     m->cards[0].def->name);
    free(features);
    RV_TRY(st);
    m->decoders = calloc(m->networks[0]->n_stems, sizeof *m->decoders);
    if (!m->decoders)
        return RV_FAIL(err, RV_ERR_NOMEM, "decoders");
    return rv_decoder_set_open(m->decoders, set, path, rv_network_config(m->networks[0]), err);
}

static rv_status open_yaml(rv_model *m, const char *path, rv_error *err)
{
    json_t *set = NULL;
    RV_TRY(rv_decoder_set_read(&set, path, err));
    if (!set)
        return open_bag(m, path, err);
    const rv_status st = open_decoders(m, set, path, err);
    json_decref(set);
    return st;
}

static rv_status check_sound(const rv_model *m, const char *path, rv_error *err)
{
    for (size_t i = 0; i < m->n_networks && !m->decoders; i++)
        if (m->cards[i].def->features)
            return RV_FAIL(err, RV_ERR_UNSUPPORTED,
                           "%s: hears pitch and loudness of sources (%s) and gives no sound; a "
                           "YAML file names it (features) and who plays them (decoders), see "
                           "docs/mctn.md",
                           path, m->cards[i].def->name);
    return RV_OK;
}

static rv_status open_files(rv_model *m, const char *path, rv_error *err)
{
    RV_TRY(is_bag(path) ? open_yaml(m, path, err) : open_one(m, path, err));
    return check_sound(m, path, err);
}

static void describe_classic(rv_model *m)
{
    m->card = (rv_model_card){ .architecture = "classic",
                               .citation = "D. Fitzgerald, DAFx 2010; Z. Rafii and B. Pardo, "
                                           "ISMIR 2012",
                               .license = "MIT",
                               .provenance = "signal processing, nothing learnt",
                               .n_stems = RV_CLASSIC_STEMS,
                               .segment = RV_CLASSIC_SEGMENT_SECONDS,
                               .overlap = RV_CLASSIC_OVERLAP,
                               .n_networks = 1 };
    for (size_t k = 0; k < RV_CLASSIC_STEMS; k++)
        m->stems[k] = rv_classic_stem_names[k];
}

/* Of two planes for each source, notes and loudness, comes one of sound. */
static void describe_decoders(rv_model *m)
{
    m->card.n_stems /= 2;
    for (size_t k = 0; k < m->card.n_stems; k++) {
        m->stems[k] = m->stems[2 * k];
        m->card.parameters += rv_autoencoder_network_parameters(m->decoders[k]);
    }
}

static void describe_networks(rv_model *m)
{
    const rv_network_card *first = &m->cards[0];
    m->card = (rv_model_card){ .architecture = first->def->name,
                               .citation = first->def->citation,
                               .license = first->license,
                               .provenance = first->provenance,
                               .n_stems = first->info.n_stems,
                               .channels = (int)first->info.channels,
                               .sample_rate = (int)first->info.sample_rate,
                               .segment = first->info.segment,
                               .overlap = 0.25,
                               .n_networks = m->n_networks };
    for (size_t i = 0; i < m->n_networks; i++)
        m->card.parameters += m->cards[i].parameters;
    for (size_t k = 0; k < first->info.n_stems; k++)
        m->stems[k] = first->info.stems[k];
    if (m->decoders)
        describe_decoders(m);
}

static rv_status open_model(rv_model *m, const char *name, rv_error *err)
{
    m->shelf = calloc(1, sizeof *m->shelf);
    if (!m->shelf || pthread_mutex_init(&m->shelf->lock, NULL) != 0) {
        free(m->shelf);
        m->shelf = NULL;
        return RV_FAIL(err, RV_ERR_NOMEM, "a model");
    }
    if (strcmp(name, "classic") == 0) {
        describe_classic(m);
        m->name = strdup(name);
    } else {
        char *path = NULL;
        RV_TRY(rv_model_path(&path, name, err));
        const rv_status st = open_files(m, path, err);
        m->name = rv_model_name(path);
        free(path);
        RV_TRY(st);
        describe_networks(m);
    }
    m->card.name = m->name;
    m->card.stems = m->stems;
    return m->name ? RV_OK : RV_FAIL(err, RV_ERR_NOMEM, "the name of a model");
}

rv_status rv_model_open(rv_model **out, const char *name, rv_error *err)
{
    rv_model *m = calloc(1, sizeof *m);
    if (!m)
        return RV_FAIL(err, RV_ERR_NOMEM, "a model");
    const rv_status st = open_model(m, name, err);
    if (st != RV_OK) {
        rv_model_free(m);
        return st;
    }
    *out = m;
    return RV_OK;
}

void rv_model_free(rv_model *m)
{
    if (!m)
        return;
    if (m->shelf) {
        rv_engine_free(m->shelf->idle);
        pthread_mutex_destroy(&m->shelf->lock);
    }
    for (size_t k = 0; m->decoders && k < m->networks[0]->n_stems; k++)
        rv_autoencoder_network_free(m->decoders[k]);
    for (size_t i = 0; i < m->n_networks; i++)
        rv_network_free(m->networks[i]);
    free(m->decoders);
    free(m->shelf);
    free((void *)m->networks);
    free(m->cards);
    free(m->weights);
    free(m->name);
    free(m);
}

const rv_model_card *rv_model_about(const rv_model *m)
{
    return &m->card;
}

rv_status rv_model_take_engine(rv_engine **out, rv_model *m, int threads, rv_error *err)
{
    pthread_mutex_lock(&m->shelf->lock);
    rv_engine *idle = m->shelf->idle;
    m->shelf->idle = NULL;
    pthread_mutex_unlock(&m->shelf->lock);
    if (idle && rv_engine_asked(idle) == threads) {
        *out = idle;
        return RV_OK;
    }
    rv_engine_free(idle);
    return rv_engine_new(out, threads, err);
}

void rv_model_give_engine(rv_model *m, rv_engine *e)
{
    pthread_mutex_lock(&m->shelf->lock);
    rv_engine *surplus = m->shelf->idle;
    m->shelf->idle = e;
    pthread_mutex_unlock(&m->shelf->lock);
    rv_engine_free(surplus);
}
