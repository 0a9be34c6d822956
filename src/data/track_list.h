/* track_list.h - find the songs of a data set on disk, whatever its layout (data/layout.h).
 *
 * A stem of a song is a list of sources that are summed: a file each, or one audio stream of it, or
 * one channel of that. No source is silence. Songs are sorted by name, byte by byte, so the order
 * does not depend on the file system. */
#ifndef DATA_TRACK_LIST_H
#define DATA_TRACK_LIST_H

#include "data/submix.h"

enum { RV_STEMS_MAX = 32, RV_ALL_CHANNELS = -1 };

typedef struct rv_track_source {
    char *path;
    int stream;  /* counts the audio streams of the file (.stem.mp4), 0 is the first */
    int channel; /* this one alone, or RV_ALL_CHANNELS */
} rv_track_source;

typedef struct rv_track_sources {
    rv_track_source *at; /* [n] */
    size_t n;
} rv_track_sources;

typedef struct rv_track {
    char *name;               /* of the song; two of different splits may have the same one */
    char *split;              /* "train", "valid", "test", as the data set says, or "" */
    rv_track_sources mixture; /* none: there is no such file, the mixture is the sum of the stems */
    rv_track_sources *stems;  /* [n_stems]; none: silence */
} rv_track;

struct rv_layout;

typedef struct rv_track_list {
    const struct rv_layout *layout; /* how the data set lies on disk */
    char *root;                     /* of the data set */
    char **stems;                   /* [n_stems] names, in the order asked for */
    size_t n_stems;
    rv_track *tracks; /* [n] */
    size_t n;
} rv_track_list;

/* What becomes of a song that lacks a stem. */
typedef enum rv_missing {
    RV_MISSING_AUTO, /* silence in the layouts where songs have different stems, else an error */
    RV_MISSING_ERROR,
    RV_MISSING_SILENCE,
    RV_MISSING_SKIP /* such songs are left out */
} rv_missing;

/* Which songs and stems are wanted. All but root may be left 0. */
typedef struct rv_track_query {
    const char *root;
    const char *layout;       /* a name of rv_layouts; NULL or "auto": whichever fits */
    const char *const *stems; /* [n_stems]; none: those the layout has, see rv_layout.stems */
    size_t n_stems;
    const rv_submix *submixes; /* [n_submixes] what stems are made of; others are found by name */
    size_t n_submixes;
    rv_missing missing;
    /* NULL: all songs. "train": those of `train_split` that are not validated on. "valid": those
     * that are. Other names: of that split. */
    const char *split;
    /* Validated on are: the songs named; or the given fraction of `train_split`, drawn by `seed`;
     * or `valid_split`; or where it has no songs, those of `train_split` that are published for it.
     */
    const char *train_split, *valid_split; /* NULL: "train", "valid"; "all": every song */
    const char *const *valid_songs;        /* [n_valid_songs] names */
    size_t n_valid_songs;
    double valid_fraction; /* 0: not so */
    uint64_t seed;
    /* Told of songs whose files or metadata are amiss, which are then left out; NULL: the first
     * such song is an error. */
    rv_status (*broken)(void *ctx, const char *song, const char *split, const rv_error *why,
                        rv_error *err);
    void *broken_ctx;
    bool may_be_empty; /* no songs in the split: *out is NULL, rather than an error */
} rv_track_query;

/* Metadata of the songs chosen is read, audio is not. Errors name the file, or say which layouts
 * were tried and what each expects. */
RV_NODISCARD rv_status rv_track_list_find(rv_track_list **out, const rv_track_query *query,
                                          rv_error *err);
void rv_track_list_free(rv_track_list *l);

/* Keep the named songs only (keep), or all but them. A name that is not in the list is an error,
 * and so is a list left empty. Names may belong to the list; those of dropped songs go with them.
 */
RV_NODISCARD rv_status rv_track_list_filter(rv_track_list *l, const char *const *names, size_t n,
                                            bool keep, rv_error *err);

/* The first file of a song, to name it in an error. */
const char *rv_track_path(const rv_track_list *l, const rv_track *t);

#endif
