/* group_file.c - the keys of each processor are those of its kind, in a table made for the file;
 * then the processors are put into an order in which what feeds one comes before it. */
#include "infer/group_file.h"

#include "base/status.h"
#include "io/config.h"
#include "io/config_schema.h"
#include "io/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    PATH = 2 * RV_GROUP_NAME + 16,
    STANDARD = 32,
    MOST_ROWS = 3 + RV_GROUP_MOST * (2 + RV_GROUP_SETTINGS),
    MOST_NAMES = 2 * RV_GROUP_MOST * RV_GROUP_INPUTS,
    KINDS = 512
};

typedef struct reader {
    const json_t *origins;
    json_t *processors;
    size_t n;
    const char *names[RV_GROUP_MOST];
    const rv_group_kind *kinds[RV_GROUP_MOST];
    const char *const *known; /* [n_known]; NULL: any */
    size_t n_known;
    rv_config_key rows[MOST_ROWS];
    char paths[MOST_ROWS][PATH], standards[MOST_ROWS][STANDARD];
    size_t n_rows;
    char state[RV_GROUP_MOST]; /* of ordering: 0, OPEN, DONE */
    rv_group *group;
    rv_error *err;
} reader;

enum { OPEN = 1, DONE };

/* Where a key of a processor stands. */
static const char *place_of(const reader *r, const char *name, const char *key)
{
    char path[PATH];
    snprintf(path, sizeof path, "processors.%.63s%s%s", name, *key ? "." : "", key);
    return rv_config_place(r->origins, path);
}

/* Names and kinds ------------------------------------------------------------------------ */

static rv_status unknown_kind(const reader *r, const char *name, const char *kind)
{
    const char *kinds[64];
    size_t n = 0;
    for (; n < rv_group_n_kinds && n < 64; n++)
        kinds[n] = rv_group_kinds[n].name;
    return RV_FAIL(r->err, RV_ERR_FORMAT,
                   "%s: processor \"%s\": unknown kind \"%s\"; the nearest known is \"%s\"",
                   place_of(r, name, "kind"), name, rv_show(kind, strlen(kind)).text,
                   rv_nearest(kind, kinds, n));
}

static rv_status add_name(reader *r, const char *name, const json_t *processor)
{
    const size_t length = strlen(name);
    if (!length || length >= RV_GROUP_NAME || strcspn(name, ". \t\n/\"") != length)
        return RV_FAIL(r->err, RV_ERR_FORMAT,
                       "%s: processor \"%s\": names have 1 to %d characters, without dots, "
                       "slashes, quotes and spaces",
                       rv_config_place(r->origins, "processors"), rv_show(name, length).text,
                       RV_GROUP_NAME - 1);
    const char *kind = json_string_value(json_object_get(processor, "kind"));
    if (!kind)
        return RV_FAIL(r->err, RV_ERR_FORMAT,
                       "%s: processor \"%s\" must be a mapping with a kind, such as {kind: add, "
                       "inputs: [...]}",
                       place_of(r, name, ""), rv_show(name, length).text);
    if (r->n == RV_GROUP_MOST)
        return RV_FAIL(r->err, RV_ERR_FORMAT, "%s: more than %d processors", place_of(r, name, ""),
                       RV_GROUP_MOST);
    r->names[r->n] = name;
    r->kinds[r->n] = rv_group_find_kind(kind);
    return r->kinds[r->n++] ? RV_OK : unknown_kind(r, name, kind);
}

static rv_status find_names(reader *r, const json_t *values)
{
    const char *name;
    json_t *processor;
    r->processors = json_object_get(values, "processors");
    if (!json_object_size(r->processors))
        return RV_FAIL(r->err, RV_ERR_FORMAT,
                       "%s: \"processors\" must be a mapping of names to "
                       "processors, with one at least",
                       rv_config_place(r->origins, "processors"));
    json_object_foreach(r->processors, name, processor) RV_TRY(add_name(r, name, processor));
    return RV_OK;
}

/* The table of keys ---------------------------------------------------------------------- */

static rv_config_key *add_row(reader *r, const char *name, const char *key)
{
    const size_t i = r->n_rows++;
    snprintf(r->paths[i], PATH, "processors.%s.%s", name, key);
    r->rows[i] = (rv_config_key){ .path = r->paths[i], .standard = r->standards[i] };
    return &r->rows[i];
}

/* The text of choice `index` of "a|b|c". */
static void copy_choice(char *to, const char *choices, size_t index)
{
    for (; index > 0; index--)
        choices += strcspn(choices, "|") + 1;
    snprintf(to, STANDARD, "%.*s", (int)strcspn(choices, "|"), choices);
}

