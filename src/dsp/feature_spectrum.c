/* feature_spectrum.c - see feature_spectrum.h. */
#include "dsp/feature_spectrum.h"

#include "base/status.h"
#include "dsp/window.h"

#include <stdlib.h>

static void *aligned(size_t bytes)
{
    return aligned_alloc(RV_FFT_ALIGN, (bytes + RV_FFT_ALIGN - 1) / RV_FFT_ALIGN * RV_FFT_ALIGN);
}

rv_status rv_spectrum_init(rv_spectrum *s, int window, rv_error *err)
{
    RV_TRY(rv_fft_new(&s->fft, (size_t)window, &rv_alloc_default, err));
    const size_t row = rv_fft_row(s->fft);
    s->window = (size_t)window;
    s->bins = s->window / 2 + 1;
    s->hann = calloc(s->window, sizeof *s->hann);
    s->frame = aligned(row * sizeof *s->frame);
    s->bin = aligned(row * sizeof *s->frame);
    if (!s->hann || !s->frame || !s->bin)
        return RV_FAIL(err, RV_ERR_NOMEM, "a window of %d samples", window);
    rv_window_hann(s->hann, s->window);
    return RV_OK;
}

void rv_spectrum_fini(rv_spectrum *s)
{
    rv_fft_free(s->fft);
    free(s->hann);
    free(s->frame);
    free(s->bin);
}

void rv_spectrum_measure(rv_spectrum *s, const float *frame)
{
    for (size_t i = 0; i < s->window; i++)
        s->frame[i] = s->hann[i] * frame[i];
    rv_fft_forward(s->fft, s->frame, s->bin, 1);
}

void rv_spectrum_power(rv_spectrum *s, const float *frame, float *power)
{
    rv_spectrum_measure(s, frame);
    for (size_t k = 0; k < s->bins; k++) {
        const float re = crealf(s->bin[k]), im = cimagf(s->bin[k]);
        power[k] = re * re + im * im;
    }
}
