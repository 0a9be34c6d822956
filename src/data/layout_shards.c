/* layout_shards.c - examples in TFRecord files, as `ravel dataset shards` and DDSP-Demucs write
 * them: each record is a song.
 *
 *     ROOT/{train,val,test}/NAME.tfrecord
 *
 * The input is the mixture, the target the only stem: meta/stem says which, and where a file lacks
 * that key, the stem is "vocals", which DDSP-Demucs is about. */
#include "data/entries.h"
#include "data/layout.h"

#include "base/status.h"
#include "io/tf_example.h"
#include "io/tfrecord.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "val-00000/12" for record 12 of val/val-00000.tfrecord. */
static rv_status add_record(rv_song_list *l, const char *path, const char *file, const char *split,
                            size_t record, rv_error *err)
{
    char *name, *copy = strdup(path);
    const int stem = (int)(strstr(file, ".tfrecord") - file);
    if (!copy || asprintf(&name, "%.*s/%zu", stem, file, record) < 0) {
        free(copy);
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", path);
    }
    const rv_status status = rv_song_list_add(l, name, split, copy, err);
    free(name);
    return status;
}

static rv_status add_file(rv_song_list *l, const char *folder, const char *file, const char *split,
                          rv_error *err)
{
    char *path = NULL;
    rv_tfrecords *records = NULL;
    RV_TRY(rv_path_join(&path, folder, file, "", err));
    rv_status status = rv_tfrecords_open(&records, path, err);
    for (size_t i = 0; status == RV_OK && i < rv_tfrecords_count(records); i++)
        status = add_record(l, path, file, split, i, err);
    rv_tfrecords_free(records);
    free(path);
    return status;
}

static rv_status list_folder(rv_song_list *l, const char *folder, const char *split, rv_error *err)
{
    rv_entries e = { 0 };
    RV_TRY(rv_entries_read(&e, folder, err));
    rv_status status = RV_OK;
    for (size_t i = 0; i < e.n && status == RV_OK; i++)
        if (strstr(e.names[i], ".tfrecord"))
            status = add_file(l, folder, e.names[i], split, err);
    rv_entries_free(&e);
    return status;
}

static rv_status list(rv_song_list *out, const rv_wanted *wanted, rv_error *err)
{
    static const char *const folders[] = { "train", "val", "test" };
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        char *folder = NULL;
        RV_TRY(rv_path_join(&folder, wanted->root, folders[i], "", err));
        const rv_status status = list_folder(out, folder, rv_split_of_folder(folders[i]), err);
        free(folder);
        RV_TRY(status);
    }
    return RV_OK;
}

/* free() it. */
static rv_status stem_of_record(char **stem, const rv_song *s, int record, rv_error *err)
{
    rv_tfrecords *records = NULL;
    const unsigned char *bytes, *text = (const unsigned char *)"vocals";
    size_t n, length = strlen("vocals");
    rv_tf_list found;
    RV_TRY(rv_tfrecords_open(&records, s->path, err));
    rv_status status = rv_tfrecords_get(records, (size_t)record, &bytes, &n, err);
    if (status == RV_OK && rv_tf_find(&found, bytes, n, "meta/stem", RV_TF_BYTES))
        rv_tf_bytes(&found, &text, &length);
    *stem = status == RV_OK ? strndup((const char *)text, length) : NULL;
    if (status == RV_OK && !*stem)
        status = RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", s->path);
    rv_tfrecords_free(records);
    return status;
}

static rv_status add_channel(rv_song *s, const char *stem, int record, rv_error *err)
{
    char *path = strdup(s->path);
    if (!path)
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", s->path);
    if (stem)
        return rv_song_add_piece(s, stem, -1, path, record, 1, err);
    return rv_sources_add(&s->mixture, path, record, 0, err);
}

static rv_status fill(rv_song *s, const rv_wanted *wanted, rv_error *err)
{
    (void)wanted;
    const int record = atoi(strrchr(s->name, '/') + 1);
    char *stem = NULL;
    RV_TRY(stem_of_record(&stem, s, record, err));
    rv_status status = add_channel(s, stem, record, err);
    if (status == RV_OK)
        status = add_channel(s, NULL, record, err);
    free(stem);
    return status;
}

static const char *const stems[] = { "vocals", NULL };

const rv_layout rv_layout_shards = {
    .name = "shards",
    .expects = "ROOT/{train,val,test}/*.tfrecord",
    .list = list,
    .fill = fill,
    .stems = stems,
    .rest = RV_REST_NONE,
    .missing = RV_MISSING_ERROR,
};
