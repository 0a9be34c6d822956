/* render_songs.c - see render_songs.h. */
#include "data/render_songs.h"

#include "base/rng.h"
#include "base/status.h"
#include "data/compose.h"
#include "data/parts.h"
#include "data/sing.h"
#include "io/hash64.h"
#include "io/mapping.h"

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

enum { DEPTH_MAX = 32 }; /* folders below each other; ends cycles of links */
enum { SPLIT_STREAM = 1, COMPOSE_STREAM };

typedef struct {
    rv_render_songs *songs;
    const rv_render_options *opt;
    size_t root; /* characters of the path before the name */
} finder;

const char *rv_render_split_name(rv_render_split split)
{
    static const char *const names[RV_RENDER_SPLITS] = { "train", "validation", "test" };
    return names[split];
}

rv_status rv_render_song_read(rv_midi **out, const rv_render_song *song, rv_error *err)
{
    const rv_compose_options how = {
        .seed = song->seed, .style = song->style, .most = song->most, .vocals = rv_sing_available()
    };
    return song->composed ? rv_compose(out, &how, err) : rv_midi_read(out, song->path, err);
}

static void free_song(rv_render_song *song)
{
    free(song->path);
    free(song->name);
}

void rv_render_songs_free(rv_render_songs *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->n; i++)
        free_song(&s->items[i]);
    free(s->items);
    free(s);
}

/* Tells of a song that is left out. */
static rv_status say(const finder *f, const char *note, rv_error *err)
{
    const rv_render_progress now = { .note = note };
    if (f->opt->progress && f->opt->progress(f->opt->progress_ctx, &now))
        return RV_FAIL(err, RV_ERR_CANCELLED, "stopped while looking for songs");
    return RV_OK;
}

static rv_status append(rv_render_songs *s, const char *path, size_t root, uint64_t hash,
                        rv_error *err)
{
    if (s->n == s->room) {
        const size_t room = 2 * s->room + 64;
        rv_render_song *items = realloc(s->items, room * sizeof *items);
        if (!items)
            return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", path);
        s->items = items;
        s->room = room;
    }
    rv_render_song *song = &s->items[s->n++];
    *song = (rv_render_song){ .path = strdup(path), .name = strdup(path + root), .hash = hash };
    if (!song->path || !song->name)
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", path);
    return RV_OK;
}

/* Seconds of the song, and the hash of its file. */
static rv_status look_at(const char *path, double *seconds, uint64_t *hash, rv_error *err)
{
    rv_mapping map = { 0 };
    rv_midi *midi = NULL;
    rv_parts *parts = NULL;
    RV_TRY(rv_mapping_open(&map, path, err));
    *hash = rv_hash64(map.data, map.size, 0);
    rv_status status = rv_midi_parse(&midi, map.data, map.size, path, err);
    if (status == RV_OK)
        status = rv_parts_new(&parts, midi, path, err);
    *seconds = parts ? parts->end : 0;
    rv_parts_free(parts);
    rv_midi_free(midi);
    rv_mapping_close(&map);
    return status;
}

static rv_status add_file(finder *f, const char *path, rv_error *err)
{
    double seconds;
    uint64_t hash;
    rv_error why = { 0 };
    const rv_status status = look_at(path, &seconds, &hash, &why);
    char note[sizeof why.text + 100];
    if (status == RV_ERR_NOMEM || (status != RV_OK && f->opt->strict))
        return RV_FAIL(err, status, "%s", why.text);
    if (status != RV_OK) {
        f->songs->broken++;
        snprintf(note, sizeof note, "left out: %s", why.text);
        return say(f, note, err);
    }
    if (seconds > f->opt->max_seconds) {
        f->songs->too_long++;
        snprintf(note, sizeof note, "left out: %s: %.0f s long", path, seconds);
        return say(f, note, err);
    }
    return append(f->songs, path, f->root, hash, err);
}

static rv_status add_path(finder *f, const char *path, int depth, rv_error *err);

static bool is_midi(const char *name)
{
    static const char *const endings[] = { ".mid", ".midi", ".kar", ".rmi", ".smf" };
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; dot && i < sizeof endings / sizeof *endings; i++)
        if (strcasecmp(dot, endings[i]) == 0)
            return true;
    return false;
}

static rv_status add_entry(finder *f, const char *folder, const char *name, int depth,
                           rv_error *err)
{
    struct stat st;
    char *path = NULL;
    rv_status status = RV_OK;
    if (asprintf(&path, "%s/%s", folder, name) < 0)
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", folder);
    if (stat(path, &st) == 0 && (S_ISDIR(st.st_mode) || (S_ISREG(st.st_mode) && is_midi(name))))
        status = add_path(f, path, depth + 1, err);
    free(path);
    return status;
}

