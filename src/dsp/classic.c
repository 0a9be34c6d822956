/* classic.c - soft masks on one short-time spectrum, that add up to one.
 *
 *     p = strokes' share (hpss.h) x (1 + centre) / 2    drums are rarely far to one side
 *     drums  = p  x high-pass at 40 Hz
 *     bass   = (1 - p) x low
 *     vocals = (1 - p) x voice x centre^6 x (1 - background / V)^(1/4), or ^1 in mono
 *     other  = the rest, formed by subtraction of samples
 *
 * V[t,k] is the root mean square over channels of |X|, `low` a cross-over at 200 Hz, `voice`
 * a band from there to 11 kHz. centre = (|sum X|^2 - sum |X|^2) / ((C - 1) sum |X|^2) is 1
 * where all C channels are equal, 0 where they are unrelated or one is alone; for stereo it
 * is the panning similarity of Avendano & Jot 2004, "A frequency-domain approach to
 * multichannel upmix" (JAES 52). `background`: repet_sim.h.
 *
 * Work is cut into LANES parts, each with its own scratch, whatever the number of threads. */
#include "dsp/classic.h"

#include "base/status.h"
#include "dsp/hpss.h"
#include "dsp/median.h"
#include "dsp/real_fft.h"
#include "dsp/repet_sim.h"
#include "dsp/spectra.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

enum { LANES = 16, ROWS = 8, OVERLAP = 4 };
enum { DRUMS, BASS, OTHER, VOCALS };

/* In seconds and hertz, so that they hold at any sample rate. */
static const double frame_seconds = 4096.0 / 44100;
static const double stroke_seconds = 0.44; /* a tone must last half of this */
static const double stroke_hertz = 330;    /* a stroke must be wider than half of this */
static const double repeat_seconds = 0.1;  /* least distance of two repetitions */

const char *const rv_classic_stem_names[RV_CLASSIC_STEMS] = { "drums", "bass", "other", "vocals" };

typedef struct {
    float *spectra;          /* rv_spectra_scratch */
    float complex *x, *y;    /* [bins] */
    float *row, *background; /* [bins] */
    float *similarity;       /* [ROWS][columns] */
    float *sorting;          /* RV_REPET_MOST * RV_REPET_LANES */
    void *median;            /* for rows of bins, and for columns in hpss */
    uint32_t chosen[RV_REPET_MOST];
} lane_scratch;

struct rv_classic {
    rv_arena arena;
    size_t channels, most; /* most: frames of the longest segment */
    size_t size, hop, bins;
    size_t time_width, frequency_width, gap; /* columns, bins, columns */
    size_t voice_first, voice_end;           /* bins that may hold a voice */
    rv_spectra *spectra;
    float *bias, *low, *voice, *rumble; /* [bins] */
    float *magnitude;                   /* V [columns][bins] */
    float *strokes;                     /* H, then p, the same shape */
    float *vocals;                      /* centre, then the mask of the vocals */
    float *features;                    /* [bands][columns] */
    lane_scratch lane[LANES];

    /* the segment in work; a column is one frame of the STFT */
    const float *const *mix;
    float *const *const *stems;
    size_t frames, columns;
    bool mono; /* all channels are equal */
};

/* 1 far below `cut` hertz, 0 far above, 1/2 at it. */
static double below(double hertz, double cut, double order)
{
    return 1 / (1 + pow(hertz / cut, 2 * order));
}

static void make_curves(rv_classic *c, double sample_rate)
{
    for (size_t k = 0; k < c->bins; k++) {
        const double hertz = (double)k * sample_rate / (double)c->size;
        const double low = below(hertz, 200, 3);
        /* A drum's own resonance is narrow down there: the median over 330 Hz misses most of
         * it. High up, breath and consonants look like strokes. */
        const double favour = (1 + 2 * below(hertz, 200, 2)) * (0.7 + 0.3 * below(hertz, 2000, 1));
        c->bias[k] = (float)(0.7 * favour);
        c->low[k] = (float)low;
        const double voice = (1 - low) * (1 - below(hertz, 120, 4)) * below(hertz, 11000, 8);
        c->voice[k] = voice < 0.01 ? 0 : (float)voice;
        c->rumble[k] = (float)(1 - below(hertz, 40, 4));
    }
}

