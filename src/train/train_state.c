/* train_state.c - save and verify. The metadata of the file hold
 *
 *     {"format_version": 1, "train_state": {"checksum": "16 digits", "scalars": {...}}}
 *
 * The checksum runs over the text of the scalars (sorted, without spaces), then over name, count
 * and bits of each array, in the order of the file. */
#include "train/train_state.h"

#include "io/checkpoint.h"
#include "io/folder.h"
#include "io/hash64.h"
#include "io/safetensors.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const suffixes[] = { "", ".new", ".previous" }; /* in the order of reading */

enum { FILES = sizeof suffixes / sizeof *suffixes, DIGITS = 17 };

struct rv_train_state {
    rv_checkpoint *file;
    const json_t *scalars; /* in `file` */
    char warning[1000];
};

typedef struct file_names {
    char *name[FILES];
} file_names;

static void free_names(file_names *f)
{
    for (int i = 0; i < FILES; i++)
        free(f->name[i]);
}

static rv_status make_names(file_names *f, const char *path, rv_error *err)
{
    const size_t size = strlen(path) + 16;
    *f = (file_names){ { NULL } };
    for (int i = 0; i < FILES; i++) {
        f->name[i] = malloc(size);
        if (!f->name[i]) {
            free_names(f);
            return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", path);
        }
        snprintf(f->name[i], size, "%s%s", path, suffixes[i]);
    }
    return RV_OK;
}

/* The checksum */

static rv_status hash_scalars(const json_t *scalars, uint64_t *hash, rv_error *err)
{
    char *text = json_dumps(scalars, JSON_COMPACT | JSON_SORT_KEYS | JSON_REAL_PRECISION(17));
    if (!text)
        return RV_FAIL(err, RV_ERR_ARG, "the state of the run cannot be written as JSON");
    *hash = rv_hash64(text, strlen(text), 0);
    free(text);
    return RV_OK;
}

static uint64_t hash_array(const char *name, const float *data, size_t count, uint64_t hash)
{
    const uint64_t size = count;
    hash = rv_hash64(name, strlen(name), hash);
    hash = rv_hash64(&size, sizeof size, hash);
    return rv_hash64(data, count * sizeof *data, hash);
}

static void print_hash(char text[DIGITS], uint64_t hash)
{
    snprintf(text, DIGITS, "%016llx", (unsigned long long)hash);
}

/* Saving */

/* FILE.part-PID-N of a process that is no more, or of this one, which begins anew. */
static bool is_remains(const char *entry, const char *base)
{
    const size_t n = strlen(base);
    if (strncmp(entry, base, n) != 0 || strncmp(entry + n, ".part-", 6) != 0 ||
        !isdigit((unsigned char)entry[n + 6]))
        return false;
    const pid_t writer = (pid_t)strtol(entry + n + 6, NULL, 10);
    return writer == getpid() || (writer > 0 && kill(writer, 0) && errno == ESRCH);
}

/* What cannot be removed does no harm but take room. */
static void remove_remains(const char *path)
{
    const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
    char *folder = slash ? strndup(path, (size_t)(base - path)) : strdup(".");
    DIR *d = folder ? opendir(folder) : NULL;
    for (const struct dirent *e; d && (e = readdir(d));)
        if (is_remains(e->d_name, base))
            unlinkat(dirfd(d), e->d_name, 0);
    if (d)
        closedir(d);
    free(folder);
}

static rv_status write_new(const char *path, const rv_state_array *arrays, size_t n,
                           const json_t *config, rv_error *err)
{
    rv_tensor_source *sources = calloc(n + 1, sizeof *sources);
    if (!sources)
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", path);
    for (size_t i = 0; i < n; i++)
        sources[i] = (rv_tensor_source){ .name = arrays[i].name,
                                         .dtype = RV_F32,
                                         .rank = 1,
                                         .shape = { arrays[i].count },
                                         .data = arrays[i].data };
    const rv_status status = rv_safetensors_write(path, sources, n, config, err);
    free(sources);
    return status;
}

static rv_status move(const char *from, const char *to, rv_error *err)
{
    return rename(from, to) ? RV_FAIL(err, RV_ERR_IO, "%s: cannot be renamed to %s: %s", from, to,
                                      strerror(errno))
                            : RV_OK;
}

static rv_status rotate(const file_names *f, rv_error *err)
{
    if (!access(f->name[0], F_OK))
        RV_TRY(move(f->name[0], f->name[2], err));
    RV_TRY(move(f->name[1], f->name[0], err));
    return rv_folder_sync(f->name[0], err);
}

static rv_status save_config(const file_names *f, const rv_state_array *arrays, size_t n,
                             const json_t *config, rv_error *err)
{
    remove_remains(f->name[1]);
    RV_TRY(write_new(f->name[1], arrays, n, config, err));
    return rotate(f, err);
}

