/* midi_file.h - Standard MIDI Files (formats 0, 1 and 2; MIDI 1.0, RP-001), also in a RIFF (.rmi).
 *
 * All tracks are merged into one list in the order of time; events at the same time keep the order
 * of their tracks, then of the file. The tracks of format 2 follow one another. A note-on with
 * velocity 0 is kept as it is. Running status is resolved. A file that is cut short, or not MIDI at
 * all, is an error that says where. What follows a track's end in its chunk is left out. */
#ifndef IO_MIDI_FILE_H
#define IO_MIDI_FILE_H

#include "base/arena.h"
#include "ravel/base.h"

typedef struct rv_midi_event {
    uint32_t tick;        /* from the beginning */
    uint16_t track;       /* of the file, from 0 */
    uint8_t status;       /* 0x80..0xEF with the channel in the lower half, 0xF0 and 0xF7: system
                             exclusive, 0xFF: meta event of kind data[0] */
    uint8_t data[2];      /* channel messages: their one or two bytes */
    const uint8_t *bytes; /* content of meta and exclusive events; lives as long as the file */
    uint32_t n_bytes;
    uint32_t order; /* set by rv_midi_add(): which was added first */
} rv_midi_event;

typedef struct rv_midi {
    int format;            /* 0, 1 or 2 */
    int ticks_per_quarter; /* 1 to 32767; files in SMPTE time are converted: one tempo event */
    int n_tracks;
    rv_midi_event *events; /* [n] */
    size_t n, room;
    rv_arena storage; /* of the events' bytes */
} rv_midi;

/* The kinds of meta events that something is made of; a track's last event is RV_MIDI_END. */
enum {
    RV_MIDI_TEXT = 1,
    RV_MIDI_TRACK_NAME = 3,
    RV_MIDI_LYRIC = 5,
    RV_MIDI_END = 0x2f,
    RV_MIDI_TEMPO = 0x51, /* microseconds for a quarter in three bytes, the highest first */
    RV_MIDI_MEASURE = 0x58,
    RV_MIDI_KEY = 0x59
};

RV_NODISCARD rv_status rv_midi_parse(rv_midi **out, const void *bytes, size_t n, const char *name,
                                     rv_error *err);
RV_NODISCARD rv_status rv_midi_read(rv_midi **out, const char *path, rv_error *err);

/* Format 1 (0 with one track), whole under its name or not at all. The events must be in the order
 * of time; every track gets its end at its last event, or where its RV_MIDI_END is. */
RV_NODISCARD rv_status rv_midi_write(const rv_midi *m, const char *path, rv_error *err);
void rv_midi_free(rv_midi *m);

/* seconds[i] of event i by the file's tempo changes (120 quarters a minute before the first);
 * seconds [m->n]. */
void rv_midi_times(const rv_midi *m, double *seconds);

/* For those who make songs: an empty file, and one more event (its bytes are copied). Events may
 * be added in any order; rv_midi_sort() puts them in the order of time, track, adding. */
RV_NODISCARD rv_status rv_midi_new(rv_midi **out, int ticks_per_quarter, int n_tracks,
                                   rv_error *err);
RV_NODISCARD rv_status rv_midi_add(rv_midi *m, const rv_midi_event *event, rv_error *err);
void rv_midi_sort(rv_midi *m);

/* Bytes of data that follow a status of 0x80..0xEF: 1 or 2. */
int rv_midi_data_bytes(uint8_t status);

#endif
