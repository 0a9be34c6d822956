/* audio_print.c - see audio_print.h. */
#include "data/audio_print.h"

#include "base/status.h"
#include "data/mono_source.h"
#include "io/hash64.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { KNOWN = 256 }; /* prints remembered: many more than threads at work */

typedef struct known {
    uint64_t files; /* see identify(); 0: none */
    rv_audio_print print;
} known;

struct rv_print_memory {
    pthread_mutex_t lock;
    known all[KNOWN];
    size_t next; /* to be replaced */
};

rv_status rv_print_memory_new(rv_print_memory **out, rv_error *err)
{
    rv_print_memory *m = calloc(1, sizeof *m);
    if (!m || pthread_mutex_init(&m->lock, NULL) != 0) {
        free(m);
        return RV_FAIL(err, RV_ERR_NOMEM, "a memory of hashes");
    }
    *out = m;
    return RV_OK;
}

void rv_print_memory_free(rv_print_memory *m)
{
    if (!m)
        return;
    pthread_mutex_destroy(&m->lock);
    free(m);
}

/* A hash of names, sizes and times of the files, and what of them is meant; 0: they are not there.
 */
static uint64_t identify(const rv_track_sources *sources)
{
    uint64_t hash = sources->n;
    for (size_t i = 0; i < sources->n; i++) {
        const rv_track_source *s = &sources->at[i];
        struct stat st;
        if (stat(s->path, &st) != 0)
            return 0;
        const int64_t numbers[] = { s->stream,
                                    s->channel,
                                    (int64_t)st.st_dev,
                                    (int64_t)st.st_ino,
                                    (int64_t)st.st_size,
                                    (int64_t)st.st_mtim.tv_sec,
                                    (int64_t)st.st_mtim.tv_nsec };
        hash = rv_hash64(s->path, strlen(s->path), hash);
        hash = rv_hash64(numbers, sizeof numbers, hash);
    }
    return hash;
}

static bool recall(rv_print_memory *m, uint64_t files, rv_audio_print *print)
{
    bool found = false;
    pthread_mutex_lock(&m->lock);
    for (size_t i = 0; i < KNOWN && !found; i++)
        if ((found = m->all[i].files == files))
            *print = m->all[i].print;
    pthread_mutex_unlock(&m->lock);
    return found;
}

static void remember(rv_print_memory *m, uint64_t files, const rv_audio_print *print)
{
    pthread_mutex_lock(&m->lock);
    m->all[m->next] = (known){ files, *print };
    m->next = (m->next + 1) % KNOWN;
    pthread_mutex_unlock(&m->lock);
}

static rv_status hash_audio(rv_mono *mono, const char *path, const rv_print_watch *watch,
                            rv_audio_print *print, rv_error *err)
{
    const float *x;
    *print = (rv_audio_print){ .sample_rate = rv_mono_rate(mono) };
    for (size_t n = 1; n > 0;) {
        RV_TRY(rv_mono_next(mono, &x, &n, err));
        if (n == 0)
            break;
        print->hash = rv_hash64(x, n * sizeof *x, print->hash);
        print->samples += n;
        if (watch->tell(watch->ctx, rv_mono_progress(mono)))
            return RV_FAIL(err, RV_ERR_CANCELLED, "%s: stopped", path);
    }
    return RV_OK;
}

rv_status rv_print_of(rv_print_memory *m, const rv_track_sources *sources,
                      const rv_print_watch *watch, rv_audio_print *print, rv_error *err)
{
    const uint64_t files = identify(sources);
    rv_mono *mono = NULL;
    if (files != 0 && recall(m, files, print))
        return RV_OK;
    RV_TRY(rv_mono_open(&mono, sources, 0, err));
    const rv_status st = hash_audio(mono, sources->at[0].path, watch, print, err);
    rv_mono_free(mono);
    if (st == RV_OK && files != 0)
        remember(m, files, print);
    return st;
}
