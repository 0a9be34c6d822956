/* layout_stem_folders.c - one folder for each stem, with files of the same names:
 *
 *     ROOT/[train|valid|test/]{drums,bass,...}/SONG.{wav,flac}
 *
 * and, where there are mixtures, {mixture,mix}/SONG.{wav,flac}. */
#include "data/entries.h"
#include "data/layout_folders.h"

#include "base/status.h"

#include <stdlib.h>
#include <string.h>

static bool is_mixture(const char *folder)
{
    return rv_label_equal(folder, "mixture") || rv_label_equal(folder, "mix");
}

static bool is_stem(const rv_wanted *w, const char *folder)
{
    for (size_t i = 0; i < w->n_stems; i++)
        if (rv_submix_takes(&w->stems[i], folder, -1))
            return true;
    for (int i = 0; w->n_stems == 0 && rv_musdb_stems[i]; i++)
        if (rv_label_equal(folder, rv_musdb_stems[i]))
            return true;
    return false;
}

static bool is_listed(const rv_song_list *l, const char *name, const char *split)
{
    for (size_t i = 0; i < l->n; i++)
        if (strcmp(l->at[i].name, name) == 0 && strcmp(l->at[i].split, split) == 0)
            return true;
    return false;
}

/* A song's path is the folder of the stems' folders. */
static rv_status add_song(rv_song_list *l, const char *base, const char *file, const char *split,
                          rv_error *err)
{
    char *path = NULL, *name = NULL;
    if (!rv_ends_in(file, ".wav") && !rv_ends_in(file, ".flac"))
        return RV_OK;
    if (!(name = strndup(file, (size_t)(strrchr(file, '.') - file))))
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", file);
    rv_status status = RV_OK;
    if (!is_listed(l, name, split)) {
        status = rv_path_join(&path, base, "", "", err);
        if (status == RV_OK)
            status = rv_song_list_add(l, name, split, path, err);
    }
    free(name);
    return status;
}

static rv_status list_stem(rv_song_list *l, const char *base, const char *stem, const char *split,
                           rv_error *err)
{
    char *folder = NULL;
    rv_entries e = { 0 };
    RV_TRY(rv_path_join(&folder, base, stem, "", err));
    rv_status status = rv_entries_read(&e, folder, err);
    for (size_t i = 0; i < e.n && status == RV_OK; i++)
        status = add_song(l, base, e.names[i], split, err);
    rv_entries_free(&e);
    free(folder);
    return status;
}

static rv_status list_base(rv_song_list *l, const rv_wanted *w, const char *base, const char *split,
                           bool top, rv_error *err);

static rv_status list_entry(rv_song_list *l, const rv_wanted *w, const char *base,
                            const char *entry, const char *split, bool top, rv_error *err)
{
    const char *own = top ? rv_split_of_folder(entry) : NULL;
    char *folder = NULL;
    if (is_stem(w, entry))
        return list_stem(l, base, entry, split, err);
    if (!own)
        return RV_OK;
    RV_TRY(rv_path_join(&folder, base, entry, "", err));
    const rv_status status = list_base(l, w, folder, own, false, err);
    free(folder);
    return status;
}

static rv_status list_base(rv_song_list *l, const rv_wanted *w, const char *base, const char *split,
                           bool top, rv_error *err)
{
    rv_entries e = { 0 };
    RV_TRY(rv_entries_read(&e, base, err));
    rv_status status = RV_OK;
    for (size_t i = 0; i < e.n && status == RV_OK; i++)
        status = list_entry(l, w, base, e.names[i], split, top, err);
    rv_entries_free(&e);
    return status;
}

static rv_status list(rv_song_list *out, const rv_wanted *wanted, rv_error *err)
{
    return list_base(out, wanted, wanted->root, "", true, err);
}

static rv_status add_file(rv_song *s, const char *stem, rv_error *err)
{
    char *folder = NULL, *path = NULL;
    RV_TRY(rv_path_join(&folder, s->path, stem, "", err));
    const rv_status status = rv_find_audio(&path, folder, s->name, err);
    free(folder);
    RV_TRY(status);
    if (!path)
        return RV_OK;
    if (is_mixture(stem))
        return rv_sources_add(&s->mixture, path, 0, RV_ALL_CHANNELS, err);
    return rv_song_add_piece(s, stem, -1, path, 0, RV_ALL_CHANNELS, err);
}

static rv_status fill(rv_song *s, const rv_wanted *wanted, rv_error *err)
{
    rv_entries e = { 0 };
    RV_TRY(rv_entries_read(&e, s->path, err));
    rv_status status = RV_OK;
    for (size_t i = 0; i < e.n && status == RV_OK; i++)
        if (is_mixture(e.names[i]) ? s->mixture.n == 0 : is_stem(wanted, e.names[i]))
            status = add_file(s, e.names[i], err);
    rv_entries_free(&e);
    return status;
}

const rv_layout rv_layout_stem_folders = {
    .name = "stem_folders",
    .expects = "ROOT/[train|valid|test/]STEM/SONG.wav or .flac, and mixture/SONG or mix/SONG",
    .list = list,
    .fill = fill,
    .rest = RV_REST_NONE,
    .missing = RV_MISSING_ERROR,
    .general = true,
};
