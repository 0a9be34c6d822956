/* examples.c - clips are read and repitched one by one, then the batch is made from all of them. */
#include "train/examples.h"

#include "base/status.h"
#include "data/track_read.h"
#include "io/audio_read.h"
#include "train/example_order.h"
#include "train/prefetch.h"
#include "train/repitch.h"
#include "train/retouch.h"

#include <stdlib.h>
#include <string.h>

/* What a thread needs to make a batch. */
typedef struct bench {
    float *samples;        /* [B,S+1,C,L]; the last "stem" is the mixture, if that is read at all */
    const float **planes;  /* [B*S*C] of the stems, for rv_augment_apply() */
    rv_place *places;      /* [B] */
    rv_place *stem_places; /* [B*S] the same, or where a stem is borrowed from */
    rv_choice *choices;    /* [B*S] */
} bench;

struct rv_examples {
    rv_examples_config config;
    const rv_track_cache *tracks;
    rv_batch_shape shape;
    bool reads_mixture;
    rv_example_order *order;
    bench *benches; /* [n_benches] one for each thread */
    size_t n_benches;
    rv_prefetch *prefetch;
};

rv_examples_config rv_examples_defaults(void)
{
    return (rv_examples_config){ .sample_rate = 44100,
                                 .channels = 2,
                                 .segment = 441000,
                                 .stride = 44100,
                                 .batch = 4,
                                 .shuffle = true,
                                 .augment = rv_augment_none() };
}

static size_t mix_size(const rv_batch_shape *s)
{
    return s->examples * s->frames * s->channels;
}

/* Clips of an example: its stems, and the mixture. */
static size_t clips_of(const rv_examples *e)
{
    return e->shape.stems + e->reads_mixture;
}

static float *plane_at(const rv_examples *e, const bench *w, size_t b, size_t clip, size_t c)
{
    const rv_batch_shape *s = &e->shape;
    return w->samples + ((b * clips_of(e) + clip) * s->channels + c) * s->clip_frames;
}

static rv_status repitch(const rv_examples *e, uint64_t example, size_t stem, float *const *planes,
                         rv_error *err)
{
    const rv_augment *a = &e->config.augment;
    const rv_repitch_choice choice =
        rv_augment_draw_repitch(a, e->config.seed, example, e->shape.stems, stem);
    if (!choice.on)
        return RV_OK;
    const rv_repitch change = { e->config.sample_rate, e->config.channels, choice.semitones,
                                choice.tempo };
    return rv_repitch_clip(&change, planes, e->shape.clip_frames,
                           rv_augment_shift_frames(a, e->shape.frames), err);
}

static rv_status retouch(const rv_examples *e, uint64_t clip, float *const *planes, rv_error *err)
{
    const rv_examples_config *c = &e->config;
    rv_effect chain[RV_RETOUCH_MAX];
    if (!rv_augment_retouches(&c->augment, c->seed, clip))
        return RV_OK;
    const size_t n = rv_retouch_draw(chain, c->seed, clip, c->augment.effects_gain);
    return rv_retouch_clip(chain, n, c->sample_rate, planes, e->shape.clip_frames, err);
}

static rv_status read_clip(const rv_examples *e, const bench *w, uint64_t step, size_t b,
                           size_t clip, rv_error *err)
{
    float *planes[RV_AUDIO_CHANNELS_MAX];
    const uint64_t example = step * e->shape.examples + b;
    const rv_place *place =
        clip < e->shape.stems ? &w->stem_places[b * e->shape.stems + clip] : &w->places[b];
    const rv_track_part part = { .track = place->track,
                                 .stem = clip,
                                 .sample_rate = e->config.sample_rate,
                                 .channels = e->config.channels,
                                 .start = place->start,
                                 .frames = e->shape.clip_frames };
    for (size_t c = 0; c < e->shape.channels; c++)
        planes[c] = plane_at(e, w, b, clip, c);
    if (clip == e->shape.stems && e->tracks->list->tracks[part.track].mixture.n == 0)
        return RV_OK;
    RV_TRY(rv_track_read(e->tracks, &part, planes, err));
    if (e->config.augment.repitch > 0)
        RV_TRY(repitch(e, example, clip, planes, err));
    return retouch(e, example * e->shape.stems + clip, planes, err);
}

