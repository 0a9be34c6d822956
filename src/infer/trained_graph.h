/* trained_graph.h - the graph of a network in a file: its weights, and a plan for one length at a
 * time. What networks that find pitch or refine stems have in common. */
#ifndef INFER_TRAINED_GRAPH_H
#define INFER_TRAINED_GRAPH_H

#include "base/pool.h"
#include "core/graph.h"
#include "infer/arguments.h"
#include "infer/weights.h"

typedef struct rv_trained_graph {
    rv_checkpoint *checkpoint;
    rv_weights weights;
    rv_graph *graph; /* of the length that it was last begun for */
    nn_builder nn;
    rv_plan *plan; /* NULL until there is one of this graph */
} rv_trained_graph;

/* Zeros at first, and after it has been released. */
void rv_trained_graph_release(rv_trained_graph *t);

/* The class that the open checkpoint's configuration names; "" if it names none. */
const char *rv_trained_graph_class(const rv_trained_graph *t);

/* `to` by the arguments in the checkpoint. The error names the file. */
RV_NODISCARD rv_status rv_trained_graph_configure(const rv_trained_graph *t, const char *path,
                                                  rv_configure_fn *configure, void *to,
                                                  rv_error *err);

/* An empty graph, and a builder for it, in place of the one before and its plan. */
RV_NODISCARD rv_status rv_trained_graph_begin(rv_trained_graph *t, rv_error *err);

/* The checkpoint's tensors as the parameters of the graph that was built. */
RV_NODISCARD rv_status rv_trained_graph_take(rv_trained_graph *t, const char *path, rv_error *err);

/* A plan of the graph that was built, with these weights. */
RV_NODISCARD rv_status rv_trained_graph_plan(rv_trained_graph *t, rv_pool *pool, rv_error *err);

#endif
