/* voice_analysis.c - spectral envelopes by CheapTrick (M. Morise, "CheapTrick, a spectral envelope
 * estimator for high-quality speech synthesis", Speech Communication 67, 2015):
 *     P = |Hann window of three periods . x|^2, of energy 1, mirrored below f0
 *     smoothed over 2/3 f0, then in the cepstrum c(q) by
 *     sin(pi f0 q) / (pi f0 q) . (1.18 - 0.18 cos(2 pi f0 q))
 * which removes the harmonics, and the share of noise in bands by how far the signal repeats:
 *     share = 1 - r(T0) / w(T0),   r, w: autocorrelation in the band, and of the window. */
#include "data/voice_analysis.h"

#include "base/status.h"
#include "data/voice_f0.h"
#include "dsp/real_fft.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double pi = 3.14159265358979323846;

/* f0 that stands for frames without pitch (window of 6 ms: bursts keep their time), and what is
 * left out at the ends or is too weak for a share of noise, against the loudest frame. */
static const double unvoiced_f0 = 500, floor_power = 1e-10;
static const float silent_below = -10.4f; /* ln of -45 dB */

const double rv_voice_band_edges[RV_VOICE_BANDS - 1] = { 1000, 2000, 4000, 7000 };

typedef struct analyser {
    const rv_speech *speech;
    rv_fft *fft;
    size_t size, bins;
    float *time;          /* [row] */
    float complex *bin;   /* [row/2] */
    double *power, *sums; /* [bins], [2 bins] */
    double *window;       /* [size] */
} analyser;

static void analyser_free(analyser *a)
{
    const rv_alloc *mem = &rv_alloc_default;
    rv_fft_free(a->fft);
    if (a->time)
        mem->free(mem->ctx, a->time);
    if (a->bin)
        mem->free(mem->ctx, a->bin);
    free(a->power);
    free(a->sums);
    free(a->window);
}

static rv_status analyser_new(analyser *a, const rv_speech *speech, rv_error *err)
{
    const rv_alloc *mem = &rv_alloc_default;
    size_t size = 2;
    while ((double)size < 3 * speech->rate / RV_VOICE_LOWEST + 2)
        size *= 2;
    *a = (analyser){ .speech = speech, .size = size, .bins = size / 2 + 1 };
    RV_TRY(rv_fft_new(&a->fft, size, mem, err));
    const size_t bytes = rv_fft_row(a->fft) * sizeof(float);
    a->time = mem->alloc(mem->ctx, bytes, RV_FFT_ALIGN);
    a->bin = mem->alloc(mem->ctx, bytes, RV_FFT_ALIGN);
    a->power = malloc(a->bins * sizeof *a->power);
    a->sums = malloc(2 * a->bins * sizeof *a->sums);
    a->window = malloc(a->size * sizeof *a->window);
    if (!a->time || !a->bin || !a->power || !a->sums || !a->window)
        return RV_FAIL(err, RV_ERR_NOMEM, "analysis of %zu samples of speech", speech->count);
    return RV_OK;
}

/* window = Hann over `reach` samples to both sides of `half`. Returns r(lag) / r(0) of it. */
static double make_window(analyser *a, double reach, long half, long lag)
{
    double energy = 0, repeated = 0;
    for (long i = 0; i <= 2 * half; i++) {
        a->window[i] = 0.5 + 0.5 * cos(pi * (double)(i - half) / reach);
        energy += a->window[i] * a->window[i];
        repeated += i >= lag ? a->window[i] * a->window[i - lag] : 0;
    }
    const double scale = 1 / sqrt(energy);
    for (long i = 0; i <= 2 * half; i++)
        a->window[i] *= scale;
    return repeated / energy;
}

/* power = |FFT|^2 of the Hann window of `periods` periods around `seconds`. Returns r(T0) of the
 * window alone. */
static double windowed_power(analyser *a, double seconds, double f0, double periods)
{
    const rv_speech *s = a->speech;
    const double reach = 0.5 * periods * s->rate / f0;
    const long half = (long)reach, from = lround(seconds * s->rate) - half;
    const double repeated = make_window(a, reach, half, lround(s->rate / f0));
    double w_sum = 0, x_sum = 0;
    memset(a->time, 0, rv_fft_row(a->fft) * sizeof *a->time);
    for (long i = 0; i <= 2 * half; i++) {
        const bool inside = from + i >= 0 && from + i < (long)s->count;
        a->time[i] = inside ? (float)a->window[i] * s->samples[from + i] : 0;
        w_sum += a->window[i];
        x_sum += (double)a->time[i];
    }
    for (long i = 0; i <= 2 * half; i++) /* no mean: it would leak into the first bins */
        a->time[i] -= (float)(a->window[i] * x_sum / w_sum);
    rv_fft_forward(a->fft, a->time, a->bin, 1);
    for (size_t k = 0; k < a->bins; k++) {
        const double re = (double)crealf(a->bin[k]), im = (double)cimagf(a->bin[k]);
        a->power[k] = re * re + im * im;
    }
    return repeated;
}

