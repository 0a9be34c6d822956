/* mono_source.h - the mean of a stem's channels, in blocks at any rate.
 *
 * Each source counts with the mean of its channels, or with the one named; sources are added, those
 * that end early with silence. That is the mean over the channels of the sum where all have the
 * same number of them, and where a single channel sounds on all. */
#ifndef DATA_MONO_SOURCE_H
#define DATA_MONO_SOURCE_H

#include "data/track_list.h"

typedef struct rv_mono rv_mono;

/* rate: Hz, or 0: that of the files, which must have one; `sources` must outlive the result. */
RV_NODISCARD rv_status rv_mono_open(rv_mono **out, const rv_track_sources *sources, int rate,
                                    rv_error *err);
void rv_mono_free(rv_mono *m);

/* Of the blocks. */
int rv_mono_rate(const rv_mono *m);

/* How much of the first file was read: 0 to 1; 0 where its length is not known. */
double rv_mono_progress(const rv_mono *m);

/* The next block, in memory of the source; 0 samples at the end. */
RV_NODISCARD rv_status rv_mono_next(rv_mono *m, const float **samples, size_t *n, rv_error *err);

#endif