static size_t find_choice(const char *choices, const char *text)
{
    char choice[STANDARD] = "";
    size_t i = 0;
    for (copy_choice(choice, choices, 0); strcmp(choice, text) != 0; i++)
        copy_choice(choice, choices, i + 1);
    return i;
}

static void add_setting(reader *r, const char *name, const rv_group_setting *s)
{
    static const rv_config_kind kinds[] = { [RV_GROUP_NUMBER] = RV_CONFIG_NUMBER,
                                            [RV_GROUP_INTEGER] = RV_CONFIG_INTEGER,
                                            [RV_GROUP_BOOL] = RV_CONFIG_BOOL,
                                            [RV_GROUP_CHOICE] = RV_CONFIG_CHOICE };
    rv_config_key *row = add_row(r, name, s->name);
    char *standard = r->standards[row - r->rows];
    row->kind = kinds[s->kind];
    row->choices = s->choices;
    row->about = s->about;
    if (s->kind == RV_GROUP_CHOICE)
        copy_choice(standard, s->choices, (size_t)s->standard);
    else if (s->kind == RV_GROUP_BOOL)
        snprintf(standard, STANDARD, s->standard > 0 ? "true" : "false");
    else
        snprintf(standard, STANDARD, "%.17g", s->standard);
    if (s->kind == RV_GROUP_NUMBER || s->kind == RV_GROUP_INTEGER) {
        row->least = s->least;
        row->most = s->most;
    }
}

static rv_status check_keys(reader *r, json_t *values)
{
    static const rv_config_key common[] = {
        { "sample_rate", RV_CONFIG_NUMBER, 1, 1e6, .standard = "16000", .about = "Hz" },
        { "controls", RV_CONFIG_TEXTS, .standard = "", .about = "names of all controls" },
        { "output", RV_CONFIG_TEXT, .about = "the processor that is heard" },
    };
    for (size_t i = 0; i < sizeof common / sizeof *common; i++)
        r->rows[r->n_rows++] = common[i];
    for (size_t i = 0; i < r->n; i++) {
        rv_config_key *kind = add_row(r, r->names[i], "kind");
        *kind = (rv_config_key){ kind->path, RV_CONFIG_TEXT, .about = "what it does" };
        rv_config_key *inputs = add_row(r, r->names[i], "inputs");
        *inputs =
            (rv_config_key){ inputs->path, RV_CONFIG_TEXTS, .about = "processors and controls" };
        for (size_t k = 0; k < r->kinds[i]->n_settings; k++)
            add_setting(r, r->names[i], &r->kinds[i]->settings[k]);
    }
    return rv_config_check(values, r->origins, r->rows, r->n_rows, r->err);
}

/* Inputs --------------------------------------------------------------------------------- */

static size_t find_name(const reader *r, const char *name)
{
    size_t i = 0;
    while (i < r->n && strcmp(r->names[i], name) != 0)
        i++;
    return i;
}

static bool is_known(const reader *r, const char *name)
{
    bool known = !r->known;
    for (size_t i = 0; i < r->n_known && !known; i++)
        known = !strcmp(r->known[i], name);
    return known;
}

static rv_status unknown_input(const reader *r, const char *processor, const char *name)
{
    const char *all[MOST_NAMES];
    size_t n = 0;
    for (size_t i = 0; i < r->n; i++)
        all[n++] = r->names[i];
    for (size_t i = 0; i < r->n_known && n < MOST_NAMES; i++)
        all[n++] = r->known[i];
    return RV_FAIL(r->err, RV_ERR_FORMAT,
                   "%s: processor \"%s\": input \"%s\" is no processor and no control; the nearest "
                   "is \"%s\"",
                   place_of(r, processor, "inputs"), processor, rv_show(name, strlen(name)).text,
                   rv_nearest(name, all, n));
}

static rv_status set_values(reader *r, size_t index)
{
    const char *name = r->names[index];
    const json_t *processor = json_object_get(r->processors, name);
    const rv_group_kind *kind = r->kinds[index];
    for (size_t i = 0; i < kind->n_settings; i++) {
        const rv_group_setting *s = &kind->settings[i];
        const json_t *value = json_object_get(processor, s->name);
        const double number = s->choices ? (double)find_choice(s->choices, json_string_value(value))
                              : json_is_boolean(value) ? json_is_true(value)
                                                       : json_number_value(value);
        RV_TRY(rv_group_set(r->group, name, s->name, number, r->err));
    }
    return RV_OK;
}

