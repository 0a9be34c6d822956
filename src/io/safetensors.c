/* safetensors.c - read the header, and check every number in it against the file. */
#include "io/safetensors.h"

#include "io/bytes.h"
#include "io/checkpoint_impl.h"
#include "io/text.h"

#include <string.h>

/* The format limits the header to 100 MB. JSON takes many times its size when parsed, so the
 * number of its items is limited too; a tensor has about 15. */
enum { HEADER_LIMIT = 100 * 1000 * 1000, ITEM_LIMIT = 1 << 21 };

bool rv_safetensors_is(const unsigned char *data, size_t size)
{
    return size >= 10 && rv_le64(data) >= 2 && data[8] == '{';
}

static size_t count_items(const char *text, size_t n)
{
    size_t items = 0;
    for (size_t i = 0; i < n; i++)
        items += text[i] == ',' || text[i] == ':' || text[i] == '[' || text[i] == '{';
    return items;
}

static rv_status parse_header(const rv_checkpoint *c, json_t **out, size_t *length, rv_error *err)
{
    const uint64_t n = rv_le64(c->file.data);
    if (n > HEADER_LIMIT || n > c->file.size - 8)
        return RV_FAIL(err, RV_ERR_FORMAT,
                       "%s: the header claims %llu bytes; the file has %zu and the limit is %d",
                       c->path, (unsigned long long)n, c->file.size, HEADER_LIMIT);
    const char *text = (const char *)c->file.data + 8;
    if (count_items(text, (size_t)n) > ITEM_LIMIT)
        return RV_FAIL(err, RV_ERR_FORMAT, "%s: the header has more than %d items", c->path,
                       ITEM_LIMIT);
    json_error_t at;
    *out = json_loadb(text, (size_t)n, JSON_REJECT_DUPLICATES, &at);
    *length = (size_t)n;
    if (!json_is_object(*out))
        return RV_FAIL(err, RV_ERR_FORMAT, "%s: header of safetensors, line %d column %d: %s",
                       c->path, at.line, at.column, *out ? "no object" : at.text);
    return RV_OK;
}

static rv_status tensor_error(const rv_checkpoint *c, const char *name, const char *what,
                              rv_error *err)
{
    return RV_FAIL(err, RV_ERR_FORMAT, "%s: tensor \"%s\": %s", c->path,
                   rv_show(name, strlen(name)).text, what);
}

static bool size_of(const json_t *number, size_t *out)
{
    if (!json_is_integer(number) || json_integer_value(number) < 0)
        return false;
    *out = (size_t)json_integer_value(number);
    return true;
}

static bool read_dtype(const json_t *text, rv_dtype *out)
{
    for (rv_dtype d = RV_F32; json_is_string(text) && d <= RV_BOOL; d++)
        if (!strcmp(json_string_value(text), rv_dtype_name(d))) {
            *out = d;
            return true;
        }
    return false;
}

/* Shape and row-major strides; overflowing ones are found by rv_checkpoint_add. */
static bool read_shape(const json_t *shape, rv_tensor *t)
{
    if (!json_is_array(shape) || json_array_size(shape) > RV_MAX_RANK)
        return false;
    t->rank = (int)json_array_size(shape);
    size_t stride = 1;
    for (int i = t->rank - 1; i >= 0; i--) {
        if (!size_of(json_array_get(shape, (size_t)i), &t->shape[i]))
            return false;
        t->stride[i] = stride;
        stride *= t->shape[i];
    }
    return true;
}

static rv_status read_tensor(rv_checkpoint *c, const char *name, const json_t *entry, size_t data,
                             rv_error *err)
{
    rv_tensor t = { .name = rv_checkpoint_keep(c, name, strlen(name)) };
    const json_t *place = json_object_get(entry, "data_offsets");
    size_t begin, end;
    if (!t.name)
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", c->path);
    if (!read_dtype(json_object_get(entry, "dtype"), &t.dtype))
        return tensor_error(c, name, "its dtype is not known here", err);
    if (!read_shape(json_object_get(entry, "shape"), &t))
        return tensor_error(c, name, "its shape is no list of up to 8 sizes", err);
    if (json_array_size(place) != 2 || !size_of(json_array_get(place, 0), &begin) ||
        !size_of(json_array_get(place, 1), &end) || begin > end || end > c->file.size - data)
        return tensor_error(c, name, "its data_offsets lie outside of the file; is it truncated?",
                            err);
    t.storage = c->file.data + data + begin;
    t.storage_size = end - begin;
    RV_TRY(rv_checkpoint_add(c, &t, err));
    if (c->tensors[c->n - 1].count * rv_dtype_size(t.dtype) != t.storage_size)
        return tensor_error(c, name, "its data_offsets do not fit shape and dtype", err);
    return RV_OK;
}

/* Our own text, or the strings of somebody else's metadata as "extra". */
static rv_status read_config(rv_checkpoint *c, const json_t *metadata, rv_error *err)
{
    const json_t *ours = json_object_get(metadata, "ravel");
    json_error_t at;
    if (json_is_string(ours))
        c->config = json_loadb(json_string_value(ours), json_string_length(ours),
                               JSON_REJECT_DUPLICATES, &at);
    else if (json_is_object(metadata))
        c->config = json_pack("{s:i, s:O}", "format_version", 1, "extra", metadata);
    else
        c->config = json_pack("{s:i}", "format_version", 1);
    if (!json_is_object(c->config))
        return RV_FAIL(err, RV_ERR_FORMAT, "%s: the configuration in the header is no JSON object",
                       c->path);
    return RV_OK;
}

static rv_status read_header(rv_checkpoint *c, json_t *header, size_t length, rv_error *err)
{
    const char *name;
    json_t *entry;
    RV_TRY(read_config(c, json_object_get(header, "__metadata__"), err));
    json_object_foreach(header, name, entry) if (strcmp(name, "__metadata__") != 0)
        RV_TRY(read_tensor(c, name, entry, 8 + length, err));
    return RV_OK;
}

rv_status rv_safetensors_read(rv_checkpoint *c, rv_error *err)
{
    json_t *header = NULL;
    size_t length = 0;
    c->kind = "safetensors";
    rv_status status = parse_header(c, &header, &length, err);
    if (status == RV_OK)
        status = read_header(c, header, length, err);
    json_decref(header);
    return status;
}
