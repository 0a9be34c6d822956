/* engine.c - a list of runners by network, length and slot. */
#include "infer/engine.h"

#include "base/status.h"

#include <stdlib.h>

typedef struct entry {
    struct entry *next;
    const rv_network *network;
    size_t frames, slot;
    bool alone;
    rv_runner *runner;
} entry;

struct rv_engine {
    rv_pool *pool;
    rv_engine_options options;
    entry *entries; /* newest first: a runner comes before the one whose weights it shares */
};

rv_status rv_engine_new(rv_engine **out, const rv_engine_options *options, rv_error *err)
{
    rv_engine *e = calloc(1, sizeof *e);
    if (!e)
        return RV_FAIL(err, RV_ERR_NOMEM, "an engine");
    const rv_status st = rv_pool_new(&e->pool, options->threads, NULL, err);
    if (st != RV_OK) {
        free(e);
        return st;
    }
    e->options = *options;
    *out = e;
    return RV_OK;
}

bool rv_engine_is(const rv_engine *e, const rv_engine_options *options)
{
    return e->options.threads == options->threads && e->options.precision == options->precision;
}

static void drop(entry **at)
{
    entry *gone = *at;
    *at = gone->next;
    rv_runner_free(gone->runner);
    free(gone);
}

void rv_engine_free(rv_engine *e)
{
    if (!e)
        return;
    while (e->entries)
        drop(&e->entries);
    rv_pool_free(e->pool);
    free(e);
}

rv_pool *rv_engine_pool(const rv_engine *e)
{
    return e->pool;
}

void rv_engine_forget(rv_engine *e, const rv_network *n)
{
    for (entry **at = &e->entries; *at;)
        if ((*at)->network == n)
            drop(at);
        else
            at = &(*at)->next;
}

static size_t usual_frames(const rv_network *n)
{
    return n->fixed ? n->fixed : n->class->valid_length(n, n->segment);
}

static bool is_usual(const rv_network *n, size_t frames)
{
    return frames == usual_frames(n);
}

static entry *find(const rv_engine *e, const rv_network *n, size_t frames, size_t slot, bool alone)
{
    for (entry *i = e->entries; i; i = i->next)
        if (i->network == n && i->frames == frames && i->slot == slot && i->alone == alone)
            return i;
    return NULL;
}

static void drop_unusual(rv_engine *e, const rv_network *n)
{
    for (entry **at = &e->entries; *at;)
        if ((*at)->network == n && !is_usual(n, (*at)->frames))
            drop(at);
        else
            at = &(*at)->next;
}

static rv_status add(entry **out, rv_engine *e, const entry *want, const entry *share,
                     rv_error *err)
{
    entry *i = malloc(sizeof *i);
    if (!i)
        return RV_FAIL(err, RV_ERR_NOMEM, "a runner");
    *i = *want;
    const rv_runner_options options = { .pool = want->alone ? e->pool : NULL,
                                        .share = share ? share->runner : NULL,
                                        .precision = e->options.precision };
    const rv_status st =
        want->network->class->runner_new(&i->runner, want->network, want->frames, &options, err);
    if (st != RV_OK) {
        free(i);
        return st;
    }
    i->next = e->entries;
    e->entries = i;
    *out = i;
    return RV_OK;
}

rv_status rv_engine_runner(rv_runner **out, rv_engine *e, const rv_network *n, size_t frames,
                           size_t slot, bool alone, rv_error *err)
{
    entry *i = find(e, n, frames, slot, alone);
    if (!i) {
        const bool usual = is_usual(n, frames);
        if (!usual)
            drop_unusual(e, n);
        const entry *share = find(e, n, usual_frames(n), 0, true);
        share = share ? share : find(e, n, usual_frames(n), 0, false);
        const entry want = { .network = n, .frames = frames, .slot = slot, .alone = alone };
        RV_TRY(add(&i, e, &want, share, err));
    }
    *out = i->runner;
    return RV_OK;
}
