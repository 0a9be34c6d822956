/* span.h - which part of the block of parameters belongs to which parameter.
 *
 * All parameters of a model lie in one block of reals in order of creation; gradients, each moment
 * of an optimiser and each average are blocks of the same layout. Spans stand in ascending order
 * and do not overlap. */
#ifndef TRAIN_SPAN_H
#define TRAIN_SPAN_H

#include "base/status.h"
#include "core/graph.h"

typedef struct rv_span {
    const char *name; /* of the parameter, "encoder.0.conv.weight" */
    size_t offset;    /* of its first element in the block */
    size_t count;     /* its elements: the product of `shape` */
    rv_shape shape;
    bool statistic; /* a running one: training moves it, but not by a gradient */
    bool frozen;    /* the optimiser leaves it alone; so are all statistics */
} rv_span;

/* The length of the block: where the last span ends. Spans that overlap, are out of order or
 * overflow: RV_ERR_ARG. */
RV_NODISCARD rv_status rv_spans_length(const rv_span *spans, size_t n, size_t *length,
                                       rv_error *err);

/* Set `frozen` where the name matches one of the patterns of the shell (fnmatch: "encoder.*";
 * a star matches dots, too). A pattern that matches nothing is a mistake: RV_ERR_ARG, and nothing
 * is frozen. */
RV_NODISCARD rv_status rv_spans_freeze(rv_span *spans, size_t n, const char *const *patterns,
                                       size_t n_patterns, rv_error *err);

#endif
