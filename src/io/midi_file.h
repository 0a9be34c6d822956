/* midi_file.h - Standard MIDI Files (formats 0, 1 and 2; MIDI 1.0, RP-001).
 *
 * All tracks are merged into one list in the order of time; events at the same time keep the order
 * of their tracks, then of the file. A note-on with velocity 0 is kept as it is. Running status is
 * resolved. A file that is cut short, or not MIDI at all, is an error that says where. */
#ifndef IO_MIDI_FILE_H
#define IO_MIDI_FILE_H

#include "ravel/base.h"

typedef struct rv_midi_event {
    uint32_t tick;        /* from the beginning */
    uint16_t track;       /* of the file, from 0 */
    uint8_t status;       /* 0x80..0xEF with the channel in the lower half, 0xF0 and 0xF7: system
                             exclusive, 0xFF: meta event of kind data[0] */
    uint8_t data[2];      /* channel messages: their one or two bytes */
    const uint8_t *bytes; /* content of meta and exclusive events; lives as long as the file */
    uint32_t n_bytes;
} rv_midi_event;

typedef struct rv_midi {
    int format;            /* 0, 1 or 2 */
    int ticks_per_quarter; /* above 0; files in SMPTE time are converted (120 quarters a minute) */
    int n_tracks;
    rv_midi_event *events; /* [n] */
    size_t n;
    void *storage; /* of the events' bytes */
} rv_midi;

/* The name of a meta event that makes use of bytes: */
enum { RV_MIDI_TEXT = 1, RV_MIDI_TRACK_NAME = 3, RV_MIDI_LYRIC = 5, RV_MIDI_TEMPO = 0x51 };

RV_NODISCARD rv_status rv_midi_parse(rv_midi **out, const void *bytes, size_t n, const char *name,
                                     rv_error *err);
RV_NODISCARD rv_status rv_midi_read(rv_midi **out, const char *path, rv_error *err);

/* Format 1 (0 with one track), whole under its name or not at all. */
RV_NODISCARD rv_status rv_midi_write(const rv_midi *m, const char *path, rv_error *err);
void rv_midi_free(rv_midi *m);

/* seconds[i] of event i by the file's tempo changes; seconds [m->n]. */
void rv_midi_times(const rv_midi *m, double *seconds);

/* For those who make songs: an empty file, and one more event (its bytes are copied). Events may
 * be added in any order; rv_midi_sort() puts them in the order of time. */
RV_NODISCARD rv_status rv_midi_new(rv_midi **out, int ticks_per_quarter, int n_tracks,
                                   rv_error *err);
RV_NODISCARD rv_status rv_midi_add(rv_midi *m, const rv_midi_event *event, rv_error *err);
void rv_midi_sort(rv_midi *m);

#endif
