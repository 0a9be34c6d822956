/* pickle_call.c - the allow-list: what a pickle's calls turn into.
 *
 * Each row of the table makes plain data from plain data. Anything that is not in the table, or
 * that is called with other arguments than expected, becomes an inert object: it is not an error
 * to find one (training settings are full of them), and it does nothing. */
#include "io/half.h"
#include "io/pickle_impl.h"
#include "io/text.h"

#include <string.h>

typedef rv_status call_fn(rv_unpickler *u, rv_value **out, rv_value *args, rv_error *err);

static rv_value *argument(const rv_value *args, size_t i)
{
    return i < args->list.n ? args->list.items[i] : NULL;
}

static bool is_kind(const rv_value *v, rv_value_kind kind)
{
    return v && v->kind == kind;
}

static bool is_sequence(const rv_value *v)
{
    return v && (v->kind == RV_PK_TUPLE || v->kind == RV_PK_LIST || v->kind == RV_PK_SET);
}

static bool is_size(const rv_value *v)
{
    return is_kind(v, RV_PK_INT) && v->number >= 0;
}

/* A tuple of sizes that may be a shape. */
static bool is_shape(const rv_value *v)
{
    if (!is_kind(v, RV_PK_TUPLE) || v->list.n > RV_MAX_RANK)
        return false;
    for (size_t i = 0; i < v->list.n; i++)
        if (!is_size(v->list.items[i]))
            return false;
    return true;
}

/* _rebuild_tensor(storage, offset, shape, stride), and v2 with more behind. */
static rv_status call_tensor(rv_unpickler *u, rv_value **out, rv_value *args, rv_error *err)
{
    rv_value *const storage = argument(args, 0), *const offset = argument(args, 1);
    rv_value *const shape = argument(args, 2), *const stride = argument(args, 3);
    if (!is_kind(storage, RV_PK_STORAGE) || !is_size(offset) || !is_shape(shape) ||
        !is_shape(stride) || shape->list.n != stride->list.n)
        return rv_pk_fail(
            u, err, RV_ERR_FORMAT,
            "a tensor needs a storage, an offset, and a shape and strides of up to %d "
            "numbers, none negative",
            RV_MAX_RANK);
    rv_value *v = NULL;
    RV_TRY(rv_pk_new(u, &v, RV_PK_TENSOR, err));
    v->tensor.storage = storage;
    v->tensor.shape = shape;
    v->tensor.stride = stride;
    if (__builtin_add_overflow((size_t)offset->number, storage->storage.offset, &v->tensor.offset))
        return rv_pk_fail(u, err, RV_ERR_FORMAT, "offset %lld of a tensor is too large",
                          (long long)offset->number);
    *out = v;
    return RV_OK;
}

/* _rebuild_parameter(tensor, ...): a parameter is its tensor. */
static rv_status call_parameter(rv_unpickler *u, rv_value **out, rv_value *args, rv_error *err)
{
    (void)u;
    (void)err;
    if (is_kind(argument(args, 0), RV_PK_TENSOR))
        *out = argument(args, 0);
    return RV_OK;
}

/* _rebuild_from_type_v2(function, type, args, state): a subclass of tensor is its tensor. */
static rv_status call_from_type(rv_unpickler *u, rv_value **out, rv_value *args, rv_error *err)
{
    rv_value *const inner = argument(args, 2);
    if (is_kind(inner, RV_PK_TUPLE) && is_kind(argument(inner, 0), RV_PK_STORAGE))
        return call_tensor(u, out, inner, err);
    if (is_kind(inner, RV_PK_TUPLE))
        return call_parameter(u, out, inner, err);
    return RV_OK;
}

static rv_status copy_sequence(rv_unpickler *u, rv_value **out, rv_value *args, rv_value_kind kind,
                               rv_error *err)
{
    if (!args->list.n)
        return rv_pk_sequence(u, out, kind, NULL, 0, err);
    const rv_value *from = args->list.items[0];
    return is_sequence(from) ? rv_pk_sequence(u, out, kind, from->list.items, from->list.n, err)
                             : RV_OK;
}

static rv_status call_tuple(rv_unpickler *u, rv_value **out, rv_value *args, rv_error *err)
{
    return copy_sequence(u, out, args, RV_PK_TUPLE, err);
}

static rv_status call_list(rv_unpickler *u, rv_value **out, rv_value *args, rv_error *err)
{
    return copy_sequence(u, out, args, RV_PK_LIST, err);
}

