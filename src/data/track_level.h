/* track_level.h - songs at a common level: each song's mean and deviation are those of its mixture.
 *
 * As in Demucs' data sets (A. Defossez et al., arXiv:1909.01174 and after): mean and deviation of
 * the mean over the mixture's channels (dsp/level.h), over the whole song at the file's own rate;
 * mixture and stems all become (x - mean) / deviation, and what follows the end stays 0. */
#ifndef DATA_TRACK_LEVEL_H
#define DATA_TRACK_LEVEL_H

#include "data/track_read.h"

/* Listen to the mixtures of all songs that are not silent; from here on rv_track_read() and
 * rv_track_read_mixture() of this cache give normalised audio. */
RV_NODISCARD rv_status rv_track_normalise(rv_track_cache *c, rv_error *err);

/* The file `mixture`, or the sum of the stems where there is none; part->stem does not count. */
RV_NODISCARD rv_status rv_track_read_mixture(const rv_track_cache *c, const rv_track_part *part,
                                             float *const *out, rv_error *err);

/* out[channel][part->frames] as it is in the files -> normalised. */
void rv_track_level_apply(const rv_track_info *t, const rv_track_part *part, float *const *out);

#endif
