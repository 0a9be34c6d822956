/* file_name.h - names of outputs from a template. */
#ifndef INFER_FILE_NAME_H
#define INFER_FILE_NAME_H

#include "ravel/base.h"

typedef struct rv_name_parts {
    const char *folder; /* goes before */
    const char *track, *trackext, *stem, *ext, *model;
} rv_name_parts;

/* FOLDER/TEMPLATE with {track}, {trackext}, {stem}, {ext}, {model} filled in; the caller frees it.
 * Other words in braces are errors. */
RV_NODISCARD rv_status rv_file_name(char **out, const char *template, const rv_name_parts *parts,
                                    rv_error *err);

/* "a/b.c.mp3" -> "b.c" and "mp3". The caller frees both. */
RV_NODISCARD rv_status rv_file_track(char **track, char **ext, const char *path, rv_error *err);

#endif