/* The mixture files of a batch that is not augmented -> mix [B,T,C] */
static void use_mixtures(const rv_examples *e, const bench *w, float *mix)
{
    const rv_batch_shape *s = &e->shape;
    for (size_t b = 0; b < s->examples; b++) {
        if (e->tracks->list->tracks[w->places[b].track].mixture.n == 0)
            continue;
        for (size_t c = 0; c < s->channels; c++) {
            const float *x = plane_at(e, w, b, s->stems, c);
            for (size_t t = 0; t < s->frames; t++)
                mix[(b * s->frames + t) * s->channels + c] = x[t];
        }
    }
}

/* Another song's place for a stem that `place`'s song lacks; the same if none is found. */
static rv_place borrow(const rv_examples *e, const rv_place *place, uint64_t clip, size_t stem)
{
    const size_t n = rv_example_order_count(e->order);
    for (size_t i = 0; i < RV_AUGMENT_ATTEMPTS; i++) {
        const rv_place *lender =
            rv_example_order_place(e->order, rv_augment_draw_lender(e->config.seed, clip, i, n));
        if (!(e->tracks->tracks[lender->track].silent >> stem & 1))
            return *lender;
    }
    return *place;
}

static void draw_stem_places(const rv_examples *e, const bench *w, uint64_t step)
{
    const rv_augment *a = &e->config.augment;
    const size_t stems = e->shape.stems;
    for (size_t i = 0; i < e->shape.examples * stems; i++) {
        const rv_place *place = &w->places[i / stems];
        const uint64_t clip = step * e->shape.examples * stems + i;
        const bool lacks = e->tracks->tracks[place->track].silent >> (i % stems) & 1;
        w->stem_places[i] = lacks && rv_augment_borrows(a, e->config.seed, clip)
                                ? borrow(e, place, clip, i % stems)
                                : *place;
    }
}

/* An rv_produce_fn: data is mix [B,T,C], then stems [B,T,S*C]. */
static rv_status make_batch(void *user, uint64_t step, void *data, int worker,
                            const atomic_bool *stop, rv_error *err)
{
    const rv_examples *e = user;
    const bench *w = &e->benches[worker];
    const uint64_t per_epoch = rv_examples_steps_per_epoch(e);
    const size_t batch = e->shape.examples;
    rv_example_order_places(e->order, step / per_epoch, (size_t)(step % per_epoch) * batch, batch,
                            w->places);
    draw_stem_places(e, w, step);
    for (size_t b = 0; b < batch; b++)
        for (size_t clip = 0; clip < clips_of(e); clip++) {
            if (atomic_load(stop))
                return RV_FAIL(err, RV_ERR_CANCELLED, "batch %llu", (unsigned long long)step);
            RV_TRY(read_clip(e, w, step, b, clip, err));
        }
    float *mix = data, *stems = mix + mix_size(&e->shape);
    rv_augment_draw(&e->config.augment, e->config.seed, step, &e->shape, w->choices);
    rv_augment_apply(w->choices, &e->shape, w->planes, mix, stems);
    if (e->reads_mixture)
        use_mixtures(e, w, mix);
    return RV_OK;
}

