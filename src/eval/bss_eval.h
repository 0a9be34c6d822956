/* bss_eval.h - BSS Eval: how an estimate divides into the source, its distortion, other sources,
 * and the rest.
 *
 * Vincent, Gribonval & Fevotte 2006; for images of sources on several channels Vincent et al. 2012.
 * With P_j the estimate's projection on the delays of source j, and P that on the delays of all
 * sources (eval/toeplitz.h), sums over channels, time, and the filters' tail:
 *
 *   images    SDR = |s|^2 / |e - s|^2       ISR = |s|^2 / |P_j - s|^2
 *   sources   SDR = |P_j|^2 / |e - P_j|^2   ISR has no value
 *   both      SIR = |P_j|^2 / |P - P_j|^2   SAR = |P|^2 / |e - P|^2
 *
 * Version 4 (museval 0.4; Stoter, Liutkus & Ito 2018): filters of the whole track, figures of
 * windows with zeros around them. Version 3 (mir_eval): filters of each window, or of the whole. */
#ifndef EVAL_BSS_EVAL_H
#define EVAL_BSS_EVAL_H

#include "base/pool.h"
#include "ravel/base.h"

#include <stdbool.h>

enum { RV_BSS_SDR, RV_BSS_ISR, RV_BSS_SIR, RV_BSS_SAR, RV_BSS_RATIOS };

typedef struct rv_bss_input {
    const float *const *references, *const *estimates; /* [sources * channels][frames] */
    size_t sources, channels, frames;
} rv_bss_input;

typedef struct rv_bss_options {
    size_t window, hop;  /* frames; window 0, or not below the length: one, of the whole */
    size_t taps;         /* of the filters: 512 */
    bool window_filters; /* version 3: filters anew for each window */
    bool sources;        /* the variant above; else images */
    bool permute;  /* estimates belong to the references with which the mean SIR is highest: in
                      each window with window_filters, else over all */
    rv_pool *pool; /* may be NULL; the bits are the same */
    int (*stop)(void *); /* asked now and then, in the caller's thread; may be NULL */
    void *stop_ctx;
} rv_bss_options;

typedef struct rv_bss_result {
    size_t sources, windows;
    double *values; /* [RV_BSS_RATIOS][sources][windows], dB; NaN in windows where a source or an
                       estimate is silent; infinite where a divisor is 0 */
    size_t *order;  /* [sources][windows] the estimate of each source */
} rv_bss_result;

RV_NODISCARD rv_status rv_bss_eval(rv_bss_result *out, const rv_bss_input *in,
                                   const rv_bss_options *opt, rv_error *err);
void rv_bss_result_free(rv_bss_result *r);

/* As museval frames a track: only whole windows, but one at least. */
size_t rv_bss_windows(size_t frames, size_t window, size_t hop);

#endif
