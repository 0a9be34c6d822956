/* lane.h - one network and one shift: its segments, joined by overlap-add.
 *
 * Places in a lane count from the start of the delayed track: `lead` zeros, then the track. */
#ifndef INFER_LANE_H
#define INFER_LANE_H

#include "infer/network.h"
#include "infer/strip.h"

typedef struct rv_lane {
    const rv_network *network;
    size_t lead;            /* frames by which the track is delayed */
    size_t segment, stride; /* frames */
    size_t context;         /* the network sees at least this many frames; 0: its valid length */
    const float *weight;    /* [segment], of the overlap-add */
    size_t next;            /* place of the next segment */
    rv_strip sum;           /* [stem * channels] weighted sums, then the sum of the weights */
} rv_lane;

/* A segment and what the network sees. */
typedef struct rv_chunk {
    size_t at, length; /* place and frames of the segment */
    size_t seen;       /* frames with the audio around it */
    size_t frames;     /* frames the network runs on: zeros follow the ones seen */
} rv_chunk;

/* The next segment of a track of which `known` frames are known, all of them if `complete`.
 * False: more input is needed, or nothing is left. */
bool rv_lane_next(const rv_lane *l, size_t known, bool complete, rv_chunk *chunk);

/* Frame of the track with which the audio seen begins; may lie before it. */
ptrdiff_t rv_lane_seen_from(const rv_lane *l, const rv_chunk *chunk);

/* Add the network's output for the chunk, stems[plane][frames], and go on to the next. */
RV_NODISCARD rv_status rv_lane_add(rv_lane *l, const rv_chunk *chunk, const rv_planes_view *stems,
                                   rv_error *err);

/* Frames of the track that are final, given that it has `known` of them. */
size_t rv_lane_final(const rv_lane *l, size_t known);

/* First frame of the track that later segments see. */
size_t rv_lane_needs(const rv_lane *l);

/* Add sum / weight of frames first .. first + n of the track to dst. */
void rv_lane_read(const rv_lane *l, size_t plane, size_t first, size_t n, float *dst);

/* Forget frames of the track before `first`. */
void rv_lane_drop(rv_lane *l, size_t first);

#endif
