/* voice_filter.c - the envelope of a moment, of the least phase that its magnitude allows:
 *     log H = c[0] + 2 sum over 0 < q < N/2 of c[q] exp(-j w q),   c: cepstrum of log |H|
 * (A. V. Oppenheim & R. W. Schafer, "Discrete-time signal processing", section 13). */
#include "data/voice_filter.h"

#include "base/rng.h"
#include "base/status.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double pi = 3.14159265358979323846;

/* Speech of espeak-ng has nothing of use above `top` Hz: from there on what is around it goes on,
 * falling as in recordings of singers. */
static const double top = 8000, top_width = 1500, fall = 2.3; /* Hz, Hz, dB per kHz */

/* Between formants and above them, synthetic speech is nearly silent; singers are not. At least
 * this much is sung, in dB against the power density of the vowel's low formants: the long-term
 * spectrum of recorded pop vocals, less 10 dB where formants stand out of it. */
enum { BODY_POINTS = 11, BODY = 400 };
static const double body_hz[BODY_POINTS] = { 0,    300,  1000,  2000,  3000, 4500,
                                             6000, 8000, 11000, 15000, 20000 };
static const double body_db[BODY_POINTS] = {
    -20, -10, -13, -20, -23, -25, -27, -29, -35, -45, -68
};

/* Some of its voices shrill: formants stand out of that by 16 dB at most. */
static const double most = 40, least_power = 1e-12;

/* Where the low formants are. */
static const double low_from = 250, low_to = 2500;

/* Tone is not perfect in analysis: shares of noise up to here are none, and from `all_noise` all.
 */
static const double no_noise = 0.3, all_noise = 0.85;

/* dB to ln of power */
static const double nepers = 0.23025850929940457;

struct rv_voice_filter {
    int rate;
    size_t size, bins;
    double formant;
    rv_fft *fft;
    float *time;        /* [row] */
    float complex *bin; /* [row/2] */
    float *blend;       /* [blend_room]: envelope of the moment at the speech's bins */
    size_t blend_room;
    float *colour, *strong, *mouth; /* [bins], ln of power: always; by strength; of breath */
    float *airy;                    /* [bins]: 0 where what has no pitch is no breath, either */
    float *body;                    /* [bins]: power that is always sung, against low formants */
    float *tone_part;               /* [bins]: of the moment, share of the power that is no noise */
    float *least_noise;             /* [bins]: share of noise that every voice has */
    float *band;                    /* [bins]: 0 to RV_VOICE_BANDS - 1, between the centres */
};

static double octaves(double hz, double from)
{
    return hz > from ? log2(hz / from) : 0;
}

static double ease(double x)
{
    return x <= 0 ? 0 : x >= 1 ? 1 : 0.5 - 0.5 * cos(pi * x);
}

/* Bands' centres on a logarithmic axis. */
static double band_at(double hz)
{
    static const double centres[RV_VOICE_BANDS] = { 700, 1400, 2800, 5300, 8400 };
    for (int i = 0; i + 1 < RV_VOICE_BANDS; i++)
        if (hz < centres[i + 1])
            return hz < centres[0] ? 0
                                   : i + log(hz / centres[i]) / log(centres[i + 1] / centres[i]);
    return RV_VOICE_BANDS - 1;
}

/* Of the list above; and every throat has small cavities of its own. */
static double body_at(double hz, const rv_voice_take *take)
{
    int i = 0;
    while (i + 2 < BODY_POINTS && hz > body_hz[i + 1])
        i++;
    const double x = (hz - body_hz[i]) / (body_hz[i + 1] - body_hz[i]);
    double own = 0;
    for (uint64_t wave = 0; wave < 3; wave++) {
        const double wide =
            700 + 900 * (double)wave + 400 * rv_rng_uniform(take->seed, BODY, 2 * wave);
        own += cos(2 * pi * (hz / wide + rv_rng_uniform(take->seed, BODY, 2 * wave + 1)));
    }
    return body_db[i] + x * (body_db[i + 1] - body_db[i]) + 3 * own * ease((hz - 1500) / 2500);
}

static void fill_tables(rv_voice_filter *f, const rv_voice_take *take)
{
    for (size_t k = 0; k < f->bins; k++) {
        const double hz = (double)k * f->rate / (double)f->size;
        const double low_cut = -20 * log10(1 + pow(70 / fmax(hz, 1), 4));
        f->colour[k] = (float)(nepers * low_cut);
        f->strong[k] = (float)(nepers * 5 * octaves(fmin(hz, 8000), 500));
        f->mouth[k] =
            (float)(nepers * (-32 + 7 * octaves(fmin(hz, 6000), 800) - 6 * (1 - ease(hz / 600))));
        const double least = -48 + 16 * take->breath + 33 * ease(octaves(hz, 400) / 4.6);
        f->least_noise[k] = (float)fmin(exp(nepers * least), 1);
        f->airy[k] = (float)ease((hz - 150) / 500);
        f->body[k] = (float)exp(nepers * body_at(hz / take->formant, take));
        f->band[k] = (float)band_at(hz);
    }
}

