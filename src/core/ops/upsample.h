/* upsample.h - from F frames to T samples: sample t lies at position t F / T, between a frame and
 * the next one, which after the last frame is the last frame again (as in ddsp's resample with its
 * end point). */
#ifndef CORE_OPS_UPSAMPLE_H
#define CORE_OPS_UPSAMPLE_H

#include "core/ops.h"

#include <math.h>

/* Share of the next frame at x, 0 <= x < 1, between the two. Hann: overlapping windows two frames
 * long. */
static inline double upsample_share(rv_upsample_mode mode, double x)
{
    if (mode == RV_UPSAMPLE_HOLD)
        return 0;
    const double sine = sin(M_PI / 2 * x);
    return mode == RV_UPSAMPLE_LINEAR ? x : sine * sine;
}

static inline double upsample_share_at(rv_upsample_mode mode, size_t t, size_t frames,
                                       size_t samples)
{
    return upsample_share(mode, (double)(t * frames % samples) / (double)samples);
}

/* Samples after which the shares repeat; always on a frame. */
static inline size_t upsample_period(size_t frames, size_t samples)
{
    size_t a = frames, b = samples;
    while (b) {
        const size_t rest = a % b;
        a = b;
        b = rest;
    }
    return a ? samples / a : 1;
}

/* First sample at or after frame f; samples for f = frames. */
static inline size_t upsample_start(size_t f, size_t frames, size_t samples)
{
    return (f * samples + frames - 1) / frames;
}

static inline size_t upsample_next(size_t f, size_t frames)
{
    return f + 1 < frames ? f + 1 : f;
}

#endif
