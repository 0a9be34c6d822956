/* bench_profile.h - times of a graph's operations, added up by kind and by layer. */
#ifndef API_BENCH_PROFILE_H
#define API_BENCH_PROFILE_H

#include "core/graph.h"
#include "nn/nn.h"
#include "ravel/bench.h"

/* The operations of a run, in their order. */
typedef struct rv_bench_profile {
    const rv_node **node; /* [n] */
    double *seconds;      /* [n], of all runs together */
    size_t n, at;         /* at: the next; runs begin with 0 */
} rv_bench_profile;

/* Callbacks of rv_plan_profile(): how many there are (ctx: size_t), and their times (ctx: an
 * rv_bench_profile with room for them). */
void rv_bench_count(void *ctx, const rv_node *node, double seconds);
void rv_bench_add(void *ctx, const rv_node *node, double seconds);

/* Multiplications of a node's matrix products. */
double rv_bench_products(const rv_node *v);

/* Rows [n] of one run of `runs`, sorted by time; returns how many of `rows`, room for p->n, were
 * filled. `names`: of the parameters, or NULL to add up by kind. */
size_t rv_bench_rows(rv_bench_row *rows, const rv_bench_profile *p, const nn_param *names,
                     int runs);

#endif