static rv_status call_set(rv_unpickler *u, rv_value **out, rv_value *args, rv_error *err)
{
    return copy_sequence(u, out, args, RV_PK_SET, err);
}

/* dict(), and dict([[key, value], ...]) */
static rv_status call_dict(rv_unpickler *u, rv_value **out, rv_value *args, rv_error *err)
{
    const rv_value *const from = argument(args, 0);
    if (is_kind(from, RV_PK_DICT))
        return rv_pk_sequence(u, out, RV_PK_DICT, from->list.items, from->list.n, err);
    rv_value *dict = NULL, *flat = NULL;
    RV_TRY(rv_pk_sequence(u, &dict, RV_PK_DICT, NULL, 0, err));
    if (!is_sequence(from) || !from->list.n) {
        *out = dict;
        return RV_OK;
    }
    RV_TRY(rv_pk_sequence(u, &flat, RV_PK_TUPLE, NULL, 2 * from->list.n, err));
    for (size_t i = 0; i < from->list.n; i++) {
        const rv_value *pair = from->list.items[i];
        if (!is_sequence(pair) || pair->list.n != 2)
            return rv_pk_fail(u, err, RV_ERR_FORMAT, "item %zu of a dict is no pair", i);
        memcpy(&flat->list.items[2 * i], pair->list.items, 2 * sizeof *pair->list.items);
    }
    flat->kind = RV_PK_DICT;
    *out = flat;
    return RV_OK;
}

static bool real_of(const rv_value *v, double *out)
{
    if (is_kind(v, RV_PK_INT))
        *out = (double)v->number;
    else if (is_kind(v, RV_PK_FLOAT))
        *out = v->real;
    else
        return is_kind(v, RV_PK_TEXT) && rv_number(v->text.data, v->text.n, out);
    return true;
}

/* Fraction("39/5") up to Python 3.11, Fraction(39, 5) from 3.12 on. */
static rv_status call_fraction(rv_unpickler *u, rv_value **out, rv_value *args, rv_error *err)
{
    const rv_value *const first = argument(args, 0);
    double above, below = 1;
    bool known;
    const char *slash =
        is_kind(first, RV_PK_TEXT) ? memchr(first->text.data, '/', first->text.n) : NULL;
    if (slash) {
        const size_t n = (size_t)(slash - first->text.data);
        known = rv_number(first->text.data, n, &above) &&
                rv_number(slash + 1, first->text.n - n - 1, &below);
    } else {
        known = real_of(first, &above) && (args->list.n < 2 || real_of(argument(args, 1), &below));
    }
    if (!known || below == 0)
        return RV_OK;
    RV_TRY(rv_pk_new(u, out, RV_PK_FLOAT, err));
    (*out)->real = above / below;
    return RV_OK;
}

/* PosixPath("/", "data", "x"): its parts, joined. */
static rv_status call_path(rv_unpickler *u, rv_value **out, rv_value *args, rv_error *err)
{
    size_t n = 1, at = 0;
    for (size_t i = 0; i < args->list.n; i++) {
        if (args->list.items[i]->kind != RV_PK_TEXT)
            return RV_OK;
        n += args->list.items[i]->text.n + 1;
    }
    char *text = NULL;
    RV_TRY(rv_pk_take(u, (void **)&text, n, err));
    for (size_t i = 0; i < args->list.n; i++) {
        const rv_value *part = args->list.items[i];
        if (at && text[at - 1] != '/')
            text[at++] = '/';
        memcpy(text + at, part->text.data, part->text.n);
        at += part->text.n;
    }
    RV_TRY(rv_pk_new(u, out, RV_PK_TEXT, err));
    (*out)->text.data = text;
    (*out)->text.n = at;
    return RV_OK;
}

/* _codecs.encode(text, "latin1"): how protocol 2 writes bytes. Code points 0 to 255 are one or
 * two bytes of UTF-8. */
