/* separate_file.h - from an audio file to one file for each stem, in bounded memory. */
#ifndef INFER_SEPARATE_FILE_H
#define INFER_SEPARATE_FILE_H

#include "infer/ensemble.h"

/* rv_separate_file() of ravel/separate.h, with the offsets of the shifts given (NULL: by seed). */
RV_NODISCARD rv_status rv_separate_file_at(rv_model *m, const char *path,
                                           const rv_file_options *opt, const size_t *offsets,
                                           rv_file_report *report, rv_error *err);

#endif
