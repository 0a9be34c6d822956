/* frame_powers.c - see frame_powers.h. */
#include "eval/frame_powers.h"

#include "base/status.h"

#include <math.h>
#include <stdlib.h>

static rv_status allocate(rv_frame_powers *p, rv_error *err)
{
    const size_t n = p->size.n_fft, width = p->size.window;
    p->window = calloc(n, sizeof *p->window);
    RV_TRY(rv_fft_double_new(&p->fft, n, err));
    p->rows = rv_fft_double_rows(p->fft, 2);
    if (!p->window || !p->rows)
        return RV_FAIL(err, RV_ERR_NOMEM, "spectra of %zu samples", n);
    for (size_t i = 0; i < width; i++)
        p->window[(n - width) / 2 + i] = 0.5 - 0.5 * cos(2 * acos(-1) * (double)i / (double)width);
    p->reference = p->rows;
    p->estimate = p->rows + rv_fft_double_row(p->fft);
    return RV_OK;
}

rv_status rv_frame_powers_open(rv_frame_powers *p, const rv_frame_size *size, rv_error *err)
{
    *p = (rv_frame_powers){ .size = *size };
    const rv_status status = allocate(p, err);
    if (status != RV_OK)
        rv_frame_powers_close(p);
    return status;
}

void rv_frame_powers_close(rv_frame_powers *p)
{
    rv_fft_double_drop(p->rows);
    rv_fft_double_free(p->fft);
    free(p->window);
    *p = (rv_frame_powers){ 0 };
}

size_t rv_frame_powers_count(const rv_frame_powers *p, size_t samples)
{
    if (p->size.centred)
        return samples > p->size.n_fft / 2 ? 1 + samples / p->size.hop : 0;
    return (samples + p->size.hop - 1) / p->size.hop;
}

size_t rv_frame_powers_bins(const rv_frame_powers *p)
{
    return p->size.n_fft / 2 + 1;
}

/* Samples around the ends are reflected without being repeated. */
static double sample(const rv_frame_powers *p, const float *x, size_t n, ptrdiff_t at)
{
    if (!p->size.centred)
        return (size_t)at < n ? (double)x[at] : 0;
    at = at < 0 ? -at : at;
    return (double)x[(size_t)at < n ? (size_t)at : 2 * n - 2 - (size_t)at];
}

static void make(const rv_frame_powers *p, double *row, const float *x, size_t n, size_t frame)
{
    const size_t size = p->size.n_fft, half = size / 2;
    const ptrdiff_t from =
        (ptrdiff_t)(frame * p->size.hop) - (p->size.centred ? (ptrdiff_t)half : 0);
    if (from >= 0 && (size_t)from + size <= n)
        for (size_t i = 0; i < size; i++)
            row[i] = p->window[i] * (double)x[(size_t)from + i];
    else
        for (size_t i = 0; i < size; i++)
            row[i] = p->window[i] * sample(p, x, n, from + (ptrdiff_t)i);
    rv_fft_double_forward(p->fft, row);
    for (size_t k = 0; k <= half; k++)
        row[k] = row[2 * k] * row[2 * k] + row[2 * k + 1] * row[2 * k + 1];
}

void rv_frame_powers_make(rv_frame_powers *p, const float *s, const float *e, size_t samples,
                          size_t frame)
{
    make(p, p->reference, s, samples, frame);
    make(p, p->estimate, e, samples, frame);
}
