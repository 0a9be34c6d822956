/* phrases.c - see phrases.h. */
#include "base/status.h"
#include "data/track_read.h"
#include "io/audio_read.h"
#include "train/phrases_impl.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SIZE_LIMIT = 1 << 30 };

rv_phrases_config rv_phrases_defaults(void)
{
    rv_feature_spec spec;
    rv_feature_defaults(&spec, RV_FEATURE_F0, 16000, 250);
    return (rv_phrases_config){ .sample_rate = 16000,
                                .segment = 64000,
                                .frame_rate = 250,
                                .stride = 16000,
                                .batch = 4,
                                .shuffle = true,
                                .f0_method = spec.f0_method,
                                .f0_min = spec.f0_min,
                                .f0_max = spec.f0_max,
                                .silence = -60 };
}

static double hop_of(const rv_phrases_config *c)
{
    return c->sample_rate / c->frame_rate;
}

/* One example ------------------------------------------------------------------------------- */

size_t rv_phrase_frame(const rv_phrases_config *c, const rv_place *place)
{
    return (size_t)llround((double)place->start / hop_of(c));
}

/* Example b of a batch. */
static rv_phrase_batch part_of(const rv_phrases *p, const rv_phrase_batch *all, size_t b)
{
    const rv_phrase_shape *s = &p->shape;
    const size_t at = b * s->frames;
    return (rv_phrase_batch){ all->audio + b * s->samples,
                              all->f0 + at,
                              all->confidence + at,
                              all->loudness + at,
                              all->mfcc ? all->mfcc + at * RV_SONG_MFCC : NULL,
                              NULL,
                              all->target ? all->target + b * s->samples : NULL };
}

static rv_status read_example(rv_phrases *p, const rv_place *place, const rv_phrase_batch *out,
                              rv_error *err)
{
    const size_t frame = rv_phrase_frame(&p->config, place);
    const bool pairs = p->config.pairs;
    rv_track_part part = { .track = place->track,
                           .stem = pairs ? p->tracks->list->n_stems : 0,
                           .sample_rate = p->config.sample_rate,
                           .channels = 1,
                           .start = llround((double)frame * hop_of(&p->config)),
                           .frames = p->shape.samples };
    const rv_frame_values values = { .f0 = out->f0,
                                     .confidence = out->confidence,
                                     .loudness = out->loudness,
                                     .mfcc = p->config.mfcc ? out->mfcc : NULL,
                                     .voiced = out->voiced };
    RV_TRY(rv_track_read(p->tracks, &part, &(float *){ out->audio }, err));
    part.stem = 0;
    if (pairs)
        RV_TRY(rv_track_read(p->tracks, &part, &(float *){ out->target }, err));
    return rv_song_features_read(p->features, place->track, frame, p->shape.frames, &values, err);
}

/* Of pairs, which are cut to a length, a rest is no example. */
static bool is_rest(const rv_phrases *p, const rv_place *place)
{
    const size_t length = rv_track_length(&p->tracks->tracks[place->track], p->config.sample_rate);
    return p->config.pairs && place->start > 0 &&
           (uint64_t)place->start + p->shape.samples > length;
}

/* A place is kept if it is not silent. */
static rv_status has_sound(void *ctx, const rv_place *place, bool *keep, rv_error *err)
{
    rv_phrases *p = ctx;
    const double least = pow(10, p->config.silence / 20);
    float level = 0;
    RV_TRY(rv_song_features_level(p->features, place->track, rv_phrase_frame(&p->config, place),
                                  p->shape.frames, &level, err));
    *keep = (double)level > least && !is_rest(p, place);
    return RV_OK;
}

/* Batches ----------------------------------------------------------------------------------- */

static size_t target_floats(const rv_phrases *p)
{
    return p->config.pairs ? p->shape.batch * p->shape.samples : 0;
}

static size_t mfcc_floats(const rv_phrases *p)
{
    return p->config.mfcc ? p->shape.batch * p->shape.frames * RV_SONG_MFCC : 0;
}

