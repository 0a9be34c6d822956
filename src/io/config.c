/* config.c - files and their bases, merged; then arguments. */
#include "io/config.h"

#include "io/mapping.h"
#include "io/text.h"
#include "io/yaml_text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { FILE_LIMIT = 64, BASE_DEPTH = 16 };

static const char BASE[] = "_base_";

typedef struct loader {
    json_t *origins;
    size_t values;
    int files;
    rv_error *err;
} loader;

/* A file that is being read, and the one that names it as a base. */
typedef struct chain {
    const char *path;
    struct stat id;
    const struct chain *above;
    int depth;
} chain;

static rv_status out_of_memory(const loader *l, const char *name)
{
    return RV_FAIL(l->err, RV_ERR_NOMEM, "%s: out of memory", name);
}

/* Put the values of `over` over those of `into`; mappings in both are merged. */
static bool merge(json_t *into, json_t *over)
{
    const char *key;
    json_t *value;
    json_object_foreach(over, key, value)
    {
        json_t *old = json_object_get(into, key);
        const bool both = json_is_object(old) && json_is_object(value);
        if (both ? !merge(old, value) : json_object_set(into, key, value))
            return false;
    }
    return true;
}

/* Files */

static rv_status check_chain(loader *l, chain *link)
{
    const char *above = link->above ? link->above->path : "";
    const char *of = link->above ? ", a _base_ of " : "";
    if (stat(link->path, &link->id))
        return RV_FAIL(l->err, RV_ERR_IO, "%s%s%s: cannot be opened: %s", link->path, of, above,
                       strerror(errno));
    for (const chain *c = link->above; c; c = c->above)
        if (c->id.st_dev == link->id.st_dev && c->id.st_ino == link->id.st_ino)
            return RV_FAIL(l->err, RV_ERR_FORMAT, "%s: _base_ goes in a circle, through %s",
                           link->path, above);
    if (link->depth > BASE_DEPTH || ++l->files > FILE_LIMIT)
        return RV_FAIL(l->err, RV_ERR_FORMAT,
                       "%s%s%s: too many bases (16 in a row, 64 files in all)", link->path, of,
                       above);
    return RV_OK;
}

static rv_status read_file(loader *l, const char *path, json_t *origins, json_t **out)
{
    rv_mapping file = { 0 };
    RV_TRY(rv_mapping_open(&file, path, l->err));
    const rv_yaml_input input = { .name = path,
                                  .text = file.data ? (const char *)file.data : "",
                                  .size = file.size,
                                  .at = "",
                                  .origins = origins,
                                  .values = &l->values };
    rv_status status = rv_yaml_read(out, &input, l->err);
    rv_mapping_close(&file);
    if (status == RV_OK && !json_is_object(*out)) {
        status = RV_FAIL(l->err, RV_ERR_FORMAT, "%s: a recipe must be a mapping (key: value)",
                         rv_config_place(origins, ""));
        json_decref(*out);
        *out = NULL;
    }
    return status;
}

static rv_status load_file(loader *l, const char *path, const chain *above, json_t *into);

/* `name` is relative to the folder of the file that names it. */
static rv_status load_base(loader *l, const json_t *name, const chain *link, const char *place,
                           json_t *into)
{
    const char *text = json_string_value(name), *slash = strrchr(link->path, '/');
    if (!text || !*text)
        return RV_FAIL(l->err, RV_ERR_FORMAT, "%s: _base_ must be a file or a list of files",
                       place);
    const int folder = slash && *text != '/' ? (int)(slash + 1 - link->path) : 0;
    char *path;
    if (asprintf(&path, "%.*s%s", folder, link->path, text) < 0)
        return out_of_memory(l, link->path);
    const rv_status status = load_file(l, path, link, into);
    free(path);
    return status;
}

static rv_status load_bases(loader *l, const json_t *bases, const chain *link, const char *place,
                            json_t *into)
{
    size_t i;
    json_t *base;
    if (!json_is_array(bases))
        return load_base(l, bases, link, place, into);
    json_array_foreach(bases, i, base) RV_TRY(load_base(l, base, link, place, into));
    return RV_OK;
}

/* The file's values and their origins go over those of its bases. */
static rv_status add_file(loader *l, const chain *link, json_t *own, json_t *origins, json_t *into)
{
    const json_t *bases = json_object_get(own, BASE);
    if (bases)
        RV_TRY(load_bases(l, bases, link, rv_config_place(origins, BASE), into));
    json_object_del(own, BASE);
    if (!merge(into, own) || json_object_update(l->origins, origins))
        return out_of_memory(l, link->path);
    return RV_OK;
}

static rv_status load_file(loader *l, const char *path, const chain *above, json_t *into)
{
    chain link = { .path = path, .above = above, .depth = above ? above->depth + 1 : 0 };
    RV_TRY(check_chain(l, &link));
    json_t *own = NULL, *origins = json_object();
    rv_status status = origins ? read_file(l, path, origins, &own) : out_of_memory(l, path);
    if (status == RV_OK)
        status = add_file(l, &link, own, origins, into);
    json_decref(own);
    json_decref(origins);
    return status;
}

/* Arguments: the containers that "a.b.c" passes, then the value. */

