/* feature_cache.c - see feature_cache.h. */
#include "data/feature_cache.h"

#include "base/status.h"
#include "data/feature_key.h"
#include "data/feature_meter.h"
#include "data/layout.h"
#include "data/mono_source.h"
#include "dsp/feature.h"
#include "io/hash64.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { PATH_ROOM = 4096 };

enum { PULLED = 8192 }; /* floats of frames taken at a time */

static const double hashing = 0.2; /* about what part of a feature's time that takes */

struct rv_feature_cache {
    char *folder;
    pthread_mutex_t lock; /* of the counts */
    rv_feature_counts counts;
    rv_print_memory *prints;
    const rv_f0_engine *engine; /* may be NULL */
};

struct rv_feature_rows {
    rv_feature_cache *cache;
    rv_track_sources sources; /* owned */
    rv_feature_spec spec;
    rv_feature_watch watch;
    rv_feature_key key;
    char *path;     /* of the cache's file */
    rv_store store; /* may be closed */
    size_t frames, width;
};

/* The folder that users' caches are in (XDG Base Directory Specification). */
static rv_status user_folder(char path[PATH_ROOM], rv_error *err)
{
    const char *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    const bool absolute = xdg && *xdg == '/';
    if (!absolute && !home)
        return RV_FAIL(err, RV_ERR_ARG, "no folder for the cache: neither one is given nor HOME");
    const int n = absolute ? snprintf(path, PATH_ROOM, "%s/ravel", xdg)
                           : snprintf(path, PATH_ROOM, "%s/.cache/ravel", home);
    if (n < 0 || n >= PATH_ROOM)
        return RV_FAIL(err, RV_ERR_ARG, "the name of the cache's folder is too long");
    return RV_OK;
}

static rv_status open_in(rv_feature_cache **out, const char *folder, rv_error *err)
{
    rv_feature_cache *c = calloc(1, sizeof *c);
    char *copy = c ? strdup(folder) : NULL;
    if (!copy || pthread_mutex_init(&c->lock, NULL) != 0) {
        free(copy);
        free(c);
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", folder);
    }
    c->folder = copy;
    const rv_status st = rv_print_memory_new(&c->prints, err);
    if (st == RV_OK)
        *out = c;
    else
        rv_feature_cache_free(c);
    return st;
}

rv_status rv_feature_cache_open(rv_feature_cache **out, const char *folder, rv_error *err)
{
    char path[PATH_ROOM];
    if (folder)
        return open_in(out, folder, err);
    RV_TRY(user_folder(path, err));
    return open_in(out, path, err);
}

void rv_feature_cache_free(rv_feature_cache *c)
{
    if (!c)
        return;
    pthread_mutex_destroy(&c->lock);
    rv_print_memory_free(c->prints);
    free(c->folder);
    free(c);
}

rv_feature_counts rv_feature_cache_counts(rv_feature_cache *c)
{
    pthread_mutex_lock(&c->lock);
    const rv_feature_counts counts = c->counts;
    pthread_mutex_unlock(&c->lock);
    return counts;
}

void rv_feature_cache_set_engine(rv_feature_cache *c, const rv_f0_engine *engine)
{
    c->engine = engine;
}

static void count(rv_feature_cache *c, uint64_t *which)
{
    pthread_mutex_lock(&c->lock);
    ++*which;
    pthread_mutex_unlock(&c->lock);
}

/* The first file, for messages. */
static const char *path_of(const rv_feature_rows *r)
{
    return r->sources.n > 0 ? r->sources.at[0].path : "a stem without files";
}

/* Measuring */

static rv_status drain(rv_feature_meter *f, rv_store_writer *w, float *frames, rv_error *err)
{
    const size_t width = rv_feature_meter_width(f), room = PULLED / width + 1;
    for (size_t n; (n = rv_feature_meter_pull(f, frames, room)) > 0;)
        RV_TRY(rv_store_add(w, frames, n, err));
    return RV_OK;
}

