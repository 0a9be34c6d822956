/* track_list.c - the layout, its songs, those of the split, and the sources of their stems. */
#include "data/track_list.h"

#include "base/status.h"
#include "data/entries.h"
#include "data/layout.h"
#include "data/split.h"
#include "data/stem_sources.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void free_track(rv_track *t, size_t n_stems)
{
    free(t->name);
    free(t->split);
    rv_sources_free(&t->mixture);
    for (size_t s = 0; t->stems && s < n_stems; s++)
        rv_sources_free(&t->stems[s]);
    free(t->stems);
}

void rv_track_list_free(rv_track_list *l)
{
    if (!l)
        return;
    for (size_t i = 0; i < l->n; i++)
        free_track(&l->tracks[i], l->n_stems);
    free(l->tracks);
    for (size_t s = 0; s < l->n_stems; s++)
        free(l->stems[s]);
    free(l->stems);
    free(l->root);
    free(l);
}

/* What is wanted ------------------------------------------------------------------------- */

/* Stems that the caller does not define are found by their name. */
static rv_submix resolve(const rv_track_query *q, const char *const *stem)
{
    for (size_t i = 0; i < q->n_submixes; i++)
        if (strcmp(q->submixes[i].stem, *stem) == 0)
            return q->submixes[i];
    return (rv_submix){ .stem = *stem, .classes = stem, .n_classes = 1 };
}

static rv_status check_stems(const char *const *stems, size_t n, rv_error *err)
{
    if (n > RV_STEMS_MAX)
        return RV_FAIL(err, RV_ERR_ARG, "%zu stems; expected 1 to %d", n, RV_STEMS_MAX);
    for (size_t s = 0; s < n; s++)
        if (!*stems[s] || strchr(stems[s], '/'))
            return RV_FAIL(err, RV_ERR_ARG, "stem '%s': expected the name of a file or class",
                           stems[s]);
    return RV_OK;
}

/* Layouts -------------------------------------------------------------------------------- */

static rv_status list_songs(rv_song_list *songs, const rv_layout *layout, const rv_wanted *w,
                            rv_error *err)
{
    rv_song_list found = { 0 };
    const rv_status status = layout->list(&found, w, err);
    if (status == RV_OK)
        *songs = found;
    else
        rv_song_list_free(&found);
    return status;
}

static rv_status no_layout(const rv_wanted *w, rv_error *err)
{
    char tried[1700];
    size_t used = 0;
    for (size_t i = 0; rv_layouts[i] && used < sizeof tried; i++)
        used += (size_t)snprintf(tried + used, sizeof tried - used, "%s%s (%s)", i ? "; " : "",
                                 rv_layouts[i]->name, rv_layouts[i]->expects);
    return RV_FAIL(err, RV_ERR_IO, "%.200s: no songs of these stems in any known layout: %s",
                   w->root, tried);
}

static rv_status try_layouts(const rv_layout **out, rv_song_list *songs, const rv_wanted *w,
                             bool general, rv_error *err)
{
    for (size_t i = 0; rv_layouts[i]; i++) {
        rv_song_list found = { 0 };
        if (rv_layouts[i]->general != general)
            continue;
        RV_TRY(list_songs(&found, rv_layouts[i], w, err));
        if (found.n > 0 && *out) {
            rv_song_list_free(&found);
            return RV_FAIL(err, RV_ERR_ARG,
                           "%s: could be of layout %s (%s) or %s (%s); say which (--layout, in "
                           "recipes data.layout)",
                           w->root, (*out)->name, (*out)->expects, rv_layouts[i]->name,
                           rv_layouts[i]->expects);
        }
        if (found.n > 0) {
            *songs = found;
            *out = rv_layouts[i];
        } else {
            rv_song_list_free(&found);
        }
    }
    return RV_OK;
}

