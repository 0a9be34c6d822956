/* pitch_silence.c - no pitch where it is silent, as torchcrepe's threshold.Silence:
 *
 *     loudness = mean over bins of max(max(20 log10 |S|, peak - 80) + A(f) - 20, -100)
 *
 * with S the spectrum of 1024 samples under a Hann window, peak the largest 20 log10 |S| of all
 * frames, and A the A-weighting in dB (IEC 61672-1), at least -80. */
#include "base/status.h"
#include "dsp/real_fft.h"
#include "dsp/window.h"
#include "ravel/pitch.h"

#include <math.h>
#include <string.h>

enum { SIZE = 1024, BINS = SIZE / 2 + 1, RATE = 16000 };

static const double reference = 20, least_db = -100, range = 80, least_power = 1e-10;

typedef struct {
    rv_fft *fft;
    rv_arena arena;
    float window[SIZE];
    double weight[BINS];
    float *samples;
    float complex *bins;
    const float *audio;
    size_t n_audio, hop;
} meter;

static double a_weight(double hertz)
{
    const double f = hertz * hertz;
    const double a = 12194.217 * 12194.217, b = 20.598997 * 20.598997, c = 107.65265 * 107.65265;
    const double d = 737.86223 * 737.86223;
    if (f == 0)
        return -80;
    return fmax(-80, 2 + 20 * log10(a * f * f / ((f + a) * (f + b) * sqrt((f + c) * (f + d)))));
}

static rv_status meter_init(meter *m, rv_error *err)
{
    RV_TRY(rv_fft_new(&m->fft, SIZE, &rv_alloc_default, err));
    const size_t row = rv_fft_row(m->fft) * sizeof(float);
    unsigned char *memory = rv_arena_take(&m->arena, 2 * row + RV_FFT_ALIGN);
    if (!memory)
        return RV_FAIL(err, RV_ERR_NOMEM, "a spectrum");
    memory += (RV_FFT_ALIGN - (uintptr_t)memory % RV_FFT_ALIGN) % RV_FFT_ALIGN;
    m->samples = (float *)(void *)memory;
    m->bins = (float complex *)(void *)(memory + row);
    rv_window_hann(m->window, SIZE);
    for (size_t k = 0; k < BINS; k++)
        m->weight[k] = a_weight((double)k * RATE / SIZE) - reference;
    return RV_OK;
}

/* Spectrum of the frame centred at sample t hop; zeros beyond the ends. */
static void analyse(meter *m, size_t t)
{
    for (size_t i = 0; i < SIZE; i++) {
        const size_t at = t * m->hop + i - SIZE / 2; /* wraps below 0 */
        m->samples[i] = at < m->n_audio ? m->window[i] * m->audio[at] : 0;
    }
    rv_fft_forward(m->fft, m->samples, m->bins, 1);
}

static double decibels(float complex z)
{
    const double re = (double)crealf(z), im = (double)cimagf(z);
    return 10 * log10(fmax(re * re + im * im, least_power));
}

static double loudest(meter *m, size_t n)
{
    double most = -INFINITY;
    for (size_t t = 0; t < n; t++) {
        analyse(m, t);
        for (size_t k = 0; k < BINS; k++)
            most = fmax(most, decibels(m->bins[k]));
    }
    return most;
}

static double loudness(meter *m, size_t t, double peak)
{
    double sum = 0;
    analyse(m, t);
    for (size_t k = 0; k < BINS; k++)
        sum += fmax(fmax(decibels(m->bins[k]), peak - range) + m->weight[k], least_db);
    return sum / BINS;
}

rv_status rv_pitch_silence(float *periodicity, size_t n, const float *audio, size_t samples,
                           size_t hop, double least, rv_error *err)
{
    meter m = { .audio = audio, .n_audio = samples, .hop = hop };
    rv_arena_init(&m.arena, NULL);
    const rv_status st = meter_init(&m, err);
    if (st == RV_OK) {
        const double peak = loudest(&m, n);
        for (size_t t = 0; t < n; t++)
            if (loudness(&m, t, peak) < least)
                periodicity[t] = 0;
    }
    rv_fft_free(m.fft);
    rv_arena_fini(&m.arena);
    return st;
}
