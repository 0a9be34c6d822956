/* tiny_autoencoder.h - a temporary folder, and in it checkpoints of small autoencoders with random
 * weights. */
#ifndef TESTS_TINY_AUTOENCODER_H
#define TESTS_TINY_AUTOENCODER_H

#include "check.h"
#include "io/safetensors.h"
#include "models/ddsp_autoencoder.h"

#include <stdlib.h>
#include <string.h>

enum { TINY_RATE = 8000, TINY_HOP = 40, TINY_HARMONICS = 5, TINY_BANDS = 9 };

static char folder[64];

static inline const char *in_folder(const char *name)
{
    static char paths[4][400]; /* of the last four calls */
    static int next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static inline int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/ravel-test-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static inline int remove_folder(void **state)
{
    char command[100];
    (void)state;
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

#define TINY_ARG(key, value)                                \
    {                                                       \
        .name = key, .kind = RV_ARG_NUMBER, .number = value \
    }
#define TINY_TEXT(key, value)                           \
    {                                                   \
        .name = key, .kind = RV_ARG_TEXT, .text = value \
    }
enum { TINY_ARGS = 12, TINY_MOST_ARGS = TINY_ARGS + 7 };

typedef struct {
    rv_arg arg[TINY_MOST_ARGS];
    size_t n;
} tiny_args;

static inline tiny_args tiny_arguments(const char *style, const char *reverb, const char *z)
{
    return (tiny_args){ { TINY_TEXT("style", style), TINY_TEXT("reverb", reverb),
                          TINY_TEXT("z_encoder", z), TINY_ARG("sample_rate", TINY_RATE),
                          TINY_ARG("hop", TINY_HOP), TINY_ARG("hidden_size", 6),
                          TINY_ARG("layers", 2), TINY_ARG("n_harmonic", TINY_HARMONICS),
                          TINY_ARG("n_bands", TINY_BANDS), TINY_ARG("z_hidden", 4),
                          TINY_ARG("reverb_length", 1300), TINY_ARG("reverb_frames", 26) },
                        TINY_ARGS };
}

/* A model that finds f0 itself. */
static inline tiny_args tiny_own_f0(tiny_args a)
{
    const rv_arg more[TINY_MOST_ARGS - TINY_ARGS] = {
        TINY_TEXT("f0_encoder", "learned"), TINY_ARG("f0_first", 3), TINY_ARG("f0_channels", 2),
        TINY_ARG("f0_blocks", 1),           TINY_ARG("f0_bins", 16), TINY_ARG("mel_rate", 25),
        TINY_ARG("mel_bands", 16)
    };
    memcpy(a.arg + a.n, more, sizeof more);
    a.n += sizeof more / sizeof *more;
    return a;
}

static inline rv_autoencoder_config tiny_config(const tiny_args *a)
{
    rv_autoencoder_config c;
    rv_error err = { 0 };
    CHECK_OK(rv_autoencoder_configure(&c, &(rv_args){ a->arg, a->n }, &err), err);
    return c;
}

static inline rv_autoencoder_inputs tiny_inputs(rv_graph *g, const rv_autoencoder_config *c,
                                                size_t frames)
{
    return (rv_autoencoder_inputs){
        .f0 = rv_input(g, RV_SHAPE(1, frames, 1)),
        .loudness = rv_input(g, RV_SHAPE(1, frames, 1)),
        .mfcc = c->decoder.z ? rv_input(g, RV_SHAPE(1, frames, RV_AUTOENCODER_MFCC)) : NULL,
        .mel = c->f0_encoder == RV_F0_LEARNED
                   ? rv_input(g, RV_SHAPE(1, frames, c->features.mel_bands))
                   : NULL,
        .noise = rv_input(g, RV_SHAPE(1, frames * c->hop)),
        .reverb_noise = rv_input(g, RV_SHAPE(1, c->reverb_length)),
    };
}

static inline json_t *tiny_json(const tiny_args *a, const char *class)
{
    json_t *named = json_object();
    for (size_t i = 0; i < a->n; i++)
        json_object_set_new(named, a->arg[i].name,
                            a->arg[i].kind == RV_ARG_TEXT ? json_string(a->arg[i].text)
                                                          : json_real(a->arg[i].number));
    return json_pack("{s:i, s:s, s:o}", "format_version", 1, "class", class, "kwargs", named);
}

/* A checkpoint of that name in the folder, with starting values by `seed`. */
static inline void write_network(const char *name, const nn_builder *b, const json_t *config,
                                 uint64_t seed)
{
    rv_error err = { 0 };
    rv_tensor_source *tensors = calloc(b->n_params, sizeof *tensors);
    float *values = calloc(nn_count(b), sizeof *values), *at = values;
    size_t i = 0;
    for (const nn_param *p = b->params; p; p = p->next, i++) {
        nn_initialise(p, seed, at);
        tensors[i] = (rv_tensor_source){
            .name = p->name, .dtype = RV_F32, .rank = p->node->shape.rank, .data = at
        };
        memcpy(tensors[i].shape, p->node->shape.d, sizeof p->node->shape.d);
        at += rv_shape_count(&p->node->shape);
    }
    CHECK_OK(rv_safetensors_write(in_folder(name), tensors, i, config, &err), err);
    free(tensors);
    free(values);
}

/* A checkpoint of that name in the folder; `more` is merged into its arguments, or NULL. */
static inline void write_tiny(const char *name, const tiny_args *a, json_t *more)
{
    rv_error err = { 0 };
    rv_graph *g;
    nn_builder b;
    const rv_autoencoder_config c = tiny_config(a);
    CHECK_OK(rv_graph_new(&g, NULL, &err), err);
    nn_begin(&b, g);
    const rv_autoencoder_inputs in = tiny_inputs(g, &c, 1);
    rv_autoencoder(&b, &c, &in);
    CHECK_OK(rv_graph_status(g, &err), err);
    json_t *config = tiny_json(a, RV_AUTOENCODER_CLASS);
    if (more)
        json_object_update(json_object_get(config, "kwargs"), more);
    json_decref(more);
    write_network(name, &b, config, 4);
    json_decref(config);
    rv_graph_free(g);
}

#endif
