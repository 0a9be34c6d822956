/* hearing_filter.c - overlap-save in blocks, so that memory does not grow with the track. */
#include "eval/hearing_filter.h"

#include "base/status.h"
#include "dsp/fft_double.h"

#include <complex.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { GRID = 8192, BLOCK = 16384, STEP = BLOCK - RV_HEARING_TAPS + 1 };

struct rv_hearing_filter {
    rv_fft_double *fft;
    double *response, *block; /* rows of fft */
};

/* Design ---------------------------------------------------------------------------------- */

/* |b0 + b1/z + b2/z^2| / |a0 + a1/z + a2/z^2| at z = e^(iw) */
static double biquad(const double b[3], const double a[3], double w)
{
    const double complex z = cexp(CMPLX(0, -w));
    return cabs(b[0] + z * (b[1] + z * b[2])) / cabs(a[0] + z * (a[1] + z * a[2]));
}

static double radians(double hz)
{
    return 2 * acos(-1) * hz / RV_HEARING_RATE;
}

static double high_shelf(double hz, double db, double q, double w)
{
    const double g = pow(10, db / 40), c = cos(radians(hz));
    const double r = sqrt(g) * sin(radians(hz)) / q;
    const double b[] = { g * (g + 1 + (g - 1) * c + r), -2 * g * (g - 1 + (g + 1) * c),
                         g * (g + 1 + (g - 1) * c - r) };
    const double a[] = { g + 1 - (g - 1) * c + r, 2 * (g - 1 - (g + 1) * c),
                         g + 1 - (g - 1) * c - r };
    return biquad(b, a, w);
}

static double peak(double hz, double db, double q, double w)
{
    const double g = pow(10, db / 40), c = cos(radians(hz)), alpha = sin(radians(hz)) / 2 / q;
    const double b[] = { 1 + alpha * g, -2 * c, 1 - alpha * g };
    const double a[] = { 1 + alpha / g, -2 * c, 1 - alpha / g };
    return biquad(b, a, w);
}

/* Power responses of Butterworth filters under the bilinear transform. */
static double high_pass_power(double hz, double w)
{
    const double ratio = tan(w / 2) / tan(radians(hz) / 2);
    return pow(ratio, 4) / (1 + pow(ratio, 4));
}

static double low_pass_power(double hz, double w)
{
    const double ratio = tan(w / 2) / tan(radians(hz) / 2);
    return 1 / (1 + ratio * ratio);
}

static double response_at(double w)
{
    return high_shelf(1500, 5, sqrt(0.5), w) * sqrt(high_pass_power(120, w)) *
           peak(500, 2.5, 1.5 * sqrt(0.5), w) * low_pass_power(10000, w);
}

/* taps [RV_HEARING_TAPS]; the middle one, of lag 0, is the one before the half. */
static rv_status design(double *taps, rv_error *err)
{
    rv_fft_double *fft = NULL;
    RV_TRY(rv_fft_double_new(&fft, GRID, err));
    double *row = rv_fft_double_rows(fft, 1);
    for (int k = 0; row && k <= GRID / 2; k++)
        row[2 * k] = response_at(acos(-1) * k / (GRID / 2 + 1)) / GRID;
    if (row)
        rv_fft_double_inverse(fft, row);
    for (int i = 0; row && i < RV_HEARING_TAPS; i++)
        taps[i] = row[(i - RV_HEARING_TAPS / 2 + 1 + GRID) % GRID];
    const rv_status status = row ? RV_OK : RV_FAIL(err, RV_ERR_NOMEM, "hearing filter");
    rv_fft_double_drop(row);
    rv_fft_double_free(fft);
    return status;
}

/* ----------------------------------------------------------------------------------------- */

static rv_status open_filter(rv_hearing_filter *f, rv_error *err)
{
    RV_TRY(rv_fft_double_new(&f->fft, BLOCK, err));
    f->response = rv_fft_double_rows(f->fft, 2);
    if (!f->response)
        return RV_FAIL(err, RV_ERR_NOMEM, "hearing filter");
    f->block = f->response + rv_fft_double_row(f->fft);
    RV_TRY(design(f->response, err));
    rv_fft_double_forward(f->fft, f->response);
    return RV_OK;
}

rv_status rv_hearing_filter_new(rv_hearing_filter **out, rv_error *err)
{
    rv_hearing_filter *f = calloc(1, sizeof *f);
    if (!f)
        return RV_FAIL(err, RV_ERR_NOMEM, "hearing filter");
    const rv_status status = open_filter(f, err);
    if (status == RV_OK)
        *out = f;
    else
        rv_hearing_filter_free(f);
    return status;
}

void rv_hearing_filter_free(rv_hearing_filter *f)
{
    if (!f)
        return;
    rv_fft_double_drop(f->response);
    rv_fft_double_free(f->fft);
    free(f);
}

/* block: samples from - (taps - 1) ... of x - y, zeros around them */
static void fill(const rv_hearing_filter *f, const float *x, const float *y, size_t n, size_t from)
{
    for (size_t i = 0; i < BLOCK; i++) {
        const size_t at = from + i - (RV_HEARING_TAPS - 1); /* below 0: huge */
        f->block[i] = at < n ? (double)x[at] - (y ? (double)y[at] : 0) : 0;
    }
}

static void convolve(const rv_hearing_filter *f)
{
    rv_fft_double_forward(f->fft, f->block);
    for (size_t k = 0; k <= BLOCK / 2; k++) {
        double *b = f->block + 2 * k;
        const double *h = f->response + 2 * k, real = b[0] * h[0] - b[1] * h[1];
        b[1] = b[0] * h[1] + b[1] * h[0];
        b[0] = real;
    }
    rv_fft_double_inverse(f->fft, f->block);
}

double rv_hearing_filter_energy(rv_hearing_filter *f, const float *x, const float *y, size_t n)
{
    const size_t all = n + RV_HEARING_TAPS - 1;
    double sum = 0;
    for (size_t from = 0; from < all; from += STEP) {
        fill(f, x, y, n, from);
        convolve(f);
        const size_t count = all - from < STEP ? all - from : STEP;
        for (size_t i = 0; i < count; i++) {
            const double value = f->block[RV_HEARING_TAPS - 1 + i] / BLOCK;
            sum += value * value;
        }
    }
    return sum;
}
