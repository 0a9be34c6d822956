/* stream_group_impl.h - of stream_group.c and stream_group_room.c */
#ifndef DDSP_STREAM_GROUP_IMPL_H
#define DDSP_STREAM_GROUP_IMPL_H

#include "base/status.h"
#include "ddsp/stream_group.h"
#include "ddsp/stream_kind.h"

struct group_member;

typedef struct group_input {
    const struct group_member *member; /* NULL: audio that comes in */
    size_t audio;                      /* which */
    size_t delay;                      /* samples that it waits */
    float *line;                       /* [delay + STREAM_BLOCK] */
} group_input;

typedef struct group_member {
    rv_stream *stream;
    const rv_node *frame; /* [1,1,W] in the plan; NULL: it takes none */
    float *queue;         /* [capacity,W]: frames that are not due */
    size_t capacity, first, queued;
    size_t n_inputs;
    group_input inputs[RV_STREAM_INPUTS];
    size_t offset, waiting; /* samples by which its inputs are late; that are still to pass */
    float *out;             /* [STREAM_BLOCK] */
} group_member;

typedef struct group_stream {
    rv_stream base;
    rv_arena arena;
    rv_graph *graph;
    rv_plan *plan;
    rv_node *controls[RV_GROUP_MOST]; /* [1,1,K] each; NULL: not frames */
    size_t n, n_controls, output;
    group_member members[RV_GROUP_MOST];
} group_stream;

static inline rv_group_call group_call_of(const rv_group *g, size_t processor, nn_builder *b)
{
    const rv_group_processor *p = &g->processors[processor];
    return (rv_group_call){
        .b = b, .settings = p->settings, .sample_rate = g->sample_rate, .n_inputs = p->n_inputs
    };
}

/* The stream of a reverb, whose response is computed. */
rv_status rv_stream_group_room(rv_stream **out, const rv_stream_group_config *c, size_t processor,
                               const rv_alloc *mem, rv_error *err);

#endif
