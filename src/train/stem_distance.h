/* stem_distance.h - how far an estimate of a stem is from the stem, in validations. */
#ifndef TRAIN_STEM_DISTANCE_H
#define TRAIN_STEM_DISTANCE_H

#include "ravel/base.h"

#include <stddef.h>

/* Sums over an estimate x and its target s. */
typedef struct rv_stem_energies {
    double xs, ss, xx;
} rv_stem_energies;

void rv_stem_energies_add(rv_stem_energies *e, float estimate, float target);

/* SI-SDR (J. Le Roux et al., arXiv:1811.02508) in dB:
 * 10 log10(|a s|^2 / |x - a s|^2), a = <x,s> / <s,s>. ss must be above 0. */
double rv_stem_si_sdr(const rv_stem_energies *e);

/* Spectral convergence, | |S| - |X| | / |S| over the magnitudes of all frames (Hann windows of 1024
 * samples every 256, as DDSP-Demucs measures it), 0 for a silent target. */
RV_NODISCARD rv_status rv_stem_convergence(double *out, const float *estimate, const float *target,
                                           size_t n, rv_error *err);

#endif