static void find_voice(rv_classic *c)
{
    while (c->voice_first < c->bins && c->voice[c->voice_first] == 0)
        c->voice_first++;
    c->voice_end = c->bins;
    while (c->voice_end > c->voice_first && c->voice[c->voice_end - 1] == 0)
        c->voice_end--;
}

/* The power of two nearest to `seconds` on a logarithmic scale. */
static size_t frame_size(double sample_rate)
{
    return (size_t)1 << lround(log2(frame_seconds * sample_rate));
}

static size_t odd(double x)
{
    return 2 * (size_t)lround((x - 1) / 2) + 1;
}

static void choose_sizes(rv_classic *c, double sample_rate)
{
    c->size = frame_size(sample_rate);
    c->hop = c->size / OVERLAP;
    c->time_width = odd(stroke_seconds * sample_rate / (double)c->hop);
    c->frequency_width = odd(stroke_hertz * (double)c->size / sample_rate);
    c->gap = (size_t)lround(repeat_seconds * sample_rate / (double)c->hop);
}

static void *take(rv_arena *a, size_t rows, size_t bytes)
{
    size_t total;
    if (__builtin_mul_overflow(rows, bytes, &total) ||
        __builtin_add_overflow(total, (size_t)RV_FFT_ALIGN, &total))
        return NULL;
    char *p = rv_arena_take(a, total);
    return p ? p + (-(uintptr_t)p & (RV_FFT_ALIGN - 1)) : NULL;
}

static bool take_lane(rv_classic *c, lane_scratch *lane, size_t columns)
{
    rv_arena *a = &c->arena;
    const size_t row = rv_median_scratch(c->bins, c->frequency_width);
    const size_t column = rv_hpss_scratch(columns, c->time_width);
    lane->spectra = take(a, rv_spectra_scratch(c->spectra), sizeof(float));
    lane->x = take(a, c->bins, sizeof(float complex));
    lane->y = take(a, c->bins, sizeof(float complex));
    lane->row = take(a, c->bins, sizeof(float));
    lane->background = take(a, c->bins, sizeof(float));
    lane->similarity = take(a, columns, ROWS * sizeof(float));
    lane->sorting = take(a, RV_REPET_MOST * RV_REPET_LANES, sizeof(float));
    lane->median = take(a, row > column ? row : column, 1);
    return lane->spectra && lane->x && lane->y && lane->row && lane->background &&
           lane->similarity && lane->sorting && lane->median;
}

static bool take_memory(rv_classic *c)
{
    rv_arena *a = &c->arena;
    const size_t columns = rv_spectra_frames(c->spectra, c->most), row = c->bins * sizeof(float);
    c->bias = take(a, 1, row);
    c->low = take(a, 1, row);
    c->voice = take(a, 1, row);
    c->rumble = take(a, 1, row);
    c->magnitude = take(a, columns, row);
    c->strokes = take(a, columns, row);
    c->vocals = take(a, columns, row);
    c->features = take(a, columns, rv_repet_bands(c->bins) * sizeof(float));
    bool all = c->bias && c->low && c->voice && c->rumble && c->magnitude && c->strokes &&
               c->vocals && c->features;
    for (size_t i = 0; all && i < LANES; i++)
        all = take_lane(c, &c->lane[i], columns);
    return all;
}

static rv_status set_up(rv_classic *c, int sample_rate, rv_error *err)
{
    choose_sizes(c, sample_rate);
    c->bins = c->size / 2 + 1;
    RV_TRY(rv_spectra_new(&c->spectra, c->size, c->hop, c->arena.mem, err));
    if (!take_memory(c))
        return RV_FAIL(err, RV_ERR_NOMEM, "classic separation of %zu frames", c->most);
    make_curves(c, sample_rate);
    find_voice(c);
    return RV_OK;
}

