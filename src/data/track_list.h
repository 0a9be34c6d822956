/* track_list.h - find the songs of a data set on disk.
 *
 *     ROOT/[train|valid|test/].../SONG/{mixture,drums,bass,other,vocals}.{wav,flac}
 *
 * A song is a folder that holds a file of at least one of the stems asked for; it must then hold
 * all of them. `mixture` may be missing. Where both are there, .wav goes before .flac. Songs are
 * sorted by name, byte by byte, so the order does not depend on the file system. */
#ifndef DATA_TRACK_LIST_H
#define DATA_TRACK_LIST_H

#include "ravel/base.h"

#include <stdbool.h>

enum { RV_STEMS_MAX = 32 };

typedef struct rv_track {
    char *name;    /* folder, relative to where the search began */
    char *mixture; /* path; NULL: there is no such file */
    char **stems;  /* [n_stems] paths */
} rv_track;

typedef struct rv_track_list {
    char *root;   /* where the search began */
    char **stems; /* [n_stems] names, in the order asked for */
    size_t n_stems;
    rv_track *tracks; /* [n] */
    size_t n;
} rv_track_list;

/* subset NULL: all of root. Otherwise the folder of that name in root; where root has no folder
 * `train`, `valid` or `test` at all, "train" is all of root, too. No song found is an error. */
RV_NODISCARD rv_status rv_track_list_find(rv_track_list **out, const char *root, const char *subset,
                                          const char *const *stems, size_t n_stems, rv_error *err);
void rv_track_list_free(rv_track_list *l);

/* Keep the named songs only (keep), or all but them: validation songs by name, as MUSDB18 has them.
 * A name that is not in the list is an error, and so is a list left empty. */
RV_NODISCARD rv_status rv_track_list_filter(rv_track_list *l, const char *const *names, size_t n,
                                            bool keep, rv_error *err);

#endif