static rv_status named_layout(const rv_layout **out, rv_song_list *songs, const char *name,
                              rv_wanted *w, rv_error *err)
{
    if (!(*out = rv_layout_find(name)))
        return RV_FAIL(err, RV_ERR_ARG, "there is no layout '%s' of data sets", name);
    w->sure = true;
    RV_TRY(list_songs(songs, *out, w, err));
    if (songs->n == 0)
        return RV_FAIL(err, RV_ERR_IO, "%s: no songs of layout %s; it expects %s", w->root, name,
                       (*out)->expects);
    return RV_OK;
}

static rv_status find_songs(const rv_layout **layout, rv_song_list *songs, const rv_track_query *q,
                            rv_wanted *w, rv_error *err)
{
    if (!rv_is_folder(q->root) && !rv_is_file(q->root))
        return RV_FAIL(err, RV_ERR_IO, "%s: not a folder; expected a data set", q->root);
    if (q->layout && strcmp(q->layout, "auto") != 0)
        return named_layout(layout, songs, q->layout, w, err);
    RV_TRY(try_layouts(layout, songs, w, false, err));
    if (!*layout)
        RV_TRY(try_layouts(layout, songs, w, true, err));
    return *layout ? RV_OK : no_layout(w, err);
}

static int by_name(const void *a, const void *b)
{
    const rv_song *x = a, *y = b;
    const int order = strcmp(x->name, y->name);
    return order ? order : strcmp(x->split, y->split);
}

/* Tracks --------------------------------------------------------------------------------- */

typedef struct finder {
    const rv_track_query *query;
    const rv_layout *layout;
    rv_wanted wanted;
    rv_song_list songs;
    rv_submix submixes[RV_STEMS_MAX];
    rv_track_list *list;
} finder;

static rv_status add_stem_name(rv_track_list *l, const char *name, rv_error *err)
{
    if (l->n_stems == RV_STEMS_MAX)
        return RV_FAIL(err, RV_ERR_ARG, "%s: more than %d stems; say which", l->root, RV_STEMS_MAX);
    if (!(l->stems[l->n_stems] = strdup(name)))
        return RV_FAIL(err, RV_ERR_NOMEM, "name of a stem");
    l->n_stems++;
    return RV_OK;
}

static bool has_stem(const rv_track_list *l, const char *label)
{
    for (size_t s = 0; s < l->n_stems; s++)
        if (rv_label_equal(l->stems[s], label))
            return true;
    return false;
}

/* Names of the stems: those asked for, those usual for the layout, or all that there are. */
static rv_status name_stems(const finder *f, rv_error *err)
{
    const rv_track_query *q = f->query;
    if (!(f->list->stems = calloc(RV_STEMS_MAX, sizeof *f->list->stems)))
        return RV_FAIL(err, RV_ERR_NOMEM, "names of stems");
    for (size_t s = 0; s < q->n_stems; s++)
        RV_TRY(add_stem_name(f->list, q->stems[s], err));
    if (q->n_stems > 0)
        return RV_OK;
    for (size_t s = 0; f->layout->stems && f->layout->stems[s]; s++)
        RV_TRY(add_stem_name(f->list, f->layout->stems[s], err));
    for (size_t i = 0; i < f->songs.n && !f->layout->stems; i++)
        for (size_t k = 0; k < f->songs.at[i].n; k++)
            if (!has_stem(f->list, f->songs.at[i].pieces[k].label))
                RV_TRY(add_stem_name(f->list, f->songs.at[i].pieces[k].label, err));
    return RV_OK;
}

static void want(finder *f, const char *const *stems, size_t n)
{
    for (size_t s = 0; s < n; s++)
        f->submixes[s] = resolve(f->query, &stems[s]);
    f->wanted.stems = f->submixes;
    f->wanted.n_stems = n;
}

static rv_missing when_missing(const finder *f)
{
    return f->query->missing == RV_MISSING_AUTO ? f->layout->missing : f->query->missing;
}

