/* report_songs.c - folders of stems to songs, and the order of all. */
#include "report/report_songs.h"

#include "base/status.h"
#include "data/entries.h"
#include "data/layout.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { DEPTH_MAX = 4 }; /* folders below the one named */

static rv_status no_memory(const char *what, rv_error *err)
{
    return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", what);
}

/* Lists ---------------------------------------------------------------------------------- */

void rv_report_song_fini(rv_report_song *s)
{
    for (size_t i = 0; i < s->n_lanes; i++) {
        free(s->lanes[i].stem);
        rv_sources_free(&s->lanes[i].sources);
    }
    free(s->lanes);
    free(s->name);
    free(s->split);
    *s = (rv_report_song){ 0 };
}

void rv_report_songs_fini(rv_report_songs *s)
{
    for (size_t i = 0; i < s->n; i++)
        rv_report_song_fini(&s->songs[i]);
    for (size_t i = 0; i < s->n_groups; i++) {
        free(s->groups[i]);
        free(s->paths[i]);
    }
    free(s->songs);
    free(s->groups);
    free(s->paths);
    *s = (rv_report_songs){ 0 };
}

rv_status rv_report_add_lane(rv_report_song *s, const char *stem, size_t group,
                             rv_track_sources *sources, rv_error *err)
{
    rv_report_lane *more = realloc(s->lanes, (s->n_lanes + 1) * sizeof *more);
    char *copy = more ? strdup(stem) : NULL;
    s->lanes = more ? more : s->lanes;
    if (!copy) {
        rv_sources_free(sources);
        return no_memory(stem, err);
    }
    s->lanes[s->n_lanes++] = (rv_report_lane){ copy, group, *sources };
    return RV_OK;
}

rv_status rv_report_add_song(rv_report_song **out, rv_report_songs *s, const char *name,
                             const char *split, rv_error *err)
{
    rv_report_song *more = realloc(s->songs, (s->n + 1) * sizeof *more);
    if (!more)
        return no_memory(name, err);
    s->songs = more;
    *out = &more[s->n];
    **out = (rv_report_song){ .name = strdup(name), .split = strdup(split) };
    s->n++;
    return (*out)->name && (*out)->split ? RV_OK : no_memory(name, err);
}

rv_report_song *rv_report_song_find(const rv_report_songs *s, const char *name)
{
    for (size_t i = 0; i < s->n; i++)
        if (strcmp(s->songs[i].name, name) == 0)
            return &s->songs[i];
    return NULL;
}

/* Groups --------------------------------------------------------------------------------- */

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash && slash[1] ? slash + 1 : path;
}

/* Two folders of one name: "htdemucs", "htdemucs (2)". */
static rv_status name_group(char **out, const rv_report_songs *s, const char *path, rv_error *err)
{
    size_t same = 1;
    for (size_t i = RV_GROUP_ESTIMATES; i < s->n_groups; i++)
        same += strcmp(last_part(s->paths[i]), last_part(path)) == 0;
    const int n = same == 1 ? asprintf(out, "%s", last_part(path))
                            : asprintf(out, "%s (%zu)", last_part(path), same);
    return n < 0 ? no_memory(path, err) : RV_OK;
}

static rv_status add_group(rv_report_songs *s, const char *name, const char *path, rv_error *err)
{
    char **groups = realloc(s->groups, (s->n_groups + 1) * sizeof *groups);
    s->groups = groups ? groups : s->groups;
    char **paths = realloc(s->paths, (s->n_groups + 1) * sizeof *paths);
    s->paths = paths ? paths : s->paths;
    if (!groups || !paths)
        return no_memory(path, err);
    s->groups[s->n_groups] = strdup(name);
    s->paths[s->n_groups] = strdup(path);
    s->n_groups++;
    return s->groups[s->n_groups - 1] && s->paths[s->n_groups - 1] ? RV_OK : no_memory(path, err);
}

/* The group of a folder of songs: a new one, unless it was named before. */
static rv_status find_group(size_t *group, rv_report_songs *s, const char *path, rv_error *err)
{
    for (*group = RV_GROUP_ESTIMATES; *group < s->n_groups; ++*group)
        if (strcmp(s->paths[*group], path) == 0)
            return RV_OK;
    char *name = NULL;
    RV_TRY(name_group(&name, s, path, err));
    const rv_status status = add_group(s, name, path, err);
    free(name);
    return status;
}

