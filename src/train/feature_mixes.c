/* feature_mixes.c - see feature_mixes.h. */
#include "train/feature_mixes.h"

#include "base/rng.h"
#include "base/status.h"
#include "data/track_read.h"
#include "train/data_streams.h"
#include "train/phrases_impl.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct rv_feature_mixes {
    rv_feature_mixes_config config;
    rv_phrase_shape shape;
    size_t stems; /* S */
    rv_track_cache *tracks;
    rv_song_features *features[RV_STEMS_MAX]; /* [stems] */
    rv_example_order *order;
    rv_prefetch *prefetch;
    const rv_feature_watch *watch; /* while features are measured */
    size_t measuring;              /* the stem that is */
};

/* One example ------------------------------------------------------------------------------- */

/* Where each stem comes from, and how loud. */
typedef struct {
    bool changed;
    rv_place place[RV_STEMS_MAX];
    double gain[RV_STEMS_MAX]; /* dB */
} recipe;

/* A stem of an example. */
typedef struct {
    float *audio, *f0, *confidence, *loudness; /* [T], [F], ... */
    bool *voiced;                              /* [F] */
} part;

static rv_status take_part(part *p, const rv_phrase_shape *s, rv_error *err)
{
    p->audio = malloc((s->samples + 3 * s->frames) * sizeof *p->audio);
    p->voiced = malloc(s->frames * sizeof *p->voiced);
    if (!p->audio || !p->voiced)
        return RV_FAIL(err, RV_ERR_NOMEM, "an example of %zu samples", s->samples);
    p->f0 = p->audio + s->samples;
    p->confidence = p->f0 + s->frames;
    p->loudness = p->confidence + s->frames;
    return RV_OK;
}

static rv_status read_audio(rv_feature_mixes *m, const rv_place *place, size_t stem, float *audio,
                            rv_error *err)
{
    const rv_phrases_config *c = &m->config.phrases;
    const size_t hop = m->shape.samples / m->shape.frames;
    const rv_track_part want = { .track = place->track,
                                 .stem = stem,
                                 .sample_rate = c->sample_rate,
                                 .channels = 1,
                                 .start = (int64_t)(rv_phrase_frame(c, place) * hop),
                                 .frames = m->shape.samples };
    return rv_track_read(m->tracks, &want, &audio, err);
}

static rv_status read_features(rv_feature_mixes *m, const rv_place *place, size_t stem,
                               const part *p, rv_error *err)
{
    const size_t frame = rv_phrase_frame(&m->config.phrases, place);
    const rv_frame_values values = {
        .f0 = p->f0, .confidence = p->confidence, .loudness = p->loudness, .voiced = p->voiced
    };
    return rv_song_features_read(m->features[stem], place->track, frame, m->shape.frames, &values,
                                 err);
}

static void add_audio(const part *p, size_t n, double gain, float *mix)
{
    const float factor = (float)pow(10, gain / 20);
    for (size_t t = 0; t < n; t++)
        mix[t] += factor * p->audio[t];
}

static void put_features(const rv_feature_mixes *m, const part *p, size_t stem, double gain,
                         const rv_feature_mix *out)
{
    const float quiet = rv_song_features_quiet(m->features[stem]);
    for (size_t t = 0, i = stem; t < m->shape.frames; t++, i += m->stems) {
        out->f0[i] = p->f0[t];
        out->loudness[i] = fmaxf(p->loudness[t] + (float)gain, quiet);
        out->voiced[i] = p->voiced[t] ? 1 : 0;
    }
}

static bool has_mixture(const rv_feature_mixes *m, const rv_place *place)
{
    return m->tracks->list->tracks[place->track].mixture.n > 0;
}

static rv_status read_parts(rv_feature_mixes *m, const recipe *r, part *p,
                            const rv_feature_mix *out, rv_error *err)
{
    const bool whole = !r->changed && has_mixture(m, &r->place[0]);
    memset(out->mix, 0, m->shape.samples * sizeof *out->mix);
    if (whole)
        RV_TRY(read_audio(m, &r->place[0], m->stems, out->mix, err));
    for (size_t s = 0; s < m->stems; s++) {
        RV_TRY(read_features(m, &r->place[s], s, p, err));
        put_features(m, p, s, r->gain[s], out);
        if (whole)
            continue;
        RV_TRY(read_audio(m, &r->place[s], s, p->audio, err));
        add_audio(p, m->shape.samples, r->gain[s], out->mix);
    }
    return RV_OK;
}

static rv_status read_example(rv_feature_mixes *m, const recipe *r, const rv_feature_mix *out,
                              rv_error *err)
{
    part p = { 0 };
    rv_status st = take_part(&p, &m->shape, err);
    if (st == RV_OK)
        st = read_parts(m, r, &p, out, err);
    free(p.audio);
    free(p.voiced);
    return st;
}

/* Batches ----------------------------------------------------------------------------------- */

