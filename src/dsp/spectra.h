/* spectra.h - short-time Fourier transform of a whole buffer, and its exact inverse; not
 * differentiable (core/ops/stft.c is).
 *
 * Frame t is the spectrum of w[i] x[t hop - (size - hop) + i], i < size, with w the Hann
 * window and zeros outside the buffer. The first frame holds the first `hop` samples in its
 * tail, the last one begins in the last hop: every sample lies in size/hop frames, so
 * weighted overlap-add (Griffin & Lim 1984) gives back the buffer with no special case at
 * its ends. */
#ifndef DSP_SPECTRA_H
#define DSP_SPECTRA_H

#include "base/arena.h"
#include "ravel/base.h"

#include <complex.h>

typedef struct rv_spectra rv_spectra;

/* size: samples of a frame, even; hop: a divisor of size, at most size / 3 */
RV_NODISCARD rv_status rv_spectra_new(rv_spectra **out, size_t size, size_t hop,
                                      const rv_alloc *mem, rv_error *err);
void rv_spectra_free(rv_spectra *s);

size_t rv_spectra_bins(const rv_spectra *s); /* size / 2 + 1 */

/* Frames of a buffer of `samples`; 0 for none. */
size_t rv_spectra_frames(const rv_spectra *s, size_t samples);

/* Floats of scratch, aligned to RV_FFT_ALIGN bytes, for each thread in the calls below. */
size_t rv_spectra_scratch(const rv_spectra *s);

/* Spectrum of frame t of x [samples] -> bins [size/2+1]. */
void rv_spectra_frame(const rv_spectra *s, const float *x, size_t samples, size_t t,
                      float complex *bins, float *scratch);

/* Add what bins [size/2+1] as frame t contribute to samples first .. first + count of the
 * buffer: y [count]. Sum over all frames from zero: the inverse transform. */
void rv_spectra_add(const rv_spectra *s, const float complex *bins, size_t t, float *y,
                    size_t first, size_t count, float *scratch);

/* The frames that reach samples first .. first + count (count > 0): *begin <= t < *end. */
void rv_spectra_span(const rv_spectra *s, size_t first, size_t count, size_t *begin, size_t *end);

#endif
