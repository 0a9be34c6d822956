/* voice_synthesis.c - pulses and noise through a filter, as in vocoders of the STRAIGHT family
 * (H. Kawahara 1999; M. Morise 2016, WORLD): each period of the voice is the filter's response to
 * one pulse, so formants ring on as in a throat; breath is noise that swells with every period,
 * through the same filter. All of it is made in the frequency domain at the output's rate: there is
 * nothing above half of it that could fold back. */
#include "data/voice_synthesis.h"

#include "base/rng.h"
#include "base/status.h"
#include "data/voice_filter.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double pi = 3.14159265358979323846;

/* Periods differ by this share in length and height from one to the next. */
static const double jitter = 0.0005, shimmer = 0.02;

/* How much of the breath comes while the glottis is open. */
static const double breath_swell = 0.6;

enum { NOISE = 300, JITTER, SHIMMER };

typedef struct synthesiser {
    const rv_voice_take *take;
    float *out;
    long frames;
    int rate;
    rv_voice_filter *filter;
    size_t size, bins;
    rv_voice_response now, next; /* at both ends of the step in work */
    float *time;                 /* [row] */
    float complex *bin;          /* [row/2] */
    float *noise[2];             /* [longest step]: the step before and this one */
    long noise_length[2];
    double phase; /* of the glottis, in periods */
    uint64_t pulses;
} synthesiser;

static void synthesiser_free(synthesiser *s)
{
    const rv_alloc *mem = &rv_alloc_default;
    rv_voice_filter_free(s->filter);
    rv_voice_response_free(&s->now);
    rv_voice_response_free(&s->next);
    if (s->time)
        mem->free(mem->ctx, s->time);
    if (s->bin)
        mem->free(mem->ctx, s->bin);
    free(s->noise[0]);
    free(s->noise[1]);
}

static rv_status synthesiser_new(synthesiser *s, rv_error *err)
{
    const rv_alloc *mem = &rv_alloc_default;
    RV_TRY(rv_voice_filter_new(&s->filter, s->rate, s->take, err));
    RV_TRY(rv_voice_response_new(&s->now, s->filter, err));
    RV_TRY(rv_voice_response_new(&s->next, s->filter, err));
    const rv_fft *fft = rv_voice_filter_fft(s->filter);
    s->size = rv_voice_filter_size(s->filter);
    s->bins = s->size / 2 + 1;
    s->time = mem->alloc(mem->ctx, rv_fft_row(fft) * sizeof(float), RV_FFT_ALIGN);
    s->bin = mem->alloc(mem->ctx, rv_fft_row(fft) * sizeof(float), RV_FFT_ALIGN);
    const size_t longest = (size_t)(s->rate * RV_VOICE_STEP) + 2;
    s->noise[0] = calloc(longest, sizeof(float));
    s->noise[1] = calloc(longest, sizeof(float));
    if (!s->time || !s->bin || !s->noise[0] || !s->noise[1])
        return RV_FAIL(err, RV_ERR_NOMEM, "a voice of %ld frames", s->frames);
    return RV_OK;
}

/* out[start ..] += the inverse transform of `bin`; its last eighth is before `start`. */
static void add_response(synthesiser *s, long start, float gain)
{
    rv_fft_inverse(rv_voice_filter_fft(s->filter), s->bin, s->time, 1);
    const long size = (long)s->size, early = size / 8;
    const float scale = gain / (float)s->size;
    for (long i = 0; i < size; i++) {
        const long at = start + (i < size - early ? i : i - size);
        if (at >= 0 && at < s->frames)
            s->out[at] += scale * s->time[i];
    }
}

