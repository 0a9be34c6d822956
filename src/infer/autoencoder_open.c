/* autoencoder_open.c - configuration and weights of an autoencoder, from our checkpoints and from
 * ddsp_pytorch's.
 *
 * ddsp_pytorch's files have buffers beside the weights, which are left alone, and single
 * numbers of no axis where ours have one. */
#include "base/status.h"
#include "infer/arguments.h"
#include "infer/autoencoder_network_impl.h"
#include "io/yaml_file.h"
#include "models/model.h"

#include <stdlib.h>
#include <string.h>

/* Configuration ---------------------------------------------------------------------------- */

/* config.yaml beside `path`; to be freed */
static char *config_beside(const char *path)
{
    static const char name[] = "config.yaml";
    const char *slash = strrchr(path, '/');
    const size_t folder = slash ? (size_t)(slash - path) + 1 : 0;
    char *full = malloc(folder + sizeof name);
    if (full) {
        memcpy(full, path, folder);
        memcpy(full + folder, name, sizeof name);
    }
    return full;
}

static int copy(json_t *to, const char *name, const json_t *from, const char *key)
{
    json_t *value = json_object_get(from, key);
    return value ? json_object_set(to, name, value) : 0;
}

/* ddsp_pytorch's configuration as our arguments: a new object, NULL without memory. */
static json_t *arguments_of(const json_t *yaml)
{
    const json_t *model = json_object_get(yaml, "model"), *data = json_object_get(yaml, "data");
    static const char *const same[] = { "hidden_size", "n_harmonic", "n_bands", "sampling_rate",
                                        "block_size" };
    json_t *named = json_pack("{s:s, s:s}", "style", "ddsp_pytorch", "f0_method", "crepe");
    int failed = named ? 0 : -1;
    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        failed |= copy(named, same[i], model, same[i]);
    failed |= copy(named, "loudness_mean", data, "mean_loudness");
    failed |= copy(named, "loudness_std", data, "std_loudness");
    json_t *config = failed ? NULL : json_pack("{s:O}", "kwargs", named);
    json_decref(named);
    return config;
}

static rv_status read_foreign(json_t **out, const char *path, const char *given, rv_error *err)
{
    json_t *yaml = NULL;
    char *beside = given ? NULL : config_beside(path);
    const char *name = given ? given : beside;
    rv_error why = { 0 };
    rv_status st = name ? rv_yaml_read_file(&yaml, name, &why)
                        : RV_FAIL(&why, RV_ERR_NOMEM, "%s: out of memory", path);
    if (st == RV_OK && !json_is_object(json_object_get(yaml, "model")))
        st =
            RV_FAIL(&why, RV_ERR_FORMAT, "%s: has no mapping `model`, as ddsp_pytorch's has", name);
    if (st == RV_OK && !(*out = arguments_of(yaml)))
        st = RV_FAIL(&why, RV_ERR_NOMEM, "%s: out of memory", name);
    json_decref(yaml);
    free(beside);
    if (st == RV_OK)
        return RV_OK;
    if (given)
        return RV_FAIL(err, st, "%s", why.text);
    return RV_FAIL(
        err, st,
        "%s: holds weights but does not say of which model; of ddsp_pytorch, config.yaml "
        "is expected beside it or by name (%s)",
        path, why.text);
}

static rv_status check_class(const json_t *config, const char *path, rv_error *err)
{
    const char *class = json_string_value(json_object_get(config, "class"));
    if (!class || !strcmp(class, RV_AUTOENCODER_CLASS))
        return RV_OK;
    if (rv_model_find(class))
        return RV_FAIL(err, RV_ERR_UNSUPPORTED,
                       "%s: holds a model that separates (%.100s); a DDSP autoencoder (%s) is "
                       "expected",
                       path, class, RV_AUTOENCODER_CLASS);
    return RV_FAIL(err, RV_ERR_UNSUPPORTED,
                   "%s: holds a model of the class '%.100s'; a DDSP autoencoder (%s) is expected",
                   path, class, RV_AUTOENCODER_CLASS);
}

static rv_status configure(rv_autoencoder_network *n, const json_t *config, const char *path,
                           rv_error *err)
{
    rv_args args;
    rv_arena arena;
    rv_error why = { 0 };
    rv_arena_init(&arena, NULL);
    rv_status st = rv_arguments_read(&args, config, NULL, &arena, &why);
    if (st == RV_OK)
        st = rv_autoencoder_configure(&n->config, &args, &why);
    rv_arena_fini(&arena);
    return st == RV_OK ? RV_OK : RV_FAIL(err, st, "%s: %s", path, why.text);
}

static rv_status read_config(rv_autoencoder_network *n, const char *path, const char *given,
                             rv_error *err)
{
    const json_t *config = rv_checkpoint_config(n->checkpoint);
    json_t *foreign = NULL;
    RV_TRY(check_class(config, path, err));
    if (!json_object_get(config, "class"))
        RV_TRY(read_foreign(&foreign, path, given, err));
    const rv_status st = configure(n, foreign ? foreign : config, path, err);
    json_decref(foreign);
    return st;
}

/* Opening ---------------------------------------------------------------------------------- */

static rv_status open_network(rv_autoencoder_network *n, const char *path, const char *config,
                              rv_error *err)
{
    RV_TRY(rv_checkpoint_open(&n->checkpoint, path, err));
    RV_TRY(read_config(n, path, config, err));
    RV_TRY(rv_autoencoder_list(n, err));
    return rv_weights_take(&n->weights, n->checkpoint, &n->all, path, err);
}

rv_status rv_autoencoder_network_open(rv_autoencoder_network **out, const char *path,
                                      const char *config, rv_error *err)
{
    rv_autoencoder_network *n = calloc(1, sizeof *n);
    if (!n)
        return RV_FAIL(err, RV_ERR_NOMEM, "a network");
    const rv_status st = open_network(n, path, config, err);
    if (st != RV_OK) {
        rv_autoencoder_network_free(n);
        return st;
    }
    *out = n;
    return RV_OK;
}

void rv_autoencoder_network_free(rv_autoencoder_network *n)
{
    if (!n)
        return;
    rv_graph_free(n->graph);
    rv_checkpoint_free(n->checkpoint);
    rv_weights_free(&n->weights);
    free(n);
}

const rv_autoencoder_config *rv_autoencoder_network_config(const rv_autoencoder_network *n)
{
    return &n->config;
}

size_t rv_autoencoder_network_parameters(const rv_autoencoder_network *n)
{
    return nn_count(&n->all);
}