static double at(const double *v, size_t n, double x)
{
    const size_t i = (size_t)x;
    return i + 1 < n ? v[i] + (x - (double)i) * (v[i + 1] - v[i]) : v[n - 1];
}

/* Below f0 there is no harmonic: the power there is what mirrors it. */
static void mirror_below(analyser *a, double f0_bins)
{
    for (size_t k = 0; k <= (size_t)f0_bins && k < a->bins; k++)
        a->sums[k] = a->power[k] + at(a->power, a->bins, f0_bins - (double)k);
    for (size_t k = 0; k <= (size_t)f0_bins && k < a->bins; k++)
        a->power[k] = a->sums[k];
}

/* Running mean over `width` bins by running sums; the spectrum is mirrored at both ends. */
static void smooth(analyser *a, double width)
{
    const size_t n = a->bins, margin = (size_t)width + 2, total = n + 2 * margin;
    double *sum = a->sums; /* margin below n/2 is ensured by f0 <= rate/8 */
    double running = 0;
    for (size_t i = 0; i < total; i++) {
        const size_t k = i < margin ? margin - i : i - margin;
        running += a->power[k < n ? k : 2 * (n - 1) - k];
        sum[i] = running;
    }
    for (size_t k = 0; k < n; k++) {
        const double centre = (double)(k + margin) - 0.5;
        const double high = at(sum, total, centre + width / 2),
                     low = at(sum, total, centre - width / 2);
        a->power[k] = (high - low) / width;
    }
}

static void lifter(analyser *a, double f0)
{
    for (size_t k = 0; k < a->bins; k++)
        a->bin[k] = (float)log(a->power[k] + floor_power);
    rv_fft_inverse(a->fft, a->bin, a->time, 1);
    for (size_t i = 0; i < a->size; i++) {
        const size_t q = i < a->size - i ? i : a->size - i;
        const double x = pi * f0 * (double)q / a->speech->rate;
        const double keep = q ? sin(x) / x * (1.18 - 0.18 * cos(2 * x)) : 1;
        a->time[i] *= (float)(keep / (double)a->size);
    }
    rv_fft_forward(a->fft, a->time, a->bin, 1);
}

static void envelope(analyser *a, float *out, double seconds, double f0)
{
    const double f0_bins = f0 * (double)a->size / a->speech->rate;
    windowed_power(a, seconds, f0, 3);
    mirror_below(a, f0_bins);
    smooth(a, 2 * f0_bins / 3);
    lifter(a, f0);
    for (size_t k = 0; k < a->bins; k++)
        out[k] = crealf(a->bin[k]);
}

/* 1 - r(lag) / w(lag) of the bins [from, to); cos(a k) = 2 cos(a) cos(a (k-1)) - cos(a (k-2)) */
static double noise_share(const analyser *a, size_t from, size_t to, double lag, double perfect)
{
    const double angle = 2 * pi * lag / (double)a->size, twice = 2 * cos(angle);
    double now = cos(angle * (double)from), before = cos(angle * ((double)from - 1));
    double all = floor_power, repeated = 0;
    for (size_t k = from; k < to; k++) {
        all += a->power[k];
        repeated += a->power[k] * now;
        const double next = twice * now - before;
        before = now;
        now = next;
    }
    return 1 - repeated / (all * perfect);
}

/* Five periods, or what fits of them. f0 is not exact enough for high harmonics: the lag at which
 * a band repeats best counts. */
static void noise_shares(analyser *a, float *share, double seconds, double f0)
{
    const double most = (double)(a->size - 2) * f0 / a->speech->rate;
    const double perfect = windowed_power(a, seconds, f0, most < 5 ? most : 5);
    const double hz = (double)a->speech->rate / (double)a->size;
    size_t from = 1;
    for (int band = 0; band < RV_VOICE_BANDS; band++) {
        size_t to = band < RV_VOICE_BANDS - 1 ? (size_t)(rv_voice_band_edges[band] / hz) : a->bins;
        to = to < a->bins ? to : a->bins;
        double least = 1;
        for (int i = -2; i <= 2; i++) {
            const double lag = a->speech->rate / f0 + 0.2 * i;
            const double noise = noise_share(a, from, to, lag, perfect);
            least = noise < least ? noise : least;
        }
        share[band] = (float)(least > 0 ? least : 0);
        from = to;
    }
}

static float mean_level(const float *log_power, size_t bins)
{
    double sum = 0;
    for (size_t k = 0; k < bins; k++)
        sum += exp((double)log_power[k]);
    return (float)log(sum / (double)bins);
}

