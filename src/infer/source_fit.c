/* source_fit.c - analysis by synthesis over a window of a track. What is known of a source beside
 * its stem is how it sounds, after the synthesisers of Engel 2020 (arXiv 2001.04643): the bass is a
 * harmonic sound whose pitch moves while its distribution of harmonics stays, the drums are what
 * does not last. With X the magnitudes of the mix, E of a stem, both the root of the mean power of
 * the channels:
 *
 *   1. Pitch and level of the bass in each frame come from its stem, the level from the harmonics
 *      below 180 Hz. X(k) and E(k): heights of the lobes at k f0.
 *   2. Its distribution d(k) is fitted to the mix: the 0.2 quantile of X(k) / level over the
 *      window's frames, which is where the pinball loss, the sum of max(0.2 e, -0.8 e) with
 *      e = X(k) / level - d(k), is least. Other sources add to X now and then, so that errors above
 *      weigh less. Harmonics of which the stem has as much (the median of E(k) / level) are left
 *      to it.
 *   3. Up to 450 Hz the bass gets what level d(k) says, from the other stems by their shares.
 *   4. Below 160 Hz a drum is what stands out of a harmonic for less than some tenths of a second:
 *      X(k), but at most its median over 13 frames, is the bass; half the rest goes to the drums.
 *
 * The result of a stem is y = e + (V - E) / sum E x, with x the mix, e the stem and V the
 * magnitudes of step 3 and 4: changes are Wiener masks on the mix and have its phase, and a stem
 * that needs none keeps its own, which masks alone would lose. What the stems lack of the mix is
 * shared out by E. (G. Richard et al., "Model-based deep learning for music information research",
 * arXiv 2401.16837, and K. Schulze-Forster et al., arXiv 2201.09592, mask with synthesised sources
 * likewise.) */
#include "infer/source_fit.h"

#include "base/status.h"
#include "core/wiener_em.h"
#include "dsp/harmonic_comb.h"
#include "dsp/real_fft.h"
#include "infer/source_params.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    HARMONICS = 20,   /* of the bass */
    HELD = 6,         /* frames to each side */
    LEAST_FRAMES = 8, /* that a distribution is fitted to */
    ROW = RV_FFT_ALIGN / sizeof(float),
};

static const double level_end = 180, claim_end = 450, drums_end = 160; /* Hz */
static const double quantile = 0.2;
static const float half_way = 0.5F;
static const float heard = 0.1F;  /* level, of the loudest in the window */
static const float taken = 0.98F; /* of the others, at most */

struct rv_source_fit {
    rv_source_fit_options options;
    size_t bins, bass, drums; /* indices; stems: there is none */
    rv_pitch_range range;     /* of the bass */
    rv_source_meter meter;
    rv_spectral_pitch *pitch;
    float *weight;
    float *scratch; /* [threads][scratch_row] */
    size_t scratch_row;
    size_t room;             /* frames there is memory for */
    float *place, *level;    /* [room] f0 in bins, 0: none */
    float *in_mix, *in_stem; /* [room,HARMONICS] */
    float *sorted;           /* [room] */
    float distribution[HARMONICS];
    rv_source_params *params; /* [room,stems] */
    const rv_wiener_window *window;
};

/* Making ----------------------------------------------------------------------------- */

static size_t find(const rv_source_fit_options *o, const char *name)
{
    size_t i = 0;
    while (i < o->stems && strcmp(o->names[i], name) != 0)
        i++;
    return i;
}

static size_t round_up(size_t n)
{
    return (n + ROW - 1) / ROW * ROW;
}

/* Of a worker: for the pitch, powers, two combs, magnitudes of the mix and of each stem. */
static rv_status take_scratch(rv_source_fit *f, rv_error *err)
{
    const size_t threads = (size_t)rv_pool_threads(f->options.pool);
    f->scratch_row =
        round_up(rv_spectral_pitch_scratch(f->pitch) + (f->options.stems + 4) * f->bins);
    f->scratch = aligned_alloc(RV_FFT_ALIGN, threads * f->scratch_row * sizeof *f->scratch);
    f->weight = malloc(f->bins * sizeof *f->weight);
    if (!f->scratch || !f->weight)
        return RV_FAIL(err, RV_ERR_NOMEM, "models of %zu sources", f->options.stems);
    return RV_OK;
}

