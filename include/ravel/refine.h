/* SPDX-License-Identifier: MIT */
/**
 * @file ravel/refine.h
 * @brief Bring a separated stem nearer to what it was, by a network of DDSP-Demucs' kind.
 */
#ifndef RV_REFINE_H
#define RV_REFINE_H

#include <ravel/separate.h>

RV_BEGIN_DECLS

/** Fill with rv_refine_defaults() first. Texts are borrowed for the call. */
typedef struct rv_refine_options {
    const char *crepe; /**< CREPE's weights, where the model learned from its pitch (NULL) */
    const char *cache; /**< of features, see ravel/features.h (default NULL: the user's) */
    double window;     /**< seconds that the network sees at a time (default 4) */
    uint64_t seed;     /**< of the noise; equal seeds give equal output (default 0) */
    int threads;       /**< 0: one for each core (default 0) */
    int bits;          /**< 16, 24, or 32 for float (default 32) */
    rv_clip_mode clip; /**< (default RV_CLIP_RESCALE) */
    int overwrite;     /**< 1: replace results that are there (default 0) */
    /** fraction: 0 to 1; not 0: stop. May be NULL. */
    int (*progress)(void *ctx, double fraction);
    void *progress_ctx;
    uint32_t reserved[8];
} rv_refine_options;

RV_API void rv_refine_defaults(rv_refine_options *opt);

typedef struct rv_refine_report {
    int sample_rate, channels; /**< of input and output */
    uint64_t frames;           /**< likewise */
    uint64_t parameters;       /**< of the model */
    double change; /**< root mean square of what was changed, of the stem's, dB; -INFINITY
                        where it comes out as it was */
} rv_refine_report;

/**
 * Refine one stem. A network works in mono at a rate of its own: what it changes there is added to
 * all channels of the stem, at the stem's rate, so that nothing else is lost; the output is as long
 * as the input. A decoder without the stem (`ddsp_demucs_decoder`) has its synthesis written
 * instead.
 *
 * @retval RV_ERR_UNSUPPORTED the file holds another kind of model
 * @retval RV_ERR_EXISTS      `out` is there already
 * @retval RV_ERR_CANCELLED   the callback asked to stop
 */
RV_API RV_NODISCARD rv_status rv_refine_file(const char *model, const char *in, const char *out,
                                             const rv_refine_options *opt, rv_refine_report *report,
                                             rv_error *err);

RV_END_DECLS

#endif /* RV_REFINE_H */
