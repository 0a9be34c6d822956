/* ensemble.c - open what a name stands for, and keep one engine between separations: packing the
 * weights of a large model takes a good part of a second. */
#include "infer/ensemble.h"

#include "base/status.h"
#include "dsp/classic.h"
#include "infer/decoder_set.h"
#include "infer/ensemble_parts.h"
#include "infer/model_path.h"
#include "io/bag.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { MOST_NESTED = 3, MOST_SUMMED = 64 }; /* bags in bags; names joined by '+' */

/* What a bag says of its parts. */
typedef struct {
    double segment; /* seconds; 0: their own */
    int depth;
} part_options;

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

static void close_networks(rv_model *m)
{
    for (size_t i = 0; i < m->n_networks; i++)
        rv_network_free(m->networks[i]);
    free((void *)m->networks);
    free(m->cards);
    m->networks = NULL;
    m->cards = NULL;
    m->n_networks = 0;
}

static rv_status open_networks(rv_model *m, const rv_bag *bag, char *const *files, rv_error *err)
{
    RV_TRY(take_networks(m, bag->n_models, err));
    for (; m->n_networks < bag->n_models; m->n_networks++)
        RV_TRY(rv_network_open(&m->networks[m->n_networks], &m->cards[m->n_networks],
                               files[m->n_networks], bag->segment, NULL, err));
    return RV_OK;
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

static bool is_bag(const char *path)
{
    const char *dot = strrchr(path, '.');
    return dot && (strcasecmp(dot, ".yaml") == 0 || strcasecmp(dot, ".yml") == 0);
}

/* One set of segments serves networks of a kind. */
static bool is_alike(const rv_model *m)
{
    const rv_model_info *first = &m->cards[0].info;
    bool same = true;
    for (size_t i = 1; same && i < m->n_networks; i++) {
        const rv_model_info *info = &m->cards[i].info;
        same = info->n_stems == first->n_stems && info->channels == first->channels &&
               info->sample_rate == first->sample_rate &&
               m->networks[i]->level == m->networks[0]->level;
        for (size_t k = 0; same && k < first->n_stems; k++)
            same = strcmp(info->stems[k], first->stems[k]) == 0;
    }
    return same;
}

static rv_status open_model(rv_model *m, const char *name, const part_options *o, rv_error *err);

static rv_status open_part(rv_model **out, const char *name, const part_options *o, rv_error *err)
{
    rv_model *part = calloc(1, sizeof *part);
    const rv_status st =
        part ? open_model(part, name, o, err) : RV_FAIL(err, RV_ERR_NOMEM, "a model");
    if (st == RV_OK)
        *out = part;
    else
        rv_model_free(part);
    return st;
}

static rv_status open_parts(rv_model *m, const char *const *names, size_t n, const part_options *o,
                            rv_error *err)
{
    m->parts = calloc(n, sizeof *m->parts);
    if (!m->parts)
        return RV_FAIL(err, RV_ERR_NOMEM, "%zu models", n);
    for (; m->n_parts < n; m->n_parts++)
        RV_TRY(open_part(&m->parts[m->n_parts], names[m->n_parts], o, err));
    return RV_OK;
}

static void free_files(char **files, size_t n)
{
    for (size_t i = 0; files && i < n; i++)
        free(files[i]);
    free(files);
}

/* files [n]: what to open; *networks: all may hold one network. */
static rv_status find_files(char **files, const rv_bag *bag, const char *path, bool *networks,
                            rv_error *err)
{
    *networks = true;
    for (size_t i = 0; i < bag->n_models; i++) {
        RV_TRY(rv_model_path_in_bag(&files[i], path, bag->models[i], err));
        *networks &= strcmp(files[i], "classic") != 0 && !is_bag(files[i]);
    }
    return RV_OK;
}

/* Networks that are alike share their segments; else each model has its own. */
static rv_status open_bag_of(rv_model *m, const rv_bag *bag, char **files, const char *path,
                             int depth, rv_error *err)
{
    const part_options options = { .segment = bag->segment, .depth = depth + 1 };
    bool networks;
    if (depth == MOST_NESTED)
        return RV_FAIL(err, RV_ERR_FORMAT,
                       "%s: a bag in a bag in a bag in a bag: is it its own part?", path);
    RV_TRY(find_files(files, bag, path, &networks, err));
    if (networks) {
        RV_TRY(open_networks(m, bag, files, err));
        if (is_alike(m))
            return take_weights(m, bag, path, err);
        close_networks(m);
    }
    RV_TRY(open_parts(m, (const char *const *)files, bag->n_models, &options, err));
    return rv_ensemble_join(m, bag->weights, bag->n_sources, path, err);
}

static rv_status open_bag(rv_model *m, const char *path, int depth, rv_error *err)
{
    rv_bag *bag = NULL;
    RV_TRY(rv_bag_open(&bag, path, err));
    char **files = calloc(bag->n_models, sizeof *files);
    const rv_status st = files ? open_bag_of(m, bag, files, path, depth, err)
                               : RV_FAIL(err, RV_ERR_NOMEM, "%zu models", bag->n_models);
    free_files(files, bag->n_models);
    rv_bag_free(bag);
    return st;
}

static rv_status open_one(rv_model *m, const char *path, double segment, rv_error *err)
{
    RV_TRY(take_networks(m, 1, err));
    RV_TRY(rv_network_open(&m->networks[0], &m->cards[0], path, segment, NULL, err));
    m->n_networks = 1;
    return RV_OK;
}

static rv_status open_decoders(rv_model *m, const json_t *set, const char *path, rv_error *err)
{
    char *features = NULL;
    RV_TRY(rv_decoder_set_features(&features, set, path, err));
    rv_status st = open_one(m, features, 0, err);
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

static rv_status open_yaml(rv_model *m, const char *path, int depth, rv_error *err)
{
    json_t *set = NULL;
    RV_TRY(rv_decoder_set_read(&set, path, err));
    if (!set)
        return open_bag(m, path, depth, err);
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

static rv_status open_files(rv_model *m, const char *path, const part_options *o, rv_error *err)
{
    RV_TRY(is_bag(path) ? open_yaml(m, path, o->depth, err) : open_one(m, path, o->segment, err));
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

static rv_status take_shelf(rv_model *m, rv_error *err)
{
    m->shelf = calloc(1, sizeof *m->shelf);
    if (m->shelf && pthread_mutex_init(&m->shelf->lock, NULL) == 0)
        return RV_OK;
    free(m->shelf);
    m->shelf = NULL;
    return RV_FAIL(err, RV_ERR_NOMEM, "a model");
}

/* Last of all. */
static rv_status take_name(rv_model *m, char *name, rv_error *err)
{
    m->name = name;
    m->card.name = name;
    m->card.stems = m->stems;
    return name ? RV_OK : RV_FAIL(err, RV_ERR_NOMEM, "the name of a model");
}

static rv_status open_model(rv_model *m, const char *name, const part_options *o, rv_error *err)
{
    char *path = NULL;
    RV_TRY(take_shelf(m, err));
    if (strcmp(name, "classic") == 0) {
        describe_classic(m);
        return take_name(m, strdup(name), err);
    }
    RV_TRY(rv_model_path(&path, name, err));
    rv_status st = open_files(m, path, o, err);
    if (st == RV_OK && !m->parts)
        describe_networks(m);
    if (st == RV_OK)
        st = take_name(m, rv_model_name(path), err);
    free(path);
    return st;
}

/* "a+b" */
static char *joint_name(const rv_model *m)
{
    size_t room = 1;
    for (size_t i = 0; i < m->n_parts; i++)
        room += strlen(m->parts[i]->name) + 1;
    char *name = malloc(room), *end = name;
    for (size_t i = 0; name && i < m->n_parts; i++)
        end = stpcpy(i ? stpcpy(end, "+") : end, m->parts[i]->name);
    return name;
}

static rv_status open_several(rv_model *m, const char *const *names, size_t n, rv_error *err)
{
    const part_options options = { .depth = 1 };
    RV_TRY(take_shelf(m, err));
    RV_TRY(open_parts(m, names, n, &options, err));
    RV_TRY(take_name(m, joint_name(m), err));
    return rv_ensemble_join(m, NULL, 0, m->name, err);
}

rv_status rv_model_open_several(rv_model **out, const char *const *names, size_t n, rv_error *err)
{
    if (n == 0)
        return RV_FAIL(err, RV_ERR_ARG, "an ensemble of no models");
    if (n == 1)
        return open_part(out, names[0], &(part_options){ 0 }, err);
    rv_model *m = calloc(1, sizeof *m);
    if (!m)
        return RV_FAIL(err, RV_ERR_NOMEM, "a model");
    const rv_status st = open_several(m, names, n, err);
    if (st == RV_OK)
        *out = m;
    else
        rv_model_free(m);
    return st;
}

static bool is_one_model(const char *name)
{
    rv_error ignored = { 0 };
    char *path = NULL;
    const bool found = !strchr(name, '+') || rv_model_path(&path, name, &ignored) == RV_OK;
    free(path);
    return found;
}

/* "a+b+c", cut in place */
static rv_status open_sum(rv_model **out, char *names, rv_error *err)
{
    const char *each[MOST_SUMMED];
    size_t n = 0;
    char *rest = NULL;
    for (char *w = strtok_r(names, "+", &rest); w; w = strtok_r(NULL, "+", &rest)) {
        if (n == MOST_SUMMED)
            return RV_FAIL(err, RV_ERR_ARG, "more than %d models", MOST_SUMMED);
        each[n++] = w;
    }
    return rv_model_open_several(out, each, n, err);
}

rv_status rv_model_open(rv_model **out, const char *name, rv_error *err)
{
    if (is_one_model(name))
        return open_part(out, name, &(part_options){ 0 }, err);
    char *names = strdup(name);
    const rv_status st =
        names ? open_sum(out, names, err) : RV_FAIL(err, RV_ERR_NOMEM, "the names of models");
    free(names);
    return st;
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
    for (size_t i = 0; i < m->n_parts; i++)
        rv_model_free(m->parts[i]);
    close_networks(m);
    free(m->decoders);
    free(m->parts);
    free(m->routes);
    free(m->shelf);
    free(m->weights);
    free(m->name);
    free(m);
}

const rv_model_card *rv_model_about(const rv_model *m)
{
    return &m->card;
}

rv_status rv_model_take_engine(rv_engine **out, rv_model *m, const rv_engine_options *options,
                               rv_error *err)
{
    pthread_mutex_lock(&m->shelf->lock);
    rv_engine *idle = m->shelf->idle;
    m->shelf->idle = NULL;
    pthread_mutex_unlock(&m->shelf->lock);
    if (idle && rv_engine_is(idle, options)) {
        *out = idle;
        return RV_OK;
    }
    rv_engine_free(idle);
    return rv_engine_new(out, options, err);
}

void rv_model_give_engine(rv_model *m, rv_engine *e)
{
    pthread_mutex_lock(&m->shelf->lock);
    rv_engine *surplus = m->shelf->idle;
    m->shelf->idle = e;
    pthread_mutex_unlock(&m->shelf->lock);
    rv_engine_free(surplus);
}
