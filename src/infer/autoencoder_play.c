/* autoencoder_play.c - a DDSP autoencoder plays features of any length in blocks of frames: the
 * state of its GRU and the phase of its harmonics go from one to the next, and filters of the noise
 * reach over the edges, so that what is heard is what one graph of the whole length would give, but
 * for the last frame, in which controls move on as if there were another one.
 *
 *     block                 | before |      step       | after |
 *     the next one                   ... step later    | before |      step       | after |
 *
 * `before` and `after` are the frames that the synthesisers' filters reach; of each block the
 * frames of `step` are heard, of the first one those before them, too. The room is a convolution
 * over all. Memory does not depend on the length. */
#include "infer/autoencoder_play.h"

#include "base/rng.h"
#include "base/status.h"
#include "dsp/stream_convolution.h"
#include "infer/timbre_stream.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LEAST_STEP = 16, PARTITION = 1024 };

struct rv_player {
    const rv_autoencoder_config *config;
    const rv_play_source *source;
    const rv_play_sink *sink;
    const rv_play_options *options;
    size_t before, step, frames; /* of a block */
    rv_autoencoder_block block;
    rv_timbre_stream *timbre;
    rv_stream_convolution *room;
    float *f0, *loudness, *voice, *z; /* of the block: the engine may write over its inputs */
    float *state, *mix;               /* [hidden], [frames hop] */
    double phase;                     /* turns before the block */
    size_t start;                     /* of the block, in frames */
    size_t made;                      /* samples */
    bool started;
};

typedef struct rv_player player;

/* Making ----------------------------------------------------------------------------------- */

static void set_sizes(player *p)
{
    const rv_autoencoder_config *c = p->config;
    const size_t taps = c->style == RV_STYLE_DDSP ? 2 * (c->decoder.n_bands - 1) : 0;
    const size_t second = c->sample_rate / c->hop;
    p->before = (taps + c->hop - 1) / c->hop + 1;
    p->step = p->options->block ? p->options->block : second;
    p->step = p->step > LEAST_STEP || p->options->block ? p->step : LEAST_STEP;
    p->frames = p->step + 2 * p->before;
}

static rv_status make_room(player *p, const rv_autoencoder_network *n, rv_error *err)
{
    rv_stream_convolution_config c = { .partition = PARTITION };
    float *taps = NULL;
    RV_TRY(rv_autoencoder_room(n, p->options->seed, &taps, &c.n_taps, err));
    c.taps = taps;
    const rv_status st = taps ? rv_stream_convolution_new(&p->room, &c, NULL, err) : RV_OK;
    free(taps);
    return st;
}

static rv_status make(player *p, const rv_autoencoder_network *n, rv_error *err)
{
    const size_t z = p->config->decoder.z;
    p->f0 = calloc(p->frames * (3 + z), sizeof *p->f0);
    p->state = calloc(p->config->decoder.hidden_size, sizeof *p->state);
    p->mix = calloc(p->frames * p->config->hop, sizeof *p->mix);
    if (!p->f0 || !p->state || !p->mix)
        return RV_FAIL(err, RV_ERR_NOMEM, "a block of %zu frames", p->frames);
    p->loudness = p->f0 + p->frames;
    p->voice = p->loudness + p->frames;
    p->z = p->voice + p->frames;
    if (p->options->room)
        RV_TRY(make_room(p, n, err));
    if (z)
        RV_TRY(rv_timbre_stream_new(&p->timbre, n, p->source, p->options->pool, err));
    return rv_autoencoder_block_init(&p->block, n, p->frames, p->options->pool, err);
}

void rv_player_free(player *p)
{
    if (!p)
        return;
    rv_autoencoder_piece_free(p->block.piece);
    rv_timbre_stream_free(p->timbre);
    rv_stream_convolution_free(p->room);
    free(p->f0);
    free(p->state);
    free(p->mix);
    free(p);
}

/* A block ---------------------------------------------------------------------------------- */

/* Frames from `at` of the block on are read; the last one of the source stays. */
static rv_status read_frames(player *p, size_t at, rv_error *err)
{
    const size_t all = p->source->frames, first = p->start + at, want = p->frames - at;
    const size_t left = first < all ? all - first : 0, n = left < want ? left : want;
    if (n > 0)
        RV_TRY(p->source->read(p->source->ctx, first, n, p->f0 + at, p->loudness + at,
                               p->voice + at, err));
    for (size_t i = at + n; i < p->frames; i++) {
        p->f0[i] = p->f0[i - 1];
        p->loudness[i] = p->loudness[i - 1];
        p->voice[i] = p->voice[i - 1];
    }
    if (!p->timbre)
        return RV_OK;
    return rv_timbre_stream_read(p->timbre, want, p->z + at * p->config->decoder.z, err);
}

/* Noise is a function of the place; there is none beyond the last frame. */
static void fill_noise(const player *p)
{
    const size_t hop = p->config->hop, end = p->source->frames * hop;
    for (size_t i = 0, t = p->start * hop; i < p->frames * hop; i++, t++)
        p->block.noise[i] = t < end ? (float)(2 * rv_rng_uniform(p->options->seed, 0, t) - 1) : 0;
}

static void run_block(player *p)
{
    const size_t n = p->frames * sizeof *p->f0, z = p->config->decoder.z;
    memcpy(p->block.f0, p->f0, n);
    memcpy(p->block.loudness, p->loudness, n);
    memcpy(p->block.voice, p->voice, n);
    if (z)
        memcpy(p->block.z, p->z, n * z);
    memcpy(p->block.state, p->state, p->config->decoder.hidden_size * sizeof *p->state);
    *p->block.phase = (float)p->phase;
    fill_noise(p);
    rv_autoencoder_piece_run(p->block.piece);
}