static recipe unchanged(const rv_feature_mixes *m, const rv_place *place)
{
    recipe r = { .changed = false };
    for (size_t s = 0; s < m->stems; s++)
        r.place[s] = *place;
    return r;
}

/* Of example `index` since the start of training. */
static recipe draw(const rv_feature_mixes *m, const rv_place *place, uint64_t index)
{
    const uint64_t seed = m->config.phrases.seed;
    const double gain = m->config.gain;
    recipe r = unchanged(m, place);
    const bool remix = rv_rng_uniform(seed, RV_DATA_STREAM(DATA_REMIXED), index) < m->config.remix;
    for (size_t s = 0; s < m->stems; s++) {
        const uint64_t at = index * m->stems + s;
        const uint64_t other =
            rv_rng_below(seed, RV_DATA_STREAM(DATA_REMIX), at, rv_example_order_count(m->order));
        if (remix && s > 0)
            r.place[s] = *rv_example_order_place(m->order, (size_t)other);
        r.gain[s] = gain * (2 * rv_rng_uniform(seed, RV_DATA_STREAM(DATA_GAIN), at) - 1);
    }
    r.changed = remix || gain > 0;
    return r;
}

/* Of a batch in one piece of memory: example b. */
static rv_feature_mix lay_out(const rv_feature_mixes *m, float *data, size_t b)
{
    const rv_phrase_shape *s = &m->shape;
    const size_t values = s->frames * m->stems, all = s->batch * values;
    float *f0 = data + s->batch * s->samples + b * values;
    return (rv_feature_mix){ data + b * s->samples, f0, f0 + all, f0 + 2 * all };
}

/* An rv_produce_fn */
static rv_status make_batch(void *user, uint64_t step, void *data, int worker,
                            const atomic_bool *stop, rv_error *err)
{
    rv_feature_mixes *m = user;
    const uint64_t per_epoch = rv_feature_mixes_steps_per_epoch(m);
    (void)worker;
    for (size_t b = 0; b < m->shape.batch; b++) {
        const size_t i = (size_t)(step % per_epoch) * m->shape.batch + b;
        const rv_feature_mix one = lay_out(m, data, b);
        rv_place place;
        if (atomic_load(stop))
            return RV_FAIL(err, RV_ERR_CANCELLED, "batch %llu", (unsigned long long)step);
        rv_example_order_places(m->order, step / per_epoch, i, 1, &place);
        const recipe r = draw(m, &place, step * m->shape.batch + b);
        RV_TRY(read_example(m, &r, &one, err));
    }
    return RV_OK;
}

/* Making ------------------------------------------------------------------------------------ */

/* A place is kept if one of its stems is not silent. */
static rv_status has_sound(void *ctx, const rv_place *place, bool *keep, rv_error *err)
{
    rv_feature_mixes *m = ctx;
    const rv_phrases_config *c = &m->config.phrases;
    const double least = pow(10, c->silence / 20);
    *keep = false;
    for (size_t s = 0; s < m->stems && !*keep; s++) {
        float level = 0;
        RV_TRY(rv_song_features_level(m->features[s], place->track, rv_phrase_frame(c, place),
                                      m->shape.frames, &level, err));
        *keep = (double)level > least;
    }
    return RV_OK;
}

/* Of all stems, those before it done. */
static int tell(void *ctx, double fraction)
{
    const rv_feature_mixes *m = ctx;
    return m->watch->tell(m->watch->ctx, ((double)m->measuring + fraction) / (double)m->stems);
}

static rv_status measure(rv_feature_mixes *m, rv_feature_cache *cache, rv_error *err)
{
    const rv_feature_watch each = { m->watch && m->watch->tell ? tell : NULL, m };
    for (m->measuring = 0; m->measuring < m->stems; m->measuring++) {
        const rv_song_features_options o = rv_phrases_features(&m->config.phrases, m->measuring);
        RV_TRY(rv_song_features_new(&m->features[m->measuring], &o, m->tracks, cache, &each, err));
    }
    m->watch = NULL;
    return RV_OK;
}

static rv_status make_order(rv_feature_mixes *m, rv_error *err)
{
    const rv_phrases_config *c = &m->config.phrases;
    const rv_order_options opt = { .sample_rate = c->sample_rate,
                                   .length = m->shape.samples,
                                   .stride = c->stride ? c->stride : m->shape.samples,
                                   .shuffle = c->shuffle,
                                   .seed = c->seed,
                                   .keeps = has_sound,
                                   .ctx = m };
    RV_TRY(rv_example_order_new(&m->order, m->tracks, &opt, err));
    const rv_track_list *list = m->tracks->list;
    if (rv_feature_mixes_count(m) < c->batch)
        return RV_FAIL(err, RV_ERR_ARG,
                       "%s: too small: %zu examples of %zu samples in %zu songs (%zu silent "
                       "examples and %zu silent songs left out); a batch needs %zu",
                       list->root, rv_feature_mixes_count(m), m->shape.samples,
                       list->n - m->tracks->n_silent, rv_example_order_left_out(m->order),
                       m->tracks->n_silent, c->batch);
    return RV_OK;
}

