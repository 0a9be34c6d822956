/* unmix_folder.h - see unmix_folder.c */
#ifndef INFER_UNMIX_FOLDER_H
#define INFER_UNMIX_FOLDER_H

#include "io/checkpoint.h"

/* Is this a folder with files of Open-Unmix's targets, or the separator.json of one? */
bool rv_unmix_folder_is(const char *path);

/* All its targets as one checkpoint of an `open_unmix`. */
RV_NODISCARD rv_status rv_unmix_folder_open(rv_checkpoint **out, const char *path, rv_error *err);

#endif