/* Folders of stems ----------------------------------------------------------------------- */

rv_status rv_report_stem_of(char **stem, const char *file, rv_error *err)
{
    static const char *const endings[] = { ".wav", ".flac", ".ogg",  ".oga", ".opus",
                                           ".mp3", ".aif",  ".aiff", ".m4a" };
    *stem = NULL;
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        if (rv_ends_in(file, endings[i])) {
            *stem = strndup(file, strlen(file) - strlen(endings[i]));
            return *stem ? RV_OK : no_memory(file, err);
        }
    return RV_OK;
}

bool rv_report_is_mix(const char *stem)
{
    return strcasecmp(stem, "mixture") == 0 || strcasecmp(stem, "mix") == 0;
}

static bool has_lane(const rv_report_song *song, const char *stem, size_t group)
{
    for (size_t i = 0; i < song->n_lanes; i++)
        if (song->lanes[i].group == group &&
            (group == RV_GROUP_MIX || strcmp(song->lanes[i].stem, stem) == 0))
            return true;
    return false;
}

/* Two files of one stem (drums.flac, drums.wav): the first one; so with mixes of several folders.
 */
static rv_status add_file(rv_report_song *song, const char *folder, const char *file,
                          const char *stem, size_t group, rv_error *err)
{
    rv_track_sources sources = { 0 };
    char *path = NULL;
    group = rv_report_is_mix(stem) ? RV_GROUP_MIX : group;
    if (has_lane(song, stem, group))
        return RV_OK;
    RV_TRY(rv_path_join(&path, folder, file, "", err));
    RV_TRY(rv_sources_add(&sources, path, 0, RV_ALL_CHANNELS, err));
    return rv_report_add_lane(song, group == RV_GROUP_MIX ? "mix" : stem, group, &sources, err);
}

/* The audio files of a folder as a song; *found: there were any. */
static rv_status take_files(rv_report_songs *s, const char *folder, const char *name, size_t group,
                            const rv_entries *e, bool *found, rv_error *err)
{
    rv_report_song *song = rv_report_song_find(s, name);
    *found = false;
    for (size_t i = 0; i < e->n; i++) {
        char *stem = NULL, *path = NULL;
        RV_TRY(rv_report_stem_of(&stem, e->names[i], err));
        rv_status status = stem ? rv_path_join(&path, folder, e->names[i], "", err) : RV_OK;
        if (path && rv_is_file(path)) {
            status = song ? RV_OK : rv_report_add_song(&song, s, name, "", err);
            if (status == RV_OK)
                status = add_file(song, folder, e->names[i], stem, group, err);
            *found = true;
        }
        free(path);
        free(stem);
        RV_TRY(status);
    }
    return RV_OK;
}

static rv_status walk(rv_report_songs *s, const char *folder, const char *name, size_t group,
                      int depth, size_t *songs, rv_error *err);

static rv_status walk_below(rv_report_songs *s, const char *folder, const char *name, size_t group,
                            const rv_entries *e, int depth, size_t *songs, rv_error *err)
{
    for (size_t i = 0; i < e->n; i++) {
        char *path = NULL, *below = NULL;
        rv_status status = rv_path_join(&path, folder, e->names[i], "", err);
        if (status == RV_OK && rv_is_folder(path))
            status = rv_path_join(&below, name, e->names[i], "", err);
        if (status == RV_OK && below)
            status = walk(s, path, below, group, depth + 1, songs, err);
        free(path);
        free(below);
        RV_TRY(status);
    }
    return RV_OK;
}

/* A folder with audio files is a song; what lies below it is not looked at. */
static rv_status walk(rv_report_songs *s, const char *folder, const char *name, size_t group,
                      int depth, size_t *songs, rv_error *err)
{
    rv_entries e = { 0 };
    bool found = false;
    RV_TRY(rv_entries_read(&e, folder, err));
    rv_status status = *name ? take_files(s, folder, name, group, &e, &found, err) : RV_OK;
    *songs += found;
    if (status == RV_OK && !found && depth < DEPTH_MAX)
        status = walk_below(s, folder, name, group, &e, depth, songs, err);
    rv_entries_free(&e);
    return status;
}

