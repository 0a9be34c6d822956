/* layout_songs.c - one folder for each song, a file for each stem, however deep:
 *
 *     ROOT/[train|valid|test/].../SONG/{mixture,drums,bass,other,vocals}.{wav,flac}
 *
 * A song is a folder that holds a file of at least one of the stems asked for. The mixture may be
 * missing, or be named `mix`. Where both are there, .wav goes before .flac. */
#include "data/entries.h"
#include "data/layout.h"

#include "base/status.h"

#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 8 }; /* folders below each other; ends cycles of links */

/* *stem (free() it): "drums" for "drums.wav"; NULL for a file of another kind. */
static rv_status stem_of_file(char **stem, const char *file, rv_error *err)
{
    const bool audio = rv_ends_in(file, ".wav") || rv_ends_in(file, ".flac");
    *stem = audio ? strndup(file, (size_t)(strrchr(file, '.') - file)) : NULL;
    if (audio && !*stem)
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", file);
    return RV_OK;
}

static bool is_mixture(const char *stem)
{
    return rv_label_equal(stem, "mixture") || rv_label_equal(stem, "mix");
}

static bool is_wanted(const rv_wanted *w, const char *stem)
{
    for (size_t i = 0; i < w->n_stems; i++)
        if (rv_submix_takes(&w->stems[i], stem, -1))
            return true;
    return w->n_stems == 0 && !is_mixture(stem);
}

static rv_status holds_song(bool *out, const rv_wanted *w, const rv_entries *files, rv_error *err)
{
    *out = false;
    for (size_t i = 0; i < files->n && !*out; i++) {
        char *stem = NULL;
        RV_TRY(stem_of_file(&stem, files->names[i], err));
        *out = stem && is_wanted(w, stem);
        free(stem);
    }
    return RV_OK;
}

static rv_status walk(rv_song_list *l, const rv_wanted *w, const char *name, int depth,
                      rv_error *err);

static rv_status walk_below(rv_song_list *l, const rv_wanted *w, const char *name,
                            const rv_entries *e, int depth, rv_error *err)
{
    for (size_t i = 0; i < e->n; i++) {
        char *below = NULL;
        RV_TRY(rv_path_join(&below, name, e->names[i], "", err));
        const rv_status status = walk(l, w, below, depth + 1, err);
        free(below);
        RV_TRY(status);
    }
    return RV_OK;
}

/* `name` is relative to root: "train/a" is song "a" of the split "train". */
static rv_status add_song(rv_song_list *l, const char *folder, const char *name, rv_error *err)
{
    char *path = strdup(folder), *first = strndup(name, strcspn(name, "/"));
    if (!path || !first) {
        free(path);
        free(first);
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", name);
    }
    const char *split = rv_split_of_folder(first), *rest = name + strlen(first);
    const char *own = split && *rest ? rest + 1 : name;
    free(first);
    return rv_song_list_add(l, *own ? own : ".", split && *rest ? split : "", path, err);
}

static rv_status walk_folder(rv_song_list *l, const rv_wanted *w, const char *folder,
                             const char *name, int depth, rv_error *err)
{
    rv_entries e = { 0 };
    bool is_song = false;
    RV_TRY(rv_entries_read(&e, folder, err));
    rv_status status = holds_song(&is_song, w, &e, err);
    if (status == RV_OK)
        status = is_song ? add_song(l, folder, name, err) : walk_below(l, w, name, &e, depth, err);
    rv_entries_free(&e);
    return status;
}

static rv_status walk(rv_song_list *l, const rv_wanted *w, const char *name, int depth,
                      rv_error *err)
{
    char *folder = NULL;
    RV_TRY(rv_path_join(&folder, w->root, name, "", err));
    rv_status status = RV_OK;
    if (depth <= DEPTH_MAX && rv_is_folder(folder))
        status = walk_folder(l, w, folder, name, depth, err);
    free(folder);
    return status;
}

static rv_status list(rv_song_list *out, const rv_wanted *wanted, rv_error *err)
{
    return walk(out, wanted, "", 0, err);
}

static bool has_piece(const rv_song *s, const char *label)
{
    for (size_t i = 0; i < s->n; i++)
        if (rv_label_equal(s->pieces[i].label, label))
            return true;
    return false;
}

static rv_status add_stem(rv_song *s, const char *stem, rv_error *err)
{
    char *path = NULL;
    if (is_mixture(stem) ? s->mixture.n > 0 : has_piece(s, stem))
        return RV_OK;
    RV_TRY(rv_find_audio(&path, s->path, stem, err));
    if (!path)
        return RV_OK;
    if (is_mixture(stem))
        return rv_sources_add(&s->mixture, path, 0, RV_ALL_CHANNELS, err);
    return rv_song_add_piece(s, stem, -1, path, 0, RV_ALL_CHANNELS, err);
}

static rv_status add_file(rv_song *s, const rv_wanted *w, const char *file, rv_error *err)
{
    char *stem = NULL;
    RV_TRY(stem_of_file(&stem, file, err));
    rv_status status = RV_OK;
    if (stem && (is_mixture(stem) || is_wanted(w, stem)))
        status = add_stem(s, stem, err);
    free(stem);
    return status;
}

static rv_status fill(rv_song *s, const rv_wanted *wanted, rv_error *err)
{
    rv_entries e = { 0 };
    RV_TRY(rv_entries_read(&e, s->path, err));
    rv_status status = add_stem(s, "mixture", err);
    for (size_t i = 0; i < e.n && status == RV_OK; i++)
        status = add_file(s, wanted, e.names[i], err);
    rv_entries_free(&e);
    return status;
}

const rv_layout rv_layout_songs = {
    .name = "songs",
    .expects = "ROOT/[train|valid|test/]SONG/STEM.wav or .flac, and mixture or mix",
    .list = list,
    .fill = fill,
    .rest = RV_REST_NONE,
    .missing = RV_MISSING_ERROR,
    .general = true,
};
