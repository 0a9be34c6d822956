/* separate_planes.h - a track in memory through a model, whatever its sample rate and channels. */
#ifndef INFER_SEPARATE_PLANES_H
#define INFER_SEPARATE_PLANES_H

#include "infer/session.h"

typedef struct rv_planes_job {
    rv_model *model;
    const rv_separate_options *options; /* its progress is not called */
    size_t channels;
    int sample_rate; /* Hz */
    rv_segments_watch *watch;
    void *watch_ctx;
} rv_planes_job;

/* mix[channel][frames] -> stems[stem * channels + channel][frames], at the same rate; stems whose
 * first plane is NULL are left out.
 *
 * Channels as rv_separate_file() maps them: one is repeated, and stems are averaged; a model of one
 * channel takes the mean, and its stems are repeated; else they must be equal. */
RV_NODISCARD rv_status rv_separate_planes(const rv_planes_job *job, const float *const *mix,
                                          size_t frames, float *const *stems, rv_error *err);

#endif
