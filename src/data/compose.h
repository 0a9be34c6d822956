/* compose.h - write songs: chords, drums, bass, comping, melody, and words to sing.
 *
 * A function of (style, seed) and the other options alone: the same song on every machine. Tracks
 * are named; the drums are on channel 10 (9 from 0), every other track has a channel of its own.
 * The sung melody is the track named "Vocals": its notes never overlap and each is at a lyric event
 * (RV_MIDI_LYRIC) with one syllable of text, or without bytes where the syllable before goes on. So
 * is "Backing vocals", which sings along in thirds, or "ooh".
 *
 * Track 0 has tempi, time and key signatures, a marker (meta event 6) for each section, and a text
 * with style and mode. Signatures are those of the mode's scale: D dorian has that of C major. */
#ifndef DATA_COMPOSE_H
#define DATA_COMPOSE_H

#include "io/midi_file.h"

#include <stdbool.h>

typedef struct rv_compose_options {
    uint64_t seed;
    const char *style; /* a name of rv_compose_styles(), NULL: chosen by the seed */
    double seconds;    /* about how long, up to 900; 0: 90 to 200, chosen by the seed */
    double most;       /* seconds, where `seconds` is more; 0: no bound. No song is below 6 bars */
    bool vocals;       /* with a sung melody */
} rv_compose_options;

/* NULL-terminated. */
const char *const *rv_compose_styles(void);

RV_NODISCARD rv_status rv_compose(rv_midi **out, const rv_compose_options *opt, rv_error *err);

#endif
