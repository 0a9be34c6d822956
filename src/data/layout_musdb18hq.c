/* layout_musdb18hq.c - MUSDB18-HQ (Z. Rafii et al. 2019, doi:10.5281/zenodo.3338373), and MUSDB18
 * decoded: a folder for each song.
 *
 *     ROOT/{train,test}/SONG/{mixture,drums,bass,other,vocals}.wav
 *
 * Other data sets lie like this, too (layout_songs.c). This one is known by its songs, at least one
 * of those that are published to validate on. */
#include "data/entries.h"
#include "data/layout_folders.h"

#include "base/status.h"

#include <stdlib.h>
#include <string.h>

static rv_status has_file(bool *out, const char *folder, const char *stem, rv_error *err)
{
    char *path = NULL;
    RV_TRY(rv_find_audio(&path, folder, stem, err));
    *out = path != NULL;
    free(path);
    return RV_OK;
}

static rv_status is_song(bool *out, const char *folder, rv_error *err)
{
    bool stem = false;
    RV_TRY(has_file(out, folder, "mixture", err));
    for (int i = 0; *out && !stem && rv_musdb_stems[i]; i++)
        RV_TRY(has_file(&stem, folder, rv_musdb_stems[i], err));
    *out = *out && stem;
    return RV_OK;
}

static bool is_known(const rv_song_list *l)
{
    for (size_t i = 0; i < l->n; i++)
        for (int k = 0; rv_musdb_valid[k]; k++)
            if (strcmp(l->at[i].name, rv_musdb_valid[k]) == 0)
                return true;
    return false;
}

static rv_status list(rv_song_list *out, const rv_wanted *wanted, rv_error *err)
{
    RV_TRY(rv_list_folders(out, wanted->root, 2, is_song, err));
    if (!wanted->sure && !is_known(out))
        rv_song_list_free(out);
    return RV_OK;
}

static rv_status fill(rv_song *s, const rv_wanted *wanted, rv_error *err)
{
    (void)wanted;
    for (int i = 0; rv_musdb_stems[i]; i++)
        RV_TRY(rv_song_add_file(s, s->path, rv_musdb_stems[i], rv_musdb_stems[i], -1, err));
    return rv_song_add_mixture(s, s->path, "mixture", err);
}

const rv_layout rv_layout_musdb18hq = {
    .name = "musdb18hq",
    .expects = "ROOT/{train,test}/SONG/{mixture,drums,bass,other,vocals}.wav with MUSDB18's songs",
    .list = list,
    .fill = fill,
    .stems = rv_musdb_stems,
    .valid = rv_musdb_valid,
    .rest = RV_REST_ACCOMPANIMENT,
    .missing = RV_MISSING_ERROR,
    .slack = 0.1,
};
