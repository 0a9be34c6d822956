/* spectral_distance.c - see spectral_distance.h. */
#include "eval/spectral_distance.h"

#include "base/status.h"
#include "dsp/fft_double.h"

#include <math.h>

enum { SIZE = 2048, HOP = 512, HALF = SIZE / 2 };
static const double least_power = 1e-8;

typedef struct analysis {
    rv_fft_double *fft;
    double *rows; /* [2][row] */
    double window[SIZE];
} analysis;

static rv_status begin(analysis *a, rv_error *err)
{
    for (int i = 0; i < SIZE; i++)
        a->window[i] = 0.5 - 0.5 * cos(2 * acos(-1) * i / SIZE);
    RV_TRY(rv_fft_double_new(&a->fft, SIZE, err));
    a->rows = rv_fft_double_rows(a->fft, 2);
    return a->rows ? RV_OK : RV_FAIL(err, RV_ERR_NOMEM, "spectra of %d samples", SIZE);
}

static void end(analysis *a)
{
    rv_fft_double_drop(a->rows);
    rv_fft_double_free(a->fft);
}

/* Index of a sample around the ends, which are reflected without being repeated. */
static size_t reflect(ptrdiff_t at, size_t n)
{
    at = at < 0 ? -at : at;
    return (size_t)at < n ? (size_t)at : 2 * n - 2 - (size_t)at;
}

/* row: samples around frame `centre` -> powers in row[0 .. HALF] */
static void power(const analysis *a, double *row, const float *x, size_t n, size_t centre)
{
    for (int i = 0; i < SIZE; i++)
        row[i] = a->window[i] * (double)x[reflect((ptrdiff_t)centre + i - HALF, n)];
    rv_fft_double_forward(a->fft, row);
    for (int k = 0; k <= HALF; k++) {
        const double p = row[2 * k] * row[2 * k] + row[2 * k + 1] * row[2 * k + 1];
        row[k] = p > least_power ? p : least_power;
    }
}

static void add_channel(const analysis *a, const float *s, const float *e, size_t n,
                        rv_spectral_distance *sum)
{
    double *reference = a->rows, *estimate = a->rows + rv_fft_double_row(a->fft);
    double error = 0, energy = 0, distance = 0;
    const size_t frames = 1 + n / HOP;
    for (size_t f = 0; f < frames; f++) {
        double squares = 0;
        power(a, reference, s, n, f * HOP);
        power(a, estimate, e, n, f * HOP);
        for (int k = 0; k <= HALF; k++) {
            const double off = sqrt(reference[k]) - sqrt(estimate[k]);
            const double ratio = 10 * log10(reference[k] / estimate[k]);
            error += off * off;
            energy += reference[k];
            squares += ratio * ratio;
        }
        distance += sqrt(squares / (HALF + 1));
    }
    sum->convergence += sqrt(error / energy);
    sum->log_distance += distance / (double)frames;
}

rv_status rv_spectral_distance_of(rv_spectral_distance *out, const rv_stem_pair *p, rv_error *err)
{
    analysis a = { 0 };
    rv_spectral_distance sum = { 0 };
    size_t n = 0;
    const rv_status status = begin(&a, err);
    for (size_t c = 0; c < p->channels && status == RV_OK && p->frames > HALF; c++) {
        if (rv_is_silent(&p->reference[c], 1, p->frames))
            continue;
        add_channel(&a, p->reference[c], p->estimate[c], p->frames, &sum);
        n++;
    }
    end(&a);
    RV_TRY(status);
    *out = (rv_spectral_distance){ n > 0 ? sum.convergence / (double)n : (double)NAN,
                                   n > 0 ? sum.log_distance / (double)n : (double)NAN };
    return RV_OK;
}
