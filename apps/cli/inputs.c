/* inputs.c - see inputs.h. */
#include "inputs.h"

#include "cli.h"
#include "json_text.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

enum { MAX_DEPTH = 64 };

typedef struct {
    input_list *list;
    size_t root; /* characters of the folder's name and its slash */
    struct stat out;
    bool have_out;
} walk;

static const char *const endings[] = { "wav",  "wave", "aif", "aiff", "flac", "ogg", "oga",
                                       "opus", "mp3",  "m4a", "mp4",  "aac",  "wma", "webm",
                                       "mkv",  "mov",  "w64", "caf",  "alac", "mka" };

static bool is_audio(const char *name)
{
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; dot && i < sizeof endings / sizeof *endings; i++)
        if (strcasecmp(dot + 1, endings[i]) == 0)
            return true;
    return false;
}

static bool append(input_list *list, const char *path, size_t root)
{
    if (list->n == list->room) {
        const size_t room = 2 * list->room + 16;
        input *items = realloc(list->items, room * sizeof *items);
        if (!items)
            return false;
        list->items = items;
        list->room = room;
    }
    input *item = &list->items[list->n];
    *item = (input){ .path = strdup(path), .track = root ? strdup(path + root) : NULL };
    if (!item->path || (root && !item->track)) {
        free(item->path);
        return false;
    }
    list->n++;
    if (root)
        *strrchr(item->track, '.') = '\0';
    return true;
}

static bool add_folder(walk *w, const char *path, int depth);

static bool add_entry(walk *w, const char *folder, const char *name, int depth)
{
    struct stat st;
    const size_t room = strlen(folder) + strlen(name) + 2;
    char *path = malloc(room);
    bool good = path != NULL;
    if (!good)
        return false;
    const bool slash = folder[0] && folder[strlen(folder) - 1] == '/';
    snprintf(path, room, slash ? "%s%s" : "%s/%s", folder, name);
    if (stat(path, &st) != 0)
        good = true; /* a dangling link */
    else if (S_ISREG(st.st_mode) && is_audio(name))
        good = append(w->list, path, w->root);
    else if (S_ISDIR(st.st_mode) && depth < MAX_DEPTH &&
             !(w->have_out && st.st_dev == w->out.st_dev && st.st_ino == w->out.st_ino))
        good = add_folder(w, path, depth + 1);
    free(path);
    return good;
}

static int not_hidden(const struct dirent *e)
{
    return e->d_name[0] != '.';
}

static bool add_folder(walk *w, const char *path, int depth)
{
    struct dirent **entries;
    const int n = scandir(path, &entries, not_hidden, alphasort);
    bool good = true;
    if (n < 0) {
        cli_complain("%s: cannot be listed: %s", path, strerror(errno));
        w->list->failures++;
        return true;
    }
    for (int i = 0; i < n; i++) {
        good = good && add_entry(w, path, entries[i]->d_name, depth);
        free(entries[i]);
    }
    free(entries);
    return good;
}

bool inputs_add(input_list *list, const char *name, const char *out)
{
    struct stat st;
    if (stat(name, &st) != 0 || !S_ISDIR(st.st_mode))
        return append(list, name, 0);
    walk w = { .list = list, .root = strlen(name) + (name[strlen(name) - 1] != '/') };
    w.have_out = stat(out, &w.out) == 0;
    const size_t before = list->n, failures = list->failures;
    const bool good = add_folder(&w, name, 0);
    if (good && list->n == before && list->failures == failures) {
        cli_complain("%s: holds no audio files", name);
        list->failures++;
    }
    return good;
}

void inputs_free(input_list *list)
{
    for (size_t i = 0; i < list->n; i++) {
        free(list->items[i].path);
        free(list->items[i].track);
    }
    free(list->items);
}

char *input_result(const input *in, const char *out)
{
    const char *slash = strrchr(in->path, '/'), *base = slash ? slash + 1 : in->path;
    const char *dot = strrchr(base, '.'), *track = in->track ? in->track : base;
    const size_t n = in->track || !dot || dot == base ? strlen(track) : (size_t)(dot - base);
    const size_t room = strlen(out) + n + 2;
    char *name = malloc(room);
    if (name)
        snprintf(name, room, "%s/%.*s", out, (int)n, track);
    return name;
}

void input_print_json(const input *in, rv_status status, const rv_error *err, bool first)
{
    printf("%s\n  {\"input\":", first ? "" : ",");
    json_text(stdout, in->path);
    if (status == RV_OK)
        return;
    printf(",\"status\":\"%s\",\"error\":", status == RV_ERR_CANCELLED ? "interrupted" : "failed");
    json_text(stdout, err->text);
}
