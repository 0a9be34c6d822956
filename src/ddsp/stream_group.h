/* stream_group.h - a group of processors in real time (ddsp/stream.h): the samples of
 * rv_group_build() for one sound, `samples` a whole number of hops.
 *
 * A frame: one of each control that is frames, in the group's order, as long as its width. Audio
 * in: each control that is audio, in the group's order. Signals that meet wait for the latest of
 * them, so the latency is that of the path with most: filters' (stream_filter.h) and what a crop
 * cuts at the front, added up. The last `latency` samples are those of controls that go on.
 *
 * What is fixed (responses) is computed by _new(). A crop streams only as the output. */
#ifndef DDSP_STREAM_GROUP_H
#define DDSP_STREAM_GROUP_H

#include "ddsp/group.h"
#include "ddsp/stream.h"

/* Of a control: frames have a width, what is fixed has a value (copied); audio has neither. */
typedef struct rv_stream_group_value {
    size_t width;
    rv_shape shape;
    const float *data;
} rv_stream_group_value;

typedef struct rv_stream_group_config {
    const rv_group *group;
    size_t hop;
    const rv_stream_group_value *controls; /* [n_controls] */
    /* The value of a learned parameter, "processor.parameter"; NULL: there is none. The function
     * may be NULL where nothing is learned. */
    const float *(*parameter)(void *ctx, const char *name);
    void *ctx;
    uint64_t seed, step; /* of the noise, see rv_group_fill_noise() */
} rv_stream_group_config;

RV_NODISCARD rv_status rv_stream_group_new(rv_stream **out, const rv_stream_group_config *config,
                                           const rv_alloc *mem, rv_error *err);

#endif
