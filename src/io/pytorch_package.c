/* pytorch_package.c - the layouts in which people save models.
 *
 *   Demucs    {"klass": C, "args": (...), "kwargs": {...}, "state": {...}, "training_args": ...}
 *   Asteroid  {"model_name": C, "model_args": {...}, "state_dict": {...}, more}
 *   loops     {"state_dict": {...}, more}; also "state", "model_state_dict", "model"
 *   plain     {"encoder.0.weight": tensor, ...}
 *
 * Dicts inside of a state dict flatten to names with dots. */
#include "io/pytorch_package.h"
#include "io/diffq.h"
#include "io/inflate.h"
#include "io/pytorch.h"
#include "io/text.h"

#include <string.h>

enum { DEPTH_LIMIT = 16, VISIT_LIMIT = 200000, NAME_LIMIT = 512 };

typedef struct collector {
    rv_checkpoint *c;
    rv_locate_fn *locate;
    void *ctx;
    size_t budget;         /* of the configuration */
    size_t visits;         /* items seen, of VISIT_LIMIT */
    char name[NAME_LIMIT]; /* of the item at hand, without a zero */
    rv_error *err;
} collector;

/* Tensors */

rv_status rv_pytorch_tensor(const rv_value *v, rv_locate_fn *locate, void *ctx, rv_tensor *t,
                            rv_error *err)
{
    const rv_value *storage = v->tensor.storage;
    t->dtype = storage->storage.dtype;
    t->rank = (int)v->tensor.shape->list.n;
    t->offset = v->tensor.offset;
    for (int i = 0; i < t->rank; i++) {
        t->shape[i] = (size_t)v->tensor.shape->list.items[i]->number;
        t->stride[i] = (size_t)v->tensor.stride->list.items[i]->number;
    }
    return locate(ctx, storage, t, err);
}

static rv_status add_tensor(collector *k, const rv_value *v, size_t name_size)
{
    rv_tensor t = { .name = rv_checkpoint_keep(k->c, k->name, name_size) };
    if (!t.name)
        return RV_FAIL(k->err, RV_ERR_NOMEM, "%s: out of memory", k->c->path);
    RV_TRY(rv_pytorch_tensor(v, k->locate, k->ctx, &t, k->err));
    return rv_checkpoint_add(k->c, &t, k->err);
}

static rv_status collect(collector *k, const rv_value *v, size_t prefix, int depth);

/* Put the key behind the first `prefix` bytes of the name; then its value. */
static rv_status collect_item(collector *k, const rv_value *key, const rv_value *v, size_t prefix,
                              int depth)
{
    if (++k->visits > VISIT_LIMIT || depth > DEPTH_LIMIT)
        return RV_FAIL(k->err, RV_ERR_FORMAT, "%s: the state dict is too large or too deep",
                       k->c->path);
    if (key->kind != RV_PK_TEXT || (v->kind != RV_PK_TENSOR && v->kind != RV_PK_DICT))
        return RV_OK;
    if (key->text.n + 1 >= NAME_LIMIT - prefix || memchr(key->text.data, 0, key->text.n))
        return RV_FAIL(k->err, RV_ERR_FORMAT, "%s: \"%s\" cannot be the name of a tensor",
                       k->c->path, rv_show(key->text.data, key->text.n).text);
    const size_t begin = prefix ? prefix + 1 : 0;
    if (prefix)
        k->name[prefix] = '.';
    memcpy(k->name + begin, key->text.data, key->text.n);
    return collect(k, v, begin + key->text.n, depth);
}

static rv_status collect(collector *k, const rv_value *v, size_t prefix, int depth)
{
    if (v->kind == RV_PK_TENSOR)
        return add_tensor(k, v, prefix);
    for (size_t i = 0; i + 1 < v->list.n; i += 2)
        RV_TRY(collect_item(k, v->list.items[i], v->list.items[i + 1], prefix, depth + 1));
    return RV_OK;
}

/* Demucs v2 compressed a whole file of DiffQ's with zlib. */
static bool is_compressed(const rv_value *state)
{
    const rv_value *packed = rv_value_get(state, "compressed");
    return packed && packed->kind == RV_PK_BYTES && state->list.n == 2;
}

static rv_status read_compressed(collector *k, const rv_value *packed)
{
    rv_checkpoint *c = k->c;
    size_t size = 0;
    if (c->inflated)
        return RV_FAIL(k->err, RV_ERR_FORMAT, "%s: the weights are compressed twice", c->path);
    RV_TRY(rv_inflate(&c->inflated, &size, packed->text.data, packed->text.n, c->path, k->err));
    c->outer = c->file;
    c->file = (rv_mapping){ .data = c->inflated, .size = size };
    if (rv_archive_is(c->file.data, size))
        return rv_pytorch_read_zip(c, k->err);
    if (rv_pytorch_is_legacy(c->file.data, size))
        return rv_pytorch_read_legacy(c, k->err);
    return RV_FAIL(k->err, RV_ERR_FORMAT, "%s: what was compressed is no file of PyTorch", c->path);
}

static bool is_state(const rv_value *v)
{
    return rv_diffq_is(v) || is_compressed(v);
}

