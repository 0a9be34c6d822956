/* classic.h - four stems from signal processing alone: no weights, nothing learnt.
 *
 * drums: strokes (hpss.h). bass: what is left below a soft cross-over. vocals: what is left
 * above it, stands in the centre of the stereo image and does not repeat (repet_sim.h).
 * other: the mix minus the rest. See docs/classic.md. */
#ifndef DSP_CLASSIC_H
#define DSP_CLASSIC_H

#include "base/arena.h"
#include "base/pool.h"
#include "ravel/base.h"

enum {
    RV_CLASSIC_STEMS = 4,
    RV_CLASSIC_SEGMENT_SECONDS = 25, /* long enough for chords to come again */
};

/* Share of a segment that should overlap with the next: the filters reach half a second. */
#define RV_CLASSIC_OVERLAP 0.1

extern const char *const rv_classic_stem_names[RV_CLASSIC_STEMS];

typedef struct rv_classic rv_classic;

/* channels: 1 to 64; sample_rate: 8000 to 192000 Hz; frames: of the longest segment, from 1.
 * All memory is taken here. */
RV_NODISCARD rv_status rv_classic_new(rv_classic **out, int channels, int sample_rate,
                                      size_t frames, const rv_alloc *mem, rv_error *err);
void rv_classic_free(rv_classic *c);

/* mix [channels][frames] -> stems [4][channels][frames], in the order drums, bass, other,
 * vocals; the two do not overlap. The stems add up to the mix, up to float rounding;
 * zeros give zeros. frames: up to those of rv_classic_new. pool may be NULL; the result is
 * the same bit for bit for any pool. One call at a time for each object. */
void rv_classic_process(rv_classic *c, const float *const *mix, size_t frames,
                        float *const *const *stems, rv_pool *pool);

#endif
