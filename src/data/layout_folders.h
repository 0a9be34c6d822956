/* layout_folders.h - what the layouts of one folder for each song share. */
#ifndef DATA_LAYOUT_FOLDERS_H
#define DATA_LAYOUT_FOLDERS_H

#include "data/layout.h"

/* Whether the folder is a song of the layout; an error only without memory. */
typedef rv_status rv_is_song_fn(bool *out, const char *folder, rv_error *err);

/* Songs that lie in root itself (or are it), or at most `depth` folders below. A folder of root
 * that is named like a split gives the songs below it that split. Names are those of the folders,
 * without folders above. */
RV_NODISCARD rv_status rv_list_folders(rv_song_list *l, const char *root, int depth,
                                       rv_is_song_fn *is_song, rv_error *err);

/* Whether a name that comes from a file may become part of a path, and of a message: it leads into
 * no other folder, and is one line. */
bool rv_is_plain_name(const char *name);

/* Adds the file folder/stem.{wav,flac} as a piece; one that is not there is an error that names it.
 */
RV_NODISCARD rv_status rv_song_add_file(rv_song *s, const char *folder, const char *stem,
                                        const char *label, int program, rv_error *err);

/* The mixture is folder/stem.{wav,flac}; where that is not there, there is none. */
RV_NODISCARD rv_status rv_song_add_mixture(rv_song *s, const char *folder, const char *stem,
                                           rv_error *err);

#endif
