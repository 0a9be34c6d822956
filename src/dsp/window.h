/* window.h - windows for spectra and cross-fades. */
#ifndef DSP_WINDOW_H
#define DSP_WINDOW_H

#include <stddef.h>

/* Periodic Hann window, w[i] = (1 - cos(2 pi i / n)) / 2, i < n. Copies of its square that
 * are n/r apart add up to 3r/8 everywhere, for every whole r >= 3. */
void rv_window_hann(float *w, size_t n);

#endif
