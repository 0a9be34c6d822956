/* stream.h - synthesisers and effects in real time, in blocks of any size. All are made by the
 * _new() of their kind (stream_harmonic.h, stream_filter.h, ...) and used alike:
 *
 *     for (made = 0; made < n;) {
 *         made += rv_stream_process(s, NULL, out + made, n - made);
 *         if (made < n)
 *             rv_stream_give(s, the next frame of controls);
 *     }
 *
 * Only _new() allocates; nothing locks, waits or fails. What comes out is what the builder of the
 * same name makes of the whole: sample t of the graph is sample t + latency of the stream.
 *
 * The samples of a frame lie between it and the next one, so a stream wants two frames before its
 * first hop, then one for each; at the end of the controls the last frame again. */
#ifndef DDSP_STREAM_H
#define DDSP_STREAM_H

#include "base/arena.h"
#include "ravel/base.h"

#include <stdbool.h>

typedef struct rv_stream rv_stream;

enum { RV_STREAM_INPUTS = 8 };

void rv_stream_free(rv_stream *s);

/* Forget all frames and all audio. */
void rv_stream_reset(rv_stream *s);

/* The next frame of controls [width]. False, and it is not taken: samples up to the last frame
 * given are still to be made. */
bool rv_stream_give(rv_stream *s, const float *frame);

/* Make up to n samples of out from as many of each input (`in` may be NULL where there is none;
 * out may be one of them); returns how many. Fewer: it wants the next frame. */
size_t rv_stream_process(rv_stream *s, const float *const *in, float *out, size_t n);

size_t rv_stream_width(const rv_stream *s);   /* floats of a frame; 0: it takes no frames */
size_t rv_stream_inputs(const rv_stream *s);  /* audio signals that come in */
size_t rv_stream_latency(const rv_stream *s); /* samples */

#endif
