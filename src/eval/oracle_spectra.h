/* oracle_spectra.h - the transform of sigsep-mus-oracle, scipy.signal.stft(x, nperseg=2048), and
 * its inverse: periodic Hann window, hop 1024, half a frame of zeros before the signal, spectra
 * divided by the sum of the window. */
#ifndef EVAL_ORACLE_SPECTRA_H
#define EVAL_ORACLE_SPECTRA_H

#include "dsp/fft_double.h"

enum {
    RV_ORACLE_SIZE = 2048,
    RV_ORACLE_HOP = RV_ORACLE_SIZE / 2,
    RV_ORACLE_BINS = RV_ORACLE_HOP + 1
};

typedef struct rv_oracle_spectra {
    rv_fft_double *fft;
    double *rows; /* [n_rows][row], for the caller */
    double window[RV_ORACLE_SIZE];
} rv_oracle_spectra;

RV_NODISCARD rv_status rv_oracle_spectra_open(rv_oracle_spectra *s, size_t n_rows, rv_error *err);
void rv_oracle_spectra_close(rv_oracle_spectra *s);
double *rv_oracle_row(const rv_oracle_spectra *s, size_t i);

size_t rv_oracle_frames(size_t samples);

/* x [samples] -> row [RV_ORACLE_BINS] of pairs */
void rv_oracle_analyse(const rv_oracle_spectra *s, double *row, const float *x, size_t samples,
                       size_t frame);

/* Adds to y [samples] what the frame contributes; the row is spoilt. */
void rv_oracle_synthesise(const rv_oracle_spectra *s, double *row, float *y, size_t samples,
                          size_t frame);

#endif