static rv_status call_encode(rv_unpickler *u, rv_value **out, rv_value *args, rv_error *err)
{
    const rv_value *const text = argument(args, 0);
    if (!is_kind(text, RV_PK_TEXT) || !rv_value_is(argument(args, 1), "latin1"))
        return RV_OK;
    char *bytes = NULL;
    RV_TRY(rv_pk_take(u, (void **)&bytes, text->text.n + 1, err));
    const unsigned char *p = (const unsigned char *)text->text.data, *stop = p + text->text.n;
    size_t n = 0;
    while (p < stop) {
        const bool pair = (*p & 0xfe) == 0xc2 && stop - p > 1 && (p[1] & 0xc0) == 0x80;
        if (!pair && *p >= 0x80)
            return RV_OK;
        bytes[n++] = (char)(pair ? (*p & 3) << 6 | (p[1] & 63) : *p);
        p += pair ? 2 : 1;
    }
    RV_TRY(rv_pk_new(u, out, RV_PK_BYTES, err));
    (*out)->text.data = bytes;
    (*out)->text.n = n;
    return RV_OK;
}

static bool numpy_real(rv_value *v, size_t size, uint64_t bits)
{
    const uint32_t low = (uint32_t)bits;
    float single = rv_half_to_float((uint16_t)bits);
    if (size == 4)
        memcpy(&single, &low, sizeof single);
    v->real = (double)single;
    if (size == 8)
        memcpy(&v->real, &bits, sizeof v->real);
    return size == 2 || size == 4 || size == 8;
}

/* One element of a little-endian numpy type ("f8", "i4", "b1", ...), of 1 to 8 bytes. */
static bool numpy_element(rv_value *v, char type, size_t size, const char *bytes)
{
    uint64_t bits = 0;
    memcpy(&bits, bytes, size);
    v->kind = type == 'f' ? RV_PK_FLOAT : type == 'b' ? RV_PK_BOOL : RV_PK_INT;
    if (type == 'f')
        return numpy_real(v, size, bits);
    if (type == 'i' && size < 8) { /* extend the sign */
        const uint64_t sign = (uint64_t)1 << (8 * size - 1);
        bits = (bits ^ sign) - sign;
    }
    v->number = (int64_t)bits;
    return type == 'i' || type == 'b' || (type == 'u' && v->number >= 0);
}

/* numpy's scalar(dtype("f8", ...), bytes) */
static rv_status call_scalar(rv_unpickler *u, rv_value **out, rv_value *args, rv_error *err)
{
    const rv_value *const type = argument(args, 0), *const bytes = argument(args, 1);
    if (!is_kind(type, RV_PK_OBJECT) || !is_kind(bytes, RV_PK_BYTES))
        return RV_OK;
    const rv_value *const code = argument(type->object.args, 0);
    const rv_value *const state = type->object.state; /* (3, "<" or ">", ...) */
    if (is_kind(state, RV_PK_TUPLE) && rv_value_is(argument(state, 1), ">"))
        return RV_OK;
    if (!is_kind(code, RV_PK_TEXT) || code->text.n != 2 || !bytes->text.n || bytes->text.n > 8 ||
        (size_t)(code->text.data[1] - '0') != bytes->text.n)
        return RV_OK;
    rv_value *v = NULL;
    RV_TRY(rv_pk_new(u, &v, RV_PK_NONE, err));
    if (numpy_element(v, code->text.data[0], bytes->text.n, bytes->text.data))
        *out = v;
    return RV_OK;
}

static const struct call {
    const char *name;
    call_fn *run;
} calls[] = {
    { "__builtin__.dict", call_dict },
    { "__builtin__.frozenset", call_set },
    { "__builtin__.list", call_list },
    { "__builtin__.set", call_set },
    { "__builtin__.tuple", call_tuple },
    { "_codecs.encode", call_encode },
    { "builtins.dict", call_dict },
    { "builtins.frozenset", call_set },
    { "builtins.list", call_list },
    { "builtins.set", call_set },
    { "builtins.tuple", call_tuple },
    { "collections.OrderedDict", call_dict },
    { "collections.defaultdict", call_dict },
    { "fractions.Fraction", call_fraction },
    { "numpy._core.multiarray.scalar", call_scalar },
    { "numpy.core.multiarray.scalar", call_scalar },
    { "pathlib.Path", call_path },
    { "pathlib.PosixPath", call_path },
    { "pathlib.PurePosixPath", call_path },
    { "pathlib.PureWindowsPath", call_path },
    { "pathlib.WindowsPath", call_path },
    { "torch.Size", call_tuple },
    { "torch._tensor._rebuild_from_type_v2", call_from_type },
    { "torch._utils._rebuild_parameter", call_parameter },
    { "torch._utils._rebuild_parameter_with_state", call_parameter },
    { "torch._utils._rebuild_tensor", call_tensor },
    { "torch._utils._rebuild_tensor_v2", call_tensor },
};