static float *floats(size_t n)
{
    return calloc(n, sizeof(float));
}

static rv_status allocate(rv_voice_filter *f, rv_error *err)
{
    const rv_alloc *mem = &rv_alloc_default;
    RV_TRY(rv_fft_new(&f->fft, f->size, mem, err));
    const size_t bytes = rv_fft_row(f->fft) * sizeof(float);
    f->time = mem->alloc(mem->ctx, bytes, RV_FFT_ALIGN);
    f->bin = mem->alloc(mem->ctx, bytes, RV_FFT_ALIGN);
    f->blend_room = 4097;
    f->blend = floats(f->blend_room);
    f->colour = floats(f->bins);
    f->strong = floats(f->bins);
    f->mouth = floats(f->bins);
    f->least_noise = floats(f->bins);
    f->airy = floats(f->bins);
    f->body = floats(f->bins);
    f->tone_part = floats(f->bins);
    f->band = floats(f->bins);
    if (!f->time || !f->bin || !f->blend || !f->colour || !f->strong || !f->mouth ||
        !f->least_noise || !f->airy || !f->body || !f->tone_part || !f->band)
        return RV_FAIL(err, RV_ERR_NOMEM, "a voice's filter of %zu bins", f->bins);
    return RV_OK;
}

rv_status rv_voice_filter_new(rv_voice_filter **out, int rate, const rv_voice_take *take,
                              rv_error *err)
{
    rv_voice_filter *f = calloc(1, sizeof *f);
    if (!f)
        return RV_FAIL(err, RV_ERR_NOMEM, "a voice's filter");
    f->rate = rate;
    f->formant = take->formant;
    f->size = 256;
    while ((double)f->size < 0.04 * rate)
        f->size *= 2;
    f->bins = f->size / 2 + 1;
    const rv_status status = allocate(f, err);
    if (status != RV_OK) {
        rv_voice_filter_free(f);
        return status;
    }
    fill_tables(f, take);
    *out = f;
    return RV_OK;
}

void rv_voice_filter_free(rv_voice_filter *f)
{
    const rv_alloc *mem = &rv_alloc_default;
    if (!f)
        return;
    rv_fft_free(f->fft);
    if (f->time)
        mem->free(mem->ctx, f->time);
    if (f->bin)
        mem->free(mem->ctx, f->bin);
    free(f->blend);
    free(f->colour);
    free(f->strong);
    free(f->mouth);
    free(f->least_noise);
    free(f->airy);
    free(f->body);
    free(f->tone_part);
    free(f->band);
    free(f);
}

size_t rv_voice_filter_size(const rv_voice_filter *f)
{
    return f->size;
}

const rv_fft *rv_voice_filter_fft(const rv_voice_filter *f)
{
    return f->fft;
}

rv_status rv_voice_response_new(rv_voice_response *r, const rv_voice_filter *f, rv_error *err)
{
    *r = (rv_voice_response){ .tone = floats(2 * f->bins), .air = floats(2 * f->bins) };
    if (!r->tone || !r->air)
        return RV_FAIL(err, RV_ERR_NOMEM, "a voice's spectrum of %zu bins", f->bins);
    return RV_OK;
}

void rv_voice_response_free(rv_voice_response *r)
{
    free(r->tone);
    free(r->air);
    *r = (rv_voice_response){ 0 };
}

/* The two frames around the position, mixed: blend and shares of noise. */
static void blend_frames(rv_voice_filter *f, const rv_voice_control *c,
                         double share[RV_VOICE_BANDS])
{
    const rv_voice_sound *s = c->sound;
    const double last = (double)(s->count - 1);
    const double position = fmin(fmax((double)c->position, 0), last);
    const size_t i = (size_t)position, j = i + 1 < s->count ? i + 1 : i;
    const float x = (float)(position - (double)i);
    const float *a = s->envelope + i * s->bins, *b = s->envelope + j * s->bins;
    for (size_t k = 0; k < s->bins; k++)
        f->blend[k] = a[k] + x * (b[k] - a[k]);
    for (int band = 0; band < RV_VOICE_BANDS; band++) {
        const float p = s->frames[i].noise[band], q = s->frames[j].noise[band];
        share[band] =
            fmin(fmax(((double)(p + x * (q - p)) - no_noise) / (all_noise - no_noise), 0), 1);
    }
}

/* ln of the power density around `top`, from where the envelope is made up. */
static double level_at_top(const rv_voice_filter *f, double bin_hz, size_t bins)
{
    double sum = 0;
    size_t n = 0;
    for (size_t k = (size_t)((top - top_width) / bin_hz); k < bins; k++) {
        if ((double)k * bin_hz > top)
            break;
        sum += (double)f->blend[k];
        n++;
    }
    return n ? sum / (double)n : -30;
}

/* Power density of the low formants that is tone. */
static double low_power(const rv_voice_filter *f, double bin_hz, double noise)
{
    double sum = 0;
    size_t n = 0;
    for (size_t k = (size_t)(low_from / bin_hz); (double)k * bin_hz < low_to; k++, n++)
        sum += (double)expf(f->blend[k]);
    return (1 - noise) * sum / (double)n;
}

