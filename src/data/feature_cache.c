/* feature_cache.c - see feature_cache.h. */
#include "data/feature_cache.h"

#include "base/status.h"
#include "data/feature_key.h"
#include "data/mono_source.h"
#include "dsp/feature.h"
#include "io/hash64.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { PULLED = 8192 }; /* floats of frames taken at a time */

/* The last file whose audio was hashed: features of one file are asked for one after the other. */
typedef struct memory {
    char *path;
    int stream, channel;
    struct stat st;
    rv_audio_print print;
} memory;

struct rv_feature_cache {
    char *folder;
    pthread_mutex_t lock; /* of all below */
    rv_feature_counts counts;
    memory last;
};

struct rv_feature_rows {
    rv_feature_cache *cache;
    rv_track_source source; /* owned path */
    rv_feature_spec spec;
    rv_feature_watch watch;
    rv_feature_key key;
    char *path; /* of the cache's file */
    rv_store store;
};

rv_status rv_feature_cache_open(rv_feature_cache **out, const char *folder, rv_error *err)
{
    rv_feature_cache *c = calloc(1, sizeof *c);
    char *copy = c ? strdup(folder) : NULL;
    if (!copy || pthread_mutex_init(&c->lock, NULL) != 0) {
        free(copy);
        free(c);
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", folder);
    }
    c->folder = copy;
    *out = c;
    return RV_OK;
}

