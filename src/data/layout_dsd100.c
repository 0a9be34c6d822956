/* layout_dsd100.c - DSD100 (A. Liutkus et al., The 2016 Signal Separation Evaluation Campaign):
 * mixtures and stems in two trees.
 *
 *     ROOT/Mixtures/{Dev,Test}/SONG/mixture.wav
 *     ROOT/Sources/{Dev,Test}/SONG/{bass,drums,other,vocals}.wav */
#include "data/entries.h"
#include "data/layout_folders.h"

#include "base/status.h"

#include <stdlib.h>
#include <string.h>

/* The song gets the folder of its stems as its path, and its mixture at once. */
static rv_status add_song(rv_song_list *l, const char *mixtures, const char *sources,
                          const char *name, const char *split, rv_error *err)
{
    char *mixture = NULL, *folder = NULL;
    RV_TRY(rv_path_join(&folder, mixtures, name, "", err));
    rv_status status = rv_find_audio(&mixture, folder, "mixture", err);
    free(folder);
    if (status != RV_OK || !mixture)
        return status;
    status = rv_path_join(&folder, sources, name, "", err);
    if (status == RV_OK)
        status = rv_song_list_add(l, name, split, folder, err);
    if (status == RV_OK)
        return rv_sources_add(&l->at[l->n - 1].mixture, mixture, 0, RV_ALL_CHANNELS, err);
    free(mixture);
    return status;
}

static rv_status list_pair(rv_song_list *l, const char *mixtures, const char *sources,
                           const char *split, rv_error *err)
{
    rv_entries e = { 0 };
    RV_TRY(rv_entries_read(&e, mixtures, err));
    rv_status status = RV_OK;
    for (size_t i = 0; i < e.n && status == RV_OK; i++)
        status = add_song(l, mixtures, sources, e.names[i], split, err);
    rv_entries_free(&e);
    return status;
}

static rv_status list_split(rv_song_list *l, const char *root, const char *folder,
                            const char *split, rv_error *err)
{
    char *mixtures = NULL, *sources = NULL;
    RV_TRY(rv_path_join(&mixtures, root, "Mixtures/", folder, err));
    rv_status status = rv_path_join(&sources, root, "Sources/", folder, err);
    if (status == RV_OK)
        status = list_pair(l, mixtures, sources, split, err);
    free(mixtures);
    free(sources);
    return status;
}

static rv_status list(rv_song_list *out, const rv_wanted *wanted, rv_error *err)
{
    RV_TRY(list_split(out, wanted->root, "Dev", "train", err));
    return list_split(out, wanted->root, "Test", "test", err);
}

static rv_status fill(rv_song *s, const rv_wanted *wanted, rv_error *err)
{
    (void)wanted;
    for (int i = 0; rv_musdb_stems[i]; i++)
        RV_TRY(rv_song_add_file(s, s->path, rv_musdb_stems[i], rv_musdb_stems[i], -1, err));
    return RV_OK;
}

const rv_layout rv_layout_dsd100 = {
    .name = "dsd100",
    .expects = "ROOT/Mixtures/{Dev,Test}/SONG/mixture.wav and "
               "ROOT/Sources/{Dev,Test}/SONG/{bass,drums,other,vocals}.wav",
    .list = list,
    .fill = fill,
    .stems = rv_musdb_stems,
    .rest = RV_REST_ACCOMPANIMENT,
    .missing = RV_MISSING_ERROR,
    .slack = 0.1,
};
