/* pickle_json.c - what a configuration keeps of a pickle: plain data as JSON.
 *
 * Values of a pickle may share parts, so that a small one can describe a huge tree, and may
 * contain themselves: the size of the result and its depth are bounded here. */
#include "io/pickle.h"

#include <stdio.h>
#include <string.h>

enum { DEPTH_LIMIT = 64, NODE_SIZE = 256 };

typedef struct converter {
    const char *what;
    size_t *budget; /* bytes left: each value takes its text and NODE_SIZE */
    rv_error *err;
} converter;

static rv_status convert(converter *c, json_t **out, const rv_value *v, int depth);

static rv_status charge(converter *c, size_t bytes)
{
    if (bytes > *c->budget)
        return RV_FAIL(c->err, RV_ERR_FORMAT, "%s: the plain data beside the weights take too much",
                       c->what);
    *c->budget -= bytes;
    return RV_OK;
}

static json_t *class_json(const char *name)
{
    return json_pack("{s:s}", "__class__", name);
}

/* JSON has no NaN and no infinity: they become text. */
static json_t *real_json(double x)
{
    if (x != x)
        return json_string("NaN");
    if (x - x != 0)
        return json_string(x > 0 ? "Infinity" : "-Infinity");
    return json_real(x);
}

/* Two's complement of any length, lowest byte first, to the nearest double. */
static double long_value(const unsigned char *bytes, size_t n)
{
    double value = n && bytes[n - 1] & 0x80 ? -1 : 0;
    for (size_t i = n; i-- > 0;)
        value = value * 256 + bytes[i];
    return value;
}

/* Text that is no UTF-8 is shown as what it is: bytes. */
static json_t *text_json(const rv_value *v)
{
    json_t *text = v->kind == RV_PK_TEXT ? json_stringn(v->text.data, v->text.n) : NULL;
    return text ? text : class_json("builtins.bytes");
}

static rv_status convert_list(converter *c, json_t **out, const rv_value *v, int depth)
{
    json_t *array = json_array();
    rv_status status = RV_OK;
    for (size_t i = 0; array && status == RV_OK && i < v->list.n; i++) {
        json_t *item = NULL;
        status = convert(c, &item, v->list.items[i], depth + 1);
        if (status == RV_OK && json_array_append_new(array, item))
            status = RV_FAIL(c->err, RV_ERR_NOMEM, "%s: out of memory", c->what);
    }
    if (status != RV_OK) {
        json_decref(array);
        array = NULL;
    }
    *out = array;
    return status;
}

/* A key as text, as Python's json module spells it; false if it has no spelling. */
static bool key_text(const rv_value *key, char *buffer, size_t size)
{
    switch (key->kind) {
    case RV_PK_TEXT:
        if (key->text.n >= size || memchr(key->text.data, 0, key->text.n))
            return false;
        memcpy(buffer, key->text.data, key->text.n);
        buffer[key->text.n] = '\0';
        return true;
    case RV_PK_BOOL:
        snprintf(buffer, size, "%s", key->number ? "true" : "false");
        return true;
    case RV_PK_INT:
        snprintf(buffer, size, "%lld", (long long)key->number);
        return true;
    case RV_PK_NONE:
        snprintf(buffer, size, "null");
        return true;
    default:
        return false;
    }
}

/* Items whose key is neither text (below 256 bytes) nor an integer are left out. */
static rv_status convert_item(converter *c, json_t *object, const rv_value *key,
                              const rv_value *value, int depth)
{
    char name[256];
    if (!key_text(key, name, sizeof name))
        return RV_OK;
    RV_TRY(charge(c, strlen(name)));
    json_t *item = NULL;
    RV_TRY(convert(c, &item, value, depth + 1));
    json_t *text = json_string(name); /* a key must be UTF-8 as well */
    if (text)
        json_object_set(object, name, item);
    json_decref(text);
    json_decref(item);
    return RV_OK;
}

static rv_status convert_dict(converter *c, json_t **out, const rv_value *v, int depth)
{
    json_t *object = json_object();
    rv_status status = RV_OK;
    for (size_t i = 0; object && status == RV_OK && i + 1 < v->list.n; i += 2)
        status = convert_item(c, object, v->list.items[i], v->list.items[i + 1], depth);
    if (status != RV_OK) {
        json_decref(object);
        object = NULL;
    }
    *out = object;
    return status;
}

/* The plain data inside an object of a class that only wraps such data, or NULL. */
static const rv_value *unwrap(const rv_value *v)
{
    const char *name = v->object.class ? v->object.class->name : "";
    const rv_value *state = v->object.state;
    if (!state || state->kind != RV_PK_DICT)
        return NULL;
    if (!strcmp(name, "argparse.Namespace"))
        return state;
    if (strncmp(name, "omegaconf.", 10))
        return NULL;
    const rv_value *content = rv_value_get(state, "_content");
    return content ? content : rv_value_get(state, "_val");
}

static rv_status convert_object(converter *c, json_t **out, const rv_value *v, int depth)
{
    const rv_value *inner = unwrap(v);
    if (inner)
        return convert(c, out, inner, depth + 1);
    *out = class_json(v->object.class ? v->object.class->name : "unknown");
    return RV_OK;
}

static rv_status convert_any(converter *c, json_t **out, const rv_value *v, int depth)
{
    switch (v->kind) {
    case RV_PK_NONE:
        *out = json_null();
        return RV_OK;
    case RV_PK_BOOL:
        *out = json_boolean(v->number);
        return RV_OK;
    case RV_PK_INT:
        *out = json_integer(v->number);
        return RV_OK;
    case RV_PK_LONG:
        *out = real_json(long_value((const unsigned char *)v->text.data, v->text.n));
        return RV_OK;
    case RV_PK_FLOAT:
        *out = real_json(v->real);
        return RV_OK;
    case RV_PK_TEXT:
    case RV_PK_BYTES:
        RV_TRY(charge(c, v->text.n));
        *out = text_json(v);
        return RV_OK;
    case RV_PK_TUPLE:
    case RV_PK_LIST:
    case RV_PK_SET:
        return convert_list(c, out, v, depth);
    case RV_PK_DICT:
        return convert_dict(c, out, v, depth);
    case RV_PK_CLASS:
        RV_TRY(charge(c, strlen(v->name)));
        *out = class_json(v->name);
        return RV_OK;
    case RV_PK_OBJECT:
        return convert_object(c, out, v, depth);
    case RV_PK_STORAGE:
        *out = class_json("torch.Storage");
        return RV_OK;
    case RV_PK_TENSOR:
        *out = class_json("torch.Tensor");
        return RV_OK;
    }
    *out = NULL;
    return RV_OK;
}

static rv_status convert(converter *c, json_t **out, const rv_value *v, int depth)
{
    if (depth > DEPTH_LIMIT)
        return RV_FAIL(c->err, RV_ERR_FORMAT, "%s: the data are nested deeper than %d", c->what,
                       DEPTH_LIMIT);
    RV_TRY(charge(c, NODE_SIZE));
    RV_TRY(convert_any(c, out, v, depth));
    if (!*out) /* the only name that is no UTF-8 is that of a class */
        *out = v->kind == RV_PK_OBJECT || v->kind == RV_PK_CLASS ? class_json("unknown") : NULL;
    return *out ? RV_OK : RV_FAIL(c->err, RV_ERR_NOMEM, "%s: out of memory", c->what);
}

rv_status rv_value_json(json_t **out, const rv_value *v, const char *what, size_t *budget,
                        rv_error *err)
{
    converter c = { .what = what, .budget = budget, .err = err };
    return convert(&c, out, v, 0);
}
