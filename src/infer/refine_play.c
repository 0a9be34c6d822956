/* refine_play.c - a stem of any length through a network that refines stems, in windows as long as
 * the examples that it learned from, each half a window later than the one before:
 *
 *     y = a + w (b - a),  w from 0 to 1 over half a window
 *
 * with a the end of one window and b the beginning of the next; where both are the stem, y is the
 * stem, bit by bit. Noise is drawn for each half by itself and the phase of the harmonics goes on,
 * so that both windows play the same. Memory does not depend on the length. */
#include "infer/refine_play.h"

#include "base/status.h"
#include "ddsp/synth_noise.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct player {
    rv_refiner_network *network;
    const rv_refine_source *source;
    const rv_refine_play_options *options;
    size_t hop, half, frames, samples; /* half: frames; frames, samples: of a window */
    float *stem, *last, *mixed;        /* [samples], [samples / 2], [samples / 2] */
    float *f0, *loudness;              /* [frames] */
    double phase;                      /* turns of f0 before the window */
    size_t number;                     /* of the window */
    size_t read, made;                 /* samples */
    bool ended;
} player;

static rv_status init(player *p, rv_error *err)
{
    const rv_refiner_config *c = rv_refiner_network_config(p->network);
    const double halves = p->options->window * (double)c->sample_rate / (double)c->hop / 2;
    if (!(p->options->window > 0 && p->options->window <= 600))
        return RV_FAIL(err, RV_ERR_ARG, "a window of %g s; above 0 and up to 600 is expected",
                       p->options->window);
    p->hop = c->hop;
    p->half = halves < 1 ? 1 : (size_t)(halves + 0.5);
    p->frames = 2 * p->half;
    p->samples = p->frames * p->hop;
    p->stem = calloc(p->samples, sizeof *p->stem);
    p->last = calloc(p->samples / 2, sizeof *p->last);
    p->mixed = calloc(p->samples / 2, sizeof *p->mixed);
    p->f0 = calloc(p->frames, sizeof *p->f0);
    p->loudness = calloc(p->frames, sizeof *p->loudness);
    if (!p->stem || !p->last || !p->mixed || !p->f0 || !p->loudness)
        return RV_FAIL(err, RV_ERR_NOMEM, "a window of %zu samples", p->samples);
    return rv_refiner_network_plan(p->network, p->frames, p->options->pool, err);
}

/* The second half becomes the first, and another half is read; zeros follow the end. */
static rv_status read_stem(player *p, rv_error *err)
{
    const size_t half = p->samples / 2, kept = p->number > 0 ? half : 0;
    memmove(p->stem, p->stem + half, kept * sizeof *p->stem);
    memset(p->stem + kept, 0, (p->samples - kept) * sizeof *p->stem);
    if (p->ended)
        return RV_OK;
    size_t got = 0;
    RV_TRY(p->source->stem(p->source->ctx, p->stem + kept, p->samples - kept, &got, err));
    p->read += got;
    p->ended = got < p->samples - kept;
    return RV_OK;
}

/* Turns over the first half of the window, f0 being linear between frames. */
static double turns(const player *p)
{
    const double rate = (double)rv_refiner_network_config(p->network)->sample_rate;
    const double hop = (double)p->hop;
    double sum = 0;
    for (size_t i = 0; i < p->half; i++) {
        const double here = (double)p->f0[i], next = (double)p->f0[i + 1];
        sum += hop * here + (next - here) * (hop - 1) / 2;
    }
    return sum / rate;
}

static void fill_window(player *p)
{
    const rv_refiner_window w = rv_refiner_network_window(p->network);
    const size_t half = p->samples / 2;
    if (w.stem)
        memcpy(w.stem, p->stem, p->samples * sizeof *w.stem);
    for (size_t i = 0; w.noise && i < 2; i++)
        rv_noise_fill(w.noise + i * half, half, p->options->seed, p->number + i);
    if (w.f0)
        memcpy(w.f0, p->f0, p->frames * sizeof *w.f0);
    if (w.loudness)
        memcpy(w.loudness, p->loudness, p->frames * sizeof *w.loudness);
    if (w.phase)
        *w.phase = (float)(p->phase - floor(p->phase));
}

static rv_status give_half(player *p, const float *made, rv_error *err)
{
    const size_t half = p->samples / 2, left = p->read - p->made;
    const size_t n = left < half ? left : half;
    for (size_t t = 0; t < half; t++) {
        const float share = p->number > 0 ? ((float)t + 0.5F) / (float)half : 1;
        const float before = p->number > 0 ? p->last[t] : made[t];
        p->mixed[t] = before + share * (made[t] - before);
        if (!isfinite(p->mixed[t]))
            return RV_FAIL(err, RV_ERR_FORMAT, "the model gives no number at sample %zu",
                           p->made + t);
    }
    memcpy(p->last, made + half, half * sizeof *p->last);
    p->made += n;
    return p->source->take(p->source->ctx, p->mixed, p->stem, n, err);
}

static rv_status play(player *p, rv_error *err)
{
    const rv_refine_source *s = p->source;
    const double rate = (double)rv_refiner_network_config(p->network)->sample_rate;
    for (; !p->ended || p->made < p->read; p->number++) {
        RV_TRY(read_stem(p, err));
        RV_TRY(s->frames(s->ctx, p->number * p->half, p->frames, p->f0, p->loudness, err));
        fill_window(p);
        RV_TRY(give_half(p, rv_refiner_network_run(p->network), err));
        p->phase += turns(p);
        p->phase -= floor(p->phase);
        if (s->watch && s->watch(s->ctx, (double)p->made / rate))
            return RV_FAIL(err, RV_ERR_CANCELLED, "stopped");
    }
    return RV_OK;
}

rv_status rv_refine_play(rv_refiner_network *n, const rv_refine_source *source,
                         const rv_refine_play_options *options, rv_error *err)
{
    player p = { .network = n, .source = source, .options = options };
    rv_status st = init(&p, err);
    if (st == RV_OK)
        st = play(&p, err);
    free(p.stem);
    free(p.last);
    free(p.mixed);
    free(p.f0);
    free(p.loudness);
    return st;
}
