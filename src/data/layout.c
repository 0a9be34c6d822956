/* layout.c - the table of layouts, and what they share. */
#include "data/layout.h"

#include "base/status.h"

#include <stdlib.h>
#include <string.h>

const rv_layout *const rv_layouts[] = { &rv_layout_musdb18,
                                        &rv_layout_musdb18hq,
                                        &rv_layout_dsd100,
                                        &rv_layout_slakh,
                                        &rv_layout_slakh_orig,
                                        &rv_layout_moisesdb,
                                        &rv_layout_mir1k,
                                        &rv_layout_shards,
                                        &rv_layout_songs,
                                        &rv_layout_stem_folders,
                                        NULL };

const rv_layout *rv_layout_find(const char *name)
{
    for (size_t i = 0; rv_layouts[i]; i++)
        if (strcmp(rv_layouts[i]->name, name) == 0)
            return rv_layouts[i];
    return NULL;
}

const char *rv_split_of_folder(const char *name)
{
    static const char *const splits[][2] = { { "train", "train" },    { "training", "train" },
                                             { "valid", "valid" },    { "validation", "valid" },
                                             { "val", "valid" },      { "test", "test" },
                                             { "omitted", "omitted" } };
    for (size_t i = 0; i < sizeof splits / sizeof *splits; i++)
        if (rv_label_equal(splits[i][0], name))
            return splits[i][1];
    return NULL;
}

void rv_song_free(rv_song *s)
{
    free(s->name);
    free(s->split);
    free(s->path);
    rv_sources_free(&s->mixture);
    for (size_t i = 0; i < s->n; i++) {
        free(s->pieces[i].source.path);
        free(s->pieces[i].label);
    }
    free(s->pieces);
}

rv_status rv_song_list_add(rv_song_list *l, const char *name, const char *split, char *path,
                           rv_error *err)
{
    rv_song s = { .name = strdup(name), .split = strdup(split), .path = path };
    rv_song *grown = realloc(l->at, (l->n + 1) * sizeof *grown);
    if (grown)
        l->at = grown;
    if (!grown || !s.name || !s.split) {
        rv_song_free(&s);
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", name);
    }
    l->at[l->n++] = s;
    return RV_OK;
}

void rv_song_list_free(rv_song_list *l)
{
    for (size_t i = 0; i < l->n; i++)
        rv_song_free(&l->at[i]);
    free(l->at);
    *l = (rv_song_list){ 0 };
}

rv_status rv_song_add_piece(rv_song *s, const char *label, int program, char *path, int stream,
                            int channel, rv_error *err)
{
    rv_piece p = { { path, stream, channel }, strdup(label), program };
    rv_piece *grown = realloc(s->pieces, (s->n + 1) * sizeof *grown);
    if (grown)
        s->pieces = grown;
    if (!grown || !p.label) {
        free(p.label);
        free(path);
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", s->path);
    }
    s->pieces[s->n++] = p;
    return RV_OK;
}

rv_status rv_sources_add(rv_track_sources *s, char *path, int stream, int channel, rv_error *err)
{
    rv_track_source *grown = realloc(s->at, (s->n + 1) * sizeof *grown);
    if (!grown) {
        free(path);
        return RV_FAIL(err, RV_ERR_NOMEM, "%zu files of a stem", s->n + 1);
    }
    s->at = grown;
    s->at[s->n++] = (rv_track_source){ path, stream, channel };
    return RV_OK;
}

void rv_sources_free(rv_track_sources *s)
{
    for (size_t i = 0; i < s->n; i++)
        free(s->at[i].path);
    free(s->at);
    *s = (rv_track_sources){ 0 };
}

rv_status rv_song_mix_pieces(rv_song *s, rv_error *err)
{
    for (size_t i = 0; i < s->n; i++) {
        const rv_track_source *p = &s->pieces[i].source;
        char *path = strdup(p->path);
        if (!path)
            return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", s->path);
        RV_TRY(rv_sources_add(&s->mixture, path, p->stream, p->channel, err));
    }
    return RV_OK;
}
