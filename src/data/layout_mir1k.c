/* layout_mir1k.c - MIR-1K (C.-L. Hsu, J.-S. R. Jang 2010, doi:10.1109/TASL.2009.2026503): karaoke.
 *
 *     ROOT/Wavfile/SONG.wav      left: accompaniment; right: voice */
#include "data/entries.h"
#include "data/layout.h"

#include "base/status.h"

#include <stdlib.h>
#include <string.h>

static const char *const stems[] = { "accompaniment", "vocals", NULL };

static rv_status add_song(rv_song_list *l, const char *folder, const char *file, rv_error *err)
{
    char *path = NULL, *name = NULL;
    if (!rv_ends_in(file, ".wav"))
        return RV_OK;
    RV_TRY(rv_path_join(&path, folder, file, "", err));
    if (!(name = strndup(file, strlen(file) - 4))) {
        free(path);
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", file);
    }
    const rv_status status = rv_song_list_add(l, name, "", path, err);
    free(name);
    return status;
}

static rv_status list(rv_song_list *out, const rv_wanted *wanted, rv_error *err)
{
    char *folder = NULL;
    rv_entries e = { 0 };
    RV_TRY(rv_path_join(&folder, wanted->root, "Wavfile", "", err));
    rv_status status = rv_entries_read(&e, folder, err);
    for (size_t i = 0; i < e.n && status == RV_OK; i++)
        status = add_song(out, folder, e.names[i], err);
    rv_entries_free(&e);
    free(folder);
    return status;
}

static rv_status fill(rv_song *s, const rv_wanted *wanted, rv_error *err)
{
    (void)wanted;
    for (int channel = 0; stems[channel]; channel++) {
        char *path = NULL;
        RV_TRY(rv_path_join(&path, s->path, "", "", err));
        RV_TRY(rv_song_add_piece(s, stems[channel], -1, path, 0, channel, err));
    }
    return rv_song_mix_pieces(s, err);
}

const rv_layout rv_layout_mir1k = {
    .name = "mir1k",
    .expects = "ROOT/Wavfile/SONG.wav, accompaniment left and voice right",
    .list = list,
    .fill = fill,
    .stems = stems,
    .rest = RV_REST_OTHER,
    .missing = RV_MISSING_ERROR,
};
