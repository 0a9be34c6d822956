/* bench_networks.h - networks at their published sizes, to be timed. */
#ifndef API_BENCH_NETWORKS_H
#define API_BENCH_NETWORKS_H

#include "models/model.h"

typedef struct rv_bench_case {
    const char *name, *model; /* of the table of models */
    rv_args args;
    double seconds; /* of audio */
} rv_bench_case;

/* NULL behind the last. */
const rv_bench_case *rv_bench_case_at(size_t i);
const rv_bench_case *rv_bench_case_find(const char *name);

#endif
