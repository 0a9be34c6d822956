/* spectral_pitch.c - pitch of a frame whose spectrum is there already.
 *
 *   P. Boersma, "Accurate short-term analysis of the fundamental frequency and the
 *   harmonics-to-noise ratio of a sampled sound", Proc. Inst. Phonetic Sciences 17, 1993:
 *   the autocorrelation of a windowed frame, divided by that of its window.
 *
 * The inverse transform of the power is the autocorrelation around the frame's ends; the window's
 * is taken around the ends, too. The period is the first peak with 0.9 of the highest one or more,
 * refined by a parabola: multiples of a period are peaks, too. */
#include "dsp/spectral_pitch.h"

#include "base/status.h"
#include "dsp/real_fft.h"
#include "dsp/window.h"

#include <math.h>
#include <stdbool.h>

static const float enough = 0.9F; /* of the highest peak */

struct rv_spectral_pitch {
    const rv_alloc *mem;
    rv_fft *fft;
    size_t size;
    float *window; /* [size] its autocorrelation, 1 at 0; [row] */
};

/* power [size/2+1] -> autocorrelation [size], in the first row of scratch */
static const float *correlate(const rv_fft *fft, size_t size, const float *power, float *scratch)
{
    float complex *bins = (float complex *)(void *)(scratch + rv_fft_row(fft));
    for (size_t k = 0; k <= size / 2; k++)
        bins[k] = power[k];
    rv_fft_inverse(fft, bins, scratch, 1);
    return scratch;
}

static void measure_window(rv_spectral_pitch *p, float *scratch)
{
    float complex *bins = (float complex *)(void *)(scratch + rv_fft_row(p->fft));
    rv_window_hann(p->window, p->size);
    rv_fft_forward(p->fft, p->window, bins, 1);
    for (size_t k = 0; k <= p->size / 2; k++)
        p->window[k] = crealf(bins[k]) * crealf(bins[k]) + cimagf(bins[k]) * cimagf(bins[k]);
    const float *r = correlate(p->fft, p->size, p->window, scratch);
    for (size_t i = 0; i < p->size; i++)
        p->window[i] = r[i] / r[0];
}

rv_status rv_spectral_pitch_new(rv_spectral_pitch **out, size_t size, const rv_alloc *mem,
                                rv_error *err)
{
    mem = mem ? mem : &rv_alloc_default;
    rv_spectral_pitch *p = mem->alloc(mem->ctx, sizeof *p, RV_FFT_ALIGN);
    if (!p)
        return RV_FAIL(err, RV_ERR_NOMEM, "pitch of %zu samples", size);
    *p = (rv_spectral_pitch){ .mem = mem, .size = size };
    rv_status st = rv_fft_new(&p->fft, size, mem, err);
    if (st == RV_OK) {
        const size_t row = rv_fft_row(p->fft) * sizeof *p->window;
        float *scratch = mem->alloc(mem->ctx, 2 * row, RV_FFT_ALIGN);
        p->window = mem->alloc(mem->ctx, row, RV_FFT_ALIGN);
        if (scratch && p->window)
            measure_window(p, scratch);
        else
            st = RV_FAIL(err, RV_ERR_NOMEM, "pitch of %zu samples", size);
        mem->free(mem->ctx, scratch);
    }
    if (st != RV_OK) {
        rv_spectral_pitch_free(p);
        return st;
    }
    *out = p;
    return RV_OK;
}

void rv_spectral_pitch_free(rv_spectral_pitch *p)
{
    if (!p)
        return;
    rv_fft_free(p->fft);
    p->mem->free(p->mem->ctx, p->window);
    p->mem->free(p->mem->ctx, p);
}

size_t rv_spectral_pitch_scratch(const rv_spectral_pitch *p)
{
    return 2 * rv_fft_row(p->fft);
}

typedef struct {
    const float *r, *window;
} correlation;

static float at(const correlation *c, size_t lag)
{
    return c->r[lag] / (c->r[0] * c->window[lag]);
}

static bool is_peak(const correlation *c, size_t lag)
{
    return at(c, lag) > at(c, lag - 1) && at(c, lag) >= at(c, lag + 1);
}

/* The first peak that is `least` or higher; 0: none. */
static size_t first_peak(const correlation *c, rv_pitch_range range, float least)
{
    for (size_t i = range.shortest; i <= range.longest; i++)
        if (at(c, i) >= least && is_peak(c, i))
            return i;
    return 0;
}

double rv_spectral_pitch_period(const rv_spectral_pitch *p, const float *power,
                                rv_pitch_range range, float *scratch, double *clarity)
{
    const correlation c = { correlate(p->fft, p->size, power, scratch), p->window };
    float highest = 0;
    *clarity = 0;
    if (!(c.r[0] > 0))
        return 0;
    for (size_t i = range.shortest; i <= range.longest; i++)
        if (at(&c, i) > highest && is_peak(&c, i))
            highest = at(&c, i);
    const size_t lag = highest > 0 ? first_peak(&c, range, enough * highest) : 0;
    if (lag == 0)
        return 0;
    const double left = (double)at(&c, lag - 1), middle = (double)at(&c, lag);
    const double right = (double)at(&c, lag + 1), bend = left - 2 * middle + right;
    *clarity = middle;
    return (double)lag + (bend < 0 ? fmax(-0.5, fmin(0.5, (left - right) / (2 * bend))) : 0);
}
