/* config_schema.h - what a recipe may say: a table of keys, checked and completed.
 *
 *     static const rv_config_key rows[] = {
 *         { "train.lr", RV_CONFIG_NUMBER, 0, 1, .standard = "3e-4", .about = "learning rate" },
 *         { "model.name", RV_CONFIG_CHOICE, .choices = "htdemucs|conv_tasnet", .about = "..." },
 *         { "model.arguments", RV_CONFIG_MAPPING, .standard = "{}", .about = "..." },
 *     }; */
#ifndef IO_CONFIG_SCHEMA_H
#define IO_CONFIG_SCHEMA_H

#include "base/status.h"

#include <jansson.h>

typedef enum rv_config_kind {
    RV_CONFIG_NUMBER,
    RV_CONFIG_INTEGER, /* 1e6 counts as one, and is made one */
    RV_CONFIG_BOOL,
    RV_CONFIG_TEXT,
    RV_CONFIG_CHOICE, /* one of `choices` */
    RV_CONFIG_NUMBERS,
    RV_CONFIG_TEXTS,
    RV_CONFIG_MAPPING, /* with any keys and values */
    RV_CONFIG_ANY
} rv_config_kind;

typedef struct rv_config_key {
    const char *path; /* "train.lr" */
    rv_config_kind kind;
    double least, most;  /* of a number, and of each of several; both 0: any */
    const char *choices; /* "a|b|c" */
    const char
        *standard;     /* JSON, or the text itself for texts; NULL: required; "": may be absent */
    const char *about; /* one line */
} rv_config_key;

/* Check `values` against rows[n]. A key without a row is an error that names the nearest that has
 * one; null stands for an absent value (except in ANY), and is removed; defaults are filled in, in
 * the order of the rows. `origins` (rv_config_load(), or NULL) places the errors. After an error,
 * `values` may be partly completed. */
RV_NODISCARD rv_status rv_config_check(json_t *values, const json_t *origins,
                                       const rv_config_key *rows, size_t n, rv_error *err);

/* What --help shows (free() it): a line for each row. NULL without memory. */
char *rv_config_help(const rv_config_key *rows, size_t n);

#endif