static call_fn *find_call(const rv_value *callee)
{
    for (size_t i = 0; callee->kind == RV_PK_CLASS && i < sizeof calls / sizeof *calls; i++)
        if (!strcmp(calls[i].name, callee->name))
            return calls[i].run;
    return NULL;
}

rv_status rv_pk_call(rv_unpickler *u, rv_value **out, rv_value *callee, rv_value *args,
                     rv_error *err)
{
    if (args->kind != RV_PK_TUPLE)
        return rv_pk_fail(u, err, RV_ERR_FORMAT, "the arguments of a call are no tuple");
    call_fn *const run = find_call(callee);
    *out = NULL;
    if (run)
        RV_TRY(run(u, out, args, err));
    if (*out)
        return RV_OK;
    RV_TRY(rv_pk_new(u, out, RV_PK_OBJECT, err));
    (*out)->object.class = callee->kind == RV_PK_CLASS ? callee : NULL;
    (*out)->object.args = args;
    return RV_OK;
}

static bool storage_dtype(const rv_value *type, rv_dtype *out)
{
    static const struct {
        const char *name;
        rv_dtype dtype;
    } types[] = {
        { "FloatStorage", RV_F32 },  { "HalfStorage", RV_F16 },  { "BFloat16Storage", RV_BF16 },
        { "DoubleStorage", RV_F64 }, { "LongStorage", RV_I64 },  { "IntStorage", RV_I32 },
        { "ShortStorage", RV_I16 },  { "CharStorage", RV_I8 },   { "ByteStorage", RV_U8 },
        { "UntypedStorage", RV_U8 }, { "BoolStorage", RV_BOOL },
    };
    static const char *const modules[] = { "torch.cuda.", "torch.storage.", "torch." };
    for (size_t m = 0; m < 3; m++) {
        const size_t n = strlen(modules[m]);
        for (size_t i = 0; i < sizeof types / sizeof *types; i++)
            if (!strncmp(type->name, modules[m], n) && !strcmp(type->name + n, types[i].name)) {
                *out = types[i].dtype;
                return true;
            }
    }
    return false;
}

/* A view (root key, offset, count) of the oldest files moves the storage's start. */
static rv_status apply_view(rv_unpickler *u, rv_value *storage, const rv_value *view, rv_error *err)
{
    if (!view || view->kind == RV_PK_NONE)
        return RV_OK;
    if (view->kind != RV_PK_TUPLE || view->list.n != 3 || !is_size(view->list.items[1]))
        return rv_pk_fail(u, err, RV_ERR_FORMAT,
                          "the view of a storage is not (key, offset, count)");
    storage->storage.offset = (size_t)view->list.items[1]->number;
    return RV_OK;
}

static rv_status make_storage(rv_unpickler *u, rv_value **out, const rv_value *id, rv_error *err)
{
    const rv_value *const type = argument(id, 1), *const count = argument(id, 4);
    rv_value *const key = argument(id, 2);
    rv_dtype dtype;
    if (!is_kind(type, RV_PK_CLASS) || !is_kind(key, RV_PK_TEXT) || !is_size(count))
        return rv_pk_fail(u, err, RV_ERR_FORMAT,
                          "a storage is not (\"storage\", type, key, location, count)");
    if (!storage_dtype(type, &dtype))
        return rv_pk_fail(u, err, RV_ERR_UNSUPPORTED, "tensors of %s are not supported",
                          rv_show(type->name, strlen(type->name)).text);
    rv_value *v = NULL;
    RV_TRY(rv_pk_new(u, &v, RV_PK_STORAGE, err));
    v->storage.key = key;
    v->storage.dtype = dtype;
    v->storage.count = (size_t)count->number;
    v->storage.next = u->storages;
    u->storages = v;
    *out = v;
    return apply_view(u, v, argument(id, 5), err);
}

rv_status rv_pk_persistent(rv_unpickler *u, rv_value **out, const rv_value *id, rv_error *err)
{
    if (id->kind == RV_PK_TUPLE && rv_value_is(argument(id, 0), "storage"))
        return make_storage(u, out, id, err);
    if (id->kind == RV_PK_TUPLE && rv_value_is(argument(id, 0), "module") &&
        is_kind(argument(id, 1), RV_PK_CLASS)) {
        *out = argument(id, 1);
        return RV_OK;
    }
    return rv_pk_fail(u, err, RV_ERR_FORMAT, "a persistent id that is neither storage nor module");
}
