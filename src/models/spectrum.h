/* spectrum.h - see spectrum.c */
#ifndef MODELS_SPECTRUM_H
#define MODELS_SPECTRUM_H

#include "models/model.h"

typedef struct spectrum_config {
    size_t n_fft, hop;
} spectrum_config;

/* Arguments `n_fft` and `hop` (under the names given). */
spectrum_config spectrum_configure(rv_arg_reader *r, const char *n_fft_name, size_t n_fft,
                                   const char *hop_name, size_t hop);

/* Shortest length >= n that can be reflected at its ends. */
size_t spectrum_length(const spectrum_config *c, size_t n);

/* x [1,n,A] -> [1,T,F,2A], channel 2a + (re, im), T = 1 + n / hop, F = n_fft / 2 + 1 */
rv_node *spectrum_of(const spectrum_config *c, rv_node *x);
/* z [1,T,F,2R] -> [1,n,R] */
rv_node *spectrum_back(const spectrum_config *c, rv_node *z, size_t n);
/* z [1,T,F,2A] -> [1,T,F,A] */
rv_node *spectrum_magnitude(rv_node *z);

/* Masks of S stems times the spectrum z [1,T,F,2A] -> [1,T,F,2 S A]: real masks m [1,T,F,S,A], or
 * complex ones [1,T,F,S,A,2] */
rv_node *spectrum_masked(rv_node *z, rv_node *m, bool complex_masks);

#endif
