/* track_list.c - walk through folders, a song each. */
#include "data/track_list.h"

#include "base/status.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { DEPTH_MAX = 8 }; /* folders below each other; ends cycles of links */

static bool is_kind(const char *path, mode_t kind)
{
    struct stat s;
    return stat(path, &s) == 0 && (s.st_mode & S_IFMT) == kind;
}

/* "a", "b" -> "a/b"; "a" for an empty b */
static rv_status join(char **out, const char *a, const char *b, const char *suffix, rv_error *err)
{
    const size_t n = strlen(a) + strlen(b) + strlen(suffix) + 2;
    char *path = malloc(n);
    if (!path)
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", a);
    snprintf(path, n, "%s%s%s%s", a, *a && *b ? "/" : "", b, suffix);
    *out = path;
    return RV_OK;
}

/* *out is NULL if the folder has no such file. */
static rv_status find_audio(char **out, const char *folder, const char *stem, rv_error *err)
{
    static const char *const extensions[] = { ".wav", ".flac" };
    for (int i = 0; i < 2; i++) {
        RV_TRY(join(out, folder, stem, extensions[i], err));
        if (is_kind(*out, S_IFREG))
            return RV_OK;
        free(*out);
        *out = NULL;
    }
    return RV_OK;
}

static void free_strings(char **strings, size_t n)
{
    for (size_t i = 0; strings && i < n; i++)
        free(strings[i]);
    free(strings);
}

static void free_track(rv_track *t, size_t n_stems)
{
    free(t->name);
    free(t->mixture);
    free_strings(t->stems, n_stems);
}

void rv_track_list_free(rv_track_list *l)
{
    if (!l)
        return;
    for (size_t i = 0; i < l->n; i++)
        free_track(&l->tracks[i], l->n_stems);
    free(l->tracks);
    free_strings(l->stems, l->n_stems);
    free(l->root);
    free(l);
}

/* Looks for the files of a song; *found counts its stems. */
static rv_status fill_track(rv_track *t, size_t *found, const rv_track_list *l, const char *folder,
                            rv_error *err)
{
    const char *missing = NULL;
    if (!(t->stems = calloc(l->n_stems, sizeof *t->stems)))
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", folder);
    for (size_t s = 0; s < l->n_stems; s++) {
        RV_TRY(find_audio(&t->stems[s], folder, l->stems[s], err));
        *found += t->stems[s] != NULL;
        missing = t->stems[s] ? missing : l->stems[s];
    }
    if (*found > 0 && missing)
        return RV_FAIL(err, RV_ERR_IO, "%s: the song has no %s.wav or %s.flac", folder, missing,
                       missing);
    return find_audio(&t->mixture, folder, "mixture", err);
}

static rv_status append(rv_track_list *l, const rv_track *t, rv_error *err)
{
    rv_track *grown = realloc(l->tracks, (l->n + 1) * sizeof *grown);
    if (!grown)
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", t->name);
    l->tracks = grown;
    l->tracks[l->n++] = *t;
    return RV_OK;
}

/* *is_song: the folder was one, and is in the list now. */
static rv_status try_song(rv_track_list *l, bool *is_song, const char *folder, const char *name,
                          rv_error *err)
{
    rv_track t = { 0 };
    size_t found = 0;
    rv_status status = fill_track(&t, &found, l, folder, err);
    *is_song = found > 0;
    if (status == RV_OK && *is_song)
        status = join(&t.name, *name ? name : ".", "", "", err);
    if (status == RV_OK && *is_song)
        status = append(l, &t, err);
    if (status != RV_OK || !*is_song)
        free_track(&t, l->n_stems);
    return status;
}

static rv_status walk(rv_track_list *l, const char *name, int depth, rv_error *err);

static rv_status walk_into(rv_track_list *l, const char *name, const char *entry, int depth,
                           rv_error *err)
{
    char *below = NULL;
    RV_TRY(join(&below, name, entry, "", err));
    const rv_status status = walk(l, below, depth + 1, err);
    free(below);
    return status;
}

static rv_status walk_entries(rv_track_list *l, const char *folder, const char *name, int depth,
                              rv_error *err)
{
    DIR *d = opendir(folder);
    if (!d)
        return RV_FAIL(err, RV_ERR_IO, "%s: %s", folder, strerror(errno));
    rv_status status = RV_OK;
    for (const struct dirent *e; status == RV_OK && (e = readdir(d));)
        if (e->d_name[0] != '.')
            status = walk_into(l, name, e->d_name, depth, err);
    closedir(d);
    return status;
}

