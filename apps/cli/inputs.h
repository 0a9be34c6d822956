/* inputs.h - the files to work on: those named, and the audio files in folders. */
#ifndef CLI_INPUTS_H
#define CLI_INPUTS_H

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

#endif
