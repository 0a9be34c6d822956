/* stem_players.c - see stem_players.h. Each stem has a strip of features, which its player reads,
 * and one of sound, which it writes. */
#include "infer/stem_players.h"

#include "base/status.h"
#include "infer/strip.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { NOTE, LOUDNESS, FEATURES };

static const double lowest = 1, highest_share = 0.49; /* Hz; of the sample rate */

typedef struct {
    rv_stem_players *of;
    rv_player *player;
    rv_play_source source;
    rv_play_sink sink;
    rv_play_options options;
    rv_strip features, audio; /* by frame, by sample */
} stem;

struct rv_stem_players {
    rv_stem_players_options options;
    stem *stems; /* [options.n] */
    size_t hop;
    double rate;
    size_t pushed, emitted; /* samples */
    bool finished;
};

/* Features in ------------------------------------------------------------------------------ */

static float hertz(const rv_stem_players *p, float note)
{
    const double hz = 440 * exp2(((double)note - 69) / 12);
    return (float)fmin(fmax(hz, lowest), highest_share * p->rate);
}

/* The rv_play_source of a stem. */
static rv_status read_frames(void *ctx, size_t first, size_t n, float *f0, float *loudness,
                             float *voice, rv_error *err)
{
    const stem *s = ctx;
    const float *note = rv_strip_at(&s->features, NOTE, first);
    (void)err;
    memcpy(loudness, rv_strip_at(&s->features, LOUDNESS, first), n * sizeof *loudness);
    for (size_t i = 0; i < n; i++) {
        f0[i] = hertz(s->of, note[i]);
        voice[i] = 1;
    }
    return RV_OK;
}

static rv_status push_stem(stem *s, const float *const *features, size_t samples, rv_error *err)
{
    const rv_stem_players *p = s->of;
    const size_t frame = s->features.end, end = (p->pushed + samples + p->hop - 1) / p->hop;
    RV_TRY(rv_strip_extend(&s->features, end, err));
    for (int k = 0; k < FEATURES; k++)
        for (size_t t = frame; t < end; t++)
            *rv_strip_at(&s->features, (size_t)k, t) = features[k][t * p->hop - p->pushed];
    return RV_OK;
}

rv_status rv_stem_players_push(rv_stem_players *p, const float *const *features, size_t samples,
                               rv_error *err)
{
    if (p->finished)
        return RV_FAIL(err, RV_ERR_ARG, "more features after the end");
    for (size_t i = 0; i < p->options.n; i++)
        RV_TRY(push_stem(&p->stems[i], features + FEATURES * i, samples, err));
    p->pushed += samples;
    return RV_OK;
}

void rv_stem_players_finish(rv_stem_players *p)
{
    p->finished = true;
    for (size_t i = 0; i < p->options.n; i++) {
        stem *s = &p->stems[i];
        s->source.frames = s->features.end;
        s->options.samples = p->pushed;
    }
}

/* Sound out -------------------------------------------------------------------------------- */

static rv_status take_audio(void *ctx, float *samples, size_t n, rv_error *err)
{
    stem *s = ctx;
    const size_t at = s->audio.end;
    for (size_t i = 0; i < n; i++)
        if (!isfinite(samples[i]))
            return RV_FAIL(err, RV_ERR_FORMAT, "decoder %zu gives no number at %.3f s",
                           (size_t)(s - s->of->stems) + 1, (double)(at + i) / s->of->rate);
    if (n == 0)
        return RV_OK;
    RV_TRY(rv_strip_extend(&s->audio, at + n, err));
    memcpy(rv_strip_at(&s->audio, 0, at), samples, n * sizeof *samples);
    return RV_OK;
}

static rv_status take_controls(void *ctx, const rv_play_controls *c, rv_error *err)
{
    const stem *s = ctx;
    const rv_stem_players_options *o = &s->of->options;
    return o->controls(o->ctx, (size_t)(s - s->of->stems), c, err);
}

