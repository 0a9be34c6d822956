/* compose.h - write songs: chords, drums, bass, comping, melody, and words to sing.
 *
 * A function of (style, seed) alone: the same song on every machine. Tracks are named; the drums
 * are on channel 10 (9 from 0). The sung melody is the track named "Vocals": its notes never
 * overlap and each is at a lyric event (RV_MIDI_LYRIC) with one syllable of text. */
#ifndef DATA_COMPOSE_H
#define DATA_COMPOSE_H

#include "io/midi_file.h"

#include <stdbool.h>

typedef struct rv_compose_options {
    uint64_t seed;
    const char *style; /* a name of rv_compose_styles(), NULL: chosen by the seed */
    double seconds;    /* about how long; 0: 90 to 200, chosen by the seed */
    bool vocals;       /* with a sung melody */
} rv_compose_options;

/* NULL-terminated. */
const char *const *rv_compose_styles(void);

RV_NODISCARD rv_status rv_compose(rv_midi **out, const rv_compose_options *opt, rv_error *err);

#endif