static rv_status holds_audio(bool *out, const char *folder, rv_error *err)
{
    rv_entries e = { 0 };
    *out = false;
    RV_TRY(rv_entries_read(&e, folder, err));
    rv_status status = RV_OK;
    for (size_t i = 0; i < e.n && status == RV_OK && !*out; i++) {
        char *stem = NULL;
        status = rv_report_stem_of(&stem, e.names[i], err);
        *out = stem != NULL;
        free(stem);
    }
    rv_entries_free(&e);
    return status;
}

/* A folder of songs is a group; a song belongs to the group of the folder that it lies in. */
static rv_status add_folder(rv_report_songs *s, char *path, const char *given, rv_error *err)
{
    bool is_song = false;
    size_t group, songs = 0;
    RV_TRY(holds_audio(&is_song, path, err));
    char *slash = is_song ? strrchr(path, '/') : NULL;
    if (!slash) {
        RV_TRY(find_group(&group, s, path, err));
        RV_TRY(walk(s, path, "", group, 0, &songs, err));
    } else {
        *slash = '\0';
        RV_TRY(find_group(&group, s, *path ? path : "/", err));
        *slash = '/';
        RV_TRY(walk(s, path, slash + 1, group, 0, &songs, err));
    }
    if (songs > 0)
        return RV_OK;
    return RV_FAIL(err, RV_ERR_IO,
                   "%s: holds no audio files; expected a folder of stems (vocals.wav), or of such "
                   "folders",
                   given);
}

static rv_status add_folders(rv_report_songs *s, const rv_report_options *opt, rv_error *err)
{
    for (size_t i = 0; i < opt->n_folders; i++) {
        const char *given = opt->folders[i];
        if (!rv_is_folder(given))
            return RV_FAIL(err, RV_ERR_IO, "%s: is no folder; expected one of stems", given);
        char *path = realpath(given, NULL); /* so that "." has a name */
        if (!path)
            return no_memory(given, err);
        const rv_status status = add_folder(s, path, given, err);
        free(path);
        RV_TRY(status);
    }
    return RV_OK;
}

/* Order ---------------------------------------------------------------------------------- */

static size_t rank(const rv_report_lane *l)
{
    static const char *const first[] = { "vocals", "drums", "bass", "guitar", "piano" };
    enum { KNOWN = sizeof first / sizeof *first };
    if (l->group == RV_GROUP_MIX)
        return 0;
    for (size_t i = 0; i < KNOWN; i++)
        if (strcmp(l->stem, first[i]) == 0)
            return 1 + i;
    return strcmp(l->stem, "other") == 0 ? KNOWN + 2 : KNOWN + 1;
}

/* Estimates before references. */
static size_t group_rank(const rv_report_lane *l)
{
    return l->group == RV_GROUP_REFERENCE ? SIZE_MAX : l->group;
}

static int by_stem(const void *a, const void *b)
{
    const rv_report_lane *x = a, *y = b;
    if (rank(x) != rank(y))
        return rank(x) < rank(y) ? -1 : 1;
    const int names = strcmp(x->stem, y->stem);
    if (names)
        return names;
    return (group_rank(x) > group_rank(y)) - (group_rank(x) < group_rank(y));
}

static int by_name(const void *a, const void *b)
{
    const rv_report_song *x = a, *y = b;
    const int names = strcmp(x->name, y->name);
    return names ? names : strcmp(x->split, y->split);
}

static void settle(rv_report_songs *s, size_t most)
{
    for (size_t i = 0; i < s->n; i++)
        qsort(s->songs[i].lanes, s->songs[i].n_lanes, sizeof *s->songs[i].lanes, by_stem);
    if (s->n > 0)
        qsort(s->songs, s->n, sizeof *s->songs, by_name);
    while (s->n > most) {
        rv_report_song_fini(&s->songs[--s->n]);
        s->left_out++;
    }
}

rv_status rv_report_songs_find(rv_report_songs *out, const rv_report_options *opt, rv_error *err)
{
    RV_TRY(add_group(out, "Mix", "", err));
    RV_TRY(add_group(out, "Reference", opt->references ? opt->references : "", err));
    RV_TRY(add_folders(out, opt, err));
    if (opt->references)
        RV_TRY(rv_report_add_references(out, opt, err));
    if (opt->mix)
        RV_TRY(rv_report_add_mix(out, opt->mix, err));
    settle(out, opt->max_songs > 0 ? (size_t)opt->max_songs : 0);
    return RV_OK;
}