/* Of a batch in one piece of memory. */
static rv_phrase_batch lay_out(const rv_phrases *p, float *data)
{
    const size_t samples = p->shape.batch * p->shape.samples;
    const size_t frames = p->shape.batch * p->shape.frames;
    float *f0 = data + samples;
    float *rest = f0 + 3 * frames;
    return (rv_phrase_batch){ data,
                              f0,
                              f0 + frames,
                              f0 + 2 * frames,
                              p->config.mfcc ? rest : NULL,
                              NULL,
                              p->config.pairs ? rest + mfcc_floats(p) : NULL };
}

static size_t batch_floats(const rv_phrases *p)
{
    return p->shape.batch * (p->shape.samples + 3 * p->shape.frames) + mfcc_floats(p) +
           target_floats(p);
}

/* An rv_produce_fn */
static rv_status make_batch(void *user, uint64_t step, void *data, int worker,
                            const atomic_bool *stop, rv_error *err)
{
    rv_phrases *p = user;
    const uint64_t per_epoch = rv_phrases_steps_per_epoch(p);
    const rv_phrase_batch all = lay_out(p, data);
    (void)worker;
    for (size_t b = 0; b < p->shape.batch; b++) {
        const size_t i = (size_t)(step % per_epoch) * p->shape.batch + b;
        const rv_phrase_batch one = part_of(p, &all, b);
        rv_place place;
        if (atomic_load(stop))
            return RV_FAIL(err, RV_ERR_CANCELLED, "batch %llu", (unsigned long long)step);
        rv_example_order_places(p->order, step / per_epoch, i, 1, &place);
        RV_TRY(read_example(p, &place, &one, err));
    }
    return RV_OK;
}

/* Making ------------------------------------------------------------------------------------ */

rv_status rv_phrases_check(const rv_phrases_config *c, rv_error *err)
{
    if (c->sample_rate < RV_AUDIO_RATE_MIN || c->sample_rate > RV_AUDIO_RATE_MAX)
        return RV_FAIL(err, RV_ERR_ARG, "training data at %d Hz; expected %d to %d", c->sample_rate,
                       RV_AUDIO_RATE_MIN, RV_AUDIO_RATE_MAX);
    if (!(c->frame_rate >= 0.01 && c->frame_rate <= c->sample_rate))
        return RV_FAIL(err, RV_ERR_ARG, "%g frames a second; expected 0.01 to the sample rate, %d",
                       c->frame_rate, c->sample_rate);
    if (c->segment < 1 || c->segment > SIZE_LIMIT || c->stride > SIZE_LIMIT)
        return RV_FAIL(err, RV_ERR_ARG,
                       "training segments of %zu samples every %zu; expected 1 to %d", c->segment,
                       c->stride, SIZE_LIMIT);
    if (c->batch < 1 || c->batch > SIZE_LIMIT || c->ahead > SIZE_LIMIT)
        return RV_FAIL(err, RV_ERR_ARG, "batches of %zu examples, %zu ahead; expected 1 to %d",
                       c->batch, c->ahead, SIZE_LIMIT);
    if (!(c->silence <= 0))
        return RV_FAIL(err, RV_ERR_ARG, "silence below %g dB; expected 0 or less", c->silence);
    if (c->threads < 0 || c->threads > 1024)
        return RV_FAIL(err, RV_ERR_ARG, "%d threads; expected 1 to 1024, or 0", c->threads);
    return RV_OK;
}

