/* layout_moisesdb.c - MoisesDB (I. Pereira et al. 2023, arXiv:2307.15913).
 *
 *     ROOT/[split or provider/]TRACK/{data.json,STEM/FILE.wav,...}
 *
 * data.json lists the stems and, for each, the files that are summed:
 *
 *     {"stems": [{"stemName": "guitar", "tracks": [{"id": "FILE", "extension": "wav"}]}]}
 *
 * Files of a song may differ in length, and mono ones lie beside stereo ones. The reference's
 * loader cuts the files of a stem to the shortest; here all are as long as the longest, so that
 * nothing is lost. There is no mixture: it is the sum of all files. */
#include "data/entries.h"
#include "data/layout_folders.h"

#include "base/status.h"
#include "io/text.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static rv_status is_song(bool *out, const char *folder, rv_error *err)
{
    char *path = NULL;
    RV_TRY(rv_path_join(&path, folder, "data.json", "", err));
    *out = rv_is_file(path);
    free(path);
    return RV_OK;
}

static rv_status list(rv_song_list *out, const rv_wanted *wanted, rv_error *err)
{
    return rv_list_folders(out, wanted->root, 3, is_song, err);
}

static const char *plain_name(const json_t *value)
{
    const char *name = json_string_value(value);
    return rv_is_plain_name(name) ? name : NULL;
}

static rv_status add_file(rv_song *s, const char *stem, const char *folder, const json_t *track,
                          rv_error *err)
{
    const char *id = plain_name(json_object_get(track, "id"));
    const char *extension = plain_name(json_object_get(track, "extension"));
    char *path = NULL, *whole = NULL;
    if (!id)
        return RV_FAIL(err, RV_ERR_FORMAT, "%s/data.json: a track of stem '%s' has no id", s->path,
                       stem);
    RV_TRY(rv_path_join(&path, folder, id, ".", err));
    const rv_status status = rv_path_join(&whole, path, "", extension ? extension : "wav", err);
    free(path);
    RV_TRY(status);
    if (rv_is_file(whole))
        return rv_song_add_piece(s, stem, -1, whole, 0, RV_ALL_CHANNELS, err);
    const rv_status missing =
        RV_FAIL(err, RV_ERR_IO, "%s: no such file, but data.json beside it names it", whole);
    free(whole);
    return missing;
}

static rv_status add_stem(rv_song *s, const json_t *stem, rv_error *err)
{
    const char *name = plain_name(json_object_get(stem, "stemName"));
    const json_t *tracks = json_object_get(stem, "tracks");
    char *folder = NULL;
    if (!name || !json_is_array(tracks))
        return RV_FAIL(err, RV_ERR_FORMAT,
                       "%s/data.json: a stem without stemName or list of tracks", s->path);
    RV_TRY(rv_path_join(&folder, s->path, name, "", err));
    rv_status status = RV_OK;
    for (size_t i = 0; i < json_array_size(tracks) && status == RV_OK; i++)
        status = add_file(s, name, folder, json_array_get(tracks, i), err);
    free(folder);
    return status;
}

static rv_status read_stems(rv_song *s, const json_t *data, rv_error *err)
{
    const json_t *stems = json_object_get(data, "stems");
    if (json_array_size(stems) == 0)
        return RV_FAIL(err, RV_ERR_FORMAT, "%s/data.json: no stems", s->path);
    for (size_t i = 0; i < json_array_size(stems); i++)
        RV_TRY(add_stem(s, json_array_get(stems, i), err));
    return rv_song_mix_pieces(s, err);
}

static rv_status fill(rv_song *s, const rv_wanted *wanted, rv_error *err)
{
    (void)wanted;
    json_error_t problem;
    char *path = NULL;
    RV_TRY(rv_path_join(&path, s->path, "data.json", "", err));
    json_t *data = json_load_file(path, 0, &problem);
    rv_status status =
        data ? read_stems(s, data, err)
             : RV_FAIL(err, RV_ERR_FORMAT, "%s:%d:%d: %s", path, problem.line, problem.column,
                       rv_show(problem.text, strlen(problem.text)).text);
    json_decref(data);
    free(path);
    return status;
}

const rv_layout rv_layout_moisesdb = {
    .name = "moisesdb",
    .expects = "ROOT/[FOLDER/]TRACK/{data.json,STEM/FILE.wav,...}",
    .list = list,
    .fill = fill,
    .rest = RV_REST_OTHER,
    .missing = RV_MISSING_SILENCE,
    .slack = INFINITY,
    .mixed_channels = true,
};
