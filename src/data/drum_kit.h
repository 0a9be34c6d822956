/* drum_kit.h - Hydrogen drum kits: drumkit.xml and the samples beside it.
 *
 * Which piece plays a note is found by the names of the instruments ("Closed HH", "Tom Low"),
 * strong names before weak ones ("Snare" before "Snare Roll"), several of one kind in their order;
 * toms by pitch. An instrument whose name says nothing is used by its midiOutNote, if the kit's
 * instruments have different ones. The position in the kit (36 + index in old kits) is not used:
 * kits are ordered too differently. */
#ifndef DATA_DRUM_KIT_H
#define DATA_DRUM_KIT_H

#include "ravel/base.h"

#include <stdbool.h>

typedef struct rv_drum_hit {
    double start;    /* seconds */
    int note;        /* General MIDI percussion, 27 to 87; others are left out */
    double velocity; /* 0 to 1 */
} rv_drum_hit;

typedef struct rv_drum_kit rv_drum_kit;

/* A folder with drumkit.xml. Errors name the file and where in it. Samples are checked at once,
 * and read when they are first played at a rate; they stay in memory. */
RV_NODISCARD rv_status rv_drum_kit_open(rv_drum_kit **out, const char *folder, rv_error *err);
void rv_drum_kit_free(rv_drum_kit *k);
const char *rv_drum_kit_name(const rv_drum_kit *k);
const char *rv_drum_kit_license(const rv_drum_kit *k); /* as the kit says, "" if it does not */

/* Number of samples that the kit names and does not have (they are left out), and the text of an
 * error about the first of them, NULL if there is none. */
size_t rv_drum_kit_missing(const rv_drum_kit *k, const char **first);

/* Name of the instrument that plays a note, NULL: it would be left out. *exact (NULL: not wanted):
 * it is that piece, and not the nearest. */
const char *rv_drum_kit_piece(const rv_drum_kit *k, int note, int *exact);

/* Adds the hits, in any order, to out[2][0 .. frames) at sample_rate. Notes that the kit lacks are
 * played by the nearest piece that it has (toms for toms, a cymbal for a cymbal), or left out and
 * counted. A hit ends an earlier one of another instrument of its mute group; hi-hats are such a
 * group even where the kit does not say so. Threads may share a kit. */
RV_NODISCARD rv_status rv_drum_kit_play(const rv_drum_kit *k, float *const out[2], size_t frames,
                                        int sample_rate, const rv_drum_hit *hits, size_t n,
                                        size_t *left_out, rv_error *err);

/* How a kit is played; all 0: as it is. */
typedef struct rv_drum_way {
    double tuning; /* semitones, -12 to 12 */
    double gain;   /* dB */
    double decay;  /* seconds in which sounds fall by 60 dB, beside what they do anyway; 0: not */
    const bool *silent; /* [n] hits that do not sound, but end others; NULL: none */
} rv_drum_way;

RV_NODISCARD rv_status rv_drum_kit_play_as(const rv_drum_kit *k, const rv_drum_way *way,
                                           float *const out[2], size_t frames, int sample_rate,
                                           const rv_drum_hit *hits, size_t n, size_t *left_out,
                                           rv_error *err);

#endif