static rv_status check(const rv_feature_mixes *m, int threads, rv_error *err)
{
    if (threads < 0 || threads > 256)
        return RV_FAIL(err, RV_ERR_ARG, "%d threads that read ahead; expected 0 to 256", threads);
    if (!(m->config.remix >= 0 && m->config.remix <= 1 && m->config.gain >= 0))
        return RV_FAIL(err, RV_ERR_ARG, "remix %g, gain %g dB; expected 0 to 1, and 0 or more",
                       m->config.remix, m->config.gain);
    return rv_phrases_check(&m->config.phrases, err);
}

static rv_status init(rv_feature_mixes *m, const rv_track_list *songs, rv_feature_cache *cache,
                      int threads, rv_error *err)
{
    const rv_phrases_config *c = &m->config.phrases;
    size_t floats;
    RV_TRY(check(m, threads, err));
    RV_TRY(rv_phrases_find_shape(c, &m->shape, err));
    if (__builtin_mul_overflow(m->shape.samples + 3 * m->shape.frames * m->stems, m->shape.batch,
                               &floats))
        return RV_FAIL(err, RV_ERR_ARG, "a batch of %zu mixes does not fit the memory", c->batch);
    RV_TRY(rv_track_cache_new(&m->tracks, songs, err));
    RV_TRY(rv_track_cache_check_sound(m->tracks, err));
    RV_TRY(measure(m, cache, err));
    RV_TRY(make_order(m, err));
    const rv_prefetch_options opt = { .threads = threads,
                                      .slots = c->ahead ? c->ahead : (size_t)threads + 1,
                                      .slot_bytes = floats * sizeof(float),
                                      .produce = make_batch,
                                      .user = m };
    return rv_prefetch_new(&m->prefetch, &opt, err);
}

rv_status rv_feature_mixes_new(rv_feature_mixes **out, const rv_feature_mixes_config *config,
                               const rv_track_list *songs, rv_feature_cache *cache, int threads,
                               const rv_feature_watch *watch, rv_error *err)
{
    rv_feature_mixes *m = calloc(1, sizeof *m);
    if (!m)
        return RV_FAIL(err, RV_ERR_NOMEM, "training data");
    m->config = *config;
    m->config.phrases.mfcc = false;
    m->stems = songs->n_stems;
    m->watch = watch;
    const rv_status st = init(m, songs, cache, threads, err);
    if (st == RV_OK)
        *out = m;
    else
        rv_feature_mixes_free(m);
    return st;
}

void rv_feature_mixes_free(rv_feature_mixes *m)
{
    if (!m)
        return;
    rv_prefetch_free(m->prefetch);
    rv_example_order_free(m->order);
    for (size_t s = 0; s < m->stems; s++)
        rv_song_features_free(m->features[s]);
    rv_track_cache_free(m->tracks);
    free(m);
}

/* Asking ------------------------------------------------------------------------------------ */

rv_phrase_shape rv_feature_mixes_shape(const rv_feature_mixes *m)
{
    return m->shape;
}

size_t rv_feature_mixes_count(const rv_feature_mixes *m)
{
    return rv_example_order_count(m->order);
}

size_t rv_feature_mixes_silent_songs(const rv_feature_mixes *m)
{
    return m->tracks->n_silent;
}

size_t rv_feature_mixes_steps_per_epoch(const rv_feature_mixes *m)
{
    return rv_feature_mixes_count(m) / m->shape.batch;
}

rv_status rv_feature_mixes_fill(rv_feature_mixes *m, uint64_t step, const rv_feature_mix *out,
                                rv_error *err)
{
    const rv_phrase_shape *s = &m->shape;
    const size_t values = s->batch * s->frames * m->stems * sizeof(float);
    const void *data = NULL;
    RV_TRY(rv_prefetch_take(m->prefetch, step, &data, err));
    const rv_feature_mix all = lay_out(m, (float *)data, 0);
    memcpy(out->mix, all.mix, s->batch * s->samples * sizeof(float));
    memcpy(out->f0, all.f0, values);
    memcpy(out->loudness, all.loudness, values);
    memcpy(out->voiced, all.voiced, values);
    rv_prefetch_give_back(m->prefetch);
    return RV_OK;
}

rv_status rv_feature_mixes_example(rv_feature_mixes *m, size_t i, const rv_feature_mix *out,
                                   rv_error *err)
{
    if (i >= rv_feature_mixes_count(m))
        return RV_FAIL(err, RV_ERR_ARG, "example %zu is not there", i);
    const recipe r = unchanged(m, rv_example_order_place(m->order, i));
    return read_example(m, &r, out, err);
}
