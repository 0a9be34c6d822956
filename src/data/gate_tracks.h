/* gate_tracks.h - the gate of data/mono_gate.h on a stem of all songs of a data set, or of a folder
 * of separated stems (ravel/dataset.h). */
#ifndef DATA_GATE_TRACKS_H
#define DATA_GATE_TRACKS_H

#include "data/feature_cache.h"
#include "ravel/dataset.h"

/* What the cache lacks is measured first, songs side by side. */
RV_NODISCARD rv_status rv_gate_write(const char *root, const char *out, const rv_gate_options *opt,
                                     rv_feature_cache *cache, rv_gate_report *report,
                                     rv_error *err);

#endif