rv_status rv_classic_new(rv_classic **out, int channels, int sample_rate, size_t frames,
                         const rv_alloc *mem, rv_error *err)
{
    mem = mem ? mem : &rv_alloc_default;
    if (channels < 1 || channels > 64)
        return RV_FAIL(err, RV_ERR_ARG, "%d channels; expected 1 to 64", channels);
    if (sample_rate < 8000 || sample_rate > 192000)
        return RV_FAIL(err, RV_ERR_ARG, "sample rate %d; expected 8000 to 192000", sample_rate);
    if (frames < 1 || frames > SIZE_MAX / 64)
        return RV_FAIL(err, RV_ERR_ARG, "segments of %zu frames; expected 1 to %zu", frames,
                       SIZE_MAX / 64);
    rv_classic *c = mem->alloc(mem->ctx, sizeof *c, _Alignof(rv_classic));
    if (!c)
        return RV_FAIL(err, RV_ERR_NOMEM, "classic separation");
    *c = (rv_classic){ .channels = (size_t)channels, .most = frames };
    rv_arena_init(&c->arena, mem);
    const rv_status status = set_up(c, sample_rate, err);
    if (status != RV_OK) {
        rv_classic_free(c);
        return status;
    }
    *out = c;
    return RV_OK;
}

void rv_classic_free(rv_classic *c)
{
    if (!c)
        return;
    const rv_alloc *mem = c->arena.mem;
    rv_spectra_free(c->spectra);
    rv_arena_fini(&c->arena);
    mem->free(mem->ctx, c);
}

/* Part `lane` of n things: from the result up to that of lane + 1. */
static size_t cut(size_t n, size_t lane)
{
    return n / LANES * lane + n % LANES * lane / LANES;
}

/* Sum over channels of X -> lane y, and of |X|^2 -> lane row. */
static void add_channels(const rv_classic *c, lane_scratch *s, size_t t)
{
    memset(s->y, 0, c->bins * sizeof *s->y);
    memset(s->row, 0, c->bins * sizeof *s->row);
    for (size_t channel = 0; channel < c->channels; channel++) {
        rv_spectra_frame(c->spectra, c->mix[channel], c->frames, t, s->x, s->spectra);
        const float *x = (const float *)s->x;
        for (size_t k = 0; k < c->bins; k++) {
            s->y[k] += s->x[k];
            s->row[k] += x[2 * k] * x[2 * k] + x[2 * k + 1] * x[2 * k + 1];
        }
    }
}

/* Magnitude, centre and features of each column. */
static void analyse(void *job, size_t task, int worker)
{
    (void)worker;
    rv_classic *c = job;
    lane_scratch *s = &c->lane[task];
    const float mean = 1 / (float)c->channels, others = (float)c->channels - 1;
    for (size_t t = cut(c->columns, task); t < cut(c->columns, task + 1); t++) {
        float *magnitude = c->magnitude + t * c->bins, *centre = c->vocals + t * c->bins;
        add_channels(c, s, t);
        for (size_t k = 0; k < c->bins; k++) {
            const float *sum = (const float *)(s->y + k), energy = s->row[k];
            const float common = sum[0] * sum[0] + sum[1] * sum[1] - energy;
            const float share = common / (others * energy + 1e-20f);
            magnitude[k] = sqrtf(energy * mean);
            centre[k] = c->channels == 1 ? 1 : share < 0 ? 0 : share > 1 ? 1 : share;
        }
        rv_repet_features(c->features, magnitude, c->bins, c->columns, t);
    }
}

static void find_tones(void *job, size_t task, int worker)
{
    (void)worker;
    rv_classic *c = job;
    rv_hpss_harmonic(c->strokes, c->magnitude, c->columns, c->bins, cut(c->bins, task),
                     cut(c->bins, task + 1), c->time_width, c->lane[task].median);
}

/* Masks of column t; `background` (of the voice's bins, else 0) and the row of P are in the
 * lane's scratch. With equal channels the centre says nothing: only repetition is left, and it
 * counts in full. Otherwise a soft power of it does better than either extreme. */
static void make_masks(rv_classic *c, const lane_scratch *s, size_t t)
{
    const float *magnitude = c->magnitude + t * c->bins;
    float *strokes = c->strokes + t * c->bins, *vocals = c->vocals + t * c->bins;
    rv_hpss_share(strokes, strokes, s->row, c->bias, c->bins);
    for (size_t k = 0; k < c->bins; k++) {
        const float centre = vocals[k], square = centre * centre;
        const float rest = magnitude[k] - s->background[k];
        const float fresh = rest > 0 ? rest / magnitude[k] : 0;
        strokes[k] *= 0.5f + 0.5f * centre;
        vocals[k] = (1 - strokes[k]) * c->voice[k] * square * square * square *
                    (c->mono ? fresh : sqrtf(sqrtf(fresh)));
    }
}

