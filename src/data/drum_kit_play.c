/* drum_kit_play.c - hits to sound.
 *
 * A hit plays, of each component of its instrument, the layer whose velocities hold the hit's, or
 * come nearest (kits leave gaps). Of several that are equally near it is the first, or they
 * are taken in turn or at random, as the instrument says (sampleSelectionAlgo). It sounds with
 *
 *     velocity * volume * gain of the instrument * gain of the layer * pan of the channel
 *
 * as Hydrogen does. It starts at the nearest frame. A hit that is ended by another of its mute
 * group fades to nothing within 20 ms.
 *
 * A kit that is tuned plays its samples at another rate. These are kept while it plays and not
 * longer: there are as many as tunings, and kits fill hundreds of megabytes already. */
#include "base/rng.h"
#include "base/status.h"
#include "data/drum_kit_impl.h"

#include <math.h>
#include <stdlib.h>

enum { RATE_MIN = 1000, RATE_MAX = 768000 };

enum { SELECTION_SEED = 1 }; /* the choices at random: a piece is a stream, a hit a counter */

static const double fade_seconds = 0.02;
static const double inaudible = 120; /* dB by which a damped sound fell at its end */
static const double tuning_most = 12;

/* A hit that sounds. */
typedef struct strike {
    size_t at; /* frame */
    size_t order;
    int piece;
    double velocity;
    size_t turn; /* earlier ones of the piece */
    bool silent;
} strike;

/* A layer's sample at another rate. */
typedef struct tuned_sound tuned_sound;
struct tuned_sound {
    const drum_layer *layer;
    drum_sound *sound;
    tuned_sound *next;
};

typedef struct player {
    const rv_drum_kit *kit;
    float *const *out;
    size_t frames;
    int rate;
    strike *strike; /* [strikes] in order of time */
    size_t strikes;
    const rv_drum_way *way;
    tuned_sound *tuned;
} player;

