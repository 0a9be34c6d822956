/* SPDX-License-Identifier: MIT */
/**
 * @file ravel/dataset.h
 * @brief Data sets for training: made, checked and stored.
 */
#ifndef RV_DATASET_H
#define RV_DATASET_H

#include <ravel/base.h>

RV_BEGIN_DECLS

/** What rv_dataset_shards() makes of a data set. Fill with rv_shards_defaults() first. */
typedef struct rv_shards_options {
    const char *layout;   /**< of the data set; NULL: found out (default NULL) */
    const char *stem;     /**< the target (default "vocals") */
    const char *inputs;   /**< folder with estimates INPUTS/SONG/STEM.wav or .flac; NULL: the
                               mixture is the input (default NULL) */
    const char *segments; /**< CSV with columns track, start_s, end_s and, if it has one,
                               segment_pass; NULL: whole songs (default NULL) */
    int sample_rate;      /**< Hz (default 22050) */
    double window;        /**< seconds of an example (default 4) */
    double hop;           /**< seconds between their starts (default 1) */
    uint64_t per_shard; /**< examples; validation and test: half of it, at least 64 (default 512) */
    double valid_fraction; /**< of the training songs (default 0.1) */
    double level;          /**< examples in which input or target are below are left out, dB RMS
                                (default -50) */
    uint64_t seed;         /**< of the choice of validation songs (default 1337) */
    int overwrite;         /**< 1: replace the shards of an earlier call (default 0) */
    /** Called for each song; not 0: stop. May be NULL. */
    int (*progress)(void *ctx, const char *song, uint64_t done, uint64_t of);
    void *progress_ctx;
    uint32_t reserved[8];
} rv_shards_options;

RV_API void rv_shards_defaults(rv_shards_options *opt);

/** Numbers of training [0], validation [1] and test [2]. */
typedef struct rv_shards_report {
    uint64_t songs[3], examples[3], shards[3];
    uint64_t quiet;          /**< examples left out for their level */
    uint64_t without_inputs; /**< songs left out, of which there is no estimate */
} rv_shards_report;

/**
 * Cut a data set into examples for training, in TensorFlow's format:
 * OUT/{train,val,test}/SPLIT-NNNNN.tfrecord, mono, with the keys audio/inputs and audio/targets
 * (float32), audio/sample_rate, audio/length, meta/track, meta/subset, meta/start_sec,
 * meta/end_sec, meta/source and meta/stem. A shard appears when it is complete.
 *
 * @retval RV_ERR_ARG       an option, or OUT has shards already
 * @retval RV_ERR_FORMAT    a file of the data set, or the CSV: which, and where in it
 * @retval RV_ERR_IO        a file that cannot be read or written
 * @retval RV_ERR_CANCELLED the callback asked to stop
 */
RV_API RV_NODISCARD rv_status rv_dataset_shards(const char *root, const char *out,
                                                const rv_shards_options *opt,
                                                rv_shards_report *report, rv_error *err);

RV_END_DECLS

#endif /* RV_DATASET_H */
