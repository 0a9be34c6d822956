/* validation.h - how well the weights of a learner separate songs, or the middle of them. */
#ifndef TRAIN_VALIDATION_H
#define TRAIN_VALIDATION_H

#include "data/track_cache.h"
#include "train/separation.h"

typedef struct rv_validation_result {
    double loss;   /* mean of the loss over all segments of all songs */
    double si_sdr; /* dB: mean over songs and stems, silent stems left out */
} rv_validation_result;

/* Songs are cut into segments of separation->frames whose scored parts lie side by side; what
 * is before the first of these does not count, and zeros follow the end.
 * SI-SDR (J. Le Roux et al., arXiv:1811.02508) is that of the whole song, over all channels.
 * `most` > 0: instead of a whole song, so many frames in its middle (or all, if it is shorter). */
RV_NODISCARD rv_status rv_validate(rv_validation_result *out, rv_learner *l,
                                   const rv_separation *separation, const rv_track_cache *songs,
                                   int sample_rate, size_t most, rv_error *err);

#endif
