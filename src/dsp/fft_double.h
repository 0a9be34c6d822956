/* fft_double.h - real Fourier transforms in double, for what is compared with other programs to
 * many digits. As dsp/real_fft.h otherwise; one transform at a time. */
#ifndef DSP_FFT_DOUBLE_H
#define DSP_FFT_DOUBLE_H

#include "ravel/base.h"

typedef struct rv_fft_double rv_fft_double;

/* size: samples, even, 2 to 2^24 */
RV_NODISCARD rv_status rv_fft_double_new(rv_fft_double **out, size_t size, rv_error *err);
void rv_fft_double_free(rv_fft_double *f);

/* Doubles in one row of size/2+1 bins, which are pairs (real, imaginary); rows of samples have the
 * same stride. A multiple of 8. */
size_t rv_fft_double_row(const rv_fft_double *f);

/* n zeroed rows as the transforms want them; release with rv_fft_double_drop(). NULL: no memory. */
double *rv_fft_double_rows(const rv_fft_double *f, size_t n);
void rv_fft_double_drop(double *rows);

/* samples [size] -> bins [size/2+1], in place; and back, times size. */
void rv_fft_double_forward(const rv_fft_double *f, double *row);
void rv_fft_double_inverse(const rv_fft_double *f, double *row);

#endif