void rv_feature_cache_free(rv_feature_cache *c)
{
    if (!c)
        return;
    pthread_mutex_destroy(&c->lock);
    free(c->last.path);
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

static void count(rv_feature_cache *c, uint64_t *which)
{
    pthread_mutex_lock(&c->lock);
    ++*which;
    pthread_mutex_unlock(&c->lock);
}

/* The audio */

static rv_status stopped(const rv_feature_watch *watch, double fraction, const char *path,
                         rv_error *err)
{
    if (watch->tell && watch->tell(watch->ctx, fraction))
        return RV_FAIL(err, RV_ERR_CANCELLED, "%s: stopped", path);
    return RV_OK;
}

static rv_status hash_audio(rv_audio_print *print, const rv_track_source *source,
                            const rv_feature_watch *watch, rv_error *err)
{
    rv_mono *m = NULL;
    const float *x;
    size_t n = 1;
    RV_TRY(rv_mono_open(&m, source, 0, err));
    *print = (rv_audio_print){ .sample_rate = rv_mono_rate(m) };
    rv_status st = RV_OK;
    while (st == RV_OK && n > 0) {
        st = rv_mono_next(m, &x, &n, err);
        if (st == RV_OK && n > 0) {
            print->hash = rv_hash64(x, n * sizeof *x, print->hash);
            print->samples += n;
            st = stopped(watch, 0, source->path, err);
        }
    }
    rv_mono_free(m);
    return st;
}

static bool same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static bool recall(rv_feature_cache *c, const rv_track_source *s, const struct stat *st,
                   rv_audio_print *print)
{
    pthread_mutex_lock(&c->lock);
    const memory *l = &c->last;
    const bool same = l->path && strcmp(l->path, s->path) == 0 && l->stream == s->stream &&
                      l->channel == s->channel && same_file(&l->st, st);
    if (same)
        *print = l->print;
    pthread_mutex_unlock(&c->lock);
    return same;
}

static void remember(rv_feature_cache *c, const rv_track_source *s, const struct stat *st,
                     const rv_audio_print *print)
{
    char *path = strdup(s->path); /* without: it is hashed again */
    pthread_mutex_lock(&c->lock);
    free(c->last.path);
    c->last = (memory){ path, s->stream, s->channel, *st, *print };
    pthread_mutex_unlock(&c->lock);
}

static rv_status find_print(rv_feature_cache *c, const rv_track_source *source,
                            const rv_feature_watch *watch, rv_audio_print *print, rv_error *err)
{
    struct stat st = { 0 };
    const bool known = stat(source->path, &st) == 0;
    if (known && recall(c, source, &st, print))
        return RV_OK;
    RV_TRY(hash_audio(print, source, watch, err));
    if (known)
        remember(c, source, &st, print);
    return RV_OK;
}

/* Measuring */

static rv_status drain(rv_feature *f, rv_store_writer *w, float *frames, rv_error *err)
{
    const size_t width = rv_feature_width(f), room = PULLED / width + 1;
    for (size_t n; (n = rv_feature_pull(f, frames, room)) > 0;)
        RV_TRY(rv_store_add(w, frames, n, err));
    return RV_OK;
}

static rv_status stream(rv_feature_rows *r, rv_mono *m, rv_feature *f, rv_store_writer *w,
                        float *frames, rv_error *err)
{
    const float *x;
    size_t n = 1;
    while (n > 0) {
        RV_TRY(rv_mono_next(m, &x, &n, err));
        RV_TRY(n > 0 ? rv_feature_push(f, x, n, err) : rv_feature_finish(f, err));
        RV_TRY(drain(f, w, frames, err));
        RV_TRY(stopped(&r->watch, rv_mono_progress(m), r->source.path, err));
    }
    return rv_store_commit(w, err);
}

static rv_status write_store(rv_feature_rows *r, rv_mono *m, rv_feature *f, rv_error *err)
{
    rv_store_writer w;
    const size_t width = rv_feature_width(f);
    float *frames = calloc(PULLED + width, sizeof *frames);
    if (!frames)
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: %zu values", r->source.path, width);
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
    RV_TRY(rv_feature_get(r->cache, &r->source, &spec, &r->watch, &rows, err));
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
    rv_feature *f = NULL;
    float *f0 = NULL;
    size_t n = 0;
    rv_status st = follows ? get_f0(r, &f0, &n, err) : RV_OK;
    if (st == RV_OK)
        st = rv_feature_new(&f, &r->spec, f0, n, err);
    free(f0);
    if (st == RV_OK)
        st = rv_mono_open(&m, &r->source, r->spec.sample_rate, err);
    if (st == RV_OK)
        st = write_store(r, m, f, err);
    rv_mono_free(m);
    rv_feature_free(f);
    return st;
}

/* The cache's file, measured where there is none or it is damaged. */
static rv_status open_store(rv_feature_rows *r, rv_error *err)
{
    rv_feature_counts *counts = &r->cache->counts;
    rv_error ignored = { 0 };
    const rv_status st = rv_store_open(&r->store, r->path, &r->key, &ignored);
    if (st == RV_OK) {
        count(r->cache, &counts->found);
        return RV_OK;
    }
    if (st == RV_ERR_FORMAT)
        count(r->cache, &counts->damaged);
    RV_TRY(measure(r, err));
    count(r->cache, &counts->measured);
    return rv_store_open(&r->store, r->path, &r->key, err);
}

/* Rows */

static rv_status name_store(rv_feature_rows *r, rv_error *err)
{
    const size_t room = strlen(r->cache->folder) + 64;
    r->path = malloc(room);
    if (!r->path)
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", r->source.path);
    snprintf(r->path, room, "%s/features/%016llx.feature", r->cache->folder,
             (unsigned long long)rv_hash64(r->key.bytes, r->key.size, 0));
    return RV_OK;
}

static rv_status open_rows(rv_feature_rows *r, rv_error *err)
{
    rv_audio_print print;
    RV_TRY(find_print(r->cache, &r->source, &r->watch, &print, err));
    if (r->spec.sample_rate == 0)
        r->spec.sample_rate = print.sample_rate;
    RV_TRY(rv_feature_complete(&r->spec, err));
    rv_feature_key_of(&r->key, &print, &r->spec);
    RV_TRY(name_store(r, err));
    return open_store(r, err);
}

rv_status rv_feature_get(rv_feature_cache *c, const rv_track_source *source,
                         const rv_feature_spec *spec, const rv_feature_watch *watch,
                         rv_feature_rows **out, rv_error *err)
{
    rv_feature_rows *r = calloc(1, sizeof *r);
    if (!r)
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", source->path);
    r->cache = c;
    r->source = *source;
    r->source.path = strdup(source->path);
    r->spec = *spec;
    r->watch = watch ? *watch : (rv_feature_watch){ 0 };
    r->store.fd = -1;
    const rv_status st = r->source.path
                             ? open_rows(r, err)
                             : RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", source->path);
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
    free(r->source.path);
    free(r->path);
    free(r);
}

size_t rv_feature_rows_count(const rv_feature_rows *r)
{
    return r->store.frames;
}

size_t rv_feature_rows_width(const rv_feature_rows *r)
{
    return r->store.width;
}

const rv_feature_spec *rv_feature_rows_spec(const rv_feature_rows *r)
{
    return &r->spec;
}

rv_status rv_feature_rows_read(rv_feature_rows *r, size_t first, size_t count_of, float *out,
                               rv_error *err)
{
    rv_error damage = { 0 };
    rv_status st = rv_store_read(&r->store, r->path, first, count_of, out, &damage);
    if (st != RV_ERR_FORMAT) {
        if (st != RV_OK && err)
            *err = damage;
        return st;
    }
    count(r->cache, &r->cache->counts.damaged);
    rv_store_close(&r->store);
    RV_TRY(measure(r, err));
    count(r->cache, &r->cache->counts.measured);
    RV_TRY(rv_store_open(&r->store, r->path, &r->key, err));
    return rv_store_read(&r->store, r->path, first, count_of, out, err);
}
