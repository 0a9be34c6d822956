/* config_schema.c - walk the values beside the table; then complete them. */
#include "io/config_schema.h"

#include "io/config.h"
#include "io/text.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEY = 512 };

typedef struct checker {
    const json_t *origins;
    const rv_config_key *rows;
    size_t n;
    rv_error *err;
} checker;

static const char *const kind_text[] = {
    [RV_CONFIG_NUMBER] = "a number",
    [RV_CONFIG_INTEGER] = "an integer",
    [RV_CONFIG_BOOL] = "true or false",
    [RV_CONFIG_TEXT] = "text (in quotes, if it looks like something else)",
    [RV_CONFIG_CHOICE] = "one of",
    [RV_CONFIG_NUMBERS] = "a list of numbers",
    [RV_CONFIG_TEXTS] = "a list of texts",
    [RV_CONFIG_MAPPING] = "a mapping",
    [RV_CONFIG_ANY] = "anything",
};

/* The nearest known key */

static const char *last_part(const char *path)
{
    const char *dot = strrchr(path, '.');
    return dot ? dot + 1 : path;
}

typedef struct nearest {
    size_t distance, n;
    const char *text;
} nearest;

static void consider(nearest *best, size_t distance, const char *text, size_t n)
{
    if (distance < best->distance)
        *best = (nearest){ distance, n, text };
}

/* A key may be misspelt, or stand in the wrong mapping, which counts as one more edit. */
static nearest nearest_key(const checker *c, const char *path)
{
    nearest best = { SIZE_MAX, 0, "" };
    const char *last = last_part(path);
    for (size_t i = 0; i < c->n; i++) {
        const char *row = c->rows[i].path, *end = row;
        do {
            end = strchrnul(end + 1, '.');
            const size_t n = (size_t)(end - row);
            consider(&best, rv_edit_distance(path, strlen(path), row, n), row, n);
        } while (*end);
        const char *row_last = last_part(row);
        consider(&best, 1 + rv_edit_distance(last, strlen(last), row_last, strlen(row_last)), row,
                 strlen(row));
    }
    return best;
}

static rv_status unknown_key(const checker *c, const char *path)
{
    const nearest near = nearest_key(c, path);
    return RV_FAIL(c->err, RV_ERR_FORMAT, "%s: unknown key \"%s\"; the nearest known is \"%.*s\"",
                   rv_config_place(c->origins, path), rv_show(path, strlen(path)).text, (int)near.n,
                   near.text);
}

/* One value */

/* What an error shows of a value: as it would be written, cut short. */
static rv_shown shown_value(const json_t *value)
{
    char *text = json_is_object(value)  ? strdup("a mapping")
                 : json_is_array(value) ? strdup("a list")
                                        : json_dumps(value, JSON_ENCODE_ANY);
    const rv_shown shown = rv_show(text ? text : "", text ? strlen(text) : 0);
    free(text);
    return shown;
}

static rv_status wrong_kind(const checker *c, const rv_config_key *row, const json_t *value)
{
    return RV_FAIL(c->err, RV_ERR_FORMAT, "%s: \"%s\" must be %s%s%s, not %s",
                   rv_config_place(c->origins, row->path), row->path, kind_text[row->kind],
                   row->choices ? " " : "", row->choices ? row->choices : "",
                   shown_value(value).text);
}

static rv_status check_range(const checker *c, const rv_config_key *row, const json_t *value)
{
    const double x = json_number_value(value);
    const bool limited = row->least < 0 || row->least > 0 || row->most < 0 || row->most > 0;
    if (!limited || (x >= row->least && x <= row->most))
        return RV_OK;
    return RV_FAIL(c->err, RV_ERR_FORMAT, "%s: \"%s\" must be from %g to %g, not %s",
                   rv_config_place(c->origins, row->path), row->path, row->least, row->most,
                   shown_value(value).text);
}

static bool is_choice(const char *choices, const char *text)
{
    const size_t n = strlen(text);
    for (const char *p = choices; p; p = strchr(p, '|'), p = p ? p + 1 : NULL)
        if (strcspn(p, "|") == n && !strncmp(p, text, n))
            return true;
    return false;
}

static bool is_integral(const json_t *value)
{
    const double x = json_real_value(value);
    return json_is_real(value) && fabs(x) <= 0x1p53 && !(x - floor(x) > 0);
}

static rv_status check_list(const checker *c, const rv_config_key *row, const json_t *list)
{
    const bool numbers = row->kind == RV_CONFIG_NUMBERS;
    size_t i;
    json_t *item;
    if (!json_is_array(list))
        return wrong_kind(c, row, list);
    json_array_foreach(list, i, item)
    {
        if (numbers ? !json_is_number(item) : !json_is_string(item))
            return wrong_kind(c, row, item);
        if (numbers)
            RV_TRY(check_range(c, row, item));
    }
    return RV_OK;
}

static bool is_of_kind(const rv_config_key *row, const json_t *value)
{
    switch (row->kind) {
    case RV_CONFIG_NUMBER:
        return json_is_number(value);
    case RV_CONFIG_INTEGER:
        return json_is_integer(value) || is_integral(value);
    case RV_CONFIG_BOOL:
        return json_is_boolean(value);
    case RV_CONFIG_TEXT:
        return json_is_string(value);
    case RV_CONFIG_CHOICE:
        return json_is_string(value) && is_choice(row->choices, json_string_value(value));
    case RV_CONFIG_MAPPING:
        return json_is_object(value);
    default:
        return true;
    }
}

