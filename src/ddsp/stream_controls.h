/* stream_controls.h - what streaming synthesisers share: controls of two frames, and the samples
 * from one to the other. */
#ifndef DDSP_STREAM_CONTROLS_H
#define DDSP_STREAM_CONTROLS_H

#include "core/ops/upsample.h"

#include <string.h>

typedef struct stream_controls {
    size_t hop, count;  /* samples from frame to frame; controls of a frame */
    size_t at;          /* samples taken since `here` */
    bool begun;         /* there was a frame */
    float *here, *next; /* [count] each */
    float *share;       /* [hop]: of `next` in a sample */
} stream_controls;

/* Floats that stream_controls_init() takes. */
static inline size_t stream_controls_floats(size_t hop, size_t count)
{
    return hop + 2 * count;
}

static inline void stream_controls_reset(stream_controls *c)
{
    c->at = c->hop;
    c->begun = false;
}

static inline void stream_controls_init(stream_controls *c, size_t hop, size_t count,
                                        rv_upsample_mode mode, float *memory)
{
    *c = (stream_controls){ .hop = hop, .count = count, .share = memory };
    c->here = memory + hop;
    c->next = c->here + count;
    for (size_t i = 0; i < hop; i++)
        c->share[i] = (float)upsample_share(mode, (double)i / (double)hop);
    stream_controls_reset(c);
}

/* Make room in `next` for a new frame. False: samples up to the one before are still to be taken.
 */
static inline bool stream_controls_turn(stream_controls *c)
{
    if (c->at < c->hop)
        return false;
    float *spare = c->here;
    c->here = c->next;
    c->next = spare;
    return true;
}

/* After `next` was filled: samples can be taken, unless this was the first frame. */
static inline void stream_controls_filled(stream_controls *c)
{
    c->at = c->begun ? 0 : c->hop;
    c->begun = true;
}

/* How many of n samples can be taken at once, `most` at most. */
static inline size_t stream_controls_some(const stream_controls *c, size_t n, size_t most)
{
    n = n < most ? n : most;
    return n < c->hop - c->at ? n : c->hop - c->at;
}

#endif