rv_status rv_phrases_find_shape(const rv_phrases_config *c, rv_phrase_shape *shape, rv_error *err)
{
    const double hop = hop_of(c), frames = fmax(round((double)c->segment / hop), 1);
    const double samples = round(frames * hop);
    const size_t wide = 3 + (c->mfcc ? RV_SONG_MFCC : 0), signals = c->pairs ? 2 : 1;
    size_t bytes;
    if (samples > SIZE_LIMIT)
        return RV_FAIL(err, RV_ERR_ARG, "frames of %g samples; expected at most %d", hop,
                       SIZE_LIMIT);
    *shape = (rv_phrase_shape){ c->batch, (size_t)samples, (size_t)frames };
    if (__builtin_mul_overflow(c->batch, (signals * shape->samples + wide * shape->frames),
                               &bytes) ||
        __builtin_mul_overflow(bytes, sizeof(float), &bytes))
        return RV_FAIL(err, RV_ERR_ARG,
                       "a batch of %zu examples of %zu samples does not fit the memory", c->batch,
                       shape->samples);
    return RV_OK;
}

rv_song_features_options rv_phrases_features(const rv_phrases_config *c, size_t stem)
{
    return (rv_song_features_options){ .stem = stem,
                                       .sample_rate = c->sample_rate,
                                       .frame_rate = c->frame_rate,
                                       .align = c->align,
                                       .f0_method = c->f0_method,
                                       .f0_min = c->f0_min,
                                       .f0_max = c->f0_max,
                                       .loudness = c->loudness,
                                       .mfcc = c->mfcc,
                                       .of_mixture = c->pairs,
                                       .threads = c->threads };
}

static rv_status make_order(rv_phrases *p, rv_error *err)
{
    const rv_phrases_config *c = &p->config;
    const rv_order_options opt = { .sample_rate = c->sample_rate,
                                   .length = p->shape.samples,
                                   .stride = c->stride ? c->stride : p->shape.samples,
                                   .shuffle = c->shuffle,
                                   .seed = c->seed,
                                   .keeps = has_sound,
                                   .ctx = p };
    RV_TRY(rv_example_order_new(&p->order, p->tracks, &opt, err));
    const rv_track_list *list = p->tracks->list;
    const size_t n = rv_phrases_count(p);
    if (n < c->batch)
        return RV_FAIL(err, RV_ERR_ARG,
                       "%s: too small: %zu examples of %zu samples in %zu songs (%zu silent "
                       "examples and %zu silent songs left out); a batch needs %zu",
                       list->root, n, p->shape.samples, list->n - p->tracks->n_silent,
                       rv_phrases_left_out(p), p->tracks->n_silent, c->batch);
    return RV_OK;
}

/* Examples stand in order of songs. */
static rv_status find_first(rv_phrases *p, rv_error *err)
{
    const size_t n = rv_phrases_count(p), songs = p->tracks->list->n;
    if (!(p->first = calloc(songs + 1, sizeof *p->first)))
        return RV_FAIL(err, RV_ERR_NOMEM, "%zu songs", songs);
    for (size_t i = 0; i < n; i++)
        p->first[rv_example_order_place(p->order, i)->track + 1]++;
    for (size_t s = 0; s < songs; s++)
        p->first[s + 1] += p->first[s];
    return RV_OK;
}

static rv_status check_pairs(const rv_phrases *p, const rv_track_list *songs, rv_error *err)
{
    for (size_t i = 0; p->config.pairs && i < songs->n; i++)
        if (songs->tracks[i].mixture.n == 0)
            return RV_FAIL(err, RV_ERR_FORMAT,
                           "%s: %s has no input beside its target; expected shards of `ravel "
                           "dataset shards`",
                           songs->root, songs->tracks[i].name);
    return RV_OK;
}

