/* render.c - a run: what was asked for is compared with what is there, threads make the tracks
 * that are missing, one after the other, and the caller's thread tells how far they are. */
#include "data/render.h"
#include "base/status.h"
#include "data/render_impl.h"
#include "data/sing.h"
#include "dsp/effects.h"
#include "io/hash64.h"
#include "io/mapping.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { THREADS_MAX = 1024, VARIANTS_MAX = 1000, TRACKS_MAX = 99999 };

static rv_status check_options(const rv_render_options *o, rv_error *err)
{
    if (!o->n_midi && !o->compose)
        return RV_FAIL(err, RV_ERR_ARG, "no MIDI files or folders given, and none to compose");
    if (o->compose < 0 || o->compose > TRACKS_MAX)
        return RV_FAIL(err, RV_ERR_ARG, "%d songs to compose: 0 to %d are possible", o->compose,
                       TRACKS_MAX);
    if (!o->n_soundfonts)
        return RV_FAIL(err, RV_ERR_ARG, "no soundfont given");
    if (o->variants < 1 || o->variants > VARIANTS_MAX)
        return RV_FAIL(err, RV_ERR_ARG, "%d variants: 1 to %d are possible", o->variants,
                       VARIANTS_MAX);
    if (!(o->valid_fraction >= 0 && o->test_fraction >= 0 &&
          o->valid_fraction + o->test_fraction <= 1))
        return RV_FAIL(err, RV_ERR_ARG, "fractions of %g and %g: together 0 to 1 are possible",
                       o->valid_fraction, o->test_fraction);
    if (!(o->vary >= 0 && o->vary <= 1) || !(o->max_seconds > 0) || o->threads < 0 ||
        o->threads > THREADS_MAX)
        return RV_FAIL(err, RV_ERR_ARG, "vary, max_seconds or threads is out of its range");
    if (o->sample_rate < RV_SYNTH_RATE_MIN || o->sample_rate > RV_SYNTH_RATE_MAX)
        return RV_FAIL(err, RV_ERR_ARG, "%d Hz: %d to %d are possible", o->sample_rate,
                       RV_SYNTH_RATE_MIN, RV_SYNTH_RATE_MAX);
    return RV_OK;
}

/* Libraries that are missing are said before any work. */
static rv_status check_build(rv_error *err)
{
    const float silence[] = { 0 };
    const float *const planes[] = { silence };
    double ignored;
    RV_TRY(rv_synth_check(err));
    return rv_loudness_lufs(&ignored, planes, 1, 1, 44100, err);
}

/* What was asked for: a text that stays in the folder */

static json_t *hex(uint64_t value)
{
    char text[20];
    snprintf(text, sizeof text, "%016llx", (unsigned long long)value);
    return json_string(text);
}

static rv_status add_files(json_t *all, const char *key, const char *const *paths, size_t n,
                           rv_error *err)
{
    json_t *list = json_array();
    json_object_set_new(all, key, list);
    for (size_t i = 0; i < n; i++) {
        rv_mapping map = { 0 };
        RV_TRY(rv_mapping_open(&map, paths[i], err));
        json_array_append_new(list, hex(rv_hash64(map.data, map.size, 0)));
        rv_mapping_close(&map);
    }
    return RV_OK;
}

static uint64_t hash_songs(const rv_render_songs *songs)
{
    uint64_t hash = 0;
    for (size_t i = 0; i < songs->n; i++)
        hash = rv_hash64(&songs->items[i].hash, sizeof songs->items[i].hash, hash);
    return hash;
}

/* The files that say what is in the kits. */
static rv_status add_kits(json_t *all, const rv_render_options *o, rv_error *err)
{
    json_t *list = json_array();
    json_object_set_new(all, "drum kits", list);
    for (size_t i = 0; i < o->n_drum_kits; i++) {
        char *path = NULL;
        rv_mapping map = { 0 };
        if (asprintf(&path, "%s/drumkit.xml", o->drum_kits[i]) < 0)
            return RV_FAIL(err, RV_ERR_NOMEM, "out of memory");
        const rv_status status = rv_mapping_open(&map, path, err);
        free(path);
        RV_TRY(status);
        json_array_append_new(list, hex(rv_hash64(map.data, map.size, 0)));
        rv_mapping_close(&map);
    }
    return RV_OK;
}

