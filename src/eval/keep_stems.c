/* keep_stems.c - see keep_stems.h. */
#include "eval/keep_stems.h"

#include "base/status.h"
#include "data/entries.h"
#include "io/audio_write.h"

#include <stdlib.h>

/* *path: ROOT/METHOD/[SPLIT/]SONG/STEM.wav */
static rv_status name_file(char **path, const char *root, const char *method, const rv_track *t,
                           const char *stem, rv_error *err)
{
    char *parts[3] = { NULL };
    rv_status status = rv_path_join(&parts[0], root, method, "", err);
    if (status == RV_OK)
        status = rv_path_join(&parts[1], parts[0], t->split, "", err);
    if (status == RV_OK)
        status = rv_path_join(&parts[2], parts[1], t->name, "", err);
    if (status == RV_OK)
        status = rv_path_join(path, parts[2], stem, ".wav", err);
    for (size_t i = 0; i < 3; i++)
        free(parts[i]);
    return status;
}

static rv_status write_file(const char *path, const rv_song_audio *a, size_t stem, rv_error *err)
{
    rv_audio_writer *w = NULL;
    rv_audio_writer_options options = rv_audio_writer_defaults();
    options.bits = 32;
    options.channels = (int)a->channels;
    options.sample_rate = a->sample_rate;
    RV_TRY(rv_audio_writer_open(&w, path, &options, err));
    rv_status status = rv_audio_writer_write(
        w, (const float *const *)a->estimates + stem * a->channels, a->frames, err);
    if (status == RV_OK)
        status = rv_audio_writer_commit(w, err);
    rv_audio_writer_free(w);
    return status;
}

rv_status rv_keep_stems(const char *root, const char *method, const rv_song_audio *a,
                        const rv_track_list *list, size_t track, rv_error *err)
{
    for (size_t s = 0; s < a->n_stems; s++) {
        char *path = NULL;
        RV_TRY(name_file(&path, root, method, &list->tracks[track], list->stems[s], err));
        const rv_status status = write_file(path, a, s, err);
        free(path);
        RV_TRY(status);
    }
    return RV_OK;
}
