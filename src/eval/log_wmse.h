/* log_wmse.h - log-WMSE: the error as the ear weighs it, against the level of the mixture.
 *
 *     -4 ln(E(e - s) / max(E(m), 1e-16) + 1e-8)
 *
 * with s the stem, e the estimate, m the mixture and E the mean square after the hearing filter
 * (eval/hearing_filter.h), for each channel; their mean. As torch-log-wmse 1.1 (Landschoot; after
 * log-wmse-audio-quality, Nomono 2023) computes its `per_stem`. Defined for a silent stem, too; the
 * best value is 73.7. Audio of other rates is brought to 44.1 kHz, as the original does; the
 * package resamples the filter instead. */
#ifndef EVAL_LOG_WMSE_H
#define EVAL_LOG_WMSE_H

#include "eval/ratios.h"
#include "ravel/base.h"

RV_NODISCARD rv_status rv_log_wmse(double *out, const rv_stem_pair *p, const float *const *mixture,
                                   int sample_rate, rv_error *err);

#endif