rv_status rv_train_state_save(const char *path, const rv_state_array *arrays, size_t n,
                              const json_t *scalars, rv_error *err)
{
    file_names f;
    char text[DIGITS];
    uint64_t hash = 0;
    if (!json_is_object(scalars))
        return RV_FAIL(err, RV_ERR_ARG, "%s: the scalars of a state are no JSON object", path);
    RV_TRY(hash_scalars(scalars, &hash, err));
    for (size_t i = 0; i < n; i++)
        hash = hash_array(arrays[i].name, arrays[i].data, arrays[i].count, hash);
    print_hash(text, hash);
    RV_TRY(make_names(&f, path, err));
    json_t *config = json_pack("{s:i, s:{s:s, s:O}}", "format_version", 1, "train_state",
                               "checksum", text, "scalars", scalars);
    const rv_status status = config ? save_config(&f, arrays, n, config, err)
                                    : RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", path);
    json_decref(config);
    free_names(&f);
    return status;
}

/* Reading */

static rv_status hash_file(const rv_checkpoint *c, const json_t *scalars, const char *path,
                           uint64_t *hash, rv_error *err)
{
    RV_TRY(hash_scalars(scalars, hash, err));
    for (size_t i = 0; i < rv_checkpoint_count(c); i++) {
        const rv_tensor *t = rv_checkpoint_tensor(c, i);
        const float *data = rv_checkpoint_view(c, t);
        if (!data && t->count)
            return RV_FAIL(err, RV_ERR_FORMAT, "%s: array %zu is damaged: no aligned floats", path,
                           i);
        *hash = hash_array(t->name, data, t->count, *hash);
    }
    return RV_OK;
}

static rv_status verify(rv_train_state *s, const char *path, rv_error *err)
{
    const json_t *ours = json_object_get(rv_checkpoint_config(s->file), "train_state");
    const char *want = json_string_value(json_object_get(ours, "checksum"));
    char text[DIGITS];
    uint64_t hash = 0;
    s->scalars = json_object_get(ours, "scalars");
    if (!want || !json_is_object(s->scalars))
        return RV_FAIL(err, RV_ERR_FORMAT, "%s: is no state of a run", path);
    RV_TRY(hash_file(s->file, s->scalars, path, &hash, err));
    print_hash(text, hash);
    if (strcmp(text, want) != 0)
        return RV_FAIL(err, RV_ERR_FORMAT, "%s: is damaged: its checksum does not fit", path);
    return RV_OK;
}

static rv_status open_file(rv_train_state *s, const char *path, rv_error *err)
{
    RV_TRY(rv_checkpoint_open(&s->file, path, err));
    const rv_status status = verify(s, path, err);
    if (status == RV_OK)
        return RV_OK;
    rv_checkpoint_free(s->file);
    s->file = NULL;
    return status;
}

static void warn(rv_train_state *s, const char *text)
{
    const size_t used = strlen(s->warning);
    snprintf(s->warning + used, sizeof s->warning - used, "%s%.300s", used ? "; " : "", text);
}

/* The first that is complete. Missing: PATH itself is told of, the others are rarely there. */
static rv_status open_any(rv_train_state *s, const file_names *f, rv_error *err)
{
    for (int i = 0; i < FILES; i++) {
        rv_error why;
        if (i && access(f->name[i], F_OK))
            continue;
        const rv_status status = open_file(s, f->name[i], &why);
        if (status == RV_OK)
            return RV_OK;
        if (status == RV_ERR_NOMEM)
            return RV_FAIL(err, RV_ERR_NOMEM, "%s", why.text);
        warn(s, why.text);
    }
    return RV_FAIL(err, RV_ERR_FORMAT, "no complete state of a run: %s", s->warning);
}

rv_status rv_train_state_open(rv_train_state **out, const char *path, rv_error *err)
{
    file_names f;
    RV_TRY(make_names(&f, path, err));
    rv_train_state *s = calloc(1, sizeof *s);
    rv_status status =
        s ? open_any(s, &f, err) : RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", path);
    free_names(&f);
    if (status == RV_OK)
        *out = s;
    else
        free(s);
    return status;
}

bool rv_train_state_exists(const char *path)
{
    file_names f;
    bool found = false;
    if (make_names(&f, path, NULL) != RV_OK)
        return false;
    for (int i = 0; i < FILES; i++)
        found |= !access(f.name[i], F_OK);
    free_names(&f);
    return found;
}

void rv_train_state_free(rv_train_state *s)
{
    if (!s)
        return;
    rv_checkpoint_free(s->file);
    free(s);
}

const char *rv_train_state_warning(const rv_train_state *s)
{
    return s->warning;
}

const json_t *rv_train_state_scalars(const rv_train_state *s)
{
    return s->scalars;
}

rv_status rv_train_state_read(const rv_train_state *s, const char *name, float *data, size_t count,
                              rv_error *err)
{
    const rv_tensor *t = rv_checkpoint_find(s->file, name);
    if (!t)
        return RV_FAIL(err, RV_ERR_SHAPE, "the state of the run has no array \"%s\"", name);
    if (t->count != count)
        return RV_FAIL(err, RV_ERR_SHAPE, "\"%s\" of the state has %zu elements, the run has %zu",
                       name, t->count, count);
    return rv_checkpoint_read(s->file, t, data, err);
}
