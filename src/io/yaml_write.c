/* yaml_write.c - values as YAML for people: block style, text quoted only where it must be. */
#include "io/text.h"
#include "io/yaml_scalar.h"
#include "io/yaml_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

static bool emit(yaml_emitter_t *emitter, int made, yaml_event_t *event)
{
    return made && yaml_emitter_emit(emitter, event);
}

static bool emit_scalar(yaml_emitter_t *emitter, const char *text, yaml_scalar_style_t style)
{
    yaml_event_t event;
    return emit(emitter,
                yaml_scalar_event_initialize(&event, NULL, NULL, (const yaml_char_t *)text,
                                             (int)strlen(text), 1, 1, style),
                &event);
}

/* Text that would be read as a number, null and so on is quoted. */
static bool emit_text(yaml_emitter_t *emitter, const char *text)
{
    const char *problem;
    json_t *plain = rv_yaml_scalar(text, &problem);
    const bool same = json_is_string(plain) && strcmp(text, "<<");
    json_decref(plain);
    return emit_scalar(emitter, text,
                       same ? YAML_ANY_SCALAR_STYLE : YAML_DOUBLE_QUOTED_SCALAR_STYLE);
}

/* The shortest decimal that is read as the same number: 0.1, not 0.10000000000000001. */
static char *number_text(const json_t *value)
{
    for (size_t digits = 15;; digits++) {
        char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(digits));
        double again;
        if (!text || digits == 17 || !json_is_real(value) ||
            (rv_number(text, strlen(text), &again) && again <= json_real_value(value) &&
             again >= json_real_value(value)))
            return text;
        free(text);
    }
}

static bool emit_plain(yaml_emitter_t *emitter, const json_t *value)
{
    char *text = number_text(value);
    const bool done = text && emit_scalar(emitter, text, YAML_PLAIN_SCALAR_STYLE);
    free(text);
    return done;
}

static bool emit_value(yaml_emitter_t *emitter, const json_t *value);

static bool is_flat(const json_t *list)
{
    size_t i;
    const json_t *item;
    json_array_foreach(list, i, item) if (json_is_array(item) || json_is_object(item)) return false;
    return true;
}

static bool emit_list(yaml_emitter_t *emitter, const json_t *list)
{
    const yaml_sequence_style_t style =
        is_flat(list) ? YAML_FLOW_SEQUENCE_STYLE : YAML_BLOCK_SEQUENCE_STYLE;
    yaml_event_t event;
    size_t i;
    const json_t *item;
    if (!emit(emitter, yaml_sequence_start_event_initialize(&event, NULL, NULL, 1, style), &event))
        return false;
    json_array_foreach(list, i, item) if (!emit_value(emitter, item)) return false;
    return emit(emitter, yaml_sequence_end_event_initialize(&event), &event);
}

static bool emit_mapping(yaml_emitter_t *emitter, const json_t *map)
{
    yaml_event_t event;
    const char *key;
    json_t *value;
    if (!emit(emitter,
              yaml_mapping_start_event_initialize(&event, NULL, NULL, 1, YAML_BLOCK_MAPPING_STYLE),
              &event))
        return false;
    json_object_foreach((json_t *)map, key, value) if (!emit_text(emitter, key) ||
                                                       !emit_value(emitter, value)) return false;
    return emit(emitter, yaml_mapping_end_event_initialize(&event), &event);
}

static bool emit_value(yaml_emitter_t *emitter, const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return emit_mapping(emitter, value);
    case JSON_ARRAY:
        return emit_list(emitter, value);
    case JSON_STRING:
        return emit_text(emitter, json_string_value(value));
    default:
        return emit_plain(emitter, value);
    }
}

static bool emit_document(yaml_emitter_t *emitter, const json_t *value)
{
    yaml_event_t event;
    return emit(emitter, yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING), &event) &&
           emit(emitter, yaml_document_start_event_initialize(&event, NULL, NULL, NULL, 1),
                &event) &&
           emit_value(emitter, value) &&
           emit(emitter, yaml_document_end_event_initialize(&event, 1), &event) &&
           emit(emitter, yaml_stream_end_event_initialize(&event), &event);
}

static bool emit_file(FILE *file, const json_t *value)
{
    yaml_emitter_t emitter;
    if (!yaml_emitter_initialize(&emitter))
        return false;
    yaml_emitter_set_output_file(&emitter, file);
    yaml_emitter_set_width(&emitter, -1);
    yaml_emitter_set_unicode(&emitter, 1);
    const bool done = emit_document(&emitter, value);
    yaml_emitter_delete(&emitter);
    return done;
}

rv_status rv_yaml_write(char **out, const json_t *value, rv_error *err)
{
    char *text = NULL;
    size_t size;
    FILE *file = open_memstream(&text, &size);
    const bool done = file && emit_file(file, value);
    if (file && (fclose(file) || !done)) {
        free(text);
        text = NULL;
    }
    if (!text)
        return RV_FAIL(err, RV_ERR_NOMEM, "no memory to write YAML");
    *out = text;
    return RV_OK;
}
