/* wiener_window.c - expectation maximisation from the stems as a model gives them.
 *
 *   S. Uhlich et al., "Improving music source separation based on deep neural networks through data
 *   augmentation and network blending", ICASSP 2017; formula and constants in core/ops/wiener.c.
 *
 * The first estimates y_j are the complex spectra of the model's stems, so that places in space
 * come from both their levels and their phases (norbert's `expectation_maximization`). Three things
 * are added to the published filter:
 *
 *   - The regularisation is for numbers of a certain size, so the window is scaled by the power of
 *     two that brings the loudest bin of the mix to [8, 16): a track gives the same at any level.
 *   - What the regularisation leaves of the mix is shared out by the power of the first estimates
 *     (evenly where all of them are zero): the stems add up to the mix.
 *   - A single stem would become the mix: with it what it leaves of the mix takes part. */
#include "infer/wiener_window.h"

#include "core/wiener_em.h"

#include <math.h>
#include <string.h>

enum { BINS_OF_TASK = 16 }; /* neighbours in memory */

typedef struct {
    const rv_wiener_window *window;
    rv_wiener_size size; /* with the rest of a single stem */
    float gain;
    float *scratch;
    size_t scratch_row;
} job;

/* Of one bin and one worker. */
typedef struct {
    real *x;     /* [frames,audio,2] mix */
    real *y;     /* [frames,stems,audio,2] estimates */
    real *power; /* [frames,stems] of the first estimates */
} bin;

static rv_wiener_size size_of(const rv_wiener_window *w)
{
    return (rv_wiener_size){ w->frames, w->stems == 1 ? 2 : w->stems, w->audio };
}

size_t rv_wiener_window_scratch(const rv_wiener_window *w)
{
    const rv_wiener_size s = size_of(w);
    return s.frames * (2 * s.audio + s.stems * (2 * s.audio + 1));
}

static bin bin_of(const job *j, int worker)
{
    const rv_wiener_size s = j->size;
    real *x = j->scratch + (size_t)worker * j->scratch_row, *y = x + s.frames * 2 * s.audio;
    return (bin){ x, y, y + s.frames * s.stems * s.audio * 2 };
}

static float complex *spectrum_at(const rv_wiener_window *w, size_t plane, size_t t)
{
    return w->spectra + (plane * w->frames + t) * w->bins;
}

static void scale(real *to, const float complex *z, float gain)
{
    to[0] = crealf(*z) * gain;
    to[1] = cimagf(*z) * gain;
}

/* What one stem leaves of the mix, as a second one. */
static void add_rest(const real *x, real *y, size_t numbers)
{
    for (size_t i = 0; i < numbers; i++)
        y[numbers + i] = x[i] - y[i];
}

static void read_frame(const job *j, const bin *b, size_t f, size_t t)
{
    const rv_wiener_window *w = j->window;
    const rv_wiener_size s = j->size;
    real *x = b->x + t * s.audio * 2, *y = b->y + t * s.stems * s.audio * 2;
    for (size_t a = 0; a < w->audio; a++)
        scale(x + 2 * a, spectrum_at(w, a, t) + f, j->gain);
    for (size_t p = 0; p < w->stems * w->audio; p++)
        scale(y + 2 * p, spectrum_at(w, w->audio + p, t) + f, j->gain);
    if (s.stems > w->stems)
        add_rest(x, y, 2 * s.audio);
    for (size_t k = 0; k < s.stems; k++) {
        real sum = 0;
        for (size_t i = 0; i < 2 * s.audio; i++)
            sum += y[k * s.audio * 2 + i] * y[k * s.audio * 2 + i];
        b->power[t * s.stems + k] = sum;
    }
}

/* Number i of the spectra of a frame: what the stems' sum lacks of the mix's. */
static void share_rest(const rv_wiener_size *s, const real *power, const real *x, real *y, size_t i)
{
    const size_t row = s->audio * 2;
    double rest = (double)x[i], total = 0;
    for (size_t k = 0; k < s->stems; k++) {
        rest -= (double)y[k * row + i];
        total += (double)power[k];
    }
    for (size_t k = 0; k < s->stems; k++) {
        const double share = total > 0 ? (double)power[k] / total : 1 / (double)s->stems;
        y[k * row + i] = (real)((double)y[k * row + i] + rest * share);
    }
}

static void write_frame(const job *j, const bin *b, size_t f, size_t t)
{
    const rv_wiener_window *w = j->window;
    const rv_wiener_size s = j->size;
    real *y = b->y + t * s.stems * s.audio * 2;
    for (size_t i = 0; i < 2 * s.audio; i++)
        share_rest(&s, b->power + t * s.stems, b->x + t * s.audio * 2, y, i);
    for (size_t p = 0; p < w->stems * w->audio; p++)
        spectrum_at(w, w->audio + p, t)[f] = CMPLXF(y[2 * p] / j->gain, y[2 * p + 1] / j->gain);
}

static void filter_bins(void *ctx, size_t task, int worker)
{
    const job *j = ctx;
    const bin b = bin_of(j, worker);
    const size_t from = task * BINS_OF_TASK, left = j->window->bins - from;
    for (size_t f = from; f < from + (left < BINS_OF_TASK ? left : BINS_OF_TASK); f++) {
        for (size_t t = 0; t < j->size.frames; t++)
            read_frame(j, &b, f, t);
        rv_wiener_improve(b.y, b.x, j->size, j->window->iterations);
        for (size_t t = 0; t < j->size.frames; t++)
            write_frame(j, &b, f, t);
    }
}

/* Of the mix, by its parts. */
static float loudest(const rv_wiener_window *w)
{
    float most = 0;
    for (size_t i = 0; i < w->audio * w->frames * w->bins; i++) {
        const float size = fmaxf(fabsf(crealf(w->spectra[i])), fabsf(cimagf(w->spectra[i])));
        most = size > most ? size : most;
    }
    return most;
}

static float gain_for(float most)
{
    int exponent;
    if (!isfinite(most))
        return 1;
    frexpf(most, &exponent);
    return ldexpf(1, 4 - (exponent > -100 ? exponent : -100));
}

void rv_wiener_window_filter(const rv_wiener_window *w, float *scratch, rv_pool *pool)
{
    const float most = loudest(w);
    if (most == 0) {
        const size_t plane = w->frames * w->bins;
        memset(w->spectra + w->audio * plane, 0, w->stems * w->audio * plane * sizeof *w->spectra);
        return;
    }
    job j = { .window = w,
              .size = size_of(w),
              .gain = gain_for(most),
              .scratch = scratch,
              .scratch_row = rv_wiener_window_scratch(w) };
    rv_pool_run(pool, (w->bins + BINS_OF_TASK - 1) / BINS_OF_TASK, filter_bins, &j);
}
