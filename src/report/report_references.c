/* report_references.c - the stems and mixes of a data set, and mixes given by file, as lanes. */
#include "base/status.h"
#include "data/entries.h"
#include "data/layout.h"
#include "report/report_songs.h"

#include <stdlib.h>
#include <string.h>

/* References ----------------------------------------------------------------------------- */

/* *out += copies */
static rv_status copy_sources(rv_track_sources *out, const rv_track_sources *from, rv_error *err)
{
    for (size_t i = 0; i < from->n; i++) {
        char *path = strdup(from->at[i].path);
        if (!path)
            return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", from->at[i].path);
        RV_TRY(rv_sources_add(out, path, from->at[i].stream, from->at[i].channel, err));
    }
    return RV_OK;
}

static rv_status add_copy(rv_report_song *song, const char *stem, size_t group,
                          const rv_track_sources *from, size_t n, rv_error *err)
{
    rv_track_sources sources = { 0 };
    rv_status status = RV_OK;
    for (size_t i = 0; i < n && status == RV_OK; i++)
        status = copy_sources(&sources, &from[i], err);
    if (status == RV_OK && sources.n > 0)
        return rv_report_add_lane(song, stem, group, &sources, err);
    rv_sources_free(&sources);
    return status;
}

static bool has_mix(const rv_report_song *song)
{
    for (size_t i = 0; i < song->n_lanes; i++)
        if (song->lanes[i].group == RV_GROUP_MIX)
            return true;
    return false;
}

/* Where there is no file of the mixture, it is the sum of the stems. */
static rv_status add_track(rv_report_song *song, const rv_track_list *list, const rv_track *t,
                           rv_error *err)
{
    for (size_t s = 0; s < list->n_stems; s++)
        RV_TRY(add_copy(song, list->stems[s], RV_GROUP_REFERENCE, &t->stems[s], 1, err));
    if (has_mix(song))
        return RV_OK;
    if (t->mixture.n > 0)
        return add_copy(song, "mix", RV_GROUP_MIX, &t->mixture, 1, err);
    return add_copy(song, "mix", RV_GROUP_MIX, t->stems, list->n_stems, err);
}

/* The song of the estimates: SONG or SPLIT/SONG; NULL: there is none. */
static rv_status find_estimated(rv_report_song **out, rv_report_songs *s, const rv_track *t,
                                rv_error *err)
{
    char *name = NULL;
    *out = rv_report_song_find(s, t->name);
    if (*out)
        return RV_OK;
    RV_TRY(rv_path_join(&name, t->split, t->name, "", err));
    *out = rv_report_song_find(s, name);
    free(name);
    return RV_OK;
}

static rv_status add_tracks(rv_report_songs *s, const rv_track_list *list, rv_error *err)
{
    const size_t estimated = s->n;
    for (size_t i = 0; i < list->n; i++) {
        rv_report_song *song = NULL;
        const rv_track *t = &list->tracks[i];
        if (estimated == 0)
            RV_TRY(rv_report_add_song(&song, s, t->name, t->split, err));
        else
            RV_TRY(find_estimated(&song, s, t, err));
        if (song)
            RV_TRY(add_track(song, list, t, err));
        else
            s->left_out++;
    }
    return RV_OK;
}

static bool has_reference(const rv_report_song *song)
{
    for (size_t i = 0; i < song->n_lanes; i++)
        if (song->lanes[i].group == RV_GROUP_REFERENCE)
            return true;
    return false;
}

static void keep_referenced(rv_report_songs *s)
{
    size_t kept = 0;
    for (size_t i = 0; i < s->n; i++) {
        if (has_reference(&s->songs[i]))
            s->songs[kept++] = s->songs[i];
        else
            rv_report_song_fini(&s->songs[i]);
    }
    s->left_out += s->n - kept;
    s->n = kept;
}

/* The stems that there are estimates of: [*n] names, borrowed. */
static void estimated_stems(const char *stems[RV_STEMS_MAX], size_t *n, const rv_report_songs *s)
{
    *n = 0;
    for (size_t i = 0; i < s->n; i++)
        for (size_t l = 0; l < s->songs[i].n_lanes; l++) {
            const rv_report_lane *lane = &s->songs[i].lanes[l];
            size_t at = 0;
            while (at < *n && strcmp(stems[at], lane->stem) != 0)
                at++;
            if (at == *n && at < RV_STEMS_MAX && lane->group != RV_GROUP_MIX)
                stems[(*n)++] = lane->stem;
        }
}

