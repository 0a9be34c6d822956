/* feature_spectrum.h - spectrum of a windowed frame, for the features made of it. */
#ifndef DSP_FEATURE_SPECTRUM_H
#define DSP_FEATURE_SPECTRUM_H

#include "dsp/real_fft.h"

#include <complex.h>

typedef struct rv_spectrum {
    rv_fft *fft;
    size_t window, bins; /* bins = window / 2 + 1 */
    float *hann, *frame; /* [window] */
    float complex *bin;  /* [bins], of the last frame */
} rv_spectrum;

/* From zeros; after a failure rv_spectrum_fini() is still due. */
RV_NODISCARD rv_status rv_spectrum_init(rv_spectrum *s, int window, rv_error *err);
void rv_spectrum_fini(rv_spectrum *s);

/* bin [bins] of hann times frame [window] */
void rv_spectrum_measure(rv_spectrum *s, const float *frame);

/* power [bins] = |bin|^2 of that */
void rv_spectrum_power(rv_spectrum *s, const float *frame, float *power);

#endif
