/* entries.h - what lies in a folder, in an order that does not depend on the file system. */
#ifndef DATA_ENTRIES_H
#define DATA_ENTRIES_H

#include "ravel/base.h"

#include <stdbool.h>

typedef struct rv_entries {
    char **names; /* [n] sorted byte by byte; without those that begin with a dot */
    size_t n;
} rv_entries;

/* A folder that is not there has no entries; one that cannot be read is an error. */
RV_NODISCARD rv_status rv_entries_read(rv_entries *out, const char *folder, rv_error *err);
void rv_entries_free(rv_entries *e);

/* *out (free() it): "a", "b" -> "a/b"; the other one where one is empty; then the suffix. */
RV_NODISCARD rv_status rv_path_join(char **out, const char *a, const char *b, const char *suffix,
                                    rv_error *err);

bool rv_is_folder(const char *path);
bool rv_is_file(const char *path);

/* Whether `name` ends so, in any case, and has more to it. */
bool rv_ends_in(const char *name, const char *end);

/* *out: folder/stem.wav, or .flac; NULL if there is neither. */
RV_NODISCARD rv_status rv_find_audio(char **out, const char *folder, const char *stem,
                                     rv_error *err);

#endif