rv_status rv_source_fit_new(rv_source_fit **out, const rv_source_fit_options *o, rv_error *err)
{
    rv_source_fit *f = calloc(1, sizeof *f);
    if (!f)
        return RV_FAIL(err, RV_ERR_NOMEM, "models of %zu sources", o->stems);
    f->options = *o;
    f->bins = o->size / 2 + 1;
    f->bass = find(o, "bass");
    f->drums = find(o, "drums");
    f->range = rv_source_pitches("bass", (double)o->sample_rate);
    rv_status st = rv_spectral_pitch_new(&f->pitch, o->size, NULL, err);
    if (st == RV_OK)
        st = take_scratch(f, err);
    if (st != RV_OK) {
        rv_source_fit_free(f);
        return st;
    }
    rv_source_weights(f->weight, o->size, (double)o->sample_rate);
    f->meter = (rv_source_meter){ f->pitch, f->weight, o->size, (double)o->sample_rate };
    *out = f;
    return RV_OK;
}

static void free_frames(rv_source_fit *f)
{
    free(f->place);
    free(f->params);
    f->place = NULL;
    f->params = NULL;
    f->room = 0;
}

void rv_source_fit_free(rv_source_fit *f)
{
    if (!f)
        return;
    rv_spectral_pitch_free(f->pitch);
    free_frames(f);
    free(f->scratch);
    free(f->weight);
    free(f);
}

static rv_status take_frames(rv_source_fit *f, size_t frames, rv_error *err)
{
    if (frames <= f->room)
        return RV_OK;
    free_frames(f);
    f->place = malloc(frames * (3 + 2 * HARMONICS) * sizeof *f->place);
    f->params = malloc(frames * f->options.stems * sizeof *f->params);
    if (!f->place || !f->params)
        return RV_FAIL(err, RV_ERR_NOMEM, "models of %zu frames", frames);
    f->level = f->place + frames;
    f->sorted = f->level + frames;
    f->in_mix = f->sorted + frames;
    f->in_stem = f->in_mix + frames * HARMONICS;
    f->room = frames;
    return RV_OK;
}

/* Spectra ---------------------------------------------------------------------------- */

/* Of source 0, the mix, or 1 + stem. */
static float complex *spectrum_of(const rv_source_fit *f, size_t source, size_t channel, size_t t)
{
    const rv_wiener_window *w = f->window;
    return w->spectra + ((source * w->audio + channel) * w->frames + t) * w->bins;
}

static float square(float complex z)
{
    return crealf(z) * crealf(z) + cimagf(z) * cimagf(z);
}

static void magnitudes_of(const rv_source_fit *f, size_t source, size_t t, float *out)
{
    const size_t audio = f->window->audio;
    for (size_t b = 0; b < f->bins; b++) {
        float sum = 0;
        for (size_t a = 0; a < audio; a++)
            sum += square(spectrum_of(f, source, a, t)[b]);
        out[b] = sqrtf(sum / (float)audio);
    }
}

static double hertz(const rv_source_fit *f, double bins)
{
    return bins * (double)f->options.sample_rate / (double)f->options.size;
}

/* 1. The bass in a frame ------------------------------------------------------------- */

static void heights_of(const rv_source_fit *f, const float *magnitude, double place, float *heights)
{
    for (size_t k = 0; k < HARMONICS; k++) {
        const double centre = (double)(k + 1) * place;
        heights[k] = rv_comb_fits(f->bins, centre) ? rv_comb_height(magnitude, centre) : 0;
    }
}

static float level_of(const rv_source_fit *f, double place, const float *heights)
{
    float sum = 0;
    for (size_t k = 0; k < HARMONICS && hertz(f, (double)(k + 1) * place) < level_end; k++)
        sum += heights[k] * heights[k];
    return sqrtf(sum);
}