rv_status rv_report_add_references(rv_report_songs *s, const rv_report_options *opt, rv_error *err)
{
    const char *stems[RV_STEMS_MAX];
    rv_track_query query = { .root = opt->references,
                             .layout = opt->layout,
                             .split = opt->split,
                             .stems = stems,
                             .missing = RV_MISSING_SILENCE };
    rv_track_list *list = NULL;
    estimated_stems(stems, &query.n_stems, s);
    RV_TRY(rv_track_list_find(&list, &query, err));
    rv_status status = add_tracks(s, list, err);
    keep_referenced(s);
    if (status == RV_OK && s->n == 0)
        status = RV_FAIL(err, RV_ERR_IO,
                         "%s: no song here is named like a folder of stems; there is '%s'",
                         opt->references, list->tracks[0].name);
    rv_track_list_free(list);
    return status;
}

/* Mixes ---------------------------------------------------------------------------------- */

static rv_status add_mix_file(rv_report_song *song, const char *path, rv_error *err)
{
    rv_track_sources sources = { 0 };
    char *copy = strdup(path);
    if (!copy)
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", path);
    RV_TRY(rv_sources_add(&sources, copy, 0, RV_ALL_CHANNELS, err));
    return rv_report_add_lane(song, "mix", RV_GROUP_MIX, &sources, err);
}

/* Of the audio files of a folder the one that is called `name`, or (NULL) mix or mixture. */
static rv_status find_mix(char **out, const char *folder, const char *name, rv_error *err)
{
    rv_entries e = { 0 };
    RV_TRY(rv_entries_read(&e, folder, err));
    rv_status status = RV_OK;
    for (size_t i = 0; i < e.n && !*out && status == RV_OK; i++) {
        char *stem = NULL;
        status = rv_report_stem_of(&stem, e.names[i], err);
        if (stem && (name ? strcmp(stem, name) == 0 : rv_report_is_mix(stem)))
            status = rv_path_join(out, folder, e.names[i], "", err);
        free(stem);
    }
    rv_entries_free(&e);
    return status;
}

static rv_status add_mix_of_song(rv_report_song *song, const char *folder, size_t *added,
                                 rv_error *err)
{
    char *path = NULL, *below = NULL;
    if (has_mix(song))
        return RV_OK;
    RV_TRY(find_mix(&path, folder, song->name, err));
    rv_status status = path ? RV_OK : rv_path_join(&below, folder, song->name, "", err);
    if (status == RV_OK && below)
        status = find_mix(&path, below, NULL, err);
    free(below);
    if (status == RV_OK && path)
        status = add_mix_file(song, path, err);
    *added += path != NULL;
    free(path);
    return status;
}

rv_status rv_report_add_mix(rv_report_songs *s, const char *mix, rv_error *err)
{
    size_t added = 0;
    if (!rv_is_folder(mix) && s->n == 0) { /* a mix alone */
        rv_report_song *song = NULL;
        const char *slash = strrchr(mix, '/');
        RV_TRY(rv_report_add_song(&song, s, slash ? slash + 1 : mix, "", err));
    }
    if (!rv_is_folder(mix) && s->n > 1)
        return RV_FAIL(err, RV_ERR_ARG,
                       "%s: one mix for %zu songs; expected a folder of SONG.wav or "
                       "SONG/mixture.wav",
                       mix, s->n);
    if (!rv_is_folder(mix))
        return has_mix(&s->songs[0]) ? RV_OK : add_mix_file(&s->songs[0], mix, err);
    for (size_t i = 0; i < s->n; i++)
        RV_TRY(add_mix_of_song(&s->songs[i], mix, &added, err));
    if (added == 0)
        return RV_FAIL(err, RV_ERR_IO, "%s: no mix here; expected SONG.wav or SONG/mixture.wav",
                       mix);
    return RV_OK;
}
