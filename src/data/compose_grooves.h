/* compose_grooves.h - drum patterns, tables of compose_grooves.c. */
#ifndef DATA_COMPOSE_GROOVES_H
#define DATA_COMPOSE_GROOVES_H

#include "data/compose_impl.h"

enum {
    KICK = 36,
    RIM = 37,
    SNARE = 38,
    CLAP = 39,
    LOW_FLOOR_TOM = 41,
    HAT = 42, /* closed; the letter O opens it */
    FLOOR_TOM = 43,
    PEDAL_HAT = 44,
    OPEN_HAT = 46,
    MID_TOM = 47,
    CRASH = 49,
    HIGH_TOM = 50,
    RIDE = 51,
    CHINA = 52,
    RIDE_BELL = 53,
    TAMBOURINE = 54,
    SPLASH = 55,
    COWBELL = 56,
    CRASH_2 = 57,
    LOW_CONGA = 64,
    HIGH_CONGA = 63,
    MUTE_CONGA = 62,
    CABASA = 69,
    MARACAS = 70,
    CLAVES = 75,
    SHAKER = 82,
};

/* A letter for each sixteenth: X loud, x plain, o soft, g ghost (sometimes left out), ? now and
 * then, O open hi-hat, . nothing. A row may last several bars. */
typedef struct rv_groove_row {
    uint8_t drum;
    const char *hits;
} rv_groove_row;

enum { GROOVE_ROWS = 6 };

typedef struct rv_groove {
    uint32_t styles;
    uint8_t metre;
    uint8_t least, most; /* energy of sections that it suits */
    rv_groove_row rows[GROOVE_ROWS];
} rv_groove;

extern const rv_groove rv_grooves[];
extern const int rv_n_grooves;

/* A bar whose end is played: S snare, s soft snare, H M L F toms from high to low, K kick, C crash,
 * O open hi-hat, B snare and floor tom, . nothing. */
typedef struct rv_drum_fill {
    uint32_t styles;
    uint8_t metre;
    const char *hits;
} rv_drum_fill;

extern const rv_drum_fill rv_drum_fills[];
extern const int rv_n_drum_fills;

#endif
