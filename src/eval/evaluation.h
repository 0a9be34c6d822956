/* evaluation.h - figures of songs, and what is made of them: medians, JSON, CSV. */
#ifndef EVAL_EVALUATION_H
#define EVAL_EVALUATION_H

#include "base/status.h"
#include "ravel/eval.h"

#include <stdbool.h>

enum { RV_FRAME_METRICS = RV_METRIC_SAR + 1 }; /* the first ones have a value for each frame */

typedef struct rv_eval_stem {
    bool has_reference; /* there is one, and it is not silent */
    bool silent;        /* the estimate is */
    double values[RV_METRICS];
    double *frames; /* [RV_FRAME_METRICS][n_frames], or NULL */
} rv_eval_stem;

typedef struct rv_eval_song {
    char *name, *split;
    double window, hop; /* seconds, of the frames */
    size_t n_frames;
    rv_eval_stem *stems; /* [n_stems] */
} rv_eval_song;

struct rv_evaluation {
    char *method;
    rv_method_kind kind;
    char **stems; /* [n_stems] names */
    size_t n_stems;
    rv_eval_song *songs; /* [n_songs], of `capacity` */
    size_t n_songs, capacity, without_estimates;
    uint32_t metrics;
};

/* For so many songs of which none is there yet. */
RV_NODISCARD rv_status rv_evaluation_new(rv_evaluation **out, const char *method,
                                         rv_method_kind kind, char *const *stems, size_t n_stems,
                                         size_t songs, rv_error *err);

/* One more song, without figures. */
RV_NODISCARD rv_status rv_evaluation_add(rv_eval_song **song, rv_evaluation *e, const char *name,
                                         const char *split, rv_error *err);

bool rv_eval_wants(uint32_t metrics, rv_metric metric);

/* Median of the finite ones among n values, which are reordered; NaN if there is none. */
double rv_finite_median(double *values, size_t n, size_t *n_finite);

/* The value of each figure by frame: its median. */
RV_NODISCARD rv_status rv_eval_join_frames(rv_eval_stem *s, size_t n_frames, rv_error *err);

#endif
