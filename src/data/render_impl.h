/* render_impl.h - what the files of the renderer share: a run, its workers, a track in the making.
 */
#ifndef DATA_RENDER_IMPL_H
#define DATA_RENDER_IMPL_H

#include "data/drum_kit.h"
#include "data/render_plan.h"
#include "data/render_songs.h"
#include "data/soundfont.h"
#include "data/soundfont_file.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>

/* A soundfont, or one of instruments. */
typedef struct rv_render_font {
    const char *name, *license;
    rv_soundfont_info info;
} rv_render_font;

/* The whole run; the workers only read it, but for the lock and the flag. */
typedef struct rv_render {
    const rv_render_options *opt;
    const char *out;
    const rv_render_songs *songs;
    bool sings;            /* espeak-ng is there */
    rv_render_font *font;  /* [rv_render_fonts()]: the soundfonts, then the instruments */
    rv_drum_kit **kits;    /* [n_drum_kits], shared by all */
    pthread_mutex_t fonts; /* held while soundfonts are opened and freed */
    atomic_bool stop;
} rv_render;

/* What one thread has for itself. */
typedef struct rv_render_worker {
    rv_render *run;
    rv_soundfont **fonts; /* [rv_render_fonts()], opened when first needed */
} rv_render_worker;

typedef struct rv_stem {
    rv_stem_plan plan;
    const char *player;  /* name of the soundfont's file, or of what else played */
    const char *license; /* of its sounds */
    bool *kits;          /* [n_drum_kits] those that play it; NULL: none do */
    float *audio[2];     /* [frames + RV_TRACK_MARGIN] */
    double loudness;     /* LUFS as written */
    double gain;         /* linear, from the audio to the file */
    float peak;          /* of the audio */
    bool silent;         /* then it has no file */
} rv_stem;

/* Of mix and stems, of full scale: rounding of 256 stems adds less than 0.004. */
#define RV_MIX_PEAK 0.985

enum { RV_TRACK_MARGIN = 1024 }; /* frames that effects may be late */

typedef struct rv_track_work {
    rv_render_worker *worker;
    const rv_render_song *song;
    size_t variant;
    char folder[4096]; /* hidden, in which the track is made */
    rv_track_plan plan;
    rv_drum_mix drums; /* with the option mix_drums */
    rv_midi *midi;     /* as played */
    rv_parts *parts;
    rv_stem *stems;        /* [parts->n] */
    float *mix[2], *curve; /* [frames]; the limiter's gain */
    void *map;             /* the memory of all audio: a file without a name */
    size_t map_size, frames;
    double gain;      /* that all stems got for the loudness of the mix */
    double reduction; /* the least gain of the limiter */
    double loudness;  /* of the mix, LUFS */
} rv_track_work;

/* "OUT/train/Track00001" and "OUT/train/.ravel-Track00001" of a track. */
void rv_render_folder(char *path, size_t size, const rv_render *run, size_t track, bool hidden);
uint64_t rv_render_tracks(const rv_render *run);

/* What plays (render_sounds.c) */

/* Soundfonts and instruments. */
size_t rv_render_fonts(const rv_render *run);

/* Opens all that plays, soundfonts for the worker; rv_render_sounds_free() even when it fails. */
RV_NODISCARD rv_status rv_render_sounds_open(rv_render_worker *trial, rv_error *err);
void rv_render_sounds_free(rv_render *run);

/* One of the worker's, one worker at a time (data/soundfont.h). */
RV_NODISCARD rv_status rv_render_font_open(rv_render_worker *w, size_t font, rv_soundfont **out,
                                           rv_error *err);

/* Drum kits play part of the drums (render_drums.c). *played: they have some of its notes. */
RV_NODISCARD rv_status rv_render_kits(rv_track_work *w, size_t part, bool *played, rv_error *err);

/* Which of them plays a program in a track. */
size_t rv_render_font_for(const rv_render *run, const rv_track_plan *plan, int program);

/* Tracks */

/* *seconds: how long it is. */
RV_NODISCARD rv_status rv_render_track(rv_render_worker *worker, size_t track, double *seconds,
                                       rv_error *err);

/* A stem's audio: played, through its effects, not yet at its level. */
RV_NODISCARD rv_status rv_render_stem(rv_track_work *w, size_t stem, rv_error *err);

/* Levels, loudness, mix; then all audio files. */
RV_NODISCARD rv_status rv_render_mix(rv_track_work *w, rv_error *err);

RV_NODISCARD rv_status rv_render_metadata(const rv_track_work *w, rv_error *err);

/* OUT/README.md, and the report, from the metadata of all tracks. */
RV_NODISCARD rv_status rv_render_card(const rv_render *run, rv_render_report *report,
                                      rv_error *err);

/* Files and folders (render_files.c) */

RV_NODISCARD rv_status rv_remove_tree(const char *path, rv_error *err);

/* Zeroed memory that lies in a file without a name, in a folder that is there; munmap() it. */
RV_NODISCARD rv_status rv_map_scratch(void **out, size_t size, const char *folder, rv_error *err);

/* Name of a file without its folders. */
const char *rv_base_name(const char *path);

#endif