static rv_status stream(rv_feature_rows *r, rv_mono *m, rv_feature_meter *f, rv_store_writer *w,
                        float *frames, rv_error *err)
{
    const float *x;
    size_t n = 1;
    while (n > 0) {
        RV_TRY(rv_mono_next(m, &x, &n, err));
        RV_TRY(n > 0 ? rv_feature_meter_push(f, x, n, err) : rv_feature_meter_finish(f, err));
        RV_TRY(drain(f, w, frames, err));
        const double fraction = hashing + (1 - hashing) * rv_mono_progress(m);
        if (r->watch.tell && r->watch.tell(r->watch.ctx, fraction))
            return RV_FAIL(err, RV_ERR_CANCELLED, "%s: stopped", path_of(r));
    }
    return rv_store_commit(w, err);
}

static rv_status write_store(rv_feature_rows *r, rv_mono *m, rv_feature_meter *f, rv_error *err)
{
    rv_store_writer w;
    const size_t width = rv_feature_meter_width(f);
    float *frames = calloc(PULLED + width, sizeof *frames);
    if (!frames)
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: %zu values", path_of(r), width);
    rv_status st = rv_store_create(&w, r->path, &r->key, width, err);
    if (st == RV_OK) {
        st = stream(r, m, f, &w, frames, err);
        rv_store_discard(&w);
    }
    free(frames);
    return st;
}

/* Hz of all frames of the source, 0 where it is unvoiced. */
static rv_status get_f0(rv_feature_rows *r, float **f0, size_t *n, rv_error *err)
{
    rv_feature_rows *rows = NULL;
    rv_feature_spec spec = r->spec;
    float frame[3];
    spec.feature = RV_FEATURE_F0;
    spec.window = 0;
    RV_TRY(rv_feature_get(r->cache, &r->sources, &spec, &r->watch, &rows, err));
    *n = rv_feature_rows_count(rows);
    *f0 = calloc(*n + 1, sizeof **f0);
    rv_status st = *f0 ? RV_OK : RV_FAIL(err, RV_ERR_NOMEM, "f0 of %zu frames", *n);
    for (size_t i = 0; st == RV_OK && i < *n; i++) {
        st = rv_feature_rows_read(rows, i, 1, frame, err);
        (*f0)[i] = st == RV_OK && frame[2] > 0 ? frame[0] : 0;
    }
    rv_feature_rows_free(rows);
    return st;
}

static rv_status measure(rv_feature_rows *r, rv_error *err)
{
    const bool follows =
        r->spec.feature == RV_FEATURE_HARMONICITY || r->spec.feature == RV_FEATURE_RESIDUAL;
    rv_mono *m = NULL;
    rv_feature_meter f = { 0 };
    float *f0 = NULL;
    size_t n = 0;
    rv_status st = follows ? get_f0(r, &f0, &n, err) : RV_OK;
    if (st == RV_OK)
        st = rv_feature_meter_open(&f, &r->spec, r->cache->engine, f0, n, err);
    free(f0);
    if (st == RV_OK)
        st = rv_mono_open(&m, &r->sources, r->spec.sample_rate, err);
    if (st == RV_OK)
        st = write_store(r, m, &f, err);
    rv_mono_free(m);
    rv_feature_meter_close(&f);
    return st;
}

/* A file that is missing, or damaged (why: RV_ERR_FORMAT), is made. */
static rv_status renew(rv_feature_rows *r, rv_status why, rv_error *err)
{
    if (why == RV_ERR_FORMAT)
        count(r->cache, &r->cache->counts.damaged);
    rv_store_close(&r->store);
    RV_TRY(measure(r, err));
    count(r->cache, &r->cache->counts.measured);
    return rv_store_open(&r->store, r->path, &r->key, err);
}

static rv_status open_store(rv_feature_rows *r, rv_error *err)
{
    const rv_status st = rv_store_open(&r->store, r->path, &r->key, NULL);
    if (st == RV_OK)
        count(r->cache, &r->cache->counts.found);
    else
        RV_TRY(renew(r, st, err));
    r->frames = r->store.frames;
    r->width = r->store.width;
    return RV_OK;
}

/* Rows */

