/* decoder_set.c - see decoder_set.h. */
#include "infer/decoder_set.h"

#include "base/status.h"
#include "io/yaml_file.h"

#include <stdlib.h>
#include <string.h>

rv_status rv_decoder_set_read(json_t **out, const char *path, rv_error *err)
{
    json_t *file = NULL;
    const char *key;
    json_t *value;
    rv_error not_read;
    *out = NULL;
    const rv_status read = rv_yaml_read_file(&file, path, &not_read);
    if (read != RV_OK || !json_object_get(file, "decoders")) {
        json_decref(file);
        return RV_OK;
    }
    rv_status st = RV_OK;
    if (!json_is_object(json_object_get(file, "decoders")) ||
        !json_is_string(json_object_get(file, "features")))
        st = RV_FAIL(err, RV_ERR_FORMAT,
                     "%s: expected `features`, a file, and `decoders`, a file for each source",
                     path);
    json_object_foreach(file, key, value) if (st == RV_OK && strcmp(key, "features") != 0 &&
                                              strcmp(key, "decoders") != 0) st =
        RV_FAIL(err, RV_ERR_FORMAT, "%s: unknown key '%.60s'; expected features, decoders", path,
                key);
    if (st == RV_OK)
        *out = file;
    else
        json_decref(file);
    return st;
}

/* `name` beside `path` */
static rv_status beside(char **out, const char *path, const char *name, rv_error *err)
{
    const char *slash = strrchr(path, '/');
    const size_t folder = slash && *name != '/' ? (size_t)(slash - path) + 1 : 0;
    const size_t n = strlen(name) + 1;
    if (!(*out = malloc(folder + n)))
        return RV_FAIL(err, RV_ERR_NOMEM, "the name of a file");
    memcpy(*out, path, folder);
    memcpy(*out + folder, name, n);
    return RV_OK;
}

rv_status rv_decoder_set_features(char **out, const json_t *set, const char *path, rv_error *err)
{
    return beside(out, path, json_string_value(json_object_get(set, "features")), err);
}

static const char *const loudnesses[] = { "ddsp", "ddsp1", "ddsp-pytorch" };

/* What a decoder was trained with is what it must be given. */
static rv_status check_fit(const rv_autoencoder_config *d, const rv_mctn_config *c,
                           const char *file, rv_error *err)
{
    if (d->sample_rate != c->sample_rate || d->hop != c->hop)
        return RV_FAIL(err, RV_ERR_UNSUPPORTED,
                       "%s: a decoder at %zu Hz with a frame every %zu samples; features come at "
                       "%zu Hz, every %zu",
                       file, d->sample_rate, d->hop, c->sample_rate, c->hop);
    if (d->features.loudness != c->loudness)
        return RV_FAIL(err, RV_ERR_UNSUPPORTED,
                       "%s: was trained on loudness '%s'; features have '%s'", file,
                       loudnesses[d->features.loudness], loudnesses[c->loudness]);
    if (d->z_encoder != RV_Z_NONE)
        return RV_FAIL(
            err, RV_ERR_UNSUPPORTED,
            "%s: wants timbre (z_encoder) beside pitch and loudness, which nothing gives", file);
    return RV_OK;
}

static rv_status open_decoder(rv_autoencoder_network **out, const json_t *file, const char *source,
                              const char *path, const rv_mctn_config *c, rv_error *err)
{
    const char *name = json_string_value(file);
    char *full = NULL;
    if (!name)
        return RV_FAIL(err, RV_ERR_FORMAT, "%s: decoders: no file for %s", path, source);
    RV_TRY(beside(&full, path, name, err));
    rv_status st = rv_autoencoder_network_open(out, full, NULL, err);
    if (st == RV_OK)
        st = check_fit(rv_autoencoder_network_config(*out), c, full, err);
    free(full);
    return st;
}

rv_status rv_decoder_set_open(rv_autoencoder_network **decoders, const json_t *set,
                              const char *path, const rv_mctn_config *c, rv_error *err)
{
    const json_t *files = json_object_get(set, "decoders");
    if (json_object_size(files) > c->n_sources)
        return RV_FAIL(err, RV_ERR_FORMAT, "%s: %zu decoders for %zu sources", path,
                       json_object_size(files), c->n_sources);
    for (size_t s = 0; s < c->n_sources; s++)
        RV_TRY(open_decoder(&decoders[s], json_object_get(files, c->sources[s]), c->sources[s],
                            path, c, err));
    return RV_OK;
}
