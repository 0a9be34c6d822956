/* spectra.c - one frame at a time, so that callers can share frames out between threads. */
#include "dsp/spectra.h"

#include "base/status.h"
#include "dsp/real_fft.h"
#include "dsp/window.h"

#include <string.h>

struct rv_spectra {
    const rv_alloc *mem;
    size_t size, hop;
    rv_fft *fft;
    float *analysis, *synthesis; /* [size] each */
    float windows[];
};

static void make_windows(rv_spectra *s)
{
    /* The squares add up to 3/8 size/hop, the transform and its inverse multiply by size. */
    const double gain = 8.0 * (double)s->hop / (3.0 * (double)s->size * (double)s->size);
    s->analysis = s->windows;
    s->synthesis = s->windows + s->size;
    rv_window_hann(s->analysis, s->size);
    for (size_t i = 0; i < s->size; i++)
        s->synthesis[i] = (float)((double)s->analysis[i] * gain);
}

rv_status rv_spectra_new(rv_spectra **out, size_t size, size_t hop, const rv_alloc *mem,
                         rv_error *err)
{
    mem = mem ? mem : &rv_alloc_default;
    if (hop == 0 || size % hop || size / hop < 3)
        return RV_FAIL(err, RV_ERR_ARG,
                       "frames of %zu samples every %zu; expected a hop that divides the frame "
                       "into 3 or more",
                       size, hop);
    rv_fft *fft = NULL;
    RV_TRY(rv_fft_new(&fft, size, mem, err));
    rv_spectra *s = mem->alloc(mem->ctx, sizeof *s + 2 * size * sizeof(float), RV_FFT_ALIGN);
    if (!s) {
        rv_fft_free(fft);
        return RV_FAIL(err, RV_ERR_NOMEM, "window of %zu samples", size);
    }
    *s = (rv_spectra){ .mem = mem, .size = size, .hop = hop, .fft = fft };
    make_windows(s);
    *out = s;
    return RV_OK;
}

void rv_spectra_free(rv_spectra *s)
{
    if (!s)
        return;
    rv_fft_free(s->fft);
    s->mem->free(s->mem->ctx, s);
}

size_t rv_spectra_bins(const rv_spectra *s)
{
    return s->size / 2 + 1;
}

size_t rv_spectra_frames(const rv_spectra *s, size_t samples)
{
    return samples ? (samples - 1) / s->hop + s->size / s->hop : 0;
}

size_t rv_spectra_scratch(const rv_spectra *s)
{
    return 2 * rv_fft_row(s->fft);
}

/* Frame t covers the samples from t hop - (size - hop). Its part inside [first, first +
 * count): frame[*skip ..] meets buffer[first + *at ..] for the returned number of samples. */
static size_t overlap(const rv_spectra *s, size_t t, size_t first, size_t count, size_t *skip,
                      size_t *at)
{
    const size_t before = s->size - s->hop; /* all positions are counted from -before */
    const size_t begin = t * s->hop, low = first + before, high = low + count;
    *skip = begin < low ? low - begin : 0;
    *at = begin > low ? begin - low : 0;
    const size_t from = begin > low ? begin : low;
    const size_t to = begin + s->size < high ? begin + s->size : high;
    return from < to ? to - from : 0;
}

void rv_spectra_frame(const rv_spectra *s, const float *x, size_t samples, size_t t,
                      float complex *bins, float *scratch)
{
    size_t skip, at;
    const size_t n = overlap(s, t, 0, samples, &skip, &at);
    float complex *spectrum = (float complex *)(scratch + rv_fft_row(s->fft));
    memset(scratch, 0, s->size * sizeof *scratch);
    for (size_t i = 0; i < n; i++)
        scratch[skip + i] = x[at + i] * s->analysis[skip + i];
    rv_fft_forward(s->fft, scratch, spectrum, 1);
    memcpy(bins, spectrum, rv_spectra_bins(s) * sizeof *bins);
}

void rv_spectra_add(const rv_spectra *s, const float complex *bins, size_t t, float *y,
                    size_t first, size_t count, float *scratch)
{
    size_t skip, at;
    const size_t n = overlap(s, t, first, count, &skip, &at);
    float complex *spectrum = (float complex *)(scratch + rv_fft_row(s->fft));
    memcpy(spectrum, bins, rv_spectra_bins(s) * sizeof *bins);
    rv_fft_inverse(s->fft, spectrum, scratch, 1);
    for (size_t i = 0; i < n; i++)
        y[at + i] += scratch[skip + i] * s->synthesis[skip + i];
}

void rv_spectra_span(const rv_spectra *s, size_t first, size_t count, size_t *begin, size_t *end)
{
    *begin = first / s->hop;
    *end = (first + count - 1) / s->hop + s->size / s->hop;
}
