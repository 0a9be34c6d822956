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
    RV_METRIC_SDR_MCTN,  /**< formula of the report on MCTN + DDSP, which is no SDR */
    RV_METRIC_MR_STFT,   /**< multi-resolution STFT distance, auraloss' by default */
    RV_METRIC_MSS,       /**< multi-scale spectral distance of ddsp */
    RV_METRIC_LD_L1,     /**< mean distance of loudness, ddsp's */
    RV_METRIC_F0_L1,     /**< mean distance of pitch where the stem is voiced */
    RV_METRIC_RPA,       /**< raw pitch accuracy, 50 cents */
    RV_METRIC_LOG_WMSE,  /**< log-WMSE (torch-log-wmse); has values for silent stems, too */
    RV_METRICS
} rv_metric;

/** "SI-SDR"; NULL for a number that is no metric. */
RV_API const char *rv_metric_name(int metric);

/** One line. */
RV_API const char *rv_metric_about(int metric);

/** "dB", "Hz", or "" for a plain number. */
RV_API const char *rv_metric_unit(int metric);

/** 1: higher is better; -1: lower is. */
RV_API int rv_metric_better(int metric);

/** Bit `metric`. */
#define RV_METRIC_BIT(metric) (UINT32_C(1) << (metric))

/** Where an evaluation is. */
typedef struct rv_eval_progress {
    const char *song;
    uint64_t songs_done, songs_total;
    const char *method; /**< whose estimates come next; "" while the song is read */
} rv_eval_progress;

/** Where estimates come from. */
typedef enum rv_method_kind {
    RV_METHOD_ESTIMATES, /**< a folder: SOURCE/SONG/STEM.wav or .flac, or SOURCE/SPLIT/SONG/... */
    RV_METHOD_MODEL,     /**< a model as rv_model_open() takes it, run on the mixture */
    RV_METHOD_ORACLE,    /**< see rv_oracle_name() */
    RV_METHOD_KINDS
} rv_method_kind;

/** What is to be evaluated. Texts are borrowed for the call. */
typedef struct rv_eval_method {
    rv_method_kind kind;
    const char *source;
    const char *name; /**< in tables and files; NULL: the source's last part, without its end */
    int wiener; /**< of a model: as in rv_separate_options; above 0, "-wienerN" is added to the
                     name */
} rv_eval_method;

/** Oracles, which know the stems, and baselines, which do nothing: "mix", "silence", "ibm1",
 *  "ibm2", "irm1", "irm2", "mwf"; NULL after the last. */
RV_API const char *rv_oracle_name(int oracle);

/** One line. */
RV_API const char *rv_oracle_about(int oracle);

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
    const char *keep; /**< folder that gets what models and oracles make, as
                           KEEP/METHOD/[SPLIT/]SONG/STEM.wav; NULL: nowhere (default NULL) */
    int resamples;    /**< of the bootstrap, 100 to 1000000 (default 10000) */
    uint64_t seed;    /**< of the bootstrap (default 0) */
    uint32_t reserved[16];
} rv_eval_options;

RV_API void rv_eval_defaults(rv_eval_options *opt);

/** Figures of all songs, of one method. */
typedef struct rv_evaluation rv_evaluation;

/**
 * Compare estimates with the stems of a data set. Models and oracles: rv_compare().
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

/** The method's name. */
RV_API const char *rv_evaluation_method(const rv_evaluation *e);

/** What was evaluated. Texts belong to the evaluation. */
typedef struct rv_eval_report {
    size_t songs, stems;
    size_t without_estimates; /**< songs left out: some method has no estimates of them */
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

/** Mean over those songs. */
RV_API double rv_evaluation_mean(const rv_evaluation *e, size_t stem, rv_metric metric, size_t *n);

/** As rv_comparison_write_json() and rv_comparison_write_csv(), of one method. */
RV_API RV_NODISCARD rv_status rv_evaluation_write_json(const rv_evaluation *e, const char *path,
                                                       rv_error *err);
RV_API RV_NODISCARD rv_status rv_evaluation_write_csv(const rv_evaluation *e, const char *path,
                                                      rv_error *err);

/* Several methods ---------------------------------------------------------------------------- */

/** Figures of several methods on the same songs, and their differences. */
typedef struct rv_comparison rv_comparison;

/**
 * Evaluate several methods. Songs that some folder of estimates lacks are left out for all. Where a
 * song has no file of its mixture, the mixture is the sum of its stems: those usual for the layout,
 * whatever opt->stems says.
 *
 * @param[out] out     release with rv_comparison_free()
 * @param      methods [n_methods], 1 to 64, of different names
 * @param      opt     NULL for the defaults
 * @retval RV_ERR_ARG         an option or a name; a model that lacks a stem, or takes another
 * number of channels
 * @retval RV_ERR_UNSUPPORTED an oracle that cannot take so many channels
 * @return else as rv_evaluate(), and rv_model_open() for models
 */
RV_API RV_NODISCARD rv_status rv_compare(rv_comparison **out, const char *references,
                                         const rv_eval_method *methods, size_t n_methods,
                                         const rv_eval_options *opt, rv_error *err);
RV_API void rv_comparison_free(rv_comparison *c);

RV_API size_t rv_comparison_methods(const rv_comparison *c);

/** Of one method, in the order given. Belongs to the comparison. */
RV_API const rv_evaluation *rv_comparison_of(const rv_comparison *c, size_t method);

/** Paired differences over the songs, first method less second one. */
typedef struct rv_eval_difference {
    size_t songs;     /**< in which both have a finite figure */
    double mean;      /**< NaN: no song */
    double low, high; /**< 95 % confidence interval of the mean: percentiles of a bootstrap over the
                           songs (Efron 1979); NaN: fewer than 2 songs */
    int better;       /**< 1: the first is better, -1: the second one; 0: the interval holds 0 */
    double median;    /**< of the differences; NaN: no song */
} rv_eval_difference;

RV_API rv_eval_difference rv_comparison_difference(const rv_comparison *c, size_t first,
                                                   size_t second, size_t stem, rv_metric metric);

/** Write all figures as JSON (docs/evaluation.md): for each song what museval writes for one.
 *  Figures that are missing or infinite are null. The file appears when it is whole; one that is
 *  there is replaced. */
RV_API RV_NODISCARD rv_status rv_comparison_write_json(const rv_comparison *c, const char *path,
                                                       rv_error *err);

/** Write one row for each method, song and stem. Missing figures are empty cells. */
RV_API RV_NODISCARD rv_status rv_comparison_write_csv(const rv_comparison *c, const char *path,
                                                      rv_error *err);

RV_END_DECLS

#endif /* RV_EVAL_H */
