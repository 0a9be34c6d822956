/* SPDX-License-Identifier: MIT */
/**
 * @file ravel/eval.h
 * @brief Compare separated stems with the true ones (docs/evaluation.md).
 */
#ifndef RV_EVAL_H
#define RV_EVAL_H

#include <ravel/base.h>

RV_BEGIN_DECLS

/** Figures that can be measured. Values are part of the ABI: append, never renumber. */
typedef enum rv_metric {
    RV_METRIC_SDR,       /**< BSS Eval v4, by frame, as museval: distortion */
    RV_METRIC_ISR,       /**< likewise: image to spatial distortion */
    RV_METRIC_SIR,       /**< likewise: interference */
    RV_METRIC_SAR,       /**< likewise: artifacts */
    RV_METRIC_SI_SDR,    /**< scale-invariant SDR of whole tracks (Le Roux 2019) */
    RV_METRIC_SI_SDRI,   /**< that, less what the mixture itself has */
    RV_METRIC_SDR_MDX21, /**< SDR of whole tracks of the Music Demixing Challenge 2021 */
    RV_METRIC_SNR,       /**< energy of the stem to energy of the difference, whole tracks */
    RV_METRIC_SC,        /**< spectral convergence (Arik 2018); 0 is perfect, silence has 1 */
    RV_METRIC_LSD,       /**< log-spectral distance (Gray and Markel 1976) */
    RV_METRICS
} rv_metric;

/** "SI-SDR"; NULL for a number that is no metric. */
RV_API const char *rv_metric_name(int metric);

/** One line. */
RV_API const char *rv_metric_about(int metric);

/** Bit `metric`. */
#define RV_METRIC_BIT(metric) (UINT32_C(1) << (metric))

/** Where an evaluation is. */
typedef struct rv_eval_progress {
    const char *song;
    uint64_t songs_done, songs_total;
} rv_eval_progress;

/** Not 0: stop. Called in the thread of the caller. */
typedef int rv_eval_progress_fn(void *ctx, const rv_eval_progress *progress);

/** Fill with rv_eval_defaults() first. Texts are borrowed for the call. */
typedef struct rv_eval_options {
    const char *layout;       /**< of the references; NULL: found out (default NULL) */
    const char *split;        /**< "train", "valid", "test"; NULL: all songs (default NULL) */
    const char *const *stems; /**< [n_stems]; none: those usual for the layout (default none) */
    size_t n_stems;
    uint32_t metrics; /**< RV_METRIC_BIT() of each that is wanted (default see
                           rv_eval_defaults()) */
    double window;    /**< seconds of a frame of BSS Eval (default 1) */
    double hop;       /**< seconds between frames (default 1) */
    int bss_version;  /**< 4: distortion filters of the whole track; 3: of each frame (default 4) */
    int threads;      /**< 0: one for each core (default 0) */
    rv_eval_progress_fn *progress; /**< may be NULL (default NULL) */
    void *progress_ctx;
    uint32_t reserved[16];
} rv_eval_options;

RV_API void rv_eval_defaults(rv_eval_options *opt);

/** Figures of all songs. */
typedef struct rv_evaluation rv_evaluation;

/**
 * Compare estimates with the stems of a data set.
 *
 * Estimates lie as `ravel separate` writes them: ESTIMATES/SONG/STEM.wav or .flac; or
 * ESTIMATES/SPLIT/SONG/STEM.wav. Songs without a folder there are left out and counted. A stem
 * that a song does not have, or that is silent, has no figures: they are NaN, and counted.
 *
 * @param[out] out        release with rv_evaluation_free()
 * @param      references data set in any layout of docs/datasets.md
 * @param      opt        NULL for the defaults
 * @retval RV_ERR_FORMAT    an estimate differs from its reference in length, rate or channels, or
 *                          holds NaN; the text names the files
 * @retval RV_ERR_IO        a file that is missing or cannot be read; no song has estimates
 * @retval RV_ERR_ARG, RV_ERR_NOMEM
 * @retval RV_ERR_CANCELLED the callback asked to stop
 */
RV_API RV_NODISCARD rv_status rv_evaluate(rv_evaluation **out, const char *references,
                                          const char *estimates, const rv_eval_options *opt,
                                          rv_error *err);
RV_API void rv_evaluation_free(rv_evaluation *e);

/** What was evaluated. Texts belong to the evaluation. */
typedef struct rv_eval_report {
    size_t songs, stems;
    size_t without_estimates; /**< songs left out */
    size_t without_reference; /**< stems of songs that are missing or silent: no figures */
    size_t silent_estimates;  /**< stems of songs; their reference is not silent */
    uint32_t metrics;         /**< bits of those measured */
} rv_eval_report;

RV_API void rv_evaluation_report(const rv_evaluation *e, rv_eval_report *report);

/** Names, sorted; stems in the order asked for. */
RV_API const char *rv_evaluation_song(const rv_evaluation *e, size_t song);
RV_API const char *rv_evaluation_stem(const rv_evaluation *e, size_t stem);

/** One figure of one stem of a song, for figures by frame the median over its frames; NaN: none. */
RV_API double rv_evaluation_value(const rv_evaluation *e, size_t song, size_t stem,
                                  rv_metric metric);

/** Median over the songs that have a finite figure; their number goes to `*n` (may be NULL). */
RV_API double rv_evaluation_median(const rv_evaluation *e, size_t stem, rv_metric metric,
                                   size_t *n);

/** Write all figures: for each song what museval writes for one. Figures that are missing or
 *  infinite are null. The file appears when it is whole; one that is there is replaced. */
RV_API RV_NODISCARD rv_status rv_evaluation_write_json(const rv_evaluation *e, const char *path,
                                                       rv_error *err);

/** Write one row for each stem of each song. Missing figures are empty cells. */
RV_API RV_NODISCARD rv_status rv_evaluation_write_csv(const rv_evaluation *e, const char *path,
                                                      rv_error *err);

RV_END_DECLS

#endif /* RV_EVAL_H */
