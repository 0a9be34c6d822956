/* entries.c - see entries.h. */
#include "data/entries.h"

#include "base/status.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

static bool is_kind(const char *path, mode_t kind)
{
    struct stat s;
    return stat(path, &s) == 0 && (s.st_mode & S_IFMT) == kind;
}

bool rv_is_folder(const char *path)
{
    return is_kind(path, S_IFDIR);
}

bool rv_is_file(const char *path)
{
    return is_kind(path, S_IFREG);
}

bool rv_ends_in(const char *name, const char *end)
{
    const size_t n = strlen(name), m = strlen(end);
    return n > m && strcasecmp(name + n - m, end) == 0;
}

rv_status rv_path_join(char **out, const char *a, const char *b, const char *suffix, rv_error *err)
{
    const size_t n = strlen(a) + strlen(b) + strlen(suffix) + 2;
    char *path = malloc(n);
    if (!path)
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", a);
    snprintf(path, n, "%s%s%s%s", a, *a && *b ? "/" : "", b, suffix);
    *out = path;
    return RV_OK;
}

rv_status rv_find_audio(char **out, const char *folder, const char *stem, rv_error *err)
{
    static const char *const extensions[] = { ".wav", ".flac" };
    for (int i = 0; i < 2; i++) {
        RV_TRY(rv_path_join(out, folder, stem, extensions[i], err));
        if (rv_is_file(*out))
            return RV_OK;
        free(*out);
        *out = NULL;
    }
    return RV_OK;
}

static rv_status append(rv_entries *e, const char *name, rv_error *err)
{
    char *copy = NULL, **grown = realloc(e->names, (e->n + 1) * sizeof *grown);
    if (grown)
        e->names = grown;
    if (!grown || !(copy = strdup(name)))
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", name);
    e->names[e->n++] = copy;
    return RV_OK;
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

rv_status rv_entries_read(rv_entries *out, const char *folder, rv_error *err)
{
    *out = (rv_entries){ 0 };
    DIR *d = opendir(folder);
    if (!d && (errno == ENOENT || errno == ENOTDIR))
        return RV_OK;
    if (!d)
        return RV_FAIL(err, RV_ERR_IO, "%s: %s", folder, strerror(errno));
    rv_status status = RV_OK;
    for (const struct dirent *e; status == RV_OK && (e = readdir(d));)
        if (e->d_name[0] != '.')
            status = append(out, e->d_name, err);
    closedir(d);
    if (out->n > 0)
        qsort(out->names, out->n, sizeof *out->names, by_bytes);
    if (status != RV_OK)
        rv_entries_free(out);
    return status;
}

void rv_entries_free(rv_entries *e)
{
    for (size_t i = 0; i < e->n; i++)
        free(e->names[i]);
    free(e->names);
    *e = (rv_entries){ 0 };
}