static bool is_mute(const rv_track *t, size_t n_stems)
{
    for (size_t s = 0; s < n_stems; s++)
        if (t->stems[s].n > 0)
            return false;
    return t->mixture.n == 0;
}

/* *keep: the song goes into the list. */
static rv_status fill_track(const finder *f, rv_track *t, rv_song *song, bool *keep, rv_error *err)
{
    const char *lacks = NULL;
    const rv_missing missing = when_missing(f);
    if (!(t->stems = calloc(f->list->n_stems, sizeof *t->stems)))
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", song->path);
    RV_TRY(rv_stem_sources(t, &lacks, song, f->layout, &f->wanted, err));
    if (lacks && missing == RV_MISSING_ERROR)
        return RV_FAIL(err, RV_ERR_IO, "%s: song '%s' has no stem '%s'", song->path, song->name,
                       lacks);
    *keep = !(lacks && missing == RV_MISSING_SKIP) && !is_mute(t, f->list->n_stems);
    t->name = song->name;
    t->split = song->split;
    song->name = song->split = NULL;
    return RV_OK;
}

static rv_status make_tracks(const finder *f, rv_error *err)
{
    rv_track_list *l = f->list;
    if (!(l->tracks = calloc(f->songs.n, sizeof *l->tracks)))
        return RV_FAIL(err, RV_ERR_NOMEM, "%zu songs", f->songs.n);
    for (size_t i = 0; i < f->songs.n; i++) {
        rv_track t = { 0 };
        bool keep = false;
        const rv_status status = fill_track(f, &t, &f->songs.at[i], &keep, err);
        if (keep)
            l->tracks[l->n++] = t;
        else
            free_track(&t, l->n_stems);
        RV_TRY(status);
    }
    return RV_OK;
}

static void describe_labels(const finder *f, char *text, size_t room)
{
    rv_track_list seen = { .stems = (char *[RV_STEMS_MAX]){ 0 } };
    size_t used = 0;
    for (size_t i = 0; i < f->songs.n; i++)
        for (size_t k = 0; k < f->songs.at[i].n && seen.n_stems < RV_STEMS_MAX; k++)
            if (!has_stem(&seen, f->songs.at[i].pieces[k].label))
                seen.stems[seen.n_stems++] = f->songs.at[i].pieces[k].label;
    for (size_t s = 0; s < seen.n_stems && used < room; s++)
        used += (size_t)snprintf(text + used, room - used, "%s%.40s", s ? ", " : "", seen.stems[s]);
}

/* A stem that no song has is a slip of the pen. */
static rv_status check_tracks(const finder *f, rv_error *err)
{
    const rv_track_list *l = f->list;
    char labels[1000] = "";
    for (size_t s = 0; s < l->n_stems; s++) {
        bool found = false;
        for (size_t i = 0; i < l->n && !found; i++)
            found = l->tracks[i].stems[s].n > 0;
        if (found)
            continue;
        describe_labels(f, labels, sizeof labels);
        return RV_FAIL(err, RV_ERR_IO, "%s: %s '%s' (layout %s); there are: %s", l->root,
                       l->n ? "no song has a stem" : "all songs lack a stem, such as", l->stems[s],
                       f->layout->name, labels);
    }
    return RV_OK;
}

/* *keep: what the song consists of is known. */
static rv_status fill_song(const finder *f, rv_song *song, bool *keep, rv_error *err)
{
    const rv_track_query *q = f->query;
    rv_error why = { 0 };
    const rv_status status = f->layout->fill(song, &f->wanted, &why);
    *keep = status == RV_OK;
    if (q->broken && (status == RV_ERR_IO || status == RV_ERR_FORMAT))
        return q->broken(q->broken_ctx, song->name, song->split, &why, err);
    return *keep ? RV_OK : RV_FAIL(err, status, "%s", why.text);
}

