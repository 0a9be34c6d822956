/* yaml_read.c - JSON values from libyaml's events, with the place of each.
 *
 * Events instead of libyaml's documents: depth and number of values are bounded while reading, so
 * that a megabyte of brackets or a tree of aliases ("billion laughs") ends early. */
#include "io/text.h"
#include "io/yaml_scalar.h"
#include "io/yaml_text.h"

#include <stdio.h>
#include <string.h>
#include <yaml.h>

typedef struct reader {
    const rv_yaml_input *in;
    yaml_parser_t parser;
    json_t *anchors;         /* name: finished value */
    char path[RV_YAML_PATH]; /* of the value being read */
    size_t length;
    int depth;
    rv_error *err;
} reader;

static rv_status out_of_memory(const reader *r)
{
    return RV_FAIL(r->err, RV_ERR_NOMEM, "%s: out of memory", r->in->name);
}

/* Places */

typedef struct place {
    char text[1200];
} place;

static place place_of(const reader *r, yaml_mark_t mark)
{
    place p;
    if (r->in->is_argument)
        snprintf(p.text, sizeof p.text, "argument \"%s\"",
                 rv_show(r->in->name, strlen(r->in->name)).text);
    else
        snprintf(p.text, sizeof p.text, "%.1000s:%zu:%zu", r->in->name, mark.line + 1,
                 mark.column + 1);
    return p;
}

static rv_status fail_at(const reader *r, yaml_mark_t mark, const char *what)
{
    return RV_FAIL(r->err, RV_ERR_FORMAT, "%s: %s", place_of(r, mark).text, what);
}

/* A value begins at `mark`: count it, and note where it is. */
static rv_status record(const reader *r, yaml_mark_t mark)
{
    if (++*r->in->values > RV_YAML_VALUES)
        return fail_at(r, mark, "too many values (65536), with those that aliases copy");
    json_t *where = json_string_nocheck(place_of(r, mark).text);
    if (!where || json_object_set_new_nocheck(r->in->origins, r->path, where))
        return out_of_memory(r);
    return RV_OK;
}

static rv_status enter(reader *r, yaml_mark_t mark, const char *key)
{
    const size_t n = strlen(key);
    const bool dot = r->length > 0;
    if (r->depth >= RV_YAML_DEPTH)
        return fail_at(r, mark, "nested too deeply (64 levels)");
    if (n + dot >= sizeof r->path - r->length)
        return fail_at(r, mark, "the keys that lead here are too long (512 bytes)");
    if (dot)
        r->path[r->length++] = '.';
    memcpy(r->path + r->length, key, n + 1);
    r->length += n;
    r->depth++;
    return RV_OK;
}

static rv_status enter_item(reader *r, yaml_mark_t mark, size_t index)
{
    char key[24];
    snprintf(key, sizeof key, "%zu", index);
    return enter(r, mark, key);
}

static void leave(reader *r, size_t length)
{
    r->length = length;
    r->path[length] = '\0';
    r->depth--;
}

/* Errors of libyaml */

/* Only errors of encoding come without a mark. */
static yaml_mark_t mark_of_byte(const reader *r, size_t offset)
{
    yaml_mark_t mark = { .index = offset };
    for (size_t i = 0; i < offset && i < r->in->size; i++) {
        const bool newline = r->in->text[i] == '\n';
        mark.line += newline;
        mark.column = newline ? 0 : mark.column + 1;
    }
    return mark;
}

static bool is_indented_by_tab(const reader *r, size_t line)
{
    const char *p = r->in->text, *end = p + r->in->size;
    for (; line && p < end; p++)
        line -= *p == '\n';
    while (p < end && *p == ' ')
        p++;
    return p < end && *p == '\t';
}

static rv_status parse_error(const reader *r)
{
    const yaml_parser_t *parser = &r->parser;
    const bool unmarked = parser->error == YAML_READER_ERROR;
    const yaml_mark_t mark =
        unmarked ? mark_of_byte(r, parser->problem_offset) : parser->problem_mark;
    if (parser->error == YAML_MEMORY_ERROR)
        return out_of_memory(r);
    if (!unmarked && is_indented_by_tab(r, mark.line))
        return fail_at(r, mark, "a tab may not indent; use spaces");
    return RV_FAIL(r->err, RV_ERR_FORMAT, "%s: %s%s%s", place_of(r, mark).text,
                   parser->context ? parser->context : "", parser->context ? ", " : "",
                   parser->problem ? parser->problem : "not YAML");
}

static rv_status next(reader *r, yaml_event_t *event)
{
    return yaml_parser_parse(&r->parser, event) ? RV_OK : parse_error(r);
}

/* Values. On failure nothing is left in *out. */