static int by_time(const void *a, const void *b)
{
    const strike *x = a, *y = b;
    if (x->at != y->at)
        return x->at < y->at ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

static rv_status count_turns(player *p, rv_error *err)
{
    size_t *counts = calloc(p->kit->instruments + 1, sizeof *counts);
    if (!counts)
        return RV_FAIL(err, RV_ERR_NOMEM, "%zu drum hits", p->strikes);
    for (size_t i = 0; i < p->strikes; i++)
        p->strike[i].turn = p->strike[i].silent ? 0 : counts[p->strike[i].piece]++;
    free(counts);
    return RV_OK;
}

static rv_status collect(player *p, const rv_drum_hit *hits, size_t n, size_t *left_out,
                         rv_error *err)
{
    *left_out = 0;
    for (size_t i = 0; i < n; i++) {
        const rv_drum_hit *hit = &hits[i];
        if (!(hit->start >= 0 && hit->velocity >= 0 && hit->velocity <= 1))
            return RV_FAIL(err, RV_ERR_ARG,
                           "drum hit %zu at %g s with velocity %g; expected 0 s or later, 0 to 1",
                           i, hit->start, hit->velocity);
        const int piece = rv_drum_piece_for(p->kit, hit->note);
        const bool silent = p->way->silent && p->way->silent[i];
        *left_out += piece < 0;
        const double at = floor(hit->start * p->rate + 0.5);
        if (piece >= 0 && at < (double)p->frames)
            p->strike[p->strikes++] = (strike){ (size_t)at, i, piece, hit->velocity, 0, silent };
    }
    qsort(p->strike, p->strikes, sizeof *p->strike, by_time);
    return count_turns(p, err);
}

static bool is_hat(const rv_drum_kit *k, int piece)
{
    return piece == k->piece[42] || piece == k->piece[44] || piece == k->piece[46];
}

static bool ends(const rv_drum_kit *k, int earlier, int later)
{
    const drum_instrument *a = &k->instrument[earlier], *b = &k->instrument[later];
    if (earlier == later)
        return a->stops_itself;
    if (a->mute_group >= 0 || b->mute_group >= 0)
        return a->mute_group == b->mute_group;
    return is_hat(k, earlier) && is_hat(k, later);
}

/* The frame from which strike i fades, or that of the sound's end. */
static size_t end_of(const player *p, size_t i, size_t sound_end)
{
    for (size_t j = i + 1; j < p->strikes && p->strike[j].at < sound_end; j++) {
        if (ends(p->kit, p->strike[i].piece, p->strike[j].piece))
            return p->strike[j].at;
    }
    return sound_end;
}

static void add(const player *p, size_t i, const drum_sound *sound, const double gain[2])
{
    const size_t at = p->strike[i].at, whole = at + sound->frames;
    const size_t until = end_of(p, i, whole);
    const size_t fade = (size_t)(fade_seconds * p->rate);
    size_t last = whole - until < fade ? whole : until + fade;
    last = last < p->frames ? last : p->frames;
    const double decay = p->way->decay;
    const double step = decay > 0 ? pow(10, -60 / (20 * decay * p->rate)) : 1;
    for (int c = 0; c < 2; c++) {
        double damping = 1;
        for (size_t t = at; t < last; t++, damping *= step) {
            const double left = t < until ? 1 : 1 - (double)(t - until + 1) / (double)(fade + 1);
            p->out[c][t] += (float)(gain[c] * left * damping * (double)sound->plane[c][t - at]);
        }
    }
}

static double distance(const drum_layer *layer, double velocity)
{
    return velocity < layer->min   ? layer->min - velocity
           : velocity > layer->max ? velocity - layer->max
                                   : 0;
}

/* Which of n layers; components have equally many, so those of one hit belong together. */
static size_t pick(const drum_instrument *instrument, const strike *s, size_t n)
{
    switch (instrument->selection) {
    case DRUM_IN_TURN:
        return s->turn % n;
    case DRUM_AT_RANDOM:
        return (size_t)rv_rng_below(SELECTION_SEED, (uint64_t)s->piece, s->turn, n);
    default:
        return 0;
    }
}

/* Of the layers of one component: one of the nearest. */
static bool is_chosen(const drum_instrument *instrument, size_t layer, const strike *s)
{
    const drum_layer *own = &instrument->layer[layer];
    const double off = distance(own, s->velocity);
    size_t alike = 0, before = 0;
    for (size_t i = 0; i < instrument->layers; i++) {
        const drum_layer *other = &instrument->layer[i];
        const double other_off = distance(other, s->velocity);
        if (other->component != own->component)
            continue;
        if (other_off < off)
            return false;
        alike += other_off == off;
        before += other_off == off && i < layer;
    }
    return before == pick(instrument, s, alike);
}

/* Factors of the channels; the newer <pan> is told by its not being 0. */
static void find_gain(const drum_instrument *instrument, const drum_layer *layer, double velocity,
                      double gain[2])
{
    const double pan = instrument->pan, level = instrument->volume * instrument->gain *
                                                layer->gain *
                                                (instrument->by_velocity ? velocity : 1);
    gain[0] = level * (pan == 0 ? instrument->left : fmin(1, 1 - pan));
    gain[1] = level * (pan == 0 ? instrument->right : fmin(1, 1 + pan));
}

/* What is heard of a sound. */
static size_t heard_of(const player *p, const drum_sound *sound, double ratio)
{
    const double most = p->way->decay * inaudible / 60 * p->rate * ratio;
    return p->way->decay > 0 && most < (double)sound->frames ? (size_t)most : sound->frames;
}

/* Of the kit, or a retuned one of the player. */
static rv_status sound_of(player *p, drum_layer *layer, const drum_sound **out, rv_error *err)
{
    RV_TRY(rv_drum_sound_get(p->kit, layer, p->rate, out, err));
    if (p->way->tuning == 0)
        return RV_OK;
    tuned_sound *t = p->tuned;
    while (t && t->layer != layer)
        t = t->next;
    if (!t) {
        const double ratio = pow(2, p->way->tuning / 12);
        if (!(t = calloc(1, sizeof *t)))
            return RV_FAIL(err, RV_ERR_NOMEM, "%s: tuning a drum", p->kit->path);
        *t = (tuned_sound){ .layer = layer, .next = p->tuned };
        p->tuned = t;
        RV_TRY(rv_drum_sound_retune(&t->sound, *out, heard_of(p, *out, ratio), ratio, err));
    }
    *out = t->sound;
    return RV_OK;
}

static void free_tuned(tuned_sound *t)
{
    while (t) {
        tuned_sound *const next = t->next;
        rv_drum_sound_free(t->sound);
        free(t);
        t = next;
    }
}

static rv_status play_strike(player *p, size_t i, rv_error *err)
{
    const strike *s = &p->strike[i];
    drum_instrument *instrument = &p->kit->instrument[s->piece];
    for (size_t l = 0; l < instrument->layers; l++) {
        const drum_sound *sound = NULL;
        double gain[2];
        if (s->silent || !is_chosen(instrument, l, s))
            continue;
        RV_TRY(sound_of(p, &instrument->layer[l], &sound, err));
        find_gain(instrument, &instrument->layer[l], s->velocity, gain);
        for (int c = 0; c < 2 && p->way->gain != 0; c++)
            gain[c] *= pow(10, p->way->gain / 20);
        add(p, i, sound, gain);
    }
    return RV_OK;
}

rv_status rv_drum_kit_play_as(const rv_drum_kit *k, const rv_drum_way *way, float *const out[2],
                              size_t frames, int sample_rate, const rv_drum_hit *hits, size_t n,
                              size_t *left_out, rv_error *err)
{
    size_t lacking = 0;
    if (sample_rate < RATE_MIN || sample_rate > RATE_MAX)
        return RV_FAIL(err, RV_ERR_ARG, "drums at %d Hz; expected %d to %d", sample_rate, RATE_MIN,
                       RATE_MAX);
    if (!(fabs(way->tuning) <= tuning_most && way->decay >= 0 && isfinite(way->gain)))
        return RV_FAIL(err, RV_ERR_ARG,
                       "drums tuned by %g, at %g dB, damped in %g s; expected -%g to %g semitones, "
                       "a level, 0 s or longer",
                       way->tuning, way->gain, way->decay, tuning_most, tuning_most);
    player p = { .kit = k, .out = out, .frames = frames, .rate = sample_rate, .way = way };
    if (!(p.strike = calloc(n + (n == 0), sizeof *p.strike)))
        return RV_FAIL(err, RV_ERR_NOMEM, "%zu drum hits", n);
    rv_status status = collect(&p, hits, n, &lacking, err);
    for (size_t i = 0; status == RV_OK && i < p.strikes; i++)
        status = play_strike(&p, i, err);
    free_tuned(p.tuned);
    free(p.strike);
    if (status == RV_OK && left_out)
        *left_out = lacking;
    return status;
}

rv_status rv_drum_kit_play(const rv_drum_kit *k, float *const out[2], size_t frames,
                           int sample_rate, const rv_drum_hit *hits, size_t n, size_t *left_out,
                           rv_error *err)
{
    const rv_drum_way plain = { .tuning = 0 };
    return rv_drum_kit_play_as(k, &plain, out, frames, sample_rate, hits, n, left_out, err);
}
