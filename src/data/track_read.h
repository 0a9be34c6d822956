/* track_read.h - any part of a song's stem at the rate and with the channels that are asked for.
 *
 * A part is the same, up to what the resampler's filter sees beyond its margin (below 1e-6), as if
 * the whole song had been resampled and then cut. Channels: all to one is their mean, one to all a
 * copy, many to fewer the first ones, as in Demucs. */
#ifndef DATA_TRACK_READ_H
#define DATA_TRACK_READ_H

#include "data/track_cache.h"

/* What is wanted of a song; times are in frames at `sample_rate`. */
typedef struct rv_track_part {
    size_t track, stem; /* stem == n_stems: the mixture, which must have sources */
    int sample_rate, channels;
    int64_t start; /* 0 or more */
    size_t frames;
} rv_track_part;

/* Frames of the song at that rate. */
size_t rv_track_length(const rv_track_info *t, int sample_rate);

/* Whether the song can be had with that many channels; names its first file if not. */
RV_NODISCARD rv_status rv_track_check_channels(const rv_track_cache *c, size_t track, int channels,
                                               rv_error *err);

/* out[channel][0 .. frames), normalised if the cache is (data/track_level.h); zeros after the end
 * of the song. Any number of threads at a time. */
RV_NODISCARD rv_status rv_track_read(const rv_track_cache *c, const rv_track_part *part,
                                     float *const *out, rv_error *err);

#endif
