/* example_order.c - count the examples, shuffle them (Fisher and Yates; Durstenfeld 1964).
 *
 * The order of one epoch is kept. Steps are asked for in order, so it is made anew once an epoch
 * (twice or so where the last steps of one epoch and the first of the next overlap). */
#include "train/example_order.h"

#include "base/rng.h"
#include "base/status.h"
#include "data/track_read.h"
#include "train/data_streams.h"

#include <pthread.h>
#include <stdlib.h>

struct rv_example_order {
    rv_order_options opt;
    size_t n; /* examples */
    size_t left_out;
    rv_place *place; /* [n] in order of songs and time */
    uint32_t *order; /* [n] indices into place, of `epoch` */
    uint64_t epoch;
    bool ordered; /* order has been made */
    pthread_mutex_t lock;
};

static size_t examples_of(const rv_track_info *t, const rv_order_options *opt)
{
    const size_t frames = rv_track_length(t, opt->sample_rate);
    if (t->all_silent)
        return 0;
    if (frames <= opt->length)
        return 1;
    return (frames - opt->length + opt->stride - 1) / opt->stride + 1;
}

static rv_status make_room(rv_example_order *s, const rv_track_cache *tracks, rv_error *err)
{
    size_t n = 0;
    for (size_t t = 0; t < tracks->list->n; t++)
        n += examples_of(&tracks->tracks[t], &s->opt);
    if (n > UINT32_MAX)
        return RV_FAIL(err, RV_ERR_ARG, "%zu examples in an epoch; expected at most %lld", n,
                       (long long)UINT32_MAX);
    s->place = calloc(n + 1, sizeof *s->place);
    s->order = calloc(n + 1, sizeof *s->order);
    if (!s->place || !s->order)
        return RV_FAIL(err, RV_ERR_NOMEM, "order of %zu examples", n);
    return RV_OK;
}

static rv_status add_place(rv_example_order *s, const rv_place *place, rv_error *err)
{
    bool keep = true;
    if (s->opt.keeps)
        RV_TRY(s->opt.keeps(s->opt.ctx, place, &keep, err));
    if (keep)
        s->place[s->n++] = *place;
    else
        s->left_out++;
    return RV_OK;
}

static rv_status list_places(rv_example_order *s, const rv_track_cache *tracks, rv_error *err)
{
    RV_TRY(make_room(s, tracks, err));
    for (size_t t = 0; t < tracks->list->n; t++)
        for (size_t i = 0, n = examples_of(&tracks->tracks[t], &s->opt); i < n; i++)
            RV_TRY(add_place(s, &(rv_place){ t, (int64_t)(i * s->opt.stride) }, err));
    return RV_OK;
}

rv_status rv_example_order_new(rv_example_order **out, const rv_track_cache *tracks,
                               const rv_order_options *opt, rv_error *err)
{
    rv_example_order *s = calloc(1, sizeof *s);
    if (!s || pthread_mutex_init(&s->lock, NULL) != 0) {
        free(s);
        return RV_FAIL(err, RV_ERR_NOMEM, "order of examples");
    }
    s->opt = *opt;
    const rv_status status = list_places(s, tracks, err);
    if (status == RV_OK)
        *out = s;
    else
        rv_example_order_free(s);
    return status;
}

void rv_example_order_free(rv_example_order *s)
{
    if (!s)
        return;
    pthread_mutex_destroy(&s->lock);
    free(s->order);
    free(s->place);
    free(s);
}

size_t rv_example_order_count(const rv_example_order *s)
{
    return s->n;
}

size_t rv_example_order_left_out(const rv_example_order *s)
{
    return s->left_out;
}

const rv_place *rv_example_order_place(const rv_example_order *s, size_t i)
{
    return &s->place[i];
}

static void make_order(rv_example_order *s, uint64_t epoch)
{
    for (size_t i = 0; i < s->n; i++)
        s->order[i] = (uint32_t)i;
    for (size_t i = s->n - 1; i > 0 && s->opt.shuffle; i--) {
        const size_t j =
            (size_t)rv_rng_below(s->opt.seed, RV_DATA_STREAM(DATA_ORDER), epoch << 32 | i, i + 1);
        const uint32_t x = s->order[i];
        s->order[i] = s->order[j];
        s->order[j] = x;
    }
    s->epoch = epoch;
    s->ordered = true;
}

void rv_example_order_places(rv_example_order *s, uint64_t epoch, size_t first, size_t n,
                             rv_place *places)
{
    pthread_mutex_lock(&s->lock);
    if (!s->ordered || s->epoch != epoch)
        make_order(s, epoch);
    for (size_t i = 0; i < n; i++)
        places[i] = s->place[s->order[first + i]];
    pthread_mutex_unlock(&s->lock);
}
