/* shards.h - a data set, or parts of it, as shards of examples (ravel/dataset.h). The keys and the
 * rules are those of DDSP-Demucs (github.com/alehg/ddsp-demucs, data.py). */
#ifndef DATA_SHARDS_H
#define DATA_SHARDS_H

#include "ravel/dataset.h"

RV_NODISCARD rv_status rv_shards_write(const char *root, const char *out,
                                       const rv_shards_options *opt, rv_shards_report *report,
                                       rv_error *err);

#endif