/* The folder root/name, if it is one: a song, or folders of songs. */
static rv_status walk(rv_track_list *l, const char *name, int depth, rv_error *err)
{
    char *folder = NULL;
    bool is_song = false;
    RV_TRY(join(&folder, l->root, name, "", err));
    rv_status status = RV_OK;
    if (depth <= DEPTH_MAX && is_kind(folder, S_IFDIR)) {
        status = try_song(l, &is_song, folder, name, err);
        if (status == RV_OK && !is_song)
            status = walk_entries(l, folder, name, depth, err);
    }
    free(folder);
    return status;
}

static rv_status has_folder(bool *out, const char *root, const char *name, rv_error *err)
{
    char *path = NULL;
    RV_TRY(join(&path, root, name, "", err));
    *out = is_kind(path, S_IFDIR);
    free(path);
    return RV_OK;
}

static rv_status choose_root(rv_track_list *l, const char *root, const char *subset, rv_error *err)
{
    static const char *const subsets[] = { "train", "valid", "test" };
    bool there = false, any = false;
    if (!is_kind(root, S_IFDIR))
        return RV_FAIL(err, RV_ERR_IO, "%s: not a folder; expected a data set", root);
    if (!subset)
        return join(&l->root, root, "", "", err);
    RV_TRY(has_folder(&there, root, subset, err));
    for (int i = 0; i < 3 && !any; i++)
        RV_TRY(has_folder(&any, root, subsets[i], err));
    if (!there && (any || strcmp(subset, "train") != 0))
        return RV_FAIL(err, RV_ERR_IO, "%s: the data set has no folder '%s'", root, subset);
    return join(&l->root, root, there ? subset : "", "", err);
}

static rv_status copy_names(rv_track_list *l, const char *const *stems, size_t n, rv_error *err)
{
    if (n < 1 || n > RV_STEMS_MAX)
        return RV_FAIL(err, RV_ERR_ARG, "%zu stems; expected 1 to %d", n, RV_STEMS_MAX);
    if (!(l->stems = calloc(n, sizeof *l->stems)))
        return RV_FAIL(err, RV_ERR_NOMEM, "names of %zu stems", n);
    l->n_stems = n;
    for (size_t s = 0; s < n; s++) {
        if (!*stems[s] || strchr(stems[s], '/'))
            return RV_FAIL(err, RV_ERR_ARG, "stem '%s': expected the name of a file", stems[s]);
        RV_TRY(join(&l->stems[s], stems[s], "", "", err));
    }
    return RV_OK;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const rv_track *)a)->name, ((const rv_track *)b)->name);
}

static rv_status fill_list(rv_track_list *l, const char *root, const char *subset,
                           const char *const *stems, size_t n_stems, rv_error *err)
{
    RV_TRY(copy_names(l, stems, n_stems, err));
    RV_TRY(choose_root(l, root, subset, err));
    RV_TRY(walk(l, "", 0, err));
    if (l->n == 0)
        return RV_FAIL(err, RV_ERR_IO,
                       "%s: no songs; expected folders with files such as %s.wav or %s.flac",
                       l->root, stems[0], stems[0]);
    qsort(l->tracks, l->n, sizeof *l->tracks, by_name);
    return RV_OK;
}

rv_status rv_track_list_find(rv_track_list **out, const char *root, const char *subset,
                             const char *const *stems, size_t n_stems, rv_error *err)
{
    rv_track_list *l = calloc(1, sizeof *l);
    if (!l)
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", root);
    const rv_status status = fill_list(l, root, subset, stems, n_stems, err);
    if (status == RV_OK)
        *out = l;
    else
        rv_track_list_free(l);
    return status;
}

static bool is_named(const rv_track *t, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(t->name, names[i]) == 0)
            return true;
    return false;
}

static rv_status check_names(const rv_track_list *l, const char *const *names, size_t n,
                             rv_error *err)
{
    for (size_t i = 0; i < n; i++) {
        bool found = false;
        for (size_t t = 0; t < l->n && !found; t++)
            found = strcmp(l->tracks[t].name, names[i]) == 0;
        if (!found)
            return RV_FAIL(err, RV_ERR_ARG, "%s: no song named '%s'", l->root, names[i]);
    }
    return RV_OK;
}

rv_status rv_track_list_filter(rv_track_list *l, const char *const *names, size_t n, bool keep,
                               rv_error *err)
{
    size_t left = 0;
    RV_TRY(check_names(l, names, n, err));
    for (size_t t = 0; t < l->n; t++)
        left += is_named(&l->tracks[t], names, n) == keep;
    if (left == 0)
        return RV_FAIL(err, RV_ERR_ARG, "%s: none of its %zu songs is left", l->root, l->n);
    size_t to = 0;
    for (size_t t = 0; t < l->n; t++)
        if (is_named(&l->tracks[t], names, n) == keep)
            l->tracks[to++] = l->tracks[t];
        else
            free_track(&l->tracks[t], l->n_stems);
    l->n = to;
    return RV_OK;
}