static rv_status describe(char **out, const rv_render *run, rv_error *err)
{
    const rv_render_options *o = run->opt;
    json_t *all =
        json_pack("{s:i, s:o, s:o, s:i, s:i, s:f, s:f, s:f, s:b, s:f, s:b}", "version",
                  (int)rv_version(), "seed", hex(o->seed), "songs", hex(hash_songs(run->songs)),
                  "variants", o->variants, "sample_rate", o->sample_rate, "valid_fraction",
                  o->valid_fraction, "test_fraction", o->test_fraction, "vary", o->vary, "dry",
                  o->dry, "max_seconds", o->max_seconds, "espeak-ng", run->sings);
    rv_status status = add_files(all, "soundfonts", o->soundfonts, o->n_soundfonts, err);
    if (status == RV_OK)
        status = add_kits(all, o, err);
    if (status == RV_OK && o->n_instruments) /* so that older folders can be gone on with */
        status = add_files(all, "instruments", o->instruments, o->n_instruments, err);
    if (o->mix_drums)
        json_object_set_new(all, "drums", json_string("mixed"));
    *out = status == RV_OK ? json_dumps(all, JSON_INDENT(1)) : NULL;
    json_decref(all);
    if (status == RV_OK && !*out)
        status = RV_FAIL(err, RV_ERR_NOMEM, "out of memory");
    return status;
}

/* The first key whose value is another, or that only one has; NULL: none. */
static const char *differing(const json_t *wanted, const json_t *found)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)wanted, key,
                        value) if (!json_equal(value, json_object_get(found, key))) return key;
    json_object_foreach((json_t *)found, key, value) if (!json_object_get(wanted, key)) return key;
    return NULL;
}

static int is_track(const struct dirent *entry)
{
    return strncmp(entry->d_name, "Track", 5) == 0;
}

static bool has_tracks(const rv_render *run)
{
    int total = 0;
    for (int split = 0; split < RV_RENDER_SPLITS; split++) {
        char path[4096];
        struct dirent **entries = NULL;
        snprintf(path, sizeof path, "%s/%s", run->out,
                 rv_render_split_name((rv_render_split)split));
        const int n = scandir(path, &entries, is_track, NULL);
        for (int i = 0; i < n; i++)
            free(entries[i]);
        free(entries);
        total += n > 0 ? n : 0;
    }
    return total > 0;
}

static rv_status write_description(int fd, const char *path, const char *text, rv_error *err)
{
    const size_t n = strlen(text);
    bool failed = ftruncate(fd, 0) != 0;
    for (size_t done = 0; done < n && !failed;) {
        const ssize_t more = pwrite(fd, text + done, n - done, (off_t)done);
        done += more > 0 ? (size_t)more : 0;
        failed = more < 0 && errno != EINTR;
    }
    if (failed)
        return RV_FAIL(err, RV_ERR_IO, "%s: cannot be written: %s", path, strerror(errno));
    return RV_OK;
}

/* Locks the folder's description, and compares it; a folder without tracks gets a new one. */
static rv_status claim(int *lock, const rv_render *run, const char *text, rv_error *err)
{
    char old[16384], path[4096];
    snprintf(path, sizeof path, "%s/.ravel-render.json", run->out);
    *lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (*lock < 0)
        return RV_FAIL(err, RV_ERR_IO, "%s: %s", path, strerror(errno));
    if (flock(*lock, LOCK_EX | LOCK_NB))
        return RV_FAIL(err, RV_ERR_EXISTS, "%s: another run is at work in this folder", path);
    if (!has_tracks(run))
        return write_description(*lock, path, text, err);
    const ssize_t n = read(*lock, old, sizeof old);
    json_t *found = json_loadb(old, n > 0 ? (size_t)n : 0, 0, NULL);
    json_t *wanted = json_loads(text, 0, NULL);
    const char *key = differing(wanted, found);
    rv_status status = RV_OK;
    if (key)
        status = RV_FAIL(err, RV_ERR_EXISTS,
                         "%s: the data set there was made with other %s; choose another folder",
                         run->out, key);
    json_decref(found);
    json_decref(wanted);
    return status;
}