/* The bytes of names decide, whatever the locale. */
static int by_bytes(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int not_hidden(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static rv_status add_folder(finder *f, const char *path, int depth, rv_error *err)
{
    struct dirent **entries = NULL;
    rv_status status = RV_OK;
    if (depth > DEPTH_MAX)
        return RV_OK;
    const int n = scandir(path, &entries, not_hidden, by_bytes);
    if (n < 0)
        return RV_FAIL(err, RV_ERR_IO, "%s: %s", path, strerror(errno));
    for (int i = 0; i < n; i++) {
        if (status == RV_OK)
            status = add_entry(f, path, entries[i]->d_name, depth, err);
        free(entries[i]);
    }
    free(entries);
    return status;
}

static rv_status add_path(finder *f, const char *path, int depth, rv_error *err)
{
    struct stat st;
    if (stat(path, &st))
        return RV_FAIL(err, RV_ERR_IO, "%s: %s", path, strerror(errno));
    return S_ISDIR(st.st_mode) ? add_folder(f, path, depth, err) : add_file(f, path, err);
}

/* What is named: a song's name is its path below that, and a file's name is its own. */
static rv_status add_named(finder *f, const char *named, rv_error *err)
{
    size_t n = strlen(named);
    while (n > 1 && named[n - 1] == '/')
        n--;
    char *path = strndup(named, n);
    struct stat st;
    if (!path)
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", named);
    const char *slash = strrchr(path, '/');
    f->root = stat(path, &st) == 0 && S_ISDIR(st.st_mode) ? n + 1
              : slash                                     ? (size_t)(slash - path) + 1
                                                          : 0;
    const rv_status status = add_path(f, path, 0, err);
    free(path);
    return status;
}

/* Order and use */

static int compare(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int by_name(const void *left, const void *right)
{
    const rv_render_song *a = left, *b = right;
    const int order = strcmp(a->name, b->name);
    return order ? order : compare(a->hash, b->hash);
}

static int by_content(const void *left, const void *right)
{
    const rv_render_song *a = left, *b = right;
    return a->hash != b->hash ? compare(a->hash, b->hash) : strcmp(a->name, b->name);
}

static int by_rating(const void *left, const void *right)
{
    const rv_render_song *a = left, *b = right;
    return compare(b->rating, a->rating);
}

/* Of equal contents the first name stays. */
static void drop_duplicates(rv_render_songs *s)
{
    size_t kept = 0;
    qsort(s->items, s->n, sizeof *s->items, by_content);
    for (size_t i = 0; i < s->n; i++) {
        if (kept && s->items[kept - 1].hash == s->items[i].hash)
            free_song(&s->items[i]);
        else
            s->items[kept++] = s->items[i];
    }
    s->duplicates = s->n - kept;
    s->n = kept;
}

static void split(rv_render_songs *s, const rv_render_options *opt)
{
    const size_t tests = (size_t)lround(opt->test_fraction * (double)s->n);
    const size_t valid = (size_t)lround(opt->valid_fraction * (double)s->n);
    for (size_t i = 0; i < s->n; i++)
        s->items[i].rating = rv_rng_bits(opt->seed, SPLIT_STREAM, s->items[i].hash);
    qsort(s->items, s->n, sizeof *s->items, by_rating);
    for (size_t i = 0; i < s->n; i++)
        s->items[i].split = i < tests           ? RV_RENDER_SPLIT_TEST
                            : i < tests + valid ? RV_RENDER_SPLIT_VALIDATION
                                                : RV_RENDER_SPLIT_TRAIN;
    qsort(s->items, s->n, sizeof *s->items, by_name);
}

/* What a composed song is like follows from its style and seed. */
static rv_status add_composed(rv_render_songs *s, const rv_render_options *opt, int number,
                              rv_error *err)
{
    char name[32];
    const uint64_t seed = rv_rng_bits(opt->seed, COMPOSE_STREAM, (uint64_t)number);
    snprintf(name, sizeof name, "composed/%05d", number);
    const char *style = opt->style ? opt->style : "";
    RV_TRY(append(s, name, 0, rv_hash64(style, strlen(style), seed), err));
    s->items[s->n - 1].composed = true;
    s->items[s->n - 1].style = opt->style;
    s->items[s->n - 1].seed = seed;
    s->items[s->n - 1].most = opt->max_seconds;
    return RV_OK;
}

/* Before anything is made. */
static rv_status check_style(const char *style, rv_error *err)
{
    const char *const *known = rv_compose_styles();
    while (style && *known && strcmp(*known, style))
        known++;
    if (style && !*known)
        return RV_FAIL(err, RV_ERR_ARG, "style '%s' is not known; '%s' is one", style,
                       rv_compose_styles()[0]);
    return RV_OK;
}

static rv_status find(rv_render_songs *s, const rv_render_options *opt, rv_error *err)
{
    finder f = { .songs = s, .opt = opt };
    for (size_t i = 0; i < opt->n_midi; i++)
        RV_TRY(add_named(&f, opt->midi[i], err));
    RV_TRY(check_style(opt->style, err));
    for (int i = 1; i <= opt->compose; i++)
        RV_TRY(add_composed(s, opt, i, err));
    if (!s->n)
        return RV_FAIL(err, RV_ERR_IO, "no songs: %llu MIDI files are broken, %llu too long",
                       (unsigned long long)s->broken, (unsigned long long)s->too_long);
    drop_duplicates(s);
    split(s, opt);
    return RV_OK;
}

rv_status rv_render_songs_find(rv_render_songs **out, const rv_render_options *opt, rv_error *err)
{
    rv_render_songs *s = calloc(1, sizeof *s);
    if (!s)
        return RV_FAIL(err, RV_ERR_NOMEM, "out of memory");
    const rv_status status = find(s, opt, err);
    if (status == RV_OK)
        *out = s;
    else
        rv_render_songs_free(s);
    return status;
}
