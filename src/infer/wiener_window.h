/* wiener_window.h - better spectra of stems from those of the mix: one window of a track. */
#ifndef INFER_WIENER_WINDOW_H
#define INFER_WIENER_WINDOW_H

#include "base/pool.h"

#include <complex.h>

typedef struct rv_wiener_window {
    float complex *spectra; /* [audio + stems * audio][frames][bins] mix, then stems */
    size_t frames, bins;
    size_t audio, stems; /* up to RV_WIENER_AUDIO, and RV_WIENER_STEMS - 1 */
    size_t iterations;
} rv_wiener_window;

/* Floats of scratch for each thread of the pool. */
size_t rv_wiener_window_scratch(const rv_wiener_window *w);

/* Replace the spectra of the stems. They add up to the mix after that, unless there is only one;
 * those of a stem or of a mix that is zero are zero. The same bits for any pool. */
void rv_wiener_window_filter(const rv_wiener_window *w, float *scratch, rv_pool *pool);

#endif
