/* convert.c - from any file of weights to safetensors that hold the model's configuration.
 *
 * The model is opened, so that what is written can be opened again, and weights quantised by DiffQ
 * get their names. Weights keep their
 * precision (16-bit ones are widened and narrowed without loss) unless half is asked for. */
#include "infer/convert.h"

#include "base/arena.h"
#include "base/status.h"
#include "infer/network.h"
#include "io/safetensors.h"

#include <stdlib.h>
#include <string.h>

static rv_dtype kept_dtype(const rv_tensor *t, bool half)
{
    if (t->dtype == RV_F16 || t->dtype == RV_BF16)
        return t->dtype;
    return half ? RV_F16 : RV_F32;
}

static rv_status read_tensor(rv_tensor_source *out, const rv_checkpoint *c, const rv_tensor *t,
                             bool half, rv_error *err)
{
    *out = (rv_tensor_source){ .name = t->name, .dtype = kept_dtype(t, half), .rank = t->rank };
    memcpy(out->shape, t->shape, sizeof t->shape);
    out->data = rv_checkpoint_view(c, t);
    if (out->data)
        return RV_OK;
    float *data = calloc(t->count + 1, sizeof *data);
    out->data = data;
    return data ? rv_checkpoint_read(c, t, data, err)
                : RV_FAIL(err, RV_ERR_NOMEM, "tensor %s", t->name);
}

static rv_status write_tensors(const rv_checkpoint *c, const char *out, const json_t *config,
                               bool half, rv_error *err)
{
    const size_t count = rv_checkpoint_count(c);
    rv_tensor_source *tensors = calloc(count + 1, sizeof *tensors);
    rv_status st = tensors ? RV_OK : RV_FAIL(err, RV_ERR_NOMEM, "%zu tensors", count);
    size_t n = 0;
    for (size_t i = 0; st == RV_OK && i < count; i++) {
        const rv_tensor *t = rv_checkpoint_tensor(c, i);
        const rv_dtype d = t->dtype;
        if (d == RV_F32 || d == RV_F16 || d == RV_BF16 || d == RV_F64) /* no counters */
            st = read_tensor(&tensors[n++], c, t, half, err);
    }
    if (st == RV_OK)
        st = rv_safetensors_write(out, tensors, n, config, err);
    for (size_t i = 0; i < n; i++)
        if (tensors[i].data != rv_checkpoint_view(c, rv_checkpoint_find(c, tensors[i].name)))
            free((void *)tensors[i].data);
    free(tensors);
    return st;
}

/* What the file says, without what only its training needed; `given` comes on top. */
static json_t *make_config(const rv_checkpoint *c, const json_t *given, const char *in)
{
    const char *slash = strrchr(in, '/');
    json_t *config = json_deep_copy(rv_checkpoint_config(c));
    if (!config)
        return NULL;
    json_object_del(config, "extra");
    json_object_del(config, "training_args");
    if (given)
        json_object_update(config, (json_t *)given);
    if (!json_object_get(config, "provenance"))
        json_object_set_new(config, "provenance",
                            json_sprintf("converted from %s", slash ? slash + 1 : in));
    return config;
}

static rv_status convert(const char *in, const char *out, const json_t *given, bool half,
                         rv_error *err)
{
    rv_network *network = NULL;
    rv_network_card card;
    RV_TRY(rv_network_open(&network, &card, in, 0, given, err));
    const rv_checkpoint *c = rv_network_checkpoint(network);
    json_t *config = make_config(c, given, in);
    const rv_status st = config ? write_tensors(c, out, config, half, err)
                                : RV_FAIL(err, RV_ERR_NOMEM, "the configuration of %s", in);
    json_decref(config);
    rv_network_free(network);
    return st;
}

rv_status rv_convert(const char *in, const char *out, const rv_convert_options *opt, rv_error *err)
{
    json_t *given = NULL;
    if (opt->config) {
        json_error_t where;
        given = json_load_file(opt->config, 0, &where);
        if (!given)
            return RV_FAIL(err, RV_ERR_FORMAT, "%s: line %d: %s", opt->config, where.line,
                           where.text);
        if (!json_is_object(given)) {
            json_decref(given);
            return RV_FAIL(err, RV_ERR_FORMAT, "%s: is no JSON object", opt->config);
        }
    }
    const rv_status st = convert(in, out, given, opt->half, err);
    json_decref(given);
    return st;
}