static void find_masks(void *job, size_t task, int worker)
{
    (void)worker;
    rv_classic *c = job;
    lane_scratch *s = &c->lane[task];
    const size_t end = cut(c->columns, task + 1);
    for (size_t first = cut(c->columns, task); first < end; first += ROWS) {
        const size_t count = end - first < ROWS ? end - first : ROWS;
        rv_repet_similarity(s->similarity, c->features, rv_repet_bands(c->bins), c->columns, first,
                            count);
        for (size_t i = 0; i < count; i++) {
            const size_t t = first + i;
            const size_t n =
                rv_repet_choose(s->chosen, s->similarity + i * c->columns, c->columns, c->gap);
            rv_repet_background(s->background, c->magnitude, c->bins, c->voice_first, c->voice_end,
                                s->chosen, n, s->sorting);
            rv_median(s->row, c->magnitude + t * c->bins, c->bins, c->frequency_width, s->median);
            make_masks(c, s, t);
        }
    }
}

/* The mask of a stem in column t -> row [bins] */
static void mask_row(const rv_classic *c, float *row, size_t t, int stem)
{
    const float *strokes = c->strokes + t * c->bins, *vocals = c->vocals + t * c->bins;
    for (size_t k = 0; k < c->bins; k++)
        row[k] = stem == DRUMS  ? strokes[k] * c->rumble[k]
                 : stem == BASS ? (1 - strokes[k]) * c->low[k]
                                : vocals[k];
}

static void add_column(const rv_classic *c, lane_scratch *s, size_t t, size_t channel, size_t first,
                       size_t count)
{
    static const int masked[] = { DRUMS, BASS, VOCALS };
    rv_spectra_frame(c->spectra, c->mix[channel], c->frames, t, s->x, s->spectra);
    for (size_t i = 0; i < 3; i++) {
        const float *x = (const float *)s->x;
        float *y = (float *)s->y;
        mask_row(c, s->row, t, masked[i]);
        for (size_t k = 0; k < c->bins; k++) {
            y[2 * k] = s->row[k] * x[2 * k];
            y[2 * k + 1] = s->row[k] * x[2 * k + 1];
        }
        rv_spectra_add(c->spectra, s->y, t, c->stems[masked[i]][channel] + first, first, count,
                       s->spectra);
    }
}

/* Samples first .. first + count of all stems in one channel. */
static void synthesise(const rv_classic *c, lane_scratch *s, size_t channel, size_t first,
                       size_t count)
{
    float *y[RV_CLASSIC_STEMS];
    size_t begin, end;
    for (size_t stem = 0; stem < RV_CLASSIC_STEMS; stem++) {
        y[stem] = c->stems[stem][channel] + first;
        memset(y[stem], 0, count * sizeof **y);
    }
    rv_spectra_span(c->spectra, first, count, &begin, &end);
    for (size_t t = begin; t < end; t++)
        add_column(c, s, t, channel, first, count);
    const float *mix = c->mix[channel] + first;
    for (size_t i = 0; i < count; i++)
        y[OTHER][i] = mix[i] - (y[DRUMS][i] + y[BASS][i] + y[VOCALS][i]);
}

static void write_stems(void *job, size_t task, int worker)
{
    (void)worker;
    rv_classic *c = job;
    const size_t first = cut(c->frames, task), end = cut(c->frames, task + 1);
    for (size_t channel = 0; channel < c->channels && first < end; channel++)
        synthesise(c, &c->lane[task], channel, first, end - first);
}

static bool channels_are_equal(const rv_classic *c)
{
    for (size_t channel = 1; channel < c->channels; channel++)
        if (memcmp(c->mix[0], c->mix[channel], c->frames * sizeof **c->mix) != 0)
            return false;
    return true;
}

void rv_classic_process(rv_classic *c, const float *const *mix, size_t frames,
                        float *const *const *stems, rv_pool *pool)
{
    c->mix = mix;
    c->stems = stems;
    c->frames = frames;
    c->columns = rv_spectra_frames(c->spectra, frames);
    c->mono = channels_are_equal(c);
    rv_pool_run(pool, LANES, analyse, c);
    rv_pool_run(pool, LANES, find_tones, c);
    rv_pool_run(pool, LANES, find_masks, c);
    rv_pool_run(pool, LANES, write_stems, c);
}
