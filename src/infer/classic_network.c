/* classic_network.c - the built-in `classic` in the place of a network. */
#include "base/status.h"
#include "dsp/classic.h"
#include "infer/network.h"

#include <stdlib.h>

typedef struct {
    rv_runner base;
    rv_classic *classic;
    rv_pool *pool;
    size_t channels;
    float *memory;
} classic_runner;

enum { MAX_CHANNELS = 64 };

static size_t any_length(const rv_network *n, size_t frames)
{
    (void)n;
    return frames;
}

static void run(rv_runner *r)
{
    classic_runner *c = (classic_runner *)(void *)r;
    const float *mix[MAX_CHANNELS];
    float *stems[RV_CLASSIC_STEMS][MAX_CHANNELS], *const *by_stem[RV_CLASSIC_STEMS];
    for (size_t i = 0; i < c->channels; i++)
        mix[i] = rv_planes_at(&r->mix, i, 0);
    for (size_t k = 0; k < RV_CLASSIC_STEMS; k++) {
        by_stem[k] = stems[k];
        for (size_t i = 0; i < c->channels; i++)
            stems[k][i] = rv_planes_at(&r->stems, k * c->channels + i, 0);
    }
    rv_classic_process(c->classic, mix, r->frames, by_stem, c->pool);
}

static void runner_free(rv_runner *r)
{
    classic_runner *c = (classic_runner *)(void *)r;
    rv_classic_free(c->classic);
    free(c->memory);
    free(c);
}

static rv_status runner_new(rv_runner **out, const rv_network *n, size_t frames,
                            const rv_runner_options *options, rv_error *err)
{
    classic_runner *c = calloc(1, sizeof *c);
    if (!c)
        return RV_FAIL(err, RV_ERR_NOMEM, "a runner");
    c->base = (rv_runner){ .frames = frames, .run = run, .free = runner_free };
    c->pool = options->pool;
    c->channels = n->channels;
    c->memory = rv_runner_planes(&c->base, n);
    rv_status st =
        c->memory ? RV_OK : RV_FAIL(err, RV_ERR_NOMEM, "a segment of %zu frames", frames);
    if (st == RV_OK)
        st = rv_classic_new(&c->classic, (int)n->channels, (int)n->sample_rate, frames,
                            &rv_alloc_default, err);
    if (st != RV_OK) {
        runner_free(&c->base);
        return st;
    }
    *out = &c->base;
    return RV_OK;
}

static void network_free(rv_network *n)
{
    free(n);
}

static const rv_network_class classic_class = { any_length, runner_new, network_free };

rv_status rv_network_classic(rv_network **out, size_t channels, size_t sample_rate, rv_error *err)
{
    if (channels < 1 || channels > MAX_CHANNELS || sample_rate < 8000 || sample_rate > 192000)
        return RV_FAIL(err, RV_ERR_ARG,
                       "classic takes 1 to %d channels at 8000 to 192000 Hz, not %zu at %zu",
                       MAX_CHANNELS, channels, sample_rate);
    rv_network *n = malloc(sizeof *n);
    if (!n)
        return RV_FAIL(err, RV_ERR_NOMEM, "a network");
    *n = (rv_network){ .class = &classic_class,
                       .channels = channels,
                       .n_stems = RV_CLASSIC_STEMS,
                       .sample_rate = sample_rate,
                       .segment = sample_rate * RV_CLASSIC_SEGMENT_SECONDS };
    *out = n;
    return RV_OK;
}
