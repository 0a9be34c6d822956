/* layout_folders.c - see layout_folders.h. */
#include "data/layout_folders.h"

#include "base/status.h"
#include "data/entries.h"

#include <stdlib.h>
#include <string.h>

typedef struct walker {
    rv_song_list *list;
    rv_is_song_fn *is_song;
    rv_error *err;
} walker;

static rv_status walk(const walker *w, const char *folder, const char *name, const char *split,
                      int depth);

static rv_status walk_below(const walker *w, const char *folder, const rv_entries *e,
                            const char *split, int depth)
{
    for (size_t i = 0; i < e->n; i++) {
        char *below = NULL;
        const char *own = *split ? NULL : rv_split_of_folder(e->names[i]);
        RV_TRY(rv_path_join(&below, folder, e->names[i], "", w->err));
        rv_status status = RV_OK;
        if (rv_is_folder(below))
            status = walk(w, below, e->names[i], own ? own : split, depth - 1);
        free(below);
        RV_TRY(status);
    }
    return RV_OK;
}

static rv_status walk(const walker *w, const char *folder, const char *name, const char *split,
                      int depth)
{
    bool is_song = false;
    rv_entries e = { 0 };
    RV_TRY(w->is_song(&is_song, folder, w->err));
    if (is_song) {
        char *path = NULL;
        RV_TRY(rv_path_join(&path, folder, "", "", w->err));
        return rv_song_list_add(w->list, name, split, path, w->err);
    }
    if (depth <= 0)
        return RV_OK;
    RV_TRY(rv_entries_read(&e, folder, w->err));
    const rv_status status = walk_below(w, folder, &e, split, depth);
    rv_entries_free(&e);
    return status;
}

rv_status rv_list_folders(rv_song_list *l, const char *root, int depth, rv_is_song_fn *is_song,
                          rv_error *err)
{
    const walker w = { l, is_song, err };
    const char *slash = strrchr(root, '/');
    return walk(&w, root, slash && slash[1] ? slash + 1 : root, "", depth);
}

bool rv_is_plain_name(const char *name)
{
    for (const char *c = name; c && *c; c++)
        if ((unsigned char)*c < ' ' || *c == '/' || *c == 127)
            return false;
    return name && *name && name[0] != '.';
}

rv_status rv_song_add_file(rv_song *s, const char *folder, const char *stem, const char *label,
                           int program, rv_error *err)
{
    char *path = NULL;
    RV_TRY(rv_find_audio(&path, folder, stem, err));
    if (!path)
        return RV_FAIL(err, RV_ERR_IO, "%s/%s: no such file with .wav or .flac", folder, stem);
    return rv_song_add_piece(s, label, program, path, 0, RV_ALL_CHANNELS, err);
}

rv_status rv_song_add_mixture(rv_song *s, const char *folder, const char *stem, rv_error *err)
{
    char *path = NULL;
    RV_TRY(rv_find_audio(&path, folder, stem, err));
    return path ? rv_sources_add(&s->mixture, path, 0, RV_ALL_CHANNELS, err) : RV_OK;
}