static rv_status fill_songs(finder *f, rv_error *err)
{
    rv_song_list *l = &f->songs;
    size_t to = 0;
    for (size_t i = 0; i < l->n; i++) {
        bool keep = false;
        const rv_status status = fill_song(f, &l->at[i], &keep, err);
        if (keep) {
            const rv_song song = l->at[i];
            l->at[i] = (rv_song){ 0 };
            l->at[to++] = song;
        } else if (status == RV_OK) {
            rv_song_free(&l->at[i]);
            l->at[i] = (rv_song){ 0 };
        }
        RV_TRY(status);
    }
    l->n = to;
    return RV_OK;
}

static rv_status fill_list(finder *f, rv_error *err)
{
    const rv_track_query *q = f->query;
    RV_TRY(check_stems(q->stems, q->n_stems, err));
    want(f, q->stems, q->n_stems);
    f->wanted.root = q->root;
    RV_TRY(find_songs(&f->layout, &f->songs, q, &f->wanted, err));
    RV_TRY(rv_stem_sources_check(f->layout, &f->wanted, err));
    f->list->layout = f->layout;
    RV_TRY(rv_path_join(&f->list->root, q->root, "", "", err));
    RV_TRY(rv_split_choose(&f->songs, f->layout, q, err));
    if (f->songs.n == 0)
        return RV_OK;
    qsort(f->songs.at, f->songs.n, sizeof *f->songs.at, by_name);
    RV_TRY(fill_songs(f, err));
    if (f->songs.n == 0)
        return RV_OK;
    RV_TRY(name_stems(f, err));
    want(f, (const char *const *)f->list->stems, f->list->n_stems);
    RV_TRY(make_tracks(f, err));
    return check_tracks(f, err);
}

rv_status rv_track_list_find(rv_track_list **out, const rv_track_query *query, rv_error *err)
{
    finder f = { .query = query, .list = calloc(1, sizeof *f.list) };
    *out = NULL;
    if (!f.list)
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", query->root);
    const rv_status status = fill_list(&f, err);
    if (status == RV_OK && f.list->n > 0)
        *out = f.list;
    else
        rv_track_list_free(f.list);
    rv_song_list_free(&f.songs);
    return status;
}

const char *rv_track_path(const rv_track_list *l, const rv_track *t)
{
    for (size_t s = 0; s < l->n_stems; s++)
        if (t->stems[s].n > 0)
            return t->stems[s].at[0].path;
    return t->mixture.n > 0 ? t->mixture.at[0].path : t->name;
}

/* Songs by name -------------------------------------------------------------------------- */

static bool is_named(const rv_track *t, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(t->name, names[i]) == 0)
            return true;
    return false;
}

static rv_status check_names(const rv_track_list *l, const char *const *names, size_t n,
                             rv_error *err)
{
    for (size_t i = 0; i < n; i++) {
        bool found = false;
        for (size_t t = 0; t < l->n && !found; t++)
            found = strcmp(l->tracks[t].name, names[i]) == 0;
        if (!found)
            return RV_FAIL(err, RV_ERR_ARG, "%s: no song named '%s'", l->root, names[i]);
    }
    return RV_OK;
}

rv_status rv_track_list_filter(rv_track_list *l, const char *const *names, size_t n, bool keep,
                               rv_error *err)
{
    size_t left = 0;
    RV_TRY(check_names(l, names, n, err));
    for (size_t t = 0; t < l->n; t++)
        left += is_named(&l->tracks[t], names, n) == keep;
    if (left == 0)
        return RV_FAIL(err, RV_ERR_ARG, "%s: none of its %zu songs is left", l->root, l->n);
    size_t to = 0;
    for (size_t t = 0; t < l->n; t++)
        if (is_named(&l->tracks[t], names, n) == keep) {
            const rv_track dropped = l->tracks[to];
            l->tracks[to++] = l->tracks[t];
            l->tracks[t] = dropped;
        }
    for (size_t t = to; t < l->n; t++) /* not before: the names may be theirs */
        free_track(&l->tracks[t], l->n_stems);
    l->n = to;
    return RV_OK;
}