static rv_status read_node(reader *r, yaml_event_t *event, yaml_mark_t mark, json_t **out);

static rv_status check_text(const reader *r, const yaml_event_t *event)
{
    const bool zero = memchr(event->data.scalar.value, 0, event->data.scalar.length);
    return zero ? fail_at(r, event->start_mark, "text may not contain a zero byte") : RV_OK;
}

static rv_status read_scalar(reader *r, const yaml_event_t *event, yaml_mark_t mark, json_t **out)
{
    const char *text = (const char *)event->data.scalar.value, *problem = NULL;
    const char *tag = (const char *)event->data.scalar.tag;
    if (tag && strcmp(tag, "!") && strcmp(tag, YAML_STR_TAG) && !r->in->is_foreign)
        return fail_at(r, event->start_mark, "tags other than !!str are not known");
    RV_TRY(check_text(r, event));
    RV_TRY(record(r, mark));
    if (tag || event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
        *out = json_string(text);
    else
        *out = rv_yaml_scalar(text, &problem);
    if (problem && r->in->is_foreign) {
        *out = json_string(text);
        problem = NULL;
    }
    if (problem)
        return fail_at(r, event->start_mark, problem);
    return *out ? RV_OK : out_of_memory(r);
}

/* A copied value takes the place of its alias, and counts like a written one. */
static rv_status record_copy(reader *r, yaml_mark_t mark, json_t *value)
{
    const size_t length = r->length;
    const char *key;
    json_t *child;
    size_t i;
    RV_TRY(record(r, mark));
    json_object_foreach(value, key, child)
    {
        RV_TRY(enter(r, mark, key));
        RV_TRY(record_copy(r, mark, child));
        leave(r, length);
    }
    json_array_foreach(value, i, child)
    {
        RV_TRY(enter_item(r, mark, i));
        RV_TRY(record_copy(r, mark, child));
        leave(r, length);
    }
    return RV_OK;
}

static rv_status read_alias(reader *r, const yaml_event_t *event, yaml_mark_t mark, json_t **out)
{
    json_t *value = json_object_get(r->anchors, (const char *)event->data.alias.anchor);
    if (!value)
        return fail_at(r, event->start_mark, "the alias has no anchor before it");
    RV_TRY(record_copy(r, mark, value));
    *out = json_deep_copy(value);
    return *out ? RV_OK : out_of_memory(r);
}

static rv_status read_item(reader *r, yaml_event_t *event, json_t *list)
{
    const size_t length = r->length;
    const yaml_mark_t mark = event->start_mark;
    json_t *value;
    const rv_status entered = enter_item(r, mark, json_array_size(list));
    if (entered != RV_OK) {
        yaml_event_delete(event);
        return entered;
    }
    RV_TRY(read_node(r, event, mark, &value));
    leave(r, length);
    return json_array_append_new(list, value) ? out_of_memory(r) : RV_OK;
}

static rv_status read_list(reader *r, const yaml_event_t *start, yaml_mark_t mark, json_t **out)
{
    yaml_event_t event;
    if (start->data.sequence_start.tag && !r->in->is_foreign)
        return fail_at(r, start->start_mark, "tags other than !!str are not known");
    RV_TRY(record(r, mark));
    *out = json_array();
    if (!*out)
        return out_of_memory(r);
    for (;;) {
        RV_TRY(next(r, &event));
        if (event.type == YAML_SEQUENCE_END_EVENT)
            break;
        RV_TRY(read_item(r, &event, *out));
    }
    yaml_event_delete(&event);
    return RV_OK;
}

static rv_status check_key(const reader *r, const yaml_event_t *event, const json_t *map)
{
    if (event->type != YAML_SCALAR_EVENT)
        return fail_at(r, event->start_mark, "a key must be text");
    RV_TRY(check_text(r, event));
    const char *key = (const char *)event->data.scalar.value;
    if (!strcmp(key, "<<") && event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE)
        return fail_at(r, event->start_mark, "merge keys (<<) are not part of YAML 1.2");
    if (json_object_get(map, key))
        return RV_FAIL(r->err, RV_ERR_FORMAT, "%s: key \"%s\" stands here a second time",
                       place_of(r, event->start_mark).text, rv_show(key, strlen(key)).text);
    return RV_OK;
}

static rv_status read_pair(reader *r, const yaml_event_t *key, json_t *map)
{
    const size_t length = r->length;
    const char *text = (const char *)key->data.scalar.value;
    yaml_event_t event;
    json_t *value;
    RV_TRY(check_key(r, key, map));
    RV_TRY(enter(r, key->start_mark, text));
    RV_TRY(next(r, &event));
    RV_TRY(read_node(r, &event, key->start_mark, &value));
    leave(r, length);
    return json_object_set_new(map, text, value) ? out_of_memory(r) : RV_OK;
}

static rv_status read_mapping(reader *r, const yaml_event_t *start, yaml_mark_t mark, json_t **out)
{
    if (start->data.mapping_start.tag && !r->in->is_foreign)
        return fail_at(r, start->start_mark, "tags other than !!str are not known");
    RV_TRY(record(r, mark));
    *out = json_object();
    if (!*out)
        return out_of_memory(r);
    for (bool more = true; more;) {
        yaml_event_t event;
        RV_TRY(next(r, &event));
        more = event.type != YAML_MAPPING_END_EVENT;
        const rv_status status = more ? read_pair(r, &event, *out) : RV_OK;
        yaml_event_delete(&event);
        RV_TRY(status);
    }
    return RV_OK;
}

static const yaml_char_t *anchor_of(const yaml_event_t *event)
{
    switch ((int)event->type) {
    case YAML_SCALAR_EVENT:
        return event->data.scalar.anchor;
    case YAML_SEQUENCE_START_EVENT:
        return event->data.sequence_start.anchor;
    case YAML_MAPPING_START_EVENT:
        return event->data.mapping_start.anchor;
    default:
        return NULL;
    }
}

static rv_status read_value(reader *r, const yaml_event_t *event, yaml_mark_t mark, json_t **out)
{
    switch ((int)event->type) {
    case YAML_SCALAR_EVENT:
        return read_scalar(r, event, mark, out);
    case YAML_SEQUENCE_START_EVENT:
        return read_list(r, event, mark, out);
    case YAML_MAPPING_START_EVENT:
        return read_mapping(r, event, mark, out);
    default:
        return read_alias(r, event, mark, out);
    }
}

/* The value that starts with `event`, which is deleted; `mark` is where to point, if it is wrong.
 */
static rv_status read_node(reader *r, yaml_event_t *event, yaml_mark_t mark, json_t **out)
{
    *out = NULL;
    rv_status status = read_value(r, event, mark, out);
    const char *anchor = (const char *)anchor_of(event);
    if (status == RV_OK && anchor && json_object_set(r->anchors, anchor, *out))
        status = out_of_memory(r);
    yaml_event_delete(event);
    if (status != RV_OK) {
        json_decref(*out);
        *out = NULL;
    }
    return status;
}

/* Take one event and say whether it has the type. */
static rv_status take(reader *r, yaml_event_type_t type, bool *same)
{
    yaml_event_t event;
    RV_TRY(next(r, &event));
    *same = event.type == type;
    yaml_event_delete(&event);
    return RV_OK;
}

static rv_status read_document(reader *r, json_t **out)
{
    yaml_event_t event;
    bool same;
    RV_TRY(take(r, YAML_STREAM_START_EVENT, &same));
    RV_TRY(take(r, YAML_DOCUMENT_START_EVENT, &same));
    if (!same) { /* nothing but comments */
        RV_TRY(record(r, (yaml_mark_t){ 0 }));
        *out = json_null();
        return RV_OK;
    }
    RV_TRY(next(r, &event));
    RV_TRY(read_node(r, &event, event.start_mark, out));
    RV_TRY(take(r, YAML_DOCUMENT_END_EVENT, &same));
    RV_TRY(take(r, YAML_STREAM_END_EVENT, &same));
    return same ? RV_OK : fail_at(r, r->parser.mark, "a second document begins before here");
}

static rv_status read_parsed(reader *r, json_t **out)
{
    const rv_yaml_input *in = r->in;
    if (in->size > RV_YAML_SIZE)
        return RV_FAIL(r->err, RV_ERR_FORMAT, "%s: too large (%zu bytes, at most 1 MiB)", in->name,
                       in->size);
    if (strlen(in->at) >= sizeof r->path)
        return fail_at(r, (yaml_mark_t){ 0 }, "the key is too long (512 bytes)");
    r->length = strlen(in->at);
    memcpy(r->path, in->at, r->length + 1);
    yaml_parser_set_encoding(&r->parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&r->parser, (const unsigned char *)in->text, in->size);
    return read_document(r, out);
}

rv_status rv_yaml_read(json_t **out, const rv_yaml_input *input, rv_error *err)
{
    reader r = { .in = input, .err = err };
    json_t *value = NULL;
    if (!yaml_parser_initialize(&r.parser))
        return out_of_memory(&r);
    r.anchors = json_object();
    const rv_status status = r.anchors ? read_parsed(&r, &value) : out_of_memory(&r);
    json_decref(r.anchors);
    yaml_parser_delete(&r.parser);
    if (status == RV_OK)
        *out = value;
    else
        json_decref(value);
    return status;
}
