/* layout_slakh.c - Slakh2100 (E. Manilow et al. 2019, arXiv:1909.08494), and sets rendered like it.
 *
 *     ROOT/{train,validation,test,omitted}/TrackNNNNN/{mix.flac,metadata.yaml,stems/S00.flac,...}
 *
 * or ROOT/TrackNNNNN/...; .wav instead of .flac is fine (BabySlakh). metadata.yaml says of each
 * stem whether it was rendered, and its class of instruments:
 *
 *     stems:
 *       S00: {audio_rendered: true, inst_class: Guitar, is_drum: false, program_num: 30, ...}
 *
 * Splits are those of the folders, so a set that was arranged as slakh-redux is slakh-redux.
 * `slakh_orig` is the original split, which goes by number, whatever the folders: up to 1500
 * train, up to 1875 validation, up to 2100 test. So it is without folders for the splits. */
#include "data/entries.h"
#include "data/layout_folders.h"

#include "base/status.h"
#include "io/text.h"
#include "io/yaml_file.h"

#include <stdlib.h>
#include <string.h>

static rv_status has(bool *out, const char *folder, const char *name, rv_error *err)
{
    char *path = NULL;
    RV_TRY(rv_path_join(&path, folder, name, "", err));
    *out = rv_is_file(path) || rv_is_folder(path);
    free(path);
    return RV_OK;
}

static rv_status is_song(bool *out, const char *folder, rv_error *err)
{
    RV_TRY(has(out, folder, "metadata.yaml", err));
    return *out ? has(out, folder, "stems", err) : RV_OK;
}

/* "Track00007" -> "train" */
static const char *split_by_number(const char *name)
{
    const size_t digits = strspn(name + (strncmp(name, "Track", 5) == 0 ? 5 : 0), "0123456789");
    if (strncmp(name, "Track", 5) != 0 || digits != 5 || name[10])
        return "train";
    const long number = strtol(name + 5, NULL, 10);
    if (number > 1500 && number <= 1875)
        return "valid";
    return number > 1875 && number <= 2100 ? "test" : "train";
}

static rv_status renumber(rv_song_list *l, rv_error *err)
{
    for (size_t i = 0; i < l->n; i++) {
        char *split = strdup(split_by_number(l->at[i].name));
        if (!split)
            return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", l->at[i].name);
        free(l->at[i].split);
        l->at[i].split = split;
    }
    return RV_OK;
}

static rv_status list(rv_song_list *out, const rv_wanted *wanted, rv_error *err)
{
    bool flat = true;
    RV_TRY(rv_list_folders(out, wanted->root, 2, is_song, err));
    for (size_t i = 0; i < out->n; i++)
        flat &= !*out->at[i].split;
    return flat ? renumber(out, err) : RV_OK;
}

static rv_status list_orig(rv_song_list *out, const rv_wanted *wanted, rv_error *err)
{
    if (!wanted->sure)
        return RV_OK;
    RV_TRY(rv_list_folders(out, wanted->root, 2, is_song, err));
    return renumber(out, err);
}

static rv_status add_stem(rv_song *s, const char *folder, const char *id, const json_t *stem,
                          rv_error *err)
{
    const char *class = json_string_value(json_object_get(stem, "inst_class"));
    const json_t *program = json_object_get(stem, "program_num");
    const bool drums = json_is_true(json_object_get(stem, "is_drum"));
    if (!json_is_object(stem) || !rv_is_plain_name(id))
        return RV_FAIL(err, RV_ERR_FORMAT,
                       "%s/metadata.yaml: stems.%s: the name of a file and a mapping are expected",
                       s->path, rv_show(id, strlen(id)).text);
    if (json_is_false(json_object_get(stem, "audio_rendered")))
        return RV_OK;
    if (!rv_is_plain_name(class) && !drums)
        return RV_FAIL(err, RV_ERR_FORMAT, "%s/metadata.yaml: stems.%s has no inst_class", s->path,
                       id);
    /* Programs 48 to 55, which General MIDI calls ensemble. */
    if (class && strcmp(class, "Strings (continued)") == 0)
        class = "Strings";
    const json_int_t number = json_is_integer(program) ? json_integer_value(program) : -1;
    const bool known = !drums && number >= 0 && number < 128;
    return rv_song_add_file(s, folder, id, drums ? "drums" : class, known ? (int)number : -1, err);
}

static rv_status add_stems(rv_song *s, const char *folder, const json_t *metadata, rv_error *err)
{
    json_t *stems = json_object_get(metadata, "stems"), *stem;
    const char *id;
    if (json_object_size(stems) == 0)
        return RV_FAIL(err, RV_ERR_FORMAT, "%s/metadata.yaml: no stems", s->path);
    json_object_foreach(stems, id, stem)
    {
        RV_TRY(add_stem(s, folder, id, stem, err));
    }
    RV_TRY(rv_song_add_mixture(s, s->path, "mix", err));
    return s->mixture.n > 0 ? RV_OK : rv_song_mix_pieces(s, err);
}

static rv_status read_metadata(rv_song *s, const json_t *metadata, rv_error *err)
{
    const char *audio = json_string_value(json_object_get(metadata, "audio_dir"));
    char *folder = NULL;
    RV_TRY(rv_path_join(&folder, s->path, rv_is_plain_name(audio) ? audio : "stems", "", err));
    const rv_status status = add_stems(s, folder, metadata, err);
    free(folder);
    return status;
}

static rv_status fill(rv_song *s, const rv_wanted *wanted, rv_error *err)
{
    (void)wanted;
    json_t *metadata = NULL;
    char *path = NULL;
    RV_TRY(rv_path_join(&path, s->path, "metadata.yaml", "", err));
    rv_status status = rv_yaml_read_file(&metadata, path, err);
    if (status == RV_OK)
        status = read_metadata(s, metadata, err);
    json_decref(metadata);
    free(path);
    return status;
}

const rv_layout rv_layout_slakh = {
    .name = "slakh",
    .expects = "ROOT/[train|validation|test|omitted/]TrackNNNNN/{mix.flac,metadata.yaml,stems/"
               "S00.flac,...}",
    .list = list,
    .fill = fill,
    .rest = RV_REST_OTHER,
    .missing = RV_MISSING_SILENCE,
    .slack = 0.1,
};

const rv_layout rv_layout_slakh_orig = {
    .name = "slakh_orig",
    .expects = "the same; split by number, only if it is asked for",
    .list = list_orig,
    .fill = fill,
    .rest = RV_REST_OTHER,
    .missing = RV_MISSING_SILENCE,
    .slack = 0.1,
};
