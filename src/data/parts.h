/* parts.h - a song taken apart into what each instrument plays.
 *
 * An instrument is one (track, channel, program) that plays notes; channel 10 (9 from 0) is drums.
 * Controllers, pitch bends and pressure belong to all instruments of their channel, as in a
 * synthesiser; a note's end belongs to who began it. A bank is not chosen: General MIDI has one. */
#ifndef DATA_PARTS_H
#define DATA_PARTS_H

#include "data/gm.h"
#include "io/midi_file.h"

#include <stdbool.h>

enum { RV_PARTS_MAX = 256 };

typedef struct rv_part {
    uint16_t track;
    uint8_t channel;
    int program; /* 0 to 127, or RV_GM_DRUMS */
    bool sung;   /* its track is "Vocals" or "Backing vocals", with lyrics */
    bool panned; /* the file says where it stands */
    size_t notes;
} rv_part;

typedef struct rv_parts {
    const rv_midi *midi; /* must outlive the parts */
    rv_part *items;      /* [n], sorted by track, channel, program */
    size_t n;
    uint16_t *owner; /* [midi->n]: the part that a note's event belongs to; RV_PARTS_MAX: none */
    double *seconds; /* [midi->n] */
    double end;      /* seconds: of the last note's event */
} rv_parts;

/* `name` stands in errors. */
RV_NODISCARD rv_status rv_parts_new(rv_parts **out, const rv_midi *m, const char *name,
                                    rv_error *err);
void rv_parts_free(rv_parts *p);

/* Event i is one that part plays, or that changes how its channel sounds. */
bool rv_parts_hears(const rv_parts *p, size_t part, size_t i);

/* A note has an end, at the latest at the end of the song. */
typedef struct rv_part_note {
    double start, duration; /* seconds */
    uint32_t tick;
    int key, velocity;
    const rv_midi_event *lyric; /* at the same time in the same track; NULL: none */
} rv_part_note;

/* notes[parts->items[part].notes], in the order of time. */
void rv_parts_notes(const rv_parts *p, size_t part, rv_part_note *notes);

/* The part alone as a song of one track: its events, program, name and lyrics, and the tempo and
 * measures of all. */
RV_NODISCARD rv_status rv_parts_midi(rv_midi **out, const rv_parts *p, size_t part, rv_error *err);

#endif
