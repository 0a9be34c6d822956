/* wiener_stream.c - spectra of the mix and of the stems, a window of them filtered, and back.
 *
 * Spectra have 4096 samples every 1024 at 44.1 kHz, and the power of two next to as many seconds
 * elsewhere. A window has 300 frames (7 s), as with Open-Unmix; the last one of a track has up to
 * 449, so that none has few, whose places in space would say little. */
#include "infer/wiener_stream.h"

#include "base/status.h"
#include "core/wiener_em.h"
#include "dsp/real_fft.h"
#include "dsp/spectra.h"
#include "infer/strip.h"
#include "infer/wiener_window.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { WINDOW = 300, LAST_WINDOW = 450, OVERLAP = RV_WIENER_OVERLAP };
static const double frame_seconds = 4096 / 44100.0;

struct rv_wiener_stream {
    rv_wiener_options options;
    size_t hop, planes; /* planes: of the stems */
    rv_spectra *spectra;
    rv_strip mix, stems, out;
    size_t next;   /* frame of the next window */
    size_t pulled; /* samples */
    bool finished;
    rv_wiener_window window;
    size_t room;                     /* frames there is memory for */
    float *fft_scratch, *em_scratch; /* for each thread */
};

size_t rv_wiener_stream_frame(size_t sample_rate)
{
    const double exponent = round(log2(frame_seconds * (double)sample_rate));
    return (size_t)1 << (exponent < 6 ? 6 : (int)exponent);
}

static rv_status check(const rv_wiener_options *o, rv_error *err)
{
    if (o->channels > RV_WIENER_AUDIO || o->stems >= RV_WIENER_STEMS)
        return RV_FAIL(err, RV_ERR_UNSUPPORTED,
                       "the Wiener filter takes 1 or %d channels and up to %d stems, not %zu and "
                       "%zu",
                       RV_WIENER_AUDIO, RV_WIENER_STEMS - 1, o->channels, o->stems);
    return RV_OK;
}

static rv_status init(rv_wiener_stream *s, rv_error *err)
{
    const size_t size = rv_wiener_stream_frame(s->options.sample_rate);
    const size_t threads = (size_t)rv_pool_threads(s->options.pool);
    s->hop = size / OVERLAP;
    RV_TRY(rv_spectra_new(&s->spectra, size, s->hop, NULL, err));
    s->fft_scratch = aligned_alloc(RV_FFT_ALIGN, threads * rv_spectra_scratch(s->spectra) *
                                                     sizeof *s->fft_scratch);
    return s->fft_scratch ? RV_OK : RV_FAIL(err, RV_ERR_NOMEM, "%zu spectra", threads);
}

rv_status rv_wiener_stream_new(rv_wiener_stream **out, const rv_wiener_options *o, rv_error *err)
{
    RV_TRY(check(o, err));
    rv_wiener_stream *s = calloc(1, sizeof *s);
    if (!s)
        return RV_FAIL(err, RV_ERR_NOMEM, "a Wiener filter");
    s->options = *o;
    s->planes = o->channels * o->stems;
    rv_strip_init(&s->mix, o->channels);
    rv_strip_init(&s->stems, s->planes);
    rv_strip_init(&s->out, s->planes);
    const rv_status st = init(s, err);
    if (st != RV_OK) {
        rv_wiener_stream_free(s);
        return st;
    }
    *out = s;
    return RV_OK;
}

void rv_wiener_stream_free(rv_wiener_stream *s)
{
    if (!s)
        return;
    rv_strip_fini(&s->mix);
    rv_strip_fini(&s->stems);
    rv_strip_fini(&s->out);
    rv_spectra_free(s->spectra);
    free(s->window.spectra);
    free(s->fft_scratch);
    free(s->em_scratch);
    free(s);
}

void rv_wiener_stream_reset(rv_wiener_stream *s)
{
    rv_strip_reset(&s->mix);
    rv_strip_reset(&s->stems);
    rv_strip_reset(&s->out);
    s->next = s->pulled = 0;
    s->finished = false;
}

size_t rv_wiener_stream_latency(const rv_wiener_stream *s)
{
    return LAST_WINDOW * s->hop;
}

/* Input ----------------------------------------------------------------------------- */

rv_status rv_wiener_stream_mix(rv_wiener_stream *s, const float *const *mix, size_t frames,
                               rv_error *err)
{
    return rv_strip_append(&s->mix, mix, frames, err);
}

rv_status rv_wiener_stream_stems(rv_wiener_stream *s, const float *const *stems, size_t frames,
                                 rv_error *err)
{
    return rv_strip_append(&s->stems, stems, frames, err);
}

void rv_wiener_stream_finish(rv_wiener_stream *s)
{
    s->finished = true;
}

/* Windows ---------------------------------------------------------------------------- */

/* Frame t holds the samples [(t - 3) hop, (t + 1) hop). */
static size_t first_sample(const rv_wiener_stream *s, size_t frame)
{
    return frame > OVERLAP - 1 ? (frame - (OVERLAP - 1)) * s->hop : 0;
}

