/* bss_projection.h - filters that project estimates on sources, and the energies of what they make
 * of a part of the signals. */
#ifndef EVAL_BSS_PROJECTION_H
#define EVAL_BSS_PROJECTION_H

#include "dsp/fft_double.h"
#include "eval/bss_eval.h"

/* Which estimate is compared with which source. */
typedef struct rv_bss_pair {
    size_t source, estimate;
} rv_bss_pair;

/* Energies of a pair; see bss_eval.h. */
typedef struct rv_bss_energies {
    double source;       /* |s|^2 */
    double error;        /* |e - s|^2 */
    double spatial;      /* |P_j - s|^2 */
    double own;          /* |P_j|^2 */
    double own_error;    /* |e - P_j|^2 */
    double interference; /* |P - P_j|^2 */
    double all;          /* |P|^2 */
    double artifacts;    /* |e - P|^2 */
} rv_bss_energies;

/* What all projections of some signals share. */
typedef struct rv_bss_space {
    const rv_bss_input *in;
    size_t taps;
    const rv_bss_pair *pairs; /* [n_pairs] ordered by estimate */
    size_t n_pairs;
    rv_fft_double *fft;
} rv_bss_space;

/* Sets fft; everything else is the caller's. */
RV_NODISCARD rv_status rv_bss_space_open(rv_bss_space *s, rv_error *err);
void rv_bss_space_close(rv_bss_space *s);

/* Spectra of filters; one row each. */
typedef struct rv_bss_filters {
    double *all; /* [estimates][channels][sources * channels] */
    double *own; /* [n_pairs][channels][channels] */
} rv_bss_filters;

/* Of frames from .. from + frames, with zeros around them. */
RV_NODISCARD rv_status rv_bss_filters_new(rv_bss_filters *out, const rv_bss_space *s, size_t from,
                                          size_t frames, rv_pool *pool, rv_error *err);
void rv_bss_filters_free(rv_bss_filters *f);

/* energies [n_pairs] of the part; scratch: rv_bss_scratch(s) rows of s->fft. */
size_t rv_bss_scratch(const rv_bss_space *s);
void rv_bss_measure(rv_bss_energies *energies, const rv_bss_space *s, const rv_bss_filters *f,
                    size_t from, size_t frames, double *scratch);

#endif
