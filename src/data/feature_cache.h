/* feature_cache.h - features of audio, measured once: kept on disk, found by content.
 *
 * The name of a file is a hash of the decoded audio, its rate, the feature and all that has a part
 * in its values; the file holds them, too. So it does not matter where audio lies or what it is
 * called, and a changed parameter never finds old values. A file appears when it is whole; several
 * processes may use a cache at once. What was damaged is measured again, and counted.
 *
 * The cache may be used by many threads; rows by one at a time. */
#ifndef DATA_FEATURE_CACHE_H
#define DATA_FEATURE_CACHE_H

#include "data/track_list.h"
#include "dsp/f0_engine.h"
#include "ravel/features.h"

typedef struct rv_feature_cache rv_feature_cache;
typedef struct rv_feature_rows rv_feature_rows;

typedef struct rv_feature_counts {
    uint64_t found, measured; /* features */
    uint64_t damaged;         /* files of the cache, which were measured again */
} rv_feature_counts;

/* Called in between, by the thread that asks for the feature; not 0: stop. */
typedef struct rv_feature_watch {
    int (*tell)(void *ctx, double fraction); /* 0 to 1 of a feature; may be NULL */
    void *ctx;
} rv_feature_watch;

/* folder NULL: $XDG_CACHE_HOME/ravel or ~/.cache/ravel. It is made when something is kept. */
RV_NODISCARD rv_status rv_feature_cache_open(rv_feature_cache **out, const char *folder,
                                             rv_error *err);
void rv_feature_cache_free(rv_feature_cache *c);
rv_feature_counts rv_feature_cache_counts(rv_feature_cache *c);

/* What finds pitch where a spec names the engine's method; it must outlive the cache. */
void rv_feature_cache_set_engine(rv_feature_cache *c, const rv_f0_engine *engine);

/* Of the sum of the sources, see data/mono_source.h: one file that sounds like several has the same
 * name in the cache. spec->sample_rate 0: that of the sources. The rows must be freed before the
 * cache. */
RV_NODISCARD rv_status rv_feature_get(rv_feature_cache *c, const rv_track_sources *sources,
                                      const rv_feature_spec *spec, const rv_feature_watch *watch,
                                      rv_feature_rows **out, rv_error *err);
void rv_feature_rows_free(rv_feature_rows *r);

size_t rv_feature_rows_count(const rv_feature_rows *r);
size_t rv_feature_rows_width(const rv_feature_rows *r);
/* All of it, the rate too. */
const rv_feature_spec *rv_feature_rows_spec(const rv_feature_rows *r);

/* Frames first .. first + count: out [count, width]. Reads and checks these alone. */
RV_NODISCARD rv_status rv_feature_rows_read(rv_feature_rows *r, size_t first, size_t count,
                                            float *out, rv_error *err);

/* Close the file until the next reading: a process may have few files open. */
void rv_feature_rows_rest(rv_feature_rows *r);

#endif