/* Frames of the next window, of those that can be analysed; 0: not yet, or none is left. */
static size_t window_frames(const rv_wiener_stream *s)
{
    const size_t known = s->stems.end;
    const size_t frames = s->finished ? rv_spectra_frames(s->spectra, known) : known / s->hop;
    const size_t left = frames - s->next;
    return left >= LAST_WINDOW ? WINDOW : s->finished ? left : 0;
}

static rv_status take_memory(rv_wiener_stream *s, size_t frames, rv_error *err)
{
    const size_t threads = (size_t)rv_pool_threads(s->options.pool);
    rv_wiener_window *w = &s->window;
    float complex *old = w->spectra;
    const size_t bins = rv_spectra_bins(s->spectra), planes = s->options.channels + s->planes;
    *w = (rv_wiener_window){ .spectra = old,
                             .frames = frames,
                             .bins = bins,
                             .audio = s->options.channels,
                             .stems = s->options.stems,
                             .iterations = s->options.iterations };
    if (frames <= s->room)
        return RV_OK;
    s->room = 0;
    free(w->spectra);
    free(s->em_scratch);
    w->spectra = malloc(planes * frames * bins * sizeof *w->spectra);
    s->em_scratch = malloc(threads * rv_wiener_window_scratch(w) * sizeof *s->em_scratch);
    if (!w->spectra || !s->em_scratch)
        return RV_FAIL(err, RV_ERR_NOMEM, "%zu planes of %zu spectra", planes, frames);
    s->room = frames;
    return RV_OK;
}

static float *scratch_of(const rv_wiener_stream *s, int worker)
{
    return s->fft_scratch + (size_t)worker * rv_spectra_scratch(s->spectra);
}

/* One frame of one plane: of the mix, then of the stems. */
static void analyse(void *ctx, size_t task, int worker)
{
    const rv_wiener_stream *s = ctx;
    const rv_wiener_window *w = &s->window;
    const size_t plane = task / w->frames, frame = s->next + task % w->frames;
    const bool of_mix = plane < w->audio;
    const rv_strip *strip = of_mix ? &s->mix : &s->stems;
    const float *x = rv_strip_at(strip, of_mix ? plane : plane - w->audio, strip->from);
    rv_spectra_frame(s->spectra, x, s->stems.end - strip->from, frame - strip->from / s->hop,
                     w->spectra + task * w->bins, scratch_of(s, worker));
}

/* A plane of the stems; frames in order. */
static void synthesise(void *ctx, size_t plane, int worker)
{
    const rv_wiener_stream *s = ctx;
    const rv_wiener_window *w = &s->window;
    const rv_strip *out = &s->out;
    const size_t from = first_sample(s, s->next);
    const float complex *spectra = w->spectra + (w->audio + plane) * w->frames * w->bins;
    for (size_t t = 0; t < w->frames; t++)
        rv_spectra_add(s->spectra, spectra + t * w->bins, s->next + t,
                       rv_strip_at(out, plane, from), from, out->end - from, scratch_of(s, worker));
}

/* What later frames do not hold. */
static void drop_used(const rv_wiener_stream *s, rv_strip *strip)
{
    const size_t first = first_sample(s, s->next);
    rv_strip_drop(strip, first < strip->end ? first : strip->end);
}

static rv_status run_window(rv_wiener_stream *s, size_t frames, rv_error *err)
{
    rv_pool *pool = s->options.pool;
    RV_TRY(take_memory(s, frames, err));
    RV_TRY(rv_strip_extend(&s->out, (s->next + frames) * s->hop, err));
    rv_pool_run(pool, (s->options.channels + s->planes) * frames, analyse, s);
    if (s->options.fit)
        RV_TRY(rv_source_fit_window(s->options.fit, &s->window, s->next, s->stems.end, err));
    if (s->options.iterations > 0)
        rv_wiener_window_filter(&s->window, s->em_scratch, pool);
    rv_pool_run(pool, s->planes, synthesise, s);
    s->next += frames;
    drop_used(s, &s->mix);
    drop_used(s, &s->stems);
    return RV_OK;
}

/* Output ----------------------------------------------------------------------------- */

/* Samples that no later frame adds to. */
static size_t final_samples(const rv_wiener_stream *s)
{
    const size_t known = s->stems.end, final = first_sample(s, s->next);
    return final < known ? final : known;
}

rv_status rv_wiener_stream_pull(rv_wiener_stream *s, float *const *stems, size_t room, size_t *made,
                                rv_error *err)
{
    for (size_t n = 1; n > 0 && final_samples(s) == s->pulled;)
        if ((n = window_frames(s)) > 0)
            RV_TRY(run_window(s, n, err));
    const size_t ready = final_samples(s) - s->pulled, n = ready < room ? ready : room;
    for (size_t p = 0; p < s->planes && n; p++)
        memcpy(stems[p], rv_strip_at(&s->out, p, s->pulled), n * sizeof **stems);
    s->pulled += n;
    rv_strip_drop(&s->out, s->pulled);
    *made = n;
    return RV_OK;
}