static rv_status check_config(const rv_examples_config *c, rv_error *err)
{
    enum { SIZE_LIMIT = 1 << 30 };
    if (c->sample_rate < RV_AUDIO_RATE_MIN || c->sample_rate > RV_AUDIO_RATE_MAX)
        return RV_FAIL(err, RV_ERR_ARG, "training data at %d Hz; expected %d to %d", c->sample_rate,
                       RV_AUDIO_RATE_MIN, RV_AUDIO_RATE_MAX);
    if (c->channels < 1 || c->channels > RV_AUDIO_CHANNELS_MAX)
        return RV_FAIL(err, RV_ERR_ARG, "training data of %d channels; expected 1 to %d",
                       c->channels, RV_AUDIO_CHANNELS_MAX);
    if (c->segment < 1 || c->segment > SIZE_LIMIT || c->stride > SIZE_LIMIT)
        return RV_FAIL(err, RV_ERR_ARG,
                       "training segments of %zu frames every %zu; expected 1 to %d", c->segment,
                       c->stride, SIZE_LIMIT);
    if (c->batch < 1 || c->batch > SIZE_LIMIT || c->ahead > SIZE_LIMIT)
        return RV_FAIL(err, RV_ERR_ARG, "batches of %zu examples, %zu ahead; expected 1 to %d",
                       c->batch, c->ahead, SIZE_LIMIT);
    if (c->augment.effects > 0 && c->channels != 2)
        return RV_FAIL(err, RV_ERR_ARG,
                       "augmentation: effects for audio of %d channels; expected stereo",
                       c->channels);
    return rv_augment_check(&c->augment, c->batch, err);
}

static rv_status check_tracks(const rv_examples *e, rv_error *err)
{
    for (size_t t = 0; t < e->tracks->list->n; t++)
        RV_TRY(rv_track_check_channels(e->tracks, t, e->config.channels, err));
    return RV_OK;
}

static bool all_have_no_mixture(const rv_track_list *list)
{
    for (size_t t = 0; t < list->n; t++)
        if (list->tracks[t].mixture.n > 0)
            return false;
    return true;
}

static rv_status make_example_order(rv_examples *e, rv_error *err)
{
    const rv_examples_config *c = &e->config;
    const rv_order_options opt = { .sample_rate = c->sample_rate,
                                   .length = rv_augment_shift_frames(&c->augment, c->segment),
                                   .stride = c->stride ? c->stride : c->segment,
                                   .shuffle = c->shuffle,
                                   .seed = c->seed };
    RV_TRY(rv_example_order_new(&e->order, e->tracks, &opt, err));
    const rv_track_list *list = e->tracks->list;
    const size_t n = rv_example_order_count(e->order);
    if (n < c->batch)
        return RV_FAIL(err, RV_ERR_ARG,
                       "%s: too small: %zu examples of %zu frames in %zu songs (%zu silent ones "
                       "left out); a batch needs %zu",
                       list->root, n, opt.length, list->n - e->tracks->n_silent,
                       e->tracks->n_silent, c->batch);
    return RV_OK;
}

/* Floats in the clips of a batch; the batch itself is smaller, or as large. */
static rv_status count_samples(const rv_examples *e, size_t *n, rv_error *err)
{
    const rv_batch_shape *s = &e->shape;
    size_t planes, bytes;
    if (__builtin_mul_overflow(s->examples, (s->stems + 1) * s->channels, &planes) ||
        __builtin_mul_overflow(planes, s->clip_frames, n) ||
        __builtin_mul_overflow(*n, sizeof(float), &bytes))
        return RV_FAIL(err, RV_ERR_ARG,
                       "a batch of %zu examples of %zu frames does not fit the memory", s->examples,
                       s->clip_frames);
    return RV_OK;
}

static rv_status make_bench(const rv_examples *e, bench *w, size_t n_samples, rv_error *err)
{
    const rv_batch_shape *s = &e->shape;
    w->samples = malloc(n_samples * sizeof *w->samples);
    w->planes = calloc(s->examples * s->stems, s->channels * sizeof *w->planes);
    w->places = calloc(s->examples, sizeof *w->places);
    w->stem_places = calloc(s->examples, s->stems * sizeof *w->stem_places);
    w->choices = calloc(s->examples, s->stems * sizeof *w->choices);
    if (!w->samples || !w->planes || !w->places || !w->stem_places || !w->choices)
        return RV_FAIL(err, RV_ERR_NOMEM, "clips of a batch, %zu samples", n_samples);
    for (size_t b = 0, i = 0; b < s->examples; b++)
        for (size_t clip = 0; clip < s->stems; clip++)
            for (size_t c = 0; c < s->channels; c++)
                w->planes[i++] = plane_at(e, w, b, clip, c);
    return RV_OK;
}