static bool item_index(const json_t *list, const char *key, size_t *index)
{
    const size_t digits = strspn(key, "0123456789");
    *index = digits && digits < 9 && !key[digits] ? strtoul(key, NULL, 10) : SIZE_MAX;
    return *index < json_array_size(list);
}

static bool is_container(const json_t *value)
{
    return json_is_object(value) || json_is_array(value);
}

/* Put a value under a key of a mapping or an index of a list; takes the reference. */
static rv_status put(const loader *l, json_t *at, const char *key, json_t *value,
                     const char *argument)
{
    size_t index;
    if (json_is_object(at))
        return json_object_set_new(at, key, value) ? out_of_memory(l, argument) : RV_OK;
    if (item_index(at, key, &index))
        return json_array_set_new(at, index, value) ? out_of_memory(l, argument) : RV_OK;
    json_decref(value);
    return RV_FAIL(l->err, RV_ERR_ARG,
                   "argument \"%s\": the list has %zu items (0 is the first), not \"%s\"",
                   rv_show(argument, strlen(argument)).text, json_array_size(at),
                   rv_show(key, strlen(key)).text);
}

/* Step into what stands under the key; a mapping is made where there is nothing. */
static rv_status step(const loader *l, json_t **at, const char *key, const char *argument)
{
    size_t index;
    json_t *child = json_is_object(*at)            ? json_object_get(*at, key)
                    : item_index(*at, key, &index) ? json_array_get(*at, index)
                                                   : NULL;
    if (!child || json_is_null(child)) {
        child = json_object();
        if (!child)
            return out_of_memory(l, argument);
        RV_TRY(put(l, *at, key, child, argument));
    }
    if (!is_container(child))
        return RV_FAIL(l->err, RV_ERR_ARG,
                       "argument \"%s\": \"%s\" is a single value, with nothing inside",
                       rv_show(argument, strlen(argument)).text, rv_show(key, strlen(key)).text);
    *at = child;
    return RV_OK;
}

/* `key` ("a.b.c") is cut into its parts. */
static rv_status put_at(const loader *l, json_t *root, char *key, json_t *value,
                        const char *argument)
{
    json_t *at = root;
    rv_status status = RV_OK;
    for (char *dot; status == RV_OK && (dot = strchr(key, '.')); key = dot + 1) {
        *dot = '\0';
        status = step(l, &at, key, argument);
    }
    if (status == RV_OK)
        return put(l, at, key, value, argument);
    json_decref(value);
    return status;
}

static bool is_key(const char *text, size_t n)
{
    json_t *valid = json_stringn(text, n);
    json_decref(valid);
    return valid && n && n < RV_YAML_PATH && text[0] != '.' && text[n - 1] != '.' &&
           !memmem(text, n, "..", 2);
}

static rv_status apply(loader *l, json_t *root, const char *argument)
{
    const char *equals = strchr(argument, '=');
    if (!equals || !is_key(argument, (size_t)(equals - argument)))
        return RV_FAIL(l->err, RV_ERR_ARG, "argument \"%s\": must be like train.lr=1e-3",
                       rv_show(argument, strlen(argument)).text);
    char *key = strndup(argument, (size_t)(equals - argument));
    if (!key)
        return out_of_memory(l, argument);
    const rv_yaml_input input = { .name = argument,
                                  .is_argument = true,
                                  .text = equals + 1,
                                  .size = strlen(equals + 1),
                                  .at = key,
                                  .origins = l->origins,
                                  .values = &l->values };
    json_t *value;
    rv_status status = rv_yaml_read(&value, &input, l->err);
    if (status == RV_OK)
        status = put_at(l, root, key, value, argument);
    free(key);
    return status;
}

static rv_status load_all(loader *l, json_t *root, const char *path, const char *const *overrides,
                          size_t n)
{
    RV_TRY(load_file(l, path, NULL, root));
    for (size_t i = 0; i < n; i++)
        RV_TRY(apply(l, root, overrides[i]));
    return RV_OK;
}

rv_status rv_config_load(json_t **out, json_t **origins, const char *path,
                         const char *const *overrides, size_t n, rv_error *err)
{
    json_t *root = json_object();
    loader l = { .origins = json_object(), .err = err };
    const rv_status status =
        root && l.origins ? load_all(&l, root, path, overrides, n) : out_of_memory(&l, path);
    if (status == RV_OK) {
        *out = json_incref(root);
        if (origins)
            *origins = json_incref(l.origins);
    }
    json_decref(root);
    json_decref(l.origins);
    return status;
}

const char *rv_config_place(const json_t *origins, const char *key)
{
    char shorter[RV_YAML_PATH];
    const size_t n = strlen(key) < sizeof shorter ? strlen(key) : sizeof shorter - 1;
    memcpy(shorter, key, n);
    shorter[n] = '\0';
    for (;;) {
        const char *place = json_string_value(json_object_get(origins, shorter));
        char *dot = strrchr(shorter, '.');
        if (place)
            return place;
        if (!shorter[0])
            return "configuration";
        *(dot ? dot : shorter) = '\0';
    }
}

rv_status rv_config_dump(char **out, const json_t *values, rv_error *err)
{
    return rv_yaml_write(out, values, err);
}
