/* retouch.h - a stem as another engineer would have mixed it: a random equaliser, often a
 * compressor, now and then a room. */
#ifndef TRAIN_RETOUCH_H
#define TRAIN_RETOUCH_H

#include "dsp/effects.h"

enum { RV_RETOUCH_MAX = 5 };

/* The chain of the clip'th clip since the start of training, a function of (seed, clip) alone: low
 * shelf, peak and high shelf of up to `gain` dB, up or down; half of the chains go on with a
 * compressor, a quarter with a reverb. The count. */
size_t rv_retouch_draw(rv_effect chain[RV_RETOUCH_MAX], uint64_t seed, uint64_t clip, double gain);

/* Sends stereo[2][frames] through the chain, in place. Frequencies that the rate cannot have come
 * down to what it can. */
RV_NODISCARD rv_status rv_retouch_clip(rv_effect *chain, size_t n, int sample_rate,
                                       float *const stereo[2], size_t frames, rv_error *err);

#endif