static void measure_bass(void *ctx, size_t t, int worker)
{
    const rv_source_fit *f = ctx;
    float *scratch = f->scratch + (size_t)worker * f->scratch_row;
    float *power = scratch + rv_spectral_pitch_scratch(f->pitch), *magnitude = power + f->bins;
    float *in_mix = f->in_mix + t * HARMONICS, *in_stem = f->in_stem + t * HARMONICS;
    double clarity;
    magnitudes_of(f, 1 + f->bass, t, magnitude);
    for (size_t b = 0; b < f->bins; b++)
        power[b] = magnitude[b] * magnitude[b];
    const double period = rv_spectral_pitch_period(f->pitch, power, f->range, scratch, &clarity);
    const bool clear = period > 0 && clarity >= rv_source_clarity;
    const double place = clear ? (double)f->options.size / period : 0;
    f->place[t] = (float)place;
    heights_of(f, magnitude, place, in_stem);
    f->level[t] = level_of(f, place, in_stem);
    magnitudes_of(f, 0, t, magnitude);
    heights_of(f, magnitude, place, in_mix);
}

/* 2. Its distribution ---------------------------------------------------------------- */

static int by_size(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

/* The quantile of harmonic k over level, of frames above `least`. */
static float quantile_of(const rv_source_fit *f, const float *heights, size_t k, float least,
                         double share)
{
    size_t n = 0;
    for (size_t t = 0; t < f->window->frames; t++)
        if (f->level[t] > least)
            f->sorted[n++] = heights[t * HARMONICS + k] / f->level[t];
    if (n < LEAST_FRAMES)
        return 0;
    qsort(f->sorted, n, sizeof *f->sorted, by_size);
    return f->sorted[(size_t)(share * (double)(n - 1))];
}

static void fit_distribution(rv_source_fit *f)
{
    float loudest = 0;
    for (size_t t = 0; t < f->window->frames; t++)
        loudest = fmaxf(loudest, f->level[t]);
    const float least = heard * loudest;
    for (size_t k = 0; k < HARMONICS; k++) {
        const float d = quantile_of(f, f->in_mix, k, least, quantile);
        const bool has = quantile_of(f, f->in_stem, k, least, 0.5) >= d;
        f->distribution[k] = has ? 0 : d;
    }
}

/* 3. and 4. What it sounds like ------------------------------------------------------ */

/* Of harmonic k, over the frames around t; those at the ends count more than once. */
static float median_around(const rv_source_fit *f, size_t t, size_t k)
{
    float around[2 * HELD + 1];
    const ptrdiff_t last = (ptrdiff_t)f->window->frames - 1;
    for (ptrdiff_t i = -HELD; i <= HELD; i++) {
        ptrdiff_t at = (ptrdiff_t)t + i;
        at = at < 0 ? 0 : at > last ? last : at;
        around[i + HELD] = f->in_mix[(size_t)at * HARMONICS + k];
    }
    qsort(around, 2 * HELD + 1, sizeof *around, by_size);
    return around[HELD];
}

/* claimed, lasting [bins] */
static void synthesise_bass(const rv_source_fit *f, size_t t, float *claimed, float *lasting)
{
    const double place = (double)f->place[t];
    memset(claimed, 0, f->bins * sizeof *claimed);
    memset(lasting, 0, f->bins * sizeof *lasting);
    for (size_t k = 0; k < HARMONICS && place > 0; k++) {
        const double centre = (double)(k + 1) * place;
        if (hertz(f, centre) >= claim_end || !rv_comb_fits(f->bins, centre))
            break;
        rv_comb_add(claimed, centre, f->level[t] * f->distribution[k]);
        rv_comb_add(lasting, centre, fminf(median_around(f, t, k), f->in_mix[t * HARMONICS + k]));
    }
}

/* v [stems]: magnitudes of one bin */
static void share_with_drums(const rv_source_fit *f, float lasting, float *v)
{
    const float both = v[f->bass] + v[f->drums];
    v[f->bass] += half_way * (fminf(lasting, both) - v[f->bass]);
    v[f->drums] = both - v[f->bass];
}

static void claim(const rv_source_fit *f, float claimed, float sum, float *v)
{
    const float others = sum - v[f->bass], wanted = claimed - v[f->bass];
    if (!(wanted > 0 && others > 0))
        return;
    const float change = fminf(wanted, taken * others);
    for (size_t s = 0; s < f->options.stems; s++)
        v[s] += s == f->bass ? change : -change * v[s] / others;
}

/* e: magnitudes of the stems, v: of what they are to be; sum: of e. */
static void move_stems(const rv_source_fit *f, size_t t, size_t b, const float *e, const float *v,
                       float sum)
{
    for (size_t a = 0; a < f->window->audio; a++) {
        const float complex x = spectrum_of(f, 0, a, t)[b];
        float complex rest = x;
        for (size_t s = 0; s < f->options.stems; s++)
            rest -= spectrum_of(f, 1 + s, a, t)[b];
        for (size_t s = 0; s < f->options.stems; s++)
            spectrum_of(f, 1 + s, a, t)[b] += sum > 0
                                                  ? rest * (e[s] / sum) + x * ((v[s] - e[s]) / sum)
                                                  : rest / (float)f->options.stems;
    }
}

/* magnitude: [1 + stems][bins] of the mix, then of the stems */
static void refine_frame(const rv_source_fit *f, size_t t, const float *magnitude,
                         const float *claimed, const float *lasting)
{
    const size_t stems = f->options.stems;
    const bool has_bass = f->bass < stems && f->place[t] > 0;
    for (size_t b = 0; b < f->bins; b++) {
        float e[RV_WIENER_STEMS], v[RV_WIENER_STEMS], sum = 0;
        for (size_t s = 0; s < stems; s++)
            sum += e[s] = v[s] = magnitude[(1 + s) * f->bins + b];
        const bool low = hertz(f, (double)b) < drums_end;
        if (has_bass && low && f->drums < stems)
            share_with_drums(f, lasting[b], v);
        else if (has_bass && !low)
            claim(f, fminf(claimed[b], magnitude[b]), sum, v);
        move_stems(f, t, b, e, v, sum);
    }
}

static void measure_stem(const rv_source_fit *f, size_t s, size_t t, float *scratch)
{
    const size_t audio = f->window->audio;
    float *magnitude = scratch + rv_spectral_pitch_scratch(f->pitch) + f->bins;
    const rv_pitch_range range = rv_source_pitches(f->options.names[s], f->meter.sample_rate);
    for (size_t b = 0; b < f->bins; b++) {
        float complex sum = 0;
        for (size_t a = 0; a < audio; a++)
            sum += spectrum_of(f, 1 + s, a, t)[b];
        magnitude[b] = sqrtf(square(sum)) / (float)audio;
    }
    rv_source_measure(&f->meter, range, magnitude, scratch, &f->params[t * f->options.stems + s]);
}

static void refine(void *ctx, size_t t, int worker)
{
    const rv_source_fit *f = ctx;
    float *scratch = f->scratch + (size_t)worker * f->scratch_row;
    float *claimed = scratch + rv_spectral_pitch_scratch(f->pitch) + f->bins;
    float *lasting = claimed + f->bins, *magnitude = lasting + f->bins;
    for (size_t i = 0; i <= f->options.stems; i++)
        magnitudes_of(f, i, t, magnitude + i * f->bins);
    if (f->bass < f->options.stems)
        synthesise_bass(f, t, claimed, lasting);
    refine_frame(f, t, magnitude, claimed, lasting);
    for (size_t s = 0; s < f->options.stems && f->options.controls; s++)
        measure_stem(f, s, t, scratch);
}

/* ------------------------------------------------------------------------------------ */

static rv_status give_params(const rv_source_fit *f, size_t t, rv_error *err)
{
    for (size_t s = 0; s < f->options.stems; s++) {
        const rv_source_params *p = &f->params[t * f->options.stems + s];
        const rv_play_controls c = { .f0 = &p->f0,
                                     .loudness = &p->loudness,
                                     .amplitude = &p->amplitude,
                                     .distribution = p->distribution,
                                     .magnitudes = p->magnitudes,
                                     .n = 1 };
        RV_TRY(f->options.controls(f->options.ctx, s, &c, err));
    }
    return RV_OK;
}

rv_status rv_source_fit_window(rv_source_fit *f, const rv_wiener_window *w, size_t first,
                               size_t samples, rv_error *err)
{
    RV_TRY(take_frames(f, w->frames, err));
    f->window = w;
    if (f->bass < f->options.stems) {
        rv_pool_run(f->options.pool, w->frames, measure_bass, f);
        fit_distribution(f);
    }
    rv_pool_run(f->options.pool, w->frames, refine, f);
    for (size_t t = 0; t < w->frames && f->options.controls; t++)
        if (first + t > 0 && (first + t - 1) * f->options.hop < samples)
            RV_TRY(give_params(f, t, err));
    return RV_OK;
}
