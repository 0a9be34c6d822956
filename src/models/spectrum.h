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

/* x [1,n,A] -> [A,T,F,2], (re, im) last, T = 1 + n / hop, F = n_fft / 2 + 1; and back:
 * z [R,T,F,2] -> [1,n,R] */
rv_node *spectrum_parts(const spectrum_config *c, rv_node *x);
rv_node *spectrum_join(const spectrum_config *c, rv_node *z, size_t n);

/* The same with x [1,n,A] -> [1,T,F,2A], channel 2a + (re, im); z [1,T,F,2R] -> [1,n,R] */
rv_node *spectrum_of(const spectrum_config *c, rv_node *x);
rv_node *spectrum_back(const spectrum_config *c, rv_node *z, size_t n);

/* z [1,T,F,2A] -> [1,T,F,A] */
rv_node *spectrum_magnitude(rv_node *z);

#endif
