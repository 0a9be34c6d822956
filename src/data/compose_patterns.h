/* compose_patterns.h - rhythms of chords, table of compose_patterns.c. */
#ifndef DATA_COMPOSE_PATTERNS_H
#define DATA_COMPOSE_PATTERNS_H

#include "data/compose_impl.h"

/* A letter for each sixteenth: X loud, x plain, o soft chord; d, u strokes down and up; B chord
 * with its bass note, b the bass note alone; m damped; 0 .. 7 a voice of the chord, from the
 * lowest;
 * - goes on, . rest. A pattern may last several bars. */
typedef struct rv_comping {
    uint32_t styles;
    uint16_t roles;             /* bits */
    uint8_t metre, least, most; /* energy */
    const char *strokes;
} rv_comping;

extern const rv_comping rv_compings[];
extern const int rv_n_compings;

#endif