/* Until sound waits, or features are missing. */
static rv_status play(stem *s, rv_error *err)
{
    const rv_stem_players *p = s->of;
    while (s->audio.end == p->emitted && !rv_player_done(s->player) &&
           (p->finished ? p->pushed > 0 : rv_player_needs(s->player) <= s->features.end)) {
        RV_TRY(rv_player_step(s->player, err));
        const size_t ahead = rv_player_ahead(s->player), needs = rv_player_needs(s->player);
        const size_t first = needs > 2 * ahead ? needs - 2 * ahead : 0;
        rv_strip_drop(&s->features, first < s->features.end ? first : s->features.end);
    }
    return RV_OK;
}

rv_status rv_stem_players_pull(rv_stem_players *p, float *const *stems, size_t room, size_t *made,
                               rv_error *err)
{
    size_t ready = room;
    for (size_t i = 0; i < p->options.n; i++) {
        RV_TRY(play(&p->stems[i], err));
        const size_t waits = p->stems[i].audio.end - p->emitted;
        ready = waits < ready ? waits : ready;
    }
    for (size_t i = 0; i < p->options.n && ready > 0; i++) {
        memcpy(stems[i], rv_strip_at(&p->stems[i].audio, 0, p->emitted), ready * sizeof **stems);
        rv_strip_drop(&p->stems[i].audio, p->emitted + ready);
    }
    p->emitted += ready;
    *made = ready;
    return RV_OK;
}

/* Making ----------------------------------------------------------------------------------- */

static void begin(rv_stem_players *p)
{
    p->pushed = p->emitted = 0;
    p->finished = false;
    for (size_t i = 0; i < p->options.n; i++) {
        stem *s = &p->stems[i];
        s->source.frames = RV_PLAY_ENDLESS;
        s->options.samples = (size_t)RV_PLAY_ENDLESS * p->hop;
    }
}

void rv_stem_players_reset(rv_stem_players *p)
{
    begin(p);
    for (size_t i = 0; i < p->options.n; i++) {
        rv_strip_reset(&p->stems[i].features);
        rv_strip_reset(&p->stems[i].audio);
        rv_player_reset(p->stems[i].player);
    }
}

size_t rv_stem_players_latency(const rv_stem_players *p)
{
    size_t most = 0;
    for (size_t i = 0; i < p->options.n; i++) {
        const size_t ahead = rv_player_ahead(p->stems[i].player);
        most = ahead > most ? ahead : most;
    }
    return most * p->hop;
}

static rv_status init_stem(rv_stem_players *p, size_t i, rv_error *err)
{
    const rv_stem_players_options *o = &p->options;
    stem *s = &p->stems[i];
    s->of = p;
    s->source.read = read_frames;
    s->source.ctx = s;
    s->sink = (rv_play_sink){ .audio = take_audio,
                              .controls = o->controls ? take_controls : NULL,
                              .ctx = s };
    s->options = (rv_play_options){ .harmonics_gain = 1,
                                    .noise_gain = 1,
                                    .room = true,
                                    .seed = o->seed + i, /* noises that are unlike each other */
                                    .pool = o->pool };
    return rv_player_new(&s->player, o->decoders[i], &s->source, &s->sink, &s->options, err);
}

rv_status rv_stem_players_new(rv_stem_players **out, const rv_stem_players_options *options,
                              rv_error *err)
{
    const rv_autoencoder_config *c = rv_autoencoder_network_config(options->decoders[0]);
    rv_stem_players *p = calloc(1, sizeof *p);
    if (!p || !(p->stems = calloc(options->n, sizeof *p->stems))) {
        free(p);
        return RV_FAIL(err, RV_ERR_NOMEM, "players of %zu stems", options->n);
    }
    p->options = *options;
    p->hop = c->hop;
    p->rate = (double)c->sample_rate;
    for (size_t i = 0; i < options->n; i++) {
        rv_strip_init(&p->stems[i].features, FEATURES);
        rv_strip_init(&p->stems[i].audio, 1);
    }
    begin(p);
    rv_status st = RV_OK;
    for (size_t i = 0; i < options->n && st == RV_OK; i++)
        st = init_stem(p, i, err);
    if (st != RV_OK) {
        rv_stem_players_free(p);
        return st;
    }
    *out = p;
    return RV_OK;
}

void rv_stem_players_free(rv_stem_players *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->options.n; i++) {
        rv_player_free(p->stems[i].player);
        rv_strip_fini(&p->stems[i].features);
        rv_strip_fini(&p->stems[i].audio);
    }
    free(p->stems);
    free(p);
}