static rv_status name_store(rv_feature_rows *r, rv_error *err)
{
    const size_t room = strlen(r->cache->folder) + 64;
    r->path = malloc(room);
    if (!r->path)
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", path_of(r));
    snprintf(r->path, room, "%s/features/%016llx.feature", r->cache->folder,
             (unsigned long long)rv_hash64(r->key.bytes, r->key.size, 0));
    return RV_OK;
}

static int tell_hashing(void *ctx, double fraction)
{
    const rv_feature_watch *w = ctx;
    return w->tell ? w->tell(w->ctx, hashing * fraction) : 0;
}

static rv_status open_rows(rv_feature_rows *r, rv_error *err)
{
    const rv_print_watch watch = { tell_hashing, &r->watch };
    const rv_f0_engine *engine = r->cache->engine;
    rv_audio_print print;
    if (rv_feature_needs_engine(&r->spec) && !(engine && engine->method == r->spec.f0_method))
        return RV_FAIL(err, RV_ERR_ARG, "%s: f0 by %s needs a file with its weights", path_of(r),
                       r->spec.f0_method == RV_F0_CREPE ? "CREPE" : "ddsp_inv");
    RV_TRY(rv_print_of(r->cache->prints, &r->sources, &watch, &print, err));
    if (r->spec.sample_rate == 0)
        r->spec.sample_rate = print.sample_rate;
    RV_TRY(rv_feature_complete(&r->spec, err));
    rv_feature_key_of(&r->key, &print, &r->spec, engine ? engine->print : 0);
    RV_TRY(name_store(r, err));
    return open_store(r, err);
}

static rv_status copy_sources(rv_track_sources *to, const rv_track_sources *from, rv_error *err)
{
    for (size_t i = 0; i < from->n; i++) {
        const rv_track_source *s = &from->at[i];
        char *path = strdup(s->path);
        if (!path)
            return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", s->path);
        RV_TRY(rv_sources_add(to, path, s->stream, s->channel, err));
    }
    return RV_OK;
}

rv_status rv_feature_get(rv_feature_cache *c, const rv_track_sources *sources,
                         const rv_feature_spec *spec, const rv_feature_watch *watch,
                         rv_feature_rows **out, rv_error *err)
{
    rv_feature_rows *r = calloc(1, sizeof *r);
    if (!r)
        return RV_FAIL(err, RV_ERR_NOMEM, "rows of a feature");
    r->cache = c;
    r->spec = *spec;
    r->watch = watch ? *watch : (rv_feature_watch){ 0 };
    r->store.fd = -1;
    rv_status st = copy_sources(&r->sources, sources, err);
    if (st == RV_OK)
        st = open_rows(r, err);
    if (st != RV_OK) {
        rv_feature_rows_free(r);
        return st;
    }
    *out = r;
    return RV_OK;
}

void rv_feature_rows_free(rv_feature_rows *r)
{
    if (!r)
        return;
    rv_store_close(&r->store);
    rv_sources_free(&r->sources);
    free(r->path);
    free(r);
}

size_t rv_feature_rows_count(const rv_feature_rows *r)
{
    return r->frames;
}

size_t rv_feature_rows_width(const rv_feature_rows *r)
{
    return r->width;
}

const rv_feature_spec *rv_feature_rows_spec(const rv_feature_rows *r)
{
    return &r->spec;
}

rv_status rv_feature_rows_read(rv_feature_rows *r, size_t first, size_t count_of, float *out,
                               rv_error *err)
{
    rv_error why = { 0 };
    rv_status st = RV_OK;
    if (r->store.fd < 0 && (st = rv_store_open(&r->store, r->path, &r->key, &why)) != RV_OK)
        RV_TRY(renew(r, st, err));
    st = rv_store_read(&r->store, r->path, first, count_of, out, &why);
    if (st != RV_ERR_FORMAT) {
        if (st != RV_OK && err)
            *err = why;
        return st;
    }
    RV_TRY(renew(r, st, err));
    return rv_store_read(&r->store, r->path, first, count_of, out, err);
}

void rv_feature_rows_rest(rv_feature_rows *r)
{
    rv_store_close(&r->store);
}
