/* inputs.h - the files to work on: those named, and the audio files in folders. */
#ifndef CLI_INPUTS_H
#define CLI_INPUTS_H

#include <ravel/base.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct input {
    char *path;
    char *track; /* path below the folder that was named, without its end; NULL: a file was named */
} input;

typedef struct input_list {
    input *items;
    size_t n, room;
    size_t failures; /* reported while listing */
} input_list;

/* Names in folders are sorted; hidden ones are left out, and so is the folder `out`. */
bool inputs_add(input_list *list, const char *name, const char *out);
void inputs_free(input_list *list);

/* OUT/TRACK, without an end; a file that was named is its own track. free() it; NULL without
 * memory. */
char *input_result(const input *in, const char *out);

/* Begins the JSON object of an input: "input", and, where it failed, "status" and "error". */
void input_print_json(const input *in, rv_status status, const rv_error *err, bool first);

#endif