static rv_status make_benches(rv_examples *e, int threads, rv_error *err)
{
    const size_t n = threads > 0 ? (size_t)threads : 1;
    size_t n_samples = 0;
    RV_TRY(count_samples(e, &n_samples, err));
    if (!(e->benches = calloc(n, sizeof *e->benches)))
        return RV_FAIL(err, RV_ERR_NOMEM, "%d threads that read ahead", threads);
    e->n_benches = n;
    for (size_t i = 0; i < n; i++)
        RV_TRY(make_bench(e, &e->benches[i], n_samples, err));
    return RV_OK;
}

static rv_status fill_examples(rv_examples *e, int threads, rv_error *err)
{
    const rv_examples_config *c = &e->config;
    RV_TRY(check_config(c, err));
    if (threads < 0 || threads > 256)
        return RV_FAIL(err, RV_ERR_ARG, "%d threads that read ahead; expected 0 to 256", threads);
    const rv_track_list *list = e->tracks->list;
    e->shape = (rv_batch_shape){ c->batch, list->n_stems, (size_t)c->channels,
                                 rv_augment_clip_frames(&c->augment, c->segment), c->segment };
    e->reads_mixture = rv_augment_is_none(&c->augment) && !all_have_no_mixture(list);
    RV_TRY(check_tracks(e, err));
    RV_TRY(make_example_order(e, err));
    RV_TRY(make_benches(e, threads, err));
    const rv_prefetch_options opt = { .threads = threads,
                                      .slots = c->ahead ? c->ahead : (size_t)threads + 1,
                                      .slot_bytes =
                                          mix_size(&e->shape) * (1 + list->n_stems) * sizeof(float),
                                      .produce = make_batch,
                                      .user = e };
    return rv_prefetch_new(&e->prefetch, &opt, err);
}

rv_status rv_examples_new(rv_examples **out, const rv_examples_config *config,
                          const rv_track_cache *tracks, int threads, rv_error *err)
{
    rv_examples *e = calloc(1, sizeof *e);
    if (!e)
        return RV_FAIL(err, RV_ERR_NOMEM, "training data");
    e->config = *config;
    e->tracks = tracks;
    const rv_status status = fill_examples(e, threads, err);
    if (status == RV_OK)
        *out = e;
    else
        rv_examples_free(e);
    return status;
}

void rv_examples_free(rv_examples *e)
{
    if (!e)
        return;
    rv_prefetch_free(e->prefetch);
    for (size_t i = 0; i < e->n_benches; i++) {
        free(e->benches[i].samples);
        free(e->benches[i].planes);
        free(e->benches[i].places);
        free(e->benches[i].stem_places);
        free(e->benches[i].choices);
    }
    free(e->benches);
    rv_example_order_free(e->order);
    free(e);
}

size_t rv_examples_count(const rv_examples *e)
{
    return rv_example_order_count(e->order);
}

size_t rv_examples_steps_per_epoch(const rv_examples *e)
{
    return rv_example_order_count(e->order) / e->shape.examples;
}

rv_status rv_examples_fill(rv_examples *e, uint64_t step, float *mix, float *stems, rv_error *err)
{
    const void *data = NULL;
    RV_TRY(rv_prefetch_take(e->prefetch, step, &data, err));
    const size_t n = mix_size(&e->shape);
    memcpy(mix, data, n * sizeof *mix);
    memcpy(stems, (const float *)data + n, n * e->shape.stems * sizeof *stems);
    rv_prefetch_give_back(e->prefetch);
    return RV_OK;
}
