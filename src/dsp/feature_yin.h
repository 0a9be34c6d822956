/* feature_yin.h - the difference function of YIN, for YIN and pYIN. */
#ifndef DSP_FEATURE_YIN_H
#define DSP_FEATURE_YIN_H

#include "dsp/real_fft.h"
#include "ravel/features.h"

#include <stdbool.h>

typedef struct rv_yin {
    const rv_feature_spec *spec;
    rv_fft *fft;
    float *samples;        /* [fft size], then autocorrelation */
    float complex *bins;   /* [fft size / 2 + 1] */
    double *difference;    /* [lags]: of lag shortest + i, normalised: 0 where all is alike */
    size_t shortest, lags; /* in samples; lags >= 3 */
    bool silent;           /* the frame was nothing but zeros */
} rv_yin;

/* From zeros; after a failure rv_yin_fini() is still due. */
RV_NODISCARD rv_status rv_yin_init(rv_yin *y, const rv_feature_spec *spec, rv_error *err);
void rv_yin_fini(rv_yin *y);

void rv_yin_measure(rv_yin *y, const float *window);

/* difference[i] is below its left neighbour and not above its right one, where it has them; the
 * first one must be below the right one. */
bool rv_yin_trough(const rv_yin *y, size_t i);

/* The frequency of lag i, refined by a parabola through its neighbours. */
double rv_yin_hz(const rv_yin *y, size_t i);

#endif