static rv_status check_value(const checker *c, const rv_config_key *row, const json_t *value)
{
    if (row->kind == RV_CONFIG_NUMBERS || row->kind == RV_CONFIG_TEXTS)
        return check_list(c, row, value);
    if (!is_of_kind(row, value))
        return wrong_kind(c, row, value);
    return json_is_number(value) && row->kind != RV_CONFIG_ANY ? check_range(c, row, value) : RV_OK;
}

/* All values */

static const rv_config_key *find_row(const checker *c, const char *path)
{
    for (size_t i = 0; i < c->n; i++)
        if (!strcmp(c->rows[i].path, path))
            return &c->rows[i];
    return NULL;
}

static bool is_section(const checker *c, const char *path)
{
    const size_t n = strlen(path);
    for (size_t i = 0; i < c->n; i++)
        if (!strncmp(c->rows[i].path, path, n) && c->rows[i].path[n] == '.')
            return true;
    return false;
}

static rv_status check_mapping(const checker *c, const json_t *map, const char *prefix);

static rv_status check_key(const checker *c, const char *path, const json_t *value)
{
    const rv_config_key *row = find_row(c, path);
    if (row)
        return json_is_null(value) ? RV_OK : check_value(c, row, value);
    if (!is_section(c, path))
        return unknown_key(c, path);
    if (json_is_null(value))
        return RV_OK;
    if (!json_is_object(value))
        return RV_FAIL(c->err, RV_ERR_FORMAT, "%s: \"%s\" must be a mapping, not %s",
                       rv_config_place(c->origins, path), path, shown_value(value).text);
    return check_mapping(c, value, path);
}

/* A key with a dot is unknown: it only looks like the key of an inner mapping. */
static rv_status check_mapping(const checker *c, const json_t *map, const char *prefix)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)map, key, value)
    {
        char path[KEY];
        const int n = snprintf(path, sizeof path, "%s%s%s", prefix, *prefix ? "." : "", key);
        if (n >= KEY || strchr(key, '.'))
            return unknown_key(c, path);
        RV_TRY(check_key(c, path, value));
    }
    return RV_OK;
}

/* Defaults */

static json_t *standard_value(const rv_config_key *row)
{
    const bool text = row->kind == RV_CONFIG_TEXT || row->kind == RV_CONFIG_CHOICE;
    return text ? json_string(row->standard) : json_loads(row->standard, JSON_DECODE_ANY, NULL);
}

/* What to store instead of `old`: itself, an integer for 1e6, or the default. */
static rv_status completed(const checker *c, const rv_config_key *row, json_t *old, json_t **out)
{
    *out = NULL;
    if (old && row->kind == RV_CONFIG_INTEGER && json_is_real(old))
        *out = json_integer((json_int_t)json_real_value(old));
    else if (old && (row->kind == RV_CONFIG_ANY || !json_is_null(old)))
        *out = json_incref(old);
    else if (!row->standard)
        return RV_FAIL(c->err, RV_ERR_FORMAT, "%s: \"%s\" is missing (%s)",
                       rv_config_place(c->origins, row->path), row->path, row->about);
    else if (!row->standard[0])
        return RV_OK;
    else
        *out = standard_value(row);
    return *out ? RV_OK
                : RV_FAIL(c->err, RV_ERR_ARG, "the default of \"%s\" cannot be read", row->path);
}

/* The mapping that holds the row's value; made where it is absent. NULL without memory. */
static json_t *holder(json_t *values, const char *path)
{
    json_t *at = values;
    for (const char *dot; at && (dot = strchr(path, '.')); path = dot + 1) {
        char key[KEY];
        snprintf(key, sizeof key, "%.*s", (int)(dot - path), path);
        json_t *child = json_object_get(at, key);
        if (!json_is_object(child) && json_object_set_new(at, key, json_object()))
            return NULL;
        at = json_object_get(at, key);
    }
    return at;
}

static rv_status complete(const checker *c, json_t *values, const rv_config_key *row)
{
    const char *key = last_part(row->path);
    json_t *map = holder(values, row->path), *value;
    if (!map)
        return RV_FAIL(c->err, RV_ERR_NOMEM, "%s: out of memory", row->path);
    RV_TRY(completed(c, row, json_object_get(map, key), &value));
    if (!value)
        json_object_del(map, key);
    else if (json_object_set_new(map, key, value))
        return RV_FAIL(c->err, RV_ERR_NOMEM, "%s: out of memory", row->path);
    return RV_OK;
}

rv_status rv_config_check(json_t *values, const json_t *origins, const rv_config_key *rows,
                          size_t n, rv_error *err)
{
    const checker c = { origins, rows, n, err };
    if (!json_is_object(values))
        return RV_FAIL(err, RV_ERR_ARG, "a configuration must be a mapping");
    RV_TRY(check_mapping(&c, values, ""));
    for (size_t i = 0; i < n; i++)
        RV_TRY(complete(&c, values, &rows[i]));
    return RV_OK;
}

/* Help */

static void print_row(FILE *out, const rv_config_key *row)
{
    fprintf(out, "  %s: %s", row->path, kind_text[row->kind]);
    if (row->choices)
        fprintf(out, " %s", row->choices);
    if (row->least < 0 || row->least > 0 || row->most < 0 || row->most > 0)
        fprintf(out, " from %g to %g", row->least, row->most);
    if (!row->standard)
        fprintf(out, "; required");
    else if (row->standard[0])
        fprintf(out, "; default %s", row->standard);
    fprintf(out, "\n      %s\n", row->about);
}

char *rv_config_help(const rv_config_key *rows, size_t n)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        return NULL;
    for (size_t i = 0; i < n; i++)
        print_row(out, &rows[i]);
    if (!fclose(out))
        return text;
    free(text);
    return NULL;
}