/* One period: at `when` samples, `x` of the way from response `now` to `next`. */
static void pulse(synthesiser *s, double when, double x, double hertz)
{
    const double seed_time = s->rate / hertz;
    const uint64_t i = s->pulses++;
    if (!s->now.sounds && !s->next.sounds)
        return;
    when += jitter * seed_time * rv_rng_normal(s->take->seed, JITTER, i);
    const double loud = 1 + shimmer * rv_rng_normal(s->take->seed, SHIMMER, i);
    const double start = floor(when), angle = -2 * pi * (when - start) / (double)s->size;
    const double step_re = cos(angle), step_im = sin(angle);
    const float a = (float)(1 - x), b = (float)x;
    double re = 1, im = 0;
    for (size_t k = 0; k < s->bins; k++) {
        const float tone_re = a * s->now.tone[2 * k] + b * s->next.tone[2 * k];
        const float tone_im = a * s->now.tone[2 * k + 1] + b * s->next.tone[2 * k + 1];
        const float turn_re = (float)re, turn_im = (float)im;
        s->bin[k] =
            CMPLXF(tone_re * turn_re - tone_im * turn_im, tone_re * turn_im + tone_im * turn_re);
        const double turned = re * step_re - im * step_im;
        im = re * step_im + im * step_re;
        re = turned;
    }
    add_response(s, (long)start, (float)(loud * sqrt(seed_time)));
}

/* The samples [from, to) of a step: pulses are set, noise is drawn. */
static void excite(synthesiser *s, const rv_voice_control *control, long from, long to)
{
    float *noise = s->noise[1];
    for (long i = from; i < to; i++) {
        const double x = (double)(i - from) / (double)(to - from);
        const double hertz =
            (double)control[0].hertz + x * (double)(control[1].hertz - control[0].hertz);
        s->phase += hertz / s->rate;
        if (s->phase >= 1) {
            s->phase -= 1;
            pulse(s, (double)i - s->phase * s->rate / hertz, x, hertz);
        }
        const double white = 3.4641 * (rv_rng_uniform(s->take->seed, NOISE, (uint64_t)i) - 0.5);
        const double swell = s->now.voiced ? 1 + breath_swell * cos(2 * pi * (s->phase - 0.1)) : 1;
        noise[i - from] = (float)(white * swell);
    }
    s->noise_length[1] = to - from;
}

/* The noise around the step's beginning, faded in over the step before and out over this one. */
static void breathe(synthesiser *s, long start)
{
    const long before = s->noise_length[0], after = s->noise_length[1];
    if (!s->now.sounds)
        return;
    memset(s->time, 0, s->size * sizeof *s->time);
    for (long i = 0; i < before; i++)
        s->time[i] = s->noise[0][i] * (float)(0.5 - 0.5 * cos(pi * (double)i / (double)before));
    for (long i = 0; i < after; i++)
        s->time[before + i] =
            s->noise[1][i] * (float)(0.5 + 0.5 * cos(pi * (double)i / (double)after));
    rv_fft_forward(rv_voice_filter_fft(s->filter), s->time, s->bin, 1);
    for (size_t k = 0; k < s->bins; k++) {
        const float re = crealf(s->bin[k]), im = cimagf(s->bin[k]);
        const float by_re = s->now.air[2 * k], by_im = s->now.air[2 * k + 1];
        s->bin[k] = CMPLXF(re * by_re - im * by_im, re * by_im + im * by_re);
    }
    add_response(s, start - before, 1);
}

static void step(synthesiser *s, const rv_voice_control *control, size_t k)
{
    const double length = s->rate * RV_VOICE_STEP;
    const long from = lround((double)k * length), to = lround((double)(k + 1) * length);
    const rv_voice_response next = s->now;
    s->now = s->next;
    s->next = next;
    rv_voice_filter_response(s->filter, &s->next, &control[1]);
    float *noise = s->noise[0];
    s->noise[0] = s->noise[1];
    s->noise[1] = noise;
    s->noise_length[0] = s->noise_length[1];
    excite(s, control, from, to);
    breathe(s, from);
}

rv_status rv_voice_synthesise(float *out, size_t frames, int rate, const rv_voice_control *control,
                              size_t n_control, const rv_voice_take *take, rv_error *err)
{
    synthesiser s = { .take = take, .out = out, .frames = (long)frames, .rate = rate };
    const rv_status status = synthesiser_new(&s, err);
    if (status == RV_OK) {
        memset(out, 0, frames * sizeof *out);
        rv_voice_filter_response(s.filter, &s.next, &control[0]);
        for (size_t k = 0; k + 1 < n_control; k++)
            step(&s, control + k, k);
    }
    synthesiser_free(&s);
    return status;
}
