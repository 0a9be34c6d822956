/* hearing_filter.h - energy of a signal as the ear weighs it: a zero-phase filter of 4000 taps at
 * 44.1 kHz.
 *
 * Its response, from log-wmse-audio-quality (Nomono 2023, after Fenton & Lee 2017), is the product
 * of the magnitudes of a high shelf (1.5 kHz, +5 dB, Q 1/sqrt 2), a second-order Butterworth
 * high-pass (120 Hz), a peak (500 Hz, +2.5 dB, Q 1.5/sqrt 2; shelf and peak as in R.
 * Bristow-Johnson's "Audio EQ Cookbook") and the square of a first-order Butterworth low-pass (10
 * kHz), at frequencies k/4097 of 22.05 kHz. */
#ifndef EVAL_HEARING_FILTER_H
#define EVAL_HEARING_FILTER_H

#include "ravel/base.h"

enum { RV_HEARING_RATE = 44100, RV_HEARING_TAPS = 4000 };

typedef struct rv_hearing_filter rv_hearing_filter;

RV_NODISCARD rv_status rv_hearing_filter_new(rv_hearing_filter **out, rv_error *err);
void rv_hearing_filter_free(rv_hearing_filter *f);

/* Sum of squares of x [n] - y [n] after the filter, with its tails; y may be NULL. One caller at a
 * time. */
double rv_hearing_filter_energy(rv_hearing_filter *f, const float *x, const float *y, size_t n);

#endif
