/* layout.h - how published data sets lie on disk: one file each (layout_*.c), and their table.
 *
 * A layout lists songs (names and splits only, so that looking for the right layout is cheap) and
 * then fills those that are wanted: with the pieces that the song consists of, each a file, stream
 * or channel with the class of what it holds. Which pieces make up a stem is decided for all
 * layouts alike (data/track_list.c). */
#ifndef DATA_LAYOUT_H
#define DATA_LAYOUT_H

#include "data/track_list.h"

typedef struct rv_piece {
    rv_track_source source;
    char *label; /* "drums" */
    int program; /* General MIDI, from 0; -1: unknown, or drums */
} rv_piece;

typedef struct rv_song {
    char *name, *split;
    char *path; /* folder, or file */
    rv_track_sources mixture;
    rv_piece *pieces; /* [n] */
    size_t n;
} rv_song;

typedef struct rv_song_list {
    rv_song *at; /* [n] */
    size_t n;
} rv_song_list;

/* What is looked for. */
typedef struct rv_wanted {
    const char *root;
    const rv_submix *stems; /* [n_stems]; none: any */
    size_t n_stems;
    bool sure; /* the layout was named: do not ask for signs that it is this one */
} rv_wanted;

/* Which stem takes all pieces that no other stem takes; "accompaniment" and "instrumental" do so
 * in all layouts but RV_REST_NONE. */
typedef enum rv_rest {
    RV_REST_NONE,          /* folders may hold anything */
    RV_REST_ACCOMPANIMENT, /* `other` is a piece of its own */
    RV_REST_OTHER
} rv_rest;

typedef struct rv_layout {
    const char *name;
    const char *expects; /* the tree, in a line */
    /* Songs of root; none if it does not look like this layout. */
    rv_status (*list)(rv_song_list *out, const rv_wanted *wanted, rv_error *err);
    rv_status (*fill)(rv_song *s, const rv_wanted *wanted, rv_error *err);
    const char *const *stems; /* NULL-terminated: usual ones, for when none are asked for */
    const char *const *valid; /* NULL-terminated: songs to validate on, as published; or NULL */
    rv_rest rest;
    rv_missing missing;
    double slack;        /* seconds by which a file may differ in length; silence is added */
    bool mixed_channels; /* mono files lie beside stereo ones */
    bool general;        /* taken only where no other layout fits */
} rv_layout;

extern const rv_layout *const rv_layouts[]; /* NULL-terminated */

/* NULL: there is none of that name. */
const rv_layout *rv_layout_find(const char *name);

/* The name of a split for that of a folder: "valid" for validation, val; NULL for other names. */
const char *rv_split_of_folder(const char *name);

/* Helpers for the layouts. Texts are copied; path is taken over, also on failure. */
RV_NODISCARD rv_status rv_song_list_add(rv_song_list *l, const char *name, const char *split,
                                        char *path, rv_error *err);
void rv_song_list_free(rv_song_list *l);
void rv_song_free(rv_song *s); /* what it holds */
RV_NODISCARD rv_status rv_song_add_piece(rv_song *s, const char *label, int program, char *path,
                                         int stream, int channel, rv_error *err);
RV_NODISCARD rv_status rv_sources_add(rv_track_sources *s, char *path, int stream, int channel,
                                      rv_error *err);
void rv_sources_free(rv_track_sources *s);

/* The mixture is all pieces. */
RV_NODISCARD rv_status rv_song_mix_pieces(rv_song *s, rv_error *err);

extern const char *const rv_musdb_stems[], *const rv_musdb_valid[];
extern const rv_layout rv_layout_dsd100, rv_layout_mir1k, rv_layout_moisesdb, rv_layout_musdb18,
    rv_layout_musdb18hq, rv_layout_slakh, rv_layout_slakh_orig, rv_layout_shards, rv_layout_songs,
    rv_layout_stem_folders;

#endif
