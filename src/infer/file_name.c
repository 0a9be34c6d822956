/* file_name.c - see file_name.h. */
#include "infer/file_name.h"

#include "base/status.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Text that grows; `failed` once memory is short. */
typedef struct {
    char *data;
    size_t n, room;
    bool failed;
} text;

static void append(text *t, const char *s, size_t n)
{
    if (t->n + n + 1 > t->room) {
        const size_t room = 2 * (t->n + n) + 64;
        char *data = realloc(t->data, room);
        if (!data) {
            t->failed = true;
            return;
        }
        t->data = data;
        t->room = room;
    }
    memcpy(t->data + t->n, s, n);
    t->data[t->n += n] = '\0';
}

static const char *value_of(const rv_name_parts *p, const char *word, size_t n)
{
    const struct {
        const char *word, *value;
    } words[] = { { "track", p->track },
                  { "trackext", p->trackext },
                  { "stem", p->stem },
                  { "ext", p->ext },
                  { "model", p->model } };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strlen(words[i].word) == n && memcmp(words[i].word, word, n) == 0)
            return words[i].value;
    return NULL;
}

static rv_status fill(text *t, const char *template, const rv_name_parts *parts, rv_error *err)
{
    for (const char *at = template; *at;) {
        const size_t plain = strcspn(at, "{");
        append(t, at, plain);
        at += plain;
        if (!*at)
            break;
        const size_t n = strcspn(at + 1, "}");
        const char *value = at[n + 1] ? value_of(parts, at + 1, n) : NULL;
        if (!value)
            return RV_FAIL(err, RV_ERR_ARG,
                           "file name '%.200s': {track}, {trackext}, {stem}, {ext} and {model} are "
                           "known, not '%.*s'",
                           template, (int)(n < 60 ? n + 2 : 60), at);
        append(t, value, strlen(value));
        at += n + 2;
    }
    return RV_OK;
}

rv_status rv_file_name(char **out, const char *template, const rv_name_parts *parts, rv_error *err)
{
    text t = { 0 };
    append(&t, parts->folder, strlen(parts->folder));
    append(&t, "/", 1);
    rv_status st = fill(&t, template, parts, err);
    if (st == RV_OK && t.failed)
        st = RV_FAIL(err, RV_ERR_NOMEM, "a file name");
    if (st != RV_OK) {
        free(t.data);
        return st;
    }
    *out = t.data;
    return RV_OK;
}

rv_status rv_file_track(char **track, char **ext, const char *path, rv_error *err)
{
    const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
    const char *dot = strrchr(base, '.');
    const size_t n = dot && dot > base ? (size_t)(dot - base) : strlen(base);
    *track = strndup(base, n);
    *ext = strdup(base[n] ? base + n + 1 : "");
    if (*track && *ext)
        return RV_OK;
    free(*track);
    free(*ext);
    return RV_FAIL(err, RV_ERR_NOMEM, "a file name");
}