static rv_status collect_state(collector *k, const rv_value *state)
{
    if (rv_diffq_is(state))
        return rv_diffq_collect(k->c, state, k->locate, k->ctx, k->err);
    if (is_compressed(state))
        return read_compressed(k, rv_value_get(state, "compressed"));
    return collect(k, state, 0, 0);
}

/* Configuration */

static rv_status set_json(collector *k, json_t *object, const char *key, const rv_value *v)
{
    json_t *json = NULL;
    RV_TRY(rv_value_json(&json, v, k->c->path, &k->budget, k->err));
    if (json_object_set_new(object, key, json)) /* a key that is no UTF-8 */
        return RV_FAIL(k->err, RV_ERR_FORMAT, "%s: a key of the package is no text", k->c->path);
    return RV_OK;
}

static rv_status set_if_there(collector *k, const rv_value *package, const char *key)
{
    const rv_value *v = rv_value_get(package, key);
    return v ? set_json(k, k->c->config, key, v) : RV_OK;
}

static bool is_weights(const rv_value *v)
{
    return v->kind == RV_PK_TENSOR || v->kind == RV_PK_DICT;
}

/* "extra": everything of `root` beside the weights, which are its item `state`, or, if that is
 * NULL, its tensors and dicts. */
static rv_status set_extra(collector *k, const rv_value *root, const rv_value *state)
{
    json_t *extra = json_object();
    if (!extra || json_object_set_new(k->c->config, "extra", extra))
        return RV_FAIL(k->err, RV_ERR_NOMEM, "%s: out of memory", k->c->path);
    for (size_t i = 0; i + 1 < root->list.n; i += 2) {
        const rv_value *key = root->list.items[i], *v = root->list.items[i + 1];
        if (key->kind != RV_PK_TEXT || (state ? v == state : is_weights(v)))
            continue;
        const char *name = rv_checkpoint_keep(k->c, key->text.data, key->text.n);
        if (!name)
            return RV_FAIL(k->err, RV_ERR_NOMEM, "%s: out of memory", k->c->path);
        RV_TRY(set_json(k, extra, name, v));
    }
    if (!json_object_size(extra))
        json_object_del(k->c->config, "extra");
    return RV_OK;
}

/* Layouts */

static bool is_dict(const rv_value *v)
{
    return v && v->kind == RV_PK_DICT;
}

static rv_status read_demucs(collector *k, const rv_value *root, const rv_value *klass)
{
    if (json_object_set_new(k->c->config, "class", json_string(klass->name)))
        return RV_FAIL(k->err, RV_ERR_FORMAT, "%s: the name of the class is no text", k->c->path);
    RV_TRY(set_if_there(k, root, "args"));
    RV_TRY(set_if_there(k, root, "kwargs"));
    RV_TRY(set_if_there(k, root, "training_args"));
    return collect_state(k, rv_value_get(root, "state"));
}

/* Asteroid's packages: what builds the model stands beside the state dict. */
static rv_status name_class(collector *k)
{
    json_t *config = k->c->config, *extra = json_object_get(config, "extra");
    json_t *name = json_object_get(extra, "model_name");
    json_t *args = json_object_get(extra, "model_args");
    if (!json_is_string(name) || !json_is_object(args))
        return RV_OK;
    if (json_object_set(config, "class", name) || json_object_set(config, "kwargs", args))
        return RV_FAIL(k->err, RV_ERR_NOMEM, "%s: out of memory", k->c->path);
    json_object_del(extra, "model_name");
    json_object_del(extra, "model_args");
    if (!json_object_size(extra))
        json_object_del(config, "extra");
    return RV_OK;
}

/* The state dict that a training loop put beside its own data, or NULL. */
static const rv_value *wrapped_state(const rv_value *root)
{
    static const char *const keys[] = { "state_dict", "state", "model_state_dict", "model" };
    for (size_t i = 1; i < root->list.n; i += 2)
        if (root->list.items[i]->kind == RV_PK_TENSOR)
            return NULL;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (is_dict(rv_value_get(root, keys[i])))
            return rv_value_get(root, keys[i]);
    return NULL;
}

static rv_status read_layout(collector *k, const rv_value *root)
{
    const rv_value *klass = rv_value_get(root, "klass"), *state = rv_value_get(root, "state");
    if (klass && klass->kind == RV_PK_CLASS && is_dict(state))
        return read_demucs(k, root, klass);
    if (is_state(root))
        return collect_state(k, root);
    state = wrapped_state(root);
    RV_TRY(set_extra(k, root, state));
    RV_TRY(name_class(k));
    return collect_state(k, state ? state : root);
}

rv_status rv_pytorch_package(rv_checkpoint *c, const rv_value *root, rv_locate_fn *locate,
                             void *ctx, rv_error *err)
{
    collector k = { .c = c, .locate = locate, .ctx = ctx, .budget = RV_JSON_BUDGET, .err = err };
    if (!c->config)
        c->config = json_pack("{s:i}", "format_version", 1);
    if (!c->config)
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", c->path);
    if (is_dict(root))
        RV_TRY(read_layout(&k, root));
    if (!c->n && !c->quantized)
        return RV_FAIL(err, RV_ERR_FORMAT,
                       "%s: holds no state dict (a dict of named tensors, or a dict with "
                       "\"state\" or \"state_dict\")",
                       c->path);
    return RV_OK;
}
