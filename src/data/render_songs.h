/* render_songs.h - the songs that are to be rendered, each once, and for what each is used. */
#ifndef DATA_RENDER_SONGS_H
#define DATA_RENDER_SONGS_H

#include "io/midi_file.h"
#include "ravel/dataset.h"

#include <stdbool.h>

typedef enum {
    RV_RENDER_SPLIT_TRAIN,
    RV_RENDER_SPLIT_VALIDATION,
    RV_RENDER_SPLIT_TEST,
    RV_RENDER_SPLITS
} rv_render_split;

typedef struct rv_render_song {
    char *path;    /* of the MIDI file, or how a composed song is called */
    char *name;    /* the path below what was named */
    uint64_t hash; /* of its content */
    bool composed;
    const char *style; /* of a composed song, NULL: chosen by its seed */
    uint64_t seed;     /* of a composed song */
    double most;       /* seconds of a composed song, about */
    uint64_t rating;   /* by seed and content: the highest are for tests, the next for validation */
    rv_render_split split;
} rv_render_song;

typedef struct rv_render_songs {
    rv_render_song
        *items; /* [n] sorted by name, then by content; none has the content of another */
    size_t n, room;
    uint64_t broken, duplicates, too_long;
} rv_render_songs;

/* All songs are read once. What is left out is said by the callback of the options; with `strict`
 * a broken one is an error. No song at all is an error, too. */
RV_NODISCARD rv_status rv_render_songs_find(rv_render_songs **out, const rv_render_options *opt,
                                            rv_error *err);
void rv_render_songs_free(rv_render_songs *s);

RV_NODISCARD rv_status rv_render_song_read(rv_midi **out, const rv_render_song *song,
                                           rv_error *err);

/* "train", "validation", "test": as Slakh2100 calls them. */
const char *rv_render_split_name(rv_render_split split);

#endif