static rv_status init(rv_phrases *p, const rv_track_list *songs, rv_feature_cache *cache,
                      int threads, const rv_feature_watch *watch, rv_error *err)
{
    RV_TRY(rv_phrases_check(&p->config, err));
    if (threads < 0 || threads > 256)
        return RV_FAIL(err, RV_ERR_ARG, "%d threads that read ahead; expected 0 to 256", threads);
    if (songs->n_stems != 1)
        return RV_FAIL(err, RV_ERR_ARG, "%s: %zu stems; expected one to learn from", songs->root,
                       songs->n_stems);
    RV_TRY(check_pairs(p, songs, err));
    RV_TRY(rv_phrases_find_shape(&p->config, &p->shape, err));
    RV_TRY(rv_track_cache_new(&p->tracks, songs, err));
    RV_TRY(rv_track_cache_check_sound(p->tracks, err));
    const rv_song_features_options features = rv_phrases_features(&p->config, 0);
    RV_TRY(rv_song_features_new(&p->features, &features, p->tracks, cache, watch, err));
    RV_TRY(make_order(p, err));
    RV_TRY(find_first(p, err));
    const rv_prefetch_options opt = { .threads = threads,
                                      .slots =
                                          p->config.ahead ? p->config.ahead : (size_t)threads + 1,
                                      .slot_bytes = batch_floats(p) * sizeof(float),
                                      .produce = make_batch,
                                      .user = p };
    return rv_prefetch_new(&p->prefetch, &opt, err);
}

rv_status rv_phrases_new(rv_phrases **out, const rv_phrases_config *config,
                         const rv_track_list *songs, rv_feature_cache *cache, int threads,
                         const rv_feature_watch *watch, rv_error *err)
{
    rv_phrases *p = calloc(1, sizeof *p);
    if (!p)
        return RV_FAIL(err, RV_ERR_NOMEM, "training data");
    p->config = *config;
    const rv_status st = init(p, songs, cache, threads, watch, err);
    if (st == RV_OK)
        *out = p;
    else
        rv_phrases_free(p);
    return st;
}

void rv_phrases_free(rv_phrases *p)
{
    if (!p)
        return;
    rv_prefetch_free(p->prefetch);
    rv_example_order_free(p->order);
    rv_song_features_free(p->features);
    rv_track_cache_free(p->tracks);
    free(p->first);
    free(p);
}

/* Asking ------------------------------------------------------------------------------------ */

rv_phrase_shape rv_phrases_shape(const rv_phrases *p)
{
    return p->shape;
}

size_t rv_phrases_count(const rv_phrases *p)
{
    return rv_example_order_count(p->order);
}

size_t rv_phrases_left_out(const rv_phrases *p)
{
    return rv_example_order_left_out(p->order);
}

size_t rv_phrases_silent_songs(const rv_phrases *p)
{
    return p->tracks->n_silent;
}

size_t rv_phrases_steps_per_epoch(const rv_phrases *p)
{
    return rv_phrases_count(p) / p->shape.batch;
}

rv_status rv_phrases_fill(rv_phrases *p, uint64_t step, const rv_phrase_batch *out, rv_error *err)
{
    const size_t frames = p->shape.batch * p->shape.frames * sizeof(float);
    const void *data = NULL;
    RV_TRY(rv_prefetch_take(p->prefetch, step, &data, err));
    const rv_phrase_batch all = lay_out(p, (float *)data);
    memcpy(out->audio, all.audio, p->shape.batch * p->shape.samples * sizeof(float));
    memcpy(out->f0, all.f0, frames);
    memcpy(out->confidence, all.confidence, frames);
    memcpy(out->loudness, all.loudness, frames);
    if (out->mfcc && all.mfcc)
        memcpy(out->mfcc, all.mfcc, frames * RV_SONG_MFCC);
    if (all.target)
        memcpy(out->target, all.target, target_floats(p) * sizeof(float));
    rv_prefetch_give_back(p->prefetch);
    return RV_OK;
}

size_t rv_phrases_of_song(const rv_phrases *p, size_t song)
{
    return p->first[song + 1] - p->first[song];
}

rv_status rv_phrases_example(rv_phrases *p, size_t song, size_t i, const rv_phrase_batch *out,
                             rv_error *err)
{
    if (song >= p->tracks->list->n || i >= rv_phrases_of_song(p, song))
        return RV_FAIL(err, RV_ERR_ARG, "example %zu of song %zu is not there", i, song);
    return read_example(p, rv_example_order_place(p->order, p->first[song] + i), out, err);
}