static void analyse_frame(analyser *a, rv_voice_sound *s, size_t i, double f0)
{
    const double seconds = (double)i * RV_VOICE_STEP;
    rv_voice_frame *frame = &s->frames[i];
    if (f0 > 0)
        noise_shares(a, frame->noise, seconds, f0);
    for (int band = 0; band < RV_VOICE_BANDS && f0 <= 0; band++)
        frame->noise[band] = 1;
    envelope(a, s->envelope + i * s->bins, seconds, f0 > 0 ? f0 : unvoiced_f0);
    frame->level = mean_level(s->envelope + i * s->bins, s->bins);
}

/* A frame that has a pitch alone among frames without (or the other way) is a mistake. */
static void mend_voicing(double *f0, size_t count)
{
    for (size_t i = 1; i + 1 < count; i++) {
        if (f0[i] > 0 && f0[i - 1] <= 0 && f0[i + 1] <= 0)
            f0[i] = 0;
        if (f0[i] <= 0 && f0[i - 1] > 0 && f0[i + 1] > 0)
            f0[i] = f0[i - 1];
    }
}

static rv_status analyse_all(analyser *a, rv_voice_sound *s, rv_error *err)
{
    double *f0 = malloc(s->count * sizeof *f0);
    if (!f0)
        return RV_FAIL(err, RV_ERR_NOMEM, "pitch of %zu frames", s->count);
    const rv_status status = rv_voice_f0(f0, s->count, RV_VOICE_STEP, a->speech, err);
    if (status == RV_OK) {
        mend_voicing(f0, s->count);
        for (size_t i = 0; i < s->count; i++)
            analyse_frame(a, s, i, f0[i]);
    }
    free(f0);
    return status;
}

static void trim(rv_voice_sound *s)
{
    float loudest = s->frames[0].level;
    for (size_t i = 1; i < s->count; i++)
        loudest = s->frames[i].level > loudest ? s->frames[i].level : loudest;
    size_t begin = 0, end = s->count;
    while (begin + 1 < end && s->frames[begin].level < loudest + silent_below)
        begin++;
    while (end > begin + 1 && s->frames[end - 1].level < loudest + silent_below)
        end--;
    s->count = end - begin;
    memmove(s->frames, s->frames + begin, s->count * sizeof *s->frames);
    memmove(s->envelope, s->envelope + begin * s->bins, s->count * s->bins * sizeof *s->envelope);
}

/* ln of the power where vowels are stronger than nasals and liquids: 400 to 4000 Hz; -HUGE_VAL
 * without a pitch. */
static double vowel_level(const rv_voice_sound *s, size_t i)
{
    const double hz = 0.5 * s->rate / (double)(s->bins - 1);
    const size_t from = (size_t)(400 / hz), to = (size_t)(4000 / hz);
    if (s->frames[i].noise[0] > 0.5f)
        return -HUGE_VAL;
    return (double)mean_level(s->envelope + i * s->bins + from,
                              (to < s->bins ? to : s->bins) - from);
}

/* The vowel: around the strongest frame, as far as it is within 6 dB of it. */
static void find_core(rv_voice_sound *s)
{
    size_t peak = 0;
    double best = -HUGE_VAL, sum = 0;
    for (size_t i = 0; i < s->count; i++) {
        const double level = vowel_level(s, i);
        if (level > best) {
            best = level;
            peak = i;
        }
    }
    s->core_begin = s->core_end = s->count / 2;
    s->core_level = mean_level(s->envelope + peak * s->bins, s->bins);
    if (best == -HUGE_VAL)
        return;
    const double least = best - 1.4;
    for (s->core_begin = peak; s->core_begin > 0; s->core_begin--)
        if (vowel_level(s, s->core_begin - 1) < least)
            break;
    for (s->core_end = peak + 1; s->core_end < s->count; s->core_end++)
        if (vowel_level(s, s->core_end) < least)
            break;
    for (size_t i = s->core_begin; i < s->core_end; i++)
        sum += exp((double)s->frames[i].level);
    s->core_level = (float)log(sum / (double)(s->core_end - s->core_begin));
}

rv_status rv_voice_analyse(rv_voice_sound *out, const rv_speech *speech, rv_error *err)
{
    analyser a = { 0 };
    rv_status status = analyser_new(&a, speech, err);
    rv_voice_sound s = { .bins = a.bins, .rate = speech->rate };
    s.count = (size_t)((double)speech->count / speech->rate / RV_VOICE_STEP) + 1;
    if (status == RV_OK) {
        s.envelope = calloc(s.count, s.bins * sizeof *s.envelope);
        s.frames = calloc(s.count, sizeof *s.frames);
        status = s.envelope && s.frames
                     ? analyse_all(&a, &s, err)
                     : RV_FAIL(err, RV_ERR_NOMEM, "analysis of %zu frames of speech", s.count);
    }
    analyser_free(&a);
    if (status != RV_OK) {
        rv_voice_sound_free(&s);
        return status;
    }
    trim(&s);
    find_core(&s);
    *out = s;
    return RV_OK;
}

void rv_voice_sound_free(rv_voice_sound *s)
{
    free(s->envelope);
    free(s->frames);
    *s = (rv_voice_sound){ 0 };
}
