/* yaml_text.h - YAML text to JSON values and back. Without libyaml, both fail. */
#ifndef IO_YAML_TEXT_H
#define IO_YAML_TEXT_H

#include "base/status.h"

#include <jansson.h>
#include <stdbool.h>

/* Bounds that no recipe comes near: of the text, of "a.b.c", of nesting, of the values in all. */
enum { RV_YAML_SIZE = 1 << 20, RV_YAML_PATH = 512, RV_YAML_DEPTH = 64, RV_YAML_VALUES = 1 << 16 };

typedef struct rv_yaml_input {
    const char *name; /* file, or the whole argument "a.b=value" */
    bool is_argument; /* then places have no line */
    bool is_foreign;  /* of another program: tags are ignored, odd numbers are texts */
    const char *text;
    size_t size;
    const char *at;  /* where the value will stand: "" or "a.b" */
    json_t *origins; /* gets the place of every value: { "a.b": "file:line:column" } */
    size_t *values;  /* counted up, to at most RV_YAML_VALUES */
} rv_yaml_input;

/* One document: aliases are copied out, plain scalars follow the core schema of YAML 1.2. */
RV_NODISCARD rv_status rv_yaml_read(json_t **out, const rv_yaml_input *input, rv_error *err);

/* Text (free() it) that rv_yaml_read() turns into equal values. */
RV_NODISCARD rv_status rv_yaml_write(char **out, const json_t *value, rv_error *err);

#endif