static rv_status make_folders(const rv_render *run, rv_error *err)
{
    for (int split = -1; split < RV_RENDER_SPLITS; split++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", run->out,
                 split < 0 ? "" : rv_render_split_name((rv_render_split)split));
        for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
            *slash = '\0';
            const bool bad = mkdir(path, 0777) && errno != EEXIST;
            *slash = '/';
            if (bad)
                return RV_FAIL(err, RV_ERR_IO, "%s: cannot be made: %s", path, strerror(errno));
        }
        if (split >= 0 && mkdir(path, 0777) && errno != EEXIST)
            return RV_FAIL(err, RV_ERR_IO, "%s: cannot be made: %s", path, strerror(errno));
    }
    return RV_OK;
}

/* The threads */

typedef struct {
    rv_render *run;
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t changed;
    size_t next, total, before, done;
    double seconds;
    int working;
    rv_status status; /* the first failure */
    rv_error err;
} crew;

static bool is_there(const rv_render *run, size_t track)
{
    char path[4096];
    rv_render_folder(path, sizeof path, run, track, false);
    return access(path, F_OK) == 0;
}

/* The next track that is missing; total: no more. */
static size_t take(crew *c)
{
    pthread_mutex_lock(&c->lock);
    while (c->next < c->total && is_there(c->run, c->next)) {
        c->next++;
        c->before++;
    }
    const bool over = atomic_load(&c->run->stop);
    const size_t track = over ? c->total : c->next;
    c->next += track < c->total;
    pthread_mutex_unlock(&c->lock);
    return track;
}

static void finish(crew *c, rv_status status, const rv_error *err, double seconds)
{
    pthread_mutex_lock(&c->lock);
    if (status == RV_OK) {
        c->done++;
        c->seconds += seconds;
    } else {
        if (c->status == RV_OK) {
            c->status = status;
            c->err = *err;
        }
        atomic_store(&c->run->stop, true);
    }
    pthread_cond_signal(&c->changed);
    pthread_mutex_unlock(&c->lock);
}

static void free_fonts(rv_render_worker *w)
{
    pthread_mutex_lock(&w->run->fonts);
    for (size_t i = 0; w->fonts && i < rv_render_fonts(w->run); i++)
        rv_soundfont_free(w->fonts[i]);
    pthread_mutex_unlock(&w->run->fonts);
    free(w->fonts);
}

static void *work(void *arg)
{
    crew *c = arg;
    rv_error err = { 0 };
    rv_render_worker w = { .run = c->run };
    w.fonts = calloc(rv_render_fonts(c->run), sizeof *w.fonts);
    if (!w.fonts)
        finish(c, RV_FAIL(&err, RV_ERR_NOMEM, "out of memory"), &err, 0);
    for (size_t track; (track = take(c)) < c->total;) {
        double seconds = 0;
        const rv_status status = rv_render_track(&w, track, &seconds, &err);
        finish(c, status, &err, seconds);
    }
    free_fonts(&w);
    pthread_mutex_lock(&c->lock);
    c->working--;
    pthread_cond_signal(&c->changed);
    pthread_mutex_unlock(&c->lock);
    return NULL;
}

/* With the lock held. */
static void tell(crew *c)
{
    const rv_render_options *opt = c->run->opt;
    const rv_render_progress now = { .tracks_done = c->done + c->before,
                                     .tracks_total = c->total,
                                     .tracks_before = c->before,
                                     .seconds_done = c->seconds };
    pthread_mutex_unlock(&c->lock);
    if (opt->progress && opt->progress(opt->progress_ctx, &now))
        atomic_store(&c->run->stop, true);
    pthread_mutex_lock(&c->lock);
}

