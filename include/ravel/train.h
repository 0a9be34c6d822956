/* SPDX-License-Identifier: MIT */
/**
 * @file ravel/train.h
 * @brief Train a model from a recipe (docs/training.md).
 *
 * A run lives in one folder: `last.state` (all that is needed to go on), `best.safetensors` (the
 * model, for rv_model_open()), `log.jsonl`, TensorBoard's event files and `recipe.yaml`. A run that
 * is interrupted, however it was, goes on where its last state was saved when it is started again,
 * and ends with the same bits as one that never stopped.
 */
#ifndef RV_TRAIN_H
#define RV_TRAIN_H

#include <ravel/base.h>

RV_BEGIN_DECLS

enum { RV_TRAIN_MEASURES = 18 };

/** A figure of a validation beside the loss. */
typedef struct rv_train_measure {
    char name[48];  /**< in log.jsonl: "si_sdr", "bass_f0_l1" */
    char label[48]; /**< for people: "SI-SDR" */
    char unit[16];  /**< "dB", or "" */
    double value;
} rv_train_measure;

/** Where a run is. */
typedef struct rv_train_progress {
    int preparing;            /**< 1: features of the data are being measured, which is done once
                                   and may take long; only this holds: */
    double prepared;          /**< how much of it, 0 to 1 */
    uint64_t epoch;           /**< from 0 */
    uint64_t step;            /**< of the optimiser, since the start of training */
    uint64_t steps_per_epoch; /**< of the optimiser */
    uint64_t last_step;       /**< the run ends here, if nothing ends it before */
    double loss;              /**< mean since the epoch began */
    double lr;                /**< learning rate */
    double gradient_norm;     /**< before clipping */
    double seconds_per_step;  /**< mean of this session */
    int validated;            /**< 1: an epoch has just been validated, and these hold: */
    double valid_loss;        /**< mean over the validation songs */
    int best;                 /**< 1: the lowest validation loss so far */
    int n_measures;           /**< of separators one: SI-SDR, the mean over songs and stems that
                                   are not silent */
    rv_train_measure measures[RV_TRAIN_MEASURES]; /**< [n_measures] */
} rv_train_progress;

/** Called after each step, and after each validation; while data is prepared, by any thread, one at
 * a time. Not 0: save and stop. */
typedef int rv_train_progress_fn(void *ctx, const rv_train_progress *progress);

/** Told of what the run starts from, a line at a time, before the first step. */
typedef void rv_train_note_fn(void *ctx, const char *line);

/** Fill with rv_train_defaults() first. */
typedef struct rv_train_options {
    int threads; /**< 0: one for each core (default 0) */
    int dry_run; /**< 1: build everything, take one step to time it, write nothing (default 0) */
    rv_train_progress_fn *progress; /**< may be NULL (default NULL) */
    void *progress_ctx;
    rv_train_note_fn *note; /**< called with progress_ctx; may be NULL (default NULL) */
    uint32_t reserved[6];
} rv_train_options;

RV_API void rv_train_defaults(rv_train_options *opt);

/** What a run is made of, and what came of it. */
typedef struct rv_train_report {
    uint64_t parameters; /**< trained numbers */
    uint64_t train_songs, valid_songs, silent_songs;
    uint64_t steps_per_epoch;
    uint64_t memory;     /**< bytes: parameters, gradients, moments, values */
    uint64_t resumed_at; /**< step; 0: from the beginning */
    uint64_t steps;      /**< done in all */
    double seconds_per_step;
    double best_loss; /**< of the validations; infinite if there was none */
    int n_measures;
    rv_train_measure best_measures[RV_TRAIN_MEASURES]; /**< [n_measures] of that epoch */
    char warning[300];                                 /**< "", or why an older state was taken */
    char layout[32]; /**< of the data set: "songs", "musdb18", ... */
} rv_train_report;

/**
 * Train as the recipe says, or go on with the run that is in its folder.
 *
 * @param      path      YAML
 * @param      overrides `n` texts such as "optimiser.lr=1e-3"
 * @param      opt       NULL for the defaults
 * @param[out] report    may be NULL
 * @retval RV_ERR_ARG, RV_ERR_FORMAT  the recipe: file, line and key
 * @retval RV_ERR_IO        data or outputs: the file
 * @retval RV_ERR_CANCELLED the callback asked to stop; the state is saved
 * @retval RV_ERR_DIVERGED  loss or gradient are no numbers any more; the last good state is kept
 */
RV_API RV_NODISCARD rv_status rv_train(const char *path, const char *const *overrides, size_t n,
                                       const rv_train_options *opt, rv_train_report *report,
                                       rv_error *err);

/** A line for each key of a recipe: its kind, default and meaning. Release with
 * rv_train_free_text(). */
RV_API char *rv_train_help(void);
RV_API void rv_train_free_text(char *text);

RV_END_DECLS

#endif /* RV_TRAIN_H */
