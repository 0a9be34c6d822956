/* feature_pyin_path.h - the likeliest path through pitches and voicing (Viterbi 1967).
 *
 * States: `bins` pitches that are voiced, then the same unvoiced. From frame to frame a pitch moves
 * at most `reach` bins, with probabilities that fall linearly with the distance (and sum to 1), and
 * voicing changes with probability 0.01. What has no probability has the least a double can hold.
 *
 * Only every RV_PATH_BLOCK-th frame's values are kept; the way back computes the frames between
 * again, so that memory is 32 bytes a frame for 600 bins, beside the candidates. */
#ifndef DSP_FEATURE_PYIN_PATH_H
#define DSP_FEATURE_PYIN_PATH_H

#include "ravel/base.h"

#include <stdbool.h>

enum { RV_PATH_BLOCK = 512, RV_PATH_BINS_MAX = 30000 };

typedef struct rv_pitch_candidate {
    uint16_t bin; /* below `bins` */
    float probability, hz;
} rv_pitch_candidate;

typedef struct rv_pyin_path {
    size_t bins, reach;
    double *log_shape;    /* [reach + 1] by distance */
    double *log_sum;      /* [bins]: of a row of the shape, which ends at the borders */
    double *value, *next; /* [2, bins] */
    double *best, *from;  /* [2, bins] of one voicing: value and index of the best predecessor */
    double *observed;     /* [2, bins] */
    rv_pitch_candidate *candidates; /* [n_candidates] of all frames */
    size_t n_candidates, room_candidates;
    size_t *first; /* [n]: candidate of a frame; one more at the end of a path */
    float *voiced; /* [n]: probability */
    size_t n, room;
    double *kept; /* [blocks, 2, bins] */
    size_t n_kept, room_kept;
    uint16_t *state; /* [n], when decoded */
} rv_pyin_path;

/* From zeros; after a failure rv_pyin_path_fini() is still due. */
RV_NODISCARD rv_status rv_pyin_path_init(rv_pyin_path *p, size_t bins, size_t reach, rv_error *err);
void rv_pyin_path_fini(rv_pyin_path *p);

/* The next frame: candidates [count], no bin twice, and the probability of being voiced. */
RV_NODISCARD rv_status rv_pyin_path_add(rv_pyin_path *p, const rv_pitch_candidate *candidates,
                                        size_t count, double voiced, rv_error *err);

/* No more frames: fills `state`. */
RV_NODISCARD rv_status rv_pyin_path_decode(rv_pyin_path *p, rv_error *err);

/* The candidate of a frame that has this bin, or NULL. */
const rv_pitch_candidate *rv_pyin_path_find(const rv_pyin_path *p, size_t frame, size_t bin);

#endif
