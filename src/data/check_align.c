/* check_align.c - see check_align.h. */
#include "data/check_align.h"

#include "base/status.h"
#include "dsp/real_fft.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BINS = RV_ALIGN_WINDOW / 2 + 1 };

/* A peak of this many standard deviations of r is not one of noise: of the 2^16 values that are
 * looked at, the largest is at 4.5 on average. */
static const double stands_out = 8;
static const double least_power = 1e-12; /* relative to the strongest bin: what is below is noise */

struct rv_align {
    rv_fft *fft;
    float *x, *y;                   /* [row] */
    float complex *bins_x, *bins_y; /* [row / 2] */
    double complex *cross;          /* [BINS] */
    double *power_x, *power_y;      /* [BINS] */
};

static void *take(size_t size)
{
    return aligned_alloc(RV_FFT_ALIGN, (size + RV_FFT_ALIGN - 1) / RV_FFT_ALIGN * RV_FFT_ALIGN);
}

static rv_status fill(rv_align *a, rv_error *err)
{
    RV_TRY(rv_fft_new(&a->fft, RV_ALIGN_WINDOW, NULL, err));
    const size_t row = rv_fft_row(a->fft);
    a->x = take(row * sizeof *a->x);
    a->y = take(row * sizeof *a->y);
    a->bins_x = take(row * sizeof(float));
    a->bins_y = take(row * sizeof(float));
    a->cross = calloc(BINS, sizeof *a->cross);
    a->power_x = calloc(BINS, sizeof *a->power_x);
    a->power_y = calloc(BINS, sizeof *a->power_y);
    if (!a->x || !a->y || !a->bins_x || !a->bins_y || !a->cross || !a->power_x || !a->power_y)
        return RV_FAIL(err, RV_ERR_NOMEM, "correlation of %d samples", RV_ALIGN_WINDOW);
    return RV_OK;
}

rv_status rv_align_new(rv_align **out, rv_error *err)
{
    rv_align *a = calloc(1, sizeof *a);
    if (!a)
        return RV_FAIL(err, RV_ERR_NOMEM, "correlation of %d samples", RV_ALIGN_WINDOW);
    const rv_status status = fill(a, err);
    if (status == RV_OK)
        *out = a;
    else
        rv_align_free(a);
    return status;
}

void rv_align_free(rv_align *a)
{
    if (!a)
        return;
    rv_fft_free(a->fft);
    free(a->x);
    free(a->y);
    free(a->bins_x);
    free(a->bins_y);
    free(a->cross);
    free(a->power_x);
    free(a->power_y);
    free(a);
}

void rv_align_begin(rv_align *a)
{
    memset(a->cross, 0, BINS * sizeof *a->cross);
    memset(a->power_x, 0, BINS * sizeof *a->power_x);
    memset(a->power_y, 0, BINS * sizeof *a->power_y);
}

/* Both get a Hann window of n samples, then zeros. */
static void load(rv_align *a, const float *x, const float *y, size_t n)
{
    const double step = 2 * 3.14159265358979323846 / (double)n;
    for (size_t i = 0; i < n; i++) {
        const float w = (float)(0.5 - 0.5 * cos(step * ((double)i + 0.5)));
        a->x[i] = w * x[i];
        a->y[i] = w * y[i];
    }
    memset(a->x + n, 0, (RV_ALIGN_WINDOW - n) * sizeof *a->x);
    memset(a->y + n, 0, (RV_ALIGN_WINDOW - n) * sizeof *a->y);
}

void rv_align_add(rv_align *a, const float *x, const float *y, size_t n)
{
    load(a, x, y, n);
    rv_fft_forward(a->fft, a->x, a->bins_x, 1);
    rv_fft_forward(a->fft, a->y, a->bins_y, 1);
    for (size_t k = 0; k < BINS; k++) {
        const double complex u = (double complex)a->bins_x[k], v = (double complex)a->bins_y[k];
        a->cross[k] += conj(u) * v;
        a->power_x[k] += creal(u) * creal(u) + cimag(u) * cimag(u);
        a->power_y[k] += creal(v) * creal(v) + cimag(v) * cimag(v);
    }
}

/* r -> x[RV_ALIGN_WINDOW]; negative lags lie at the end */
static void transform(rv_align *a)
{
    double most_x = 0, most_y = 0;
    for (size_t k = 0; k < BINS; k++) {
        most_x = fmax(most_x, a->power_x[k]);
        most_y = fmax(most_y, a->power_y[k]);
    }
    for (size_t k = 0; k < BINS; k++) {
        const bool heard =
            a->power_x[k] > least_power * most_x && a->power_y[k] > least_power * most_y;
        const double scale = heard ? 1 / sqrt(a->power_x[k] * a->power_y[k]) : 0;
        a->bins_x[k] = (float complex)(a->cross[k] * scale / RV_ALIGN_WINDOW);
    }
    rv_fft_inverse(a->fft, a->bins_x, a->x, 1);
}

rv_alignment rv_align_result(rv_align *a)
{
    rv_alignment r = { 0 };
    double energy = 0;
    transform(a);
    for (int lag = -RV_ALIGN_MOST; lag <= RV_ALIGN_MOST; lag++) {
        const double v = (double)a->x[lag < 0 ? RV_ALIGN_WINDOW + lag : lag];
        energy += v * v;
        if (fabs(v) > fabs(r.peak)) {
            r.peak = v;
            r.lag = lag;
        }
    }
    r.in_place = fabs((double)a->x[0]);
    const double deviation = sqrt(energy / (2 * RV_ALIGN_MOST + 1));
    r.found = deviation > 0 && fabs(r.peak) > stands_out * deviation;
    return r;
}