/* ln of the speech's power at an output bin */
static double spoken(const rv_voice_filter *f, size_t k, double bin_hz, size_t bins, double above)
{
    const double hz = (double)k * f->rate / (double)f->size / f->formant;
    const double at = fmin(hz / bin_hz, (double)bins - 1.001);
    const size_t i = (size_t)at;
    const double low = (double)f->blend[i],
                 known = low + (at - (double)i) * ((double)f->blend[i + 1] - low);
    const double made = above - nepers * fall * 1e-3 * (hz - top + top_width / 2);
    return known + ease((hz - top + top_width) / top_width) * (made - known);
}

/* ln of the noise's mean power density in each band. Not the share itself goes from band to band:
 * an empty band of nothing but noise would make the next one's formants hoarse. */
static void noise_levels(const rv_voice_filter *f, double bin_hz, size_t bins,
                         const double share[RV_VOICE_BANDS], double level[RV_VOICE_BANDS])
{
    size_t k = 1;
    for (int band = 0; band < RV_VOICE_BANDS; band++) {
        double sum = 0, n = 1e-9;
        for (; k < bins; k++, n++) {
            if (band < RV_VOICE_BANDS - 1 && (double)k * bin_hz >= rv_voice_band_edges[band])
                break;
            sum += (double)expf(f->blend[k]);
        }
        level[band] = log(share[band] * sum / n + least_power);
    }
}

/* Power of noise at an output bin where the speech has `power`. */
static double noise_at(const rv_voice_filter *f, size_t k, double power, double unvoiced,
                       const double level[RV_VOICE_BANDS])
{
    const int band = (int)f->band[k], next = band + 1 < RV_VOICE_BANDS ? band + 1 : band;
    const double x = (double)f->band[k] - band;
    const double noise = (double)expf((float)(level[band] + x * (level[next] - level[band])));
    return fmax(fmin(noise, power), unvoiced * power) * (double)f->airy[k];
}

/* x where it is small, `limit` where it is large */
static double no_more_than(double x, double limit)
{
    return limit > 0 ? x * limit / (x + limit) : 0;
}

/* bin = ln |H| and tone_part at the output's bins, of speech and what singers add to it. */
static void fill_envelope(rv_voice_filter *f, const rv_voice_control *c,
                          const double share[RV_VOICE_BANDS])
{
    const size_t bins = c->sound->bins;
    const double bin_hz = 0.5 * c->sound->rate / (double)(bins - 1);
    const double above = level_at_top(f, bin_hz, bins), low = low_power(f, bin_hz, share[0]);
    const float strength = c->strength - 0.75f;
    double level[RV_VOICE_BANDS];
    noise_levels(f, bin_hz, bins, share, level);
    for (size_t k = 0; k < f->bins; k++) {
        const double power = (double)expf((float)spoken(f, k, bin_hz, bins, above));
        const double body = low * (double)f->body[k];
        const double noise = noise_at(f, k, power, share[0], level);
        const double tone = no_more_than(power - noise, most * body) + body;
        const double all = tone + noise + least_power;
        f->tone_part[k] = c->air > 0 ? 0 : (float)(tone / all) * (1 - f->least_noise[k]);
        f->bin[k] = 0.5f * (logf((float)all) + f->colour[k] +
                            (c->air > 0 ? f->mouth[k] : strength * f->strong[k]));
    }
}

static void least_phase(rv_voice_filter *f)
{
    const size_t half = f->size / 2;
    rv_fft_inverse(f->fft, f->bin, f->time, 1);
    const float scale = 1 / (float)f->size;
    f->time[0] *= scale;
    f->time[half] *= scale;
    for (size_t q = 1; q < half; q++)
        f->time[q] *= 2 * scale;
    memset(f->time + half + 1, 0, (half - 1) * sizeof *f->time);
    rv_fft_forward(f->fft, f->time, f->bin, 1);
}

void rv_voice_filter_response(rv_voice_filter *f, rv_voice_response *r, const rv_voice_control *c)
{
    r->sounds = c->sound && c->gain > 1e-12f && c->sound->bins <= f->blend_room;
    if (!r->sounds) {
        memset(r->tone, 0, 2 * f->bins * sizeof *r->tone);
        memset(r->air, 0, 2 * f->bins * sizeof *r->air);
        r->voiced = false;
        return;
    }
    double share[RV_VOICE_BANDS];
    blend_frames(f, c, share);
    fill_envelope(f, c, share);
    least_phase(f);
    r->voiced = share[0] < 0.5 && c->air <= 0;
    for (size_t k = 0; k < f->bins; k++) {
        const float magnitude = c->gain * expf(crealf(f->bin[k])), phase = cimagf(f->bin[k]);
        const float re = magnitude * cosf(phase), im = magnitude * sinf(phase);
        const float tone = sqrtf(f->tone_part[k]), air = sqrtf(1 - f->tone_part[k]);
        r->tone[2 * k] = tone * re;
        r->tone[2 * k + 1] = tone * im;
        r->air[2 * k] = air * re;
        r->air[2 * k + 1] = air * im;
    }
}
