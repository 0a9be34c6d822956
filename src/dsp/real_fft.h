/* real_fft.h - real Fourier transforms in float.
 *
 *     forward: X[k] = sum over i < n of x[i] exp(-2 pi j i k / n),  k <= n/2
 *     inverse: n x[i] from X (not scaled, so forward then inverse multiplies by n)
 *
 * A small face over FFTW3, so that another library can take its place. Plans are estimated,
 * not measured: the same program gives the same bits in every run. One plan may be used by
 * many threads at a time. */
#ifndef DSP_REAL_FFT_H
#define DSP_REAL_FFT_H

#include "base/arena.h"
#include "ravel/base.h"

#include <complex.h>

/* Every array given to a transform begins at a multiple of this many bytes. */
enum { RV_FFT_ALIGN = 64 };

typedef struct rv_fft rv_fft;

/* size: samples of one transform, even, 2 to 2^24 */
RV_NODISCARD rv_status rv_fft_new(rv_fft **out, size_t size, const rv_alloc *mem, rv_error *err);
void rv_fft_free(rv_fft *f);

/* Floats from one row of a batch to the next: size + 2, rounded up to the alignment. Rows of
 * samples and rows of bins have the same stride. */
size_t rv_fft_row(const rv_fft *f);

/* `count` transforms of rows: samples [count][size] -> bins [count][size/2+1]. Does not
 * change the samples. The arrays must not overlap. */
void rv_fft_forward(const rv_fft *f, const float *samples, float complex *bins, size_t count);

/* The way back; overwrites the bins. */
void rv_fft_inverse(const rv_fft *f, float complex *bins, float *samples, size_t count);

#endif
