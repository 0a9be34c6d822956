/* SPDX-License-Identifier: MIT */
/**
 * @file ravel/bench.h
 * @brief How fast the networks run on this machine, and where their time goes.
 *
 * A network is built at its published size with random weights, so no file is needed, and one
 * segment of noise goes through it.
 */
#ifndef RV_BENCH_H
#define RV_BENCH_H

#include <ravel/base.h>

RV_BEGIN_DECLS

/** A network that can be timed. */
typedef struct rv_bench_network {
    const char *name;
    double seconds; /**< of audio: the segment that rv_bench_run() takes by default */
} rv_bench_network;

/** Fill `entry` with the i-th network; 0 if there are no more, else 1. */
RV_API int rv_bench_network_at(size_t i, rv_bench_network *entry);

/** Fill with rv_bench_defaults() first. */
typedef struct rv_bench_options {
    int threads;            /**< 0: one for each core (default 0) */
    int repeat;             /**< runs, 1 to 1000, after one that does not count (default 3) */
    double seconds;         /**< of audio; 0: the network's own segment (default 0) */
    int profile;            /**< not 0: measure each operation, too (default 0) */
    rv_precision precision; /**< (default RV_FLOAT32) */
    uint32_t reserved[15];
} rv_bench_options;

RV_API void rv_bench_defaults(rv_bench_options *opt);

/** Operations of one kind, or of one layer, in one run. */
typedef struct rv_bench_row {
    char name[112];    /**< "linear"; or "crosstransformer.layers.0.linear1 (linear)" */
    size_t calls;      /**< in a run */
    double seconds;    /**< of a run, the mean of all runs */
    double operations; /**< multiplications and additions of matrix products; 0: it has none */
    double bytes;      /**< of inputs and results together */
} rv_bench_row;

/** What was measured. Rows are sorted by time, longest first. */
typedef struct rv_benchmark {
    const char *network;
    int threads;
    double audio_seconds;     /**< that one run takes in */
    double seconds;           /**< of one run, the median */
    double processor_seconds; /**< of one run, of all threads together, the median */
    double operations;        /**< multiplications and additions of matrix products in a run */
    uint64_t value_bytes;     /**< of memory for values */
    uint64_t weight_bytes;    /**< of weights as the matrix products read them */
    uint64_t peak_bytes;      /**< of memory the process held at most so far */
    double ceiling;     /**< multiplications and additions per second of one core, in registers */
    double ceiling_all; /**< of `threads` threads together */
    const rv_bench_row *kinds; /**< by kind of operation; NULL without a profile */
    size_t n_kinds;
    const rv_bench_row *layers; /**< by layer; what has no weights counts by its shape */
    size_t n_layers;
} rv_benchmark;

/**
 * Time a network.
 *
 * @param[out] out release with rv_bench_free()
 * @param      network one that rv_bench_network_at() names
 * @retval RV_ERR_ARG   an unknown network; an option out of its range; more seconds than it takes
 * @retval RV_ERR_NOMEM
 */
RV_API RV_NODISCARD rv_status rv_bench_run(rv_benchmark **out, const char *network,
                                           const rv_bench_options *opt, rv_error *err);

/** NULL is allowed. */
RV_API void rv_bench_free(rv_benchmark *benchmark);

RV_END_DECLS

#endif /* RV_BENCH_H */