/* Turns of a frame, as the synthesiser brings f0 to samples. */
static double turns(const player *p, size_t frame)
{
    const double hop = (double)p->config->hop, rate = (double)p->config->sample_rate;
    const double f0 = (double)p->f0[frame], rise = (double)p->f0[frame + 1] - f0;
    const double slope = p->config->style == RV_STYLE_DDSP ? rise * (hop - 1) / 2 : 0;
    return (hop * f0 + slope) / rate;
}

/* To the next block. */
static rv_status advance(player *p, rv_error *err)
{
    const size_t hidden = p->config->decoder.hidden_size, z = p->config->decoder.z;
    const size_t kept = p->frames - p->step;
    for (size_t i = 0; i < p->step; i++)
        p->phase += turns(p, i);
    p->phase -= floor(p->phase);
    memcpy(p->state, p->block.states + (p->step - 1) * hidden, hidden * sizeof *p->state);
    float *const values[] = { p->f0, p->loudness, p->voice };
    for (size_t i = 0; i < 3; i++)
        memmove(values[i], values[i] + p->step, kept * sizeof **values);
    memmove(p->z, p->z + p->step * z, kept * z * sizeof *p->z);
    p->start += p->step;
    return read_frames(p, kept, err);
}

/* Out -------------------------------------------------------------------------------------- */

static rv_status give_controls(const player *p, size_t first, size_t n, rv_error *err)
{
    const size_t at = p->start + first, all = p->source->frames;
    const size_t left = at < all ? all - at : 0;
    const rv_play_controls c = {
        .f0 = p->f0 + first,
        .loudness = p->loudness + first,
        .amplitude = p->block.amplitude + first,
        .distribution = p->block.distribution + first * p->config->decoder.n_harmonic,
        .magnitudes = p->block.magnitudes + first * p->config->decoder.n_bands,
        .n = n < left ? n : left,
    };
    if (!p->sink->controls || c.n == 0)
        return RV_OK;
    return p->sink->controls(p->sink->ctx, &c, err);
}

/* Frames first .. first + n of the block are heard. */
static rv_status give(player *p, size_t first, size_t n, rv_error *err)
{
    const size_t hop = p->config->hop, left = p->options->samples - p->made;
    const size_t samples = n * hop < left ? n * hop : left;
    const float *harmonics = p->block.harmonic_audio + first * hop;
    const float *noise = p->block.noise_audio + first * hop;
    const float a = (float)p->options->harmonics_gain, b = (float)p->options->noise_gain;
    for (size_t i = 0; i < samples; i++)
        p->mix[i] = a * harmonics[i] + b * noise[i];
    if (p->room)
        rv_stream_convolution_process(p->room, p->mix, p->mix, samples);
    p->made += samples;
    RV_TRY(give_controls(p, first, n, err));
    RV_TRY(p->sink->audio(p->sink->ctx, p->mix, samples, err));
    const double share = (double)p->made / (double)p->options->samples;
    if (p->sink->watch && p->sink->watch(p->sink->ctx, share))
        return RV_FAIL(err, RV_ERR_CANCELLED, "stopped after %zu samples", p->made);
    return RV_OK;
}

/* Steps ------------------------------------------------------------------------------------ */

size_t rv_player_needs(const player *p)
{
    return p->start + (p->started ? p->step : 0) + p->frames;
}

size_t rv_player_ahead(const player *p)
{
    return p->frames;
}

bool rv_player_done(const player *p)
{
    return p->made >= p->options->samples;
}

rv_status rv_player_step(player *p, rv_error *err)
{
    const bool first = !p->started;
    p->started = true;
    RV_TRY(first ? read_frames(p, 0, err) : advance(p, err));
    run_block(p);
    return first ? give(p, 0, p->before + p->step, err) : give(p, p->before, p->step, err);
}

void rv_player_reset(player *p)
{
    memset(p->state, 0, p->config->decoder.hidden_size * sizeof *p->state);
    if (p->room)
        rv_stream_convolution_reset(p->room);
    p->phase = 0;
    p->start = p->made = 0;
    p->started = false;
}

rv_status rv_player_new(player **out, const rv_autoencoder_network *n, const rv_play_source *source,
                        const rv_play_sink *sink, const rv_play_options *options, rv_error *err)
{
    player *p = calloc(1, sizeof *p);
    if (!p)
        return RV_FAIL(err, RV_ERR_NOMEM, "a player");
    *p = (player){ .config = rv_autoencoder_network_config(n),
                   .source = source,
                   .sink = sink,
                   .options = options };
    set_sizes(p);
    const rv_status st = make(p, n, err);
    if (st != RV_OK) {
        rv_player_free(p);
        return st;
    }
    *out = p;
    return RV_OK;
}

rv_status rv_autoencoder_play(const rv_autoencoder_network *n, const rv_play_source *source,
                              const rv_play_sink *sink, const rv_play_options *options,
                              rv_error *err)
{
    player *p = NULL;
    if (source->frames == 0 || options->samples == 0)
        return RV_FAIL(err, RV_ERR_ARG, "nothing to play: %zu frames, %zu samples", source->frames,
                       options->samples);
    rv_status st = rv_player_new(&p, n, source, sink, options, err);
    while (st == RV_OK && !rv_player_done(p))
        st = rv_player_step(p, err);
    rv_player_free(p);
    return st;
}