static void watch(crew *c)
{
    pthread_mutex_lock(&c->lock);
    while (c->working > 0) {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until); /* to wait, not for any result */
        until.tv_nsec += 200000000;
        until.tv_sec += until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
        pthread_cond_timedwait(&c->changed, &c->lock, &until);
        tell(c);
    }
    pthread_mutex_unlock(&c->lock);
}

static int threads_for(const rv_render *run, size_t total)
{
    const long cores = sysconf(_SC_NPROCESSORS_ONLN);
    const long wanted = run->opt->threads ? run->opt->threads : cores > 0 ? cores : 1;
    return (int)(wanted > (long)total ? (long)total : wanted);
}

static rv_status make_tracks(rv_render *run, crew *c, rv_error *err)
{
    pthread_t threads[THREADS_MAX];
    const int wanted = threads_for(run, c->total);
    int n = 0;
    pthread_mutex_lock(&c->lock);
    while (n < wanted && pthread_create(&threads[n], NULL, work, c) == 0)
        n++;
    c->working = n;
    pthread_mutex_unlock(&c->lock);
    if (!n)
        return RV_FAIL(err, RV_ERR_NOMEM, "no thread can be made");
    watch(c);
    for (int i = 0; i < n; i++)
        pthread_join(threads[i], NULL);
    if (c->status != RV_OK && c->status != RV_ERR_CANCELLED)
        return RV_FAIL(err, c->status, "%s", c->err.text);
    if (c->done + c->before < c->total)
        return RV_FAIL(err, RV_ERR_CANCELLED, "interrupted after %zu of %zu tracks",
                       c->done + c->before, c->total);
    return RV_OK;
}

static rv_status run_locked(rv_render *run, rv_render_report *report, rv_error *err)
{
    crew c = { .run = run, .total = (size_t)rv_render_tracks(run) };
    if (c.total > TRACKS_MAX)
        return RV_FAIL(err, RV_ERR_ARG, "%zu tracks: at most %d are possible", c.total, TRACKS_MAX);
    pthread_mutex_init(&c.lock, NULL);
    pthread_cond_init(&c.changed, NULL);
    const rv_status status = make_tracks(run, &c, err);
    pthread_cond_destroy(&c.changed);
    pthread_mutex_destroy(&c.lock);
    report->tracks_before = c.before;
    report->tracks = c.before + c.done;
    RV_TRY(status);
    return rv_render_card(run, report, err);
}

static rv_status run_in_folder(rv_render *run, rv_render_report *report, rv_error *err)
{
    char *text = NULL;
    int lock = -1;
    RV_TRY(make_folders(run, err));
    RV_TRY(describe(&text, run, err));
    rv_status status = claim(&lock, run, text, err);
    free(text);
    if (status == RV_OK)
        status = run_locked(run, report, err);
    if (lock >= 0)
        close(lock);
    return status;
}

static rv_status run_songs(rv_render *run, rv_render_report *report, rv_error *err)
{
    rv_render_songs *songs = NULL;
    RV_TRY(rv_render_songs_find(&songs, run->opt, err));
    *report = (rv_render_report){ .songs = songs->n,
                                  .broken = songs->broken,
                                  .duplicates = songs->duplicates,
                                  .too_long = songs->too_long };
    run->songs = songs;
    const rv_status status = run_in_folder(run, report, err);
    rv_render_songs_free(songs);
    return status;
}

rv_status rv_render_run(const char *out, const rv_render_options *opt, rv_render_report *report,
                        rv_error *err)
{
    rv_render run = { .opt = opt, .out = out, .sings = rv_sing_available() };
    rv_render_worker trial = { .run = &run };
    RV_TRY(check_options(opt, err));
    RV_TRY(check_build(err));
    if (!*out || strlen(out) > 3000)
        return RV_FAIL(err, RV_ERR_ARG, "the name of the output folder is empty or too long");
    atomic_init(&run.stop, false);
    pthread_mutex_init(&run.fonts, NULL);
    rv_status status = rv_render_sounds_open(&trial, err);
    if (status == RV_OK)
        status = run_songs(&run, report, err);
    free_fonts(&trial);
    rv_render_sounds_free(&run);
    pthread_mutex_destroy(&run.fonts);
    return status;
}
