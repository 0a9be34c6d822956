/* layout_musdb18.c - MUSDB18 (Z. Rafii et al. 2017, doi:10.5281/zenodo.1117372): a file of five
 * audio streams for each song.
 *
 *     ROOT/{train,test}/SONG.stem.mp4
 *
 * Streams are the mixture, drums, bass, other and vocals. A folder without splits is read, too, and
 * so is a single file. */
#include "data/entries.h"
#include "data/layout.h"

#include "base/status.h"

#include <stdlib.h>
#include <string.h>

static const char END[] = ".stem.mp4";

const char *const rv_musdb_stems[] = { "drums", "bass", "other", "vocals", NULL };

const char *const rv_musdb_valid[] = { "Actions - One Minute Smile",
                                       "Clara Berry And Wooldog - Waltz For My Victims",
                                       "Johnny Lokke - Promises & Lies",
                                       "Patrick Talbot - A Reason To Leave",
                                       "Triviul - Angelsaint",
                                       "Alexander Ross - Goodbye Bolero",
                                       "Fergessen - Nos Palpitants",
                                       "Leaf - Summerghost",
                                       "Skelpolu - Human Mistakes",
                                       "Young Griffo - Pennies",
                                       "ANiMAL - Rockshow",
                                       "James May - On The Line",
                                       "Meaxic - Take A Step",
                                       "Traffic Experiment - Sirens",
                                       NULL };

/* path is taken over. */
static rv_status add_song(rv_song_list *l, const char *file, const char *split, char *path,
                          rv_error *err)
{
    char *name = strndup(file, strlen(file) - strlen(END));
    if (!name) {
        free(path);
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", file);
    }
    const rv_status status = rv_song_list_add(l, name, split, path, err);
    free(name);
    return status;
}

static rv_status list_entries(rv_song_list *l, const char *folder, const rv_entries *e,
                              const char *split, rv_error *err)
{
    for (size_t i = 0; i < e->n; i++) {
        char *path = NULL;
        if (!rv_ends_in(e->names[i], END))
            continue;
        RV_TRY(rv_path_join(&path, folder, e->names[i], "", err));
        RV_TRY(add_song(l, e->names[i], split, path, err));
    }
    return RV_OK;
}

static rv_status list_folder(rv_song_list *l, const char *folder, const char *split, rv_error *err)
{
    rv_entries e = { 0 };
    RV_TRY(rv_entries_read(&e, folder, err));
    const rv_status status = list_entries(l, folder, &e, split, err);
    rv_entries_free(&e);
    return status;
}

static rv_status list_file(rv_song_list *l, const char *file, rv_error *err)
{
    const char *slash = strrchr(file, '/'), *name = slash ? slash + 1 : file;
    char *path = NULL;
    if (!rv_ends_in(name, END))
        return RV_OK;
    RV_TRY(rv_path_join(&path, file, "", "", err));
    return add_song(l, name, "", path, err);
}

static rv_status list_splits(rv_song_list *l, const char *root, const rv_entries *e, rv_error *err)
{
    for (size_t i = 0; i < e->n; i++) {
        const char *split = rv_split_of_folder(e->names[i]);
        char *folder = NULL;
        if (!split)
            continue;
        RV_TRY(rv_path_join(&folder, root, e->names[i], "", err));
        const rv_status status = list_folder(l, folder, split, err);
        free(folder);
        RV_TRY(status);
    }
    return list_entries(l, root, e, "", err);
}

static rv_status list(rv_song_list *out, const rv_wanted *wanted, rv_error *err)
{
    rv_entries e = { 0 };
    if (rv_is_file(wanted->root))
        return list_file(out, wanted->root, err);
    RV_TRY(rv_entries_read(&e, wanted->root, err));
    const rv_status status = list_splits(out, wanted->root, &e, err);
    rv_entries_free(&e);
    return status;
}

static rv_status fill(rv_song *s, const rv_wanted *wanted, rv_error *err)
{
    (void)wanted;
    char *path = NULL;
    RV_TRY(rv_path_join(&path, s->path, "", "", err));
    RV_TRY(rv_sources_add(&s->mixture, path, 0, RV_ALL_CHANNELS, err));
    for (int i = 0; rv_musdb_stems[i]; i++) {
        RV_TRY(rv_path_join(&path, s->path, "", "", err));
        RV_TRY(rv_song_add_piece(s, rv_musdb_stems[i], -1, path, i + 1, RV_ALL_CHANNELS, err));
    }
    return RV_OK;
}

const rv_layout rv_layout_musdb18 = {
    .name = "musdb18",
    .expects = "ROOT/[train|test/]SONG.stem.mp4",
    .list = list,
    .fill = fill,
    .stems = rv_musdb_stems,
    .valid = rv_musdb_valid,
    .rest = RV_REST_ACCOMPANIMENT,
    .missing = RV_MISSING_ERROR,
    .slack = 0.1,
};
