/* shard_writer.c - see shard_writer.h. */
#include "data/shard_writer.h"

#include "data/entries.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static rv_status begin(rv_shard_writer *w, rv_error *err)
{
    char *path;
    if (asprintf(&path, "%s/%s/%s-%05" PRIu64 ".tfrecord", w->out, w->split, w->split, w->shards) <
        0)
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", w->out);
    const rv_status status = rv_tfrecord_writer_open(&w->file, path, err);
    free(path);
    w->shards += status == RV_OK;
    return status;
}

rv_status rv_shard_finish(rv_shard_writer *w, rv_error *err)
{
    const rv_status status = w->file ? rv_tfrecord_commit(w->file, err) : RV_OK;
    rv_shard_drop(w);
    return status;
}

void rv_shard_drop(rv_shard_writer *w)
{
    rv_tfrecord_writer_free(w->file);
    w->file = NULL;
}

rv_status rv_shard_add(rv_shard_writer *w, const void *bytes, size_t n, rv_error *err)
{
    if (!w->file)
        RV_TRY(begin(w, err));
    RV_TRY(rv_tfrecord_write(w->file, bytes, n, err));
    w->examples++;
    return w->examples % w->per_shard == 0 ? rv_shard_finish(w, err) : RV_OK;
}

static rv_status clear_one(const char *folder, const char *name, int overwrite, rv_error *err)
{
    char *path = NULL;
    RV_TRY(rv_path_join(&path, folder, name, "", err));
    rv_status status = RV_OK;
    if (!overwrite)
        status = RV_FAIL(err, RV_ERR_EXISTS,
                         "%s: there are shards already; --overwrite replaces "
                         "them",
                         path);
    else if (unlink(path) != 0)
        status = RV_FAIL(err, RV_ERR_IO, "%s: cannot be removed: %s", path, strerror(errno));
    free(path);
    return status;
}

rv_status rv_shard_clear(const char *out, const char *split, int overwrite, rv_error *err)
{
    char *folder = NULL;
    rv_entries e = { 0 };
    RV_TRY(rv_path_join(&folder, out, split, "", err));
    rv_status status = rv_entries_read(&e, folder, err);
    for (size_t i = 0; i < e.n && status == RV_OK; i++)
        if (rv_ends_in(e.names[i], ".tfrecord"))
            status = clear_one(folder, e.names[i], overwrite, err);
    rv_entries_free(&e);
    free(folder);
    return status;
}
