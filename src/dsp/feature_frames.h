/* feature_frames.h - cut a stream of samples into windows at any frame rate.
 *
 * Frame t holds `window` samples: centred at sample round(t sample_rate / frame_rate), or beginning
 * there; zeros outside the stream. */
#ifndef DSP_FEATURE_FRAMES_H
#define DSP_FEATURE_FRAMES_H

#include "ravel/features.h"

#include <stdbool.h>

typedef struct rv_frames {
    double step; /* samples from one frame to the next */
    size_t window;
    bool centred, finished;
    uint64_t next;   /* frame */
    uint64_t total;  /* frames; known when finished */
    int64_t first;   /* sample that kept[0] is of the stream */
    uint64_t pushed; /* samples */
    float *kept;
    size_t n_kept, room;
} rv_frames;

void rv_frames_init(rv_frames *f, const rv_feature_spec *spec); /* window set */
void rv_frames_fini(rv_frames *f);

uint64_t rv_frames_count(const rv_feature_spec *spec, uint64_t samples);

RV_NODISCARD rv_status rv_frames_push(rv_frames *f, const float *samples, size_t n, rv_error *err);
void rv_frames_finish(rv_frames *f);

/* The next frame: out [window]; false: it needs more samples, or there is none. */
bool rv_frames_next(rv_frames *f, float *out);

#endif
