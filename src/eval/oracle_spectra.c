/* oracle_spectra.c - see oracle_spectra.h. */
#include "eval/oracle_spectra.h"

#include "base/status.h"

#include <math.h>

static const double window_sum = RV_ORACLE_SIZE / 2;

rv_status rv_oracle_spectra_open(rv_oracle_spectra *s, size_t n_rows, rv_error *err)
{
    *s = (rv_oracle_spectra){ 0 };
    for (int i = 0; i < RV_ORACLE_SIZE; i++)
        s->window[i] = 0.5 - 0.5 * cos(2 * acos(-1) * i / RV_ORACLE_SIZE);
    rv_status status = rv_fft_double_new(&s->fft, RV_ORACLE_SIZE, err);
    if (status == RV_OK && !(s->rows = rv_fft_double_rows(s->fft, n_rows)))
        status = RV_FAIL(err, RV_ERR_NOMEM, "%zu spectra", n_rows);
    if (status != RV_OK)
        rv_oracle_spectra_close(s);
    return status;
}

void rv_oracle_spectra_close(rv_oracle_spectra *s)
{
    rv_fft_double_drop(s->rows);
    rv_fft_double_free(s->fft);
    *s = (rv_oracle_spectra){ 0 };
}

double *rv_oracle_row(const rv_oracle_spectra *s, size_t i)
{
    return s->rows + i * rv_fft_double_row(s->fft);
}

size_t rv_oracle_frames(size_t samples)
{
    return (samples + RV_ORACLE_HOP - 1) / RV_ORACLE_HOP + 1;
}

void rv_oracle_analyse(const rv_oracle_spectra *s, double *row, const float *x, size_t samples,
                       size_t frame)
{
    for (size_t i = 0; i < RV_ORACLE_SIZE; i++) {
        const size_t at = frame * RV_ORACLE_HOP + i - RV_ORACLE_HOP; /* before the start: huge */
        row[i] = at < samples ? s->window[i] / window_sum * (double)x[at] : 0;
    }
    rv_fft_double_forward(s->fft, row);
}

void rv_oracle_synthesise(const rv_oracle_spectra *s, double *row, float *y, size_t samples,
                          size_t frame)
{
    const double gain = window_sum / RV_ORACLE_SIZE; /* of the inverse transform, too */
    rv_fft_double_inverse(s->fft, row);
    for (size_t i = 0; i < RV_ORACLE_SIZE; i++) {
        const size_t at = frame * RV_ORACLE_HOP + i - RV_ORACLE_HOP;
        const double a = s->window[i], b = s->window[(i + RV_ORACLE_HOP) % RV_ORACLE_SIZE];
        if (at < samples)
            y[at] += (float)(row[i] * a * gain / (a * a + b * b));
    }
}