static rv_status add_processor(reader *r, size_t index, const char *const *inputs, size_t n)
{
    rv_error why = { 0 };
    const char *name = r->names[index];
    const rv_status status = rv_group_add(r->group, name, r->kinds[index]->name, n, inputs, &why);
    if (status != RV_OK)
        return RV_FAIL(r->err, RV_ERR_FORMAT, "%s: %s", place_of(r, name, "inputs"), why.text);
    return set_values(r, index);
}

/* After all that feeds it. `via`: the processor that it feeds, for the message. */
static rv_status add_in_order(reader *r, size_t index, size_t via)
{
    const char *name = r->names[index], *inputs[RV_GROUP_INPUTS];
    const json_t *list = json_object_get(json_object_get(r->processors, name), "inputs");
    const size_t n = json_array_size(list);
    if (r->state[index] == DONE)
        return RV_OK;
    if (r->state[index] == OPEN)
        return RV_FAIL(r->err, RV_ERR_FORMAT,
                       "%s: processors feed each other in a circle: \"%s\" feeds \"%s\", which it "
                       "depends on",
                       place_of(r, r->names[via], "inputs"), name, r->names[via]);
    r->state[index] = OPEN;
    for (size_t i = 0; i < n && i < RV_GROUP_INPUTS; i++) {
        inputs[i] = json_string_value(json_array_get(list, i));
        const size_t from = find_name(r, inputs[i]);
        if (from < r->n)
            RV_TRY(add_in_order(r, from, index));
        else if (!is_known(r, inputs[i]))
            return unknown_input(r, name, inputs[i]);
    }
    r->state[index] = DONE;
    return add_processor(r, index, inputs, n);
}

static rv_status set_output(reader *r, const json_t *values)
{
    const char *name = json_string_value(json_object_get(values, "output"));
    if (find_name(r, name) < r->n)
        return rv_group_set_output(r->group, name, r->err);
    return RV_FAIL(r->err, RV_ERR_FORMAT,
                   "%s: output \"%s\" is no processor; the nearest is \"%s\"",
                   rv_config_place(r->origins, "output"), rv_show(name, strlen(name)).text,
                   rv_nearest(name, r->names, r->n));
}

static rv_status build_group(reader *r, const json_t *values)
{
    const double rate = json_number_value(json_object_get(values, "sample_rate"));
    RV_TRY(rv_group_new(&r->group, rate, NULL, r->err));
    for (size_t i = 0; i < r->n; i++)
        RV_TRY(add_in_order(r, i, i));
    return set_output(r, values);
}

/* The file's list of controls, where the caller has none. */
static rv_status read_known(reader *r, const json_t *values, const char **names)
{
    const json_t *list = json_object_get(values, "controls");
    const size_t n = json_array_size(list);
    if (r->known || !list)
        return RV_OK;
    if (n > RV_GROUP_MOST)
        return RV_FAIL(r->err, RV_ERR_FORMAT, "%s: more than %d controls",
                       rv_config_place(r->origins, "controls"), RV_GROUP_MOST);
    for (size_t i = 0; i < n; i++)
        names[i] = json_string_value(json_array_get(list, i));
    r->known = names;
    r->n_known = n;
    return RV_OK;
}

static rv_status read_group(reader *r, json_t *values)
{
    const char *names[RV_GROUP_MOST];
    RV_TRY(find_names(r, values));
    RV_TRY(check_keys(r, values));
    RV_TRY(read_known(r, values, names));
    return build_group(r, values);
}

rv_status rv_group_read(rv_group **out, json_t *values, const json_t *origins,
                        const char *const *known, size_t n, rv_error *err)
{
    reader *r = calloc(1, sizeof *r);
    if (!r)
        return RV_FAIL(err, RV_ERR_NOMEM, "group of processors");
    r->origins = origins;
    r->known = known;
    r->n_known = n;
    r->err = err;
    const rv_status status = read_group(r, values);
    if (status == RV_OK)
        *out = r->group;
    else
        rv_group_free(r->group);
    free(r);
    return status;
}

rv_status rv_group_load(rv_group **out, const char *path, const char *const *known, size_t n,
                        rv_error *err)
{
    json_t *values = NULL, *origins = NULL;
    RV_TRY(rv_config_load(&values, &origins, path, NULL, 0, err));
    const rv_status status = rv_group_read(out, values, origins, known, n, err);
    json_decref(values);
    json_decref(origins);
    return status;
}
