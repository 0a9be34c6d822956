/* compose_impl.h - what the parts of the composer share (compose.h).
 *
 * A song is planned top down: style, key, metre and tempo; the form, a row of sections; a chord for
 * each half of a bar; who plays where. Then each player writes notes, on a straight grid of
 * sixteenths (steps). Swing and human timing are laid over them at the end (compose_perform.c).
 * Chance is drawn from dice with a stream for each purpose, so that a section that comes again can
 * be played again. Everything is integers: the song is the same on every machine. */
#ifndef DATA_COMPOSE_IMPL_H
#define DATA_COMPOSE_IMPL_H

#include "data/compose.h"

enum {
    TICKS_QUARTER = 480,
    TICKS_STEP = TICKS_QUARTER / 4,
    BARS_MAX = 2048,
    SECTIONS_MAX = 512,
    PARTS_MAX = 16,
    VOICES_MAX = 8,
    DRUM_CHANNEL = 9,
};

/* Bits, so that a line of a table can serve several styles. */
enum {
    ROCK = 1 << 0,
    POP = 1 << 1,
    METAL = 1 << 2,
    FUNK = 1 << 3,
    DISCO = 1 << 4,
    HOUSE = 1 << 5,
    BALLAD = 1 << 6,
    JAZZ = 1 << 7,
    REGGAE = 1 << 8,
    COUNTRY = 1 << 9,
    FOLK = 1 << 10,
    HIPHOP = 1 << 11,
    ELECTRONIC = 1 << 12,
    BOSSA = 1 << 13,
    BLUES = 1 << 14,
};

enum { METRE_44, METRE_34, METRE_68, METRES };
enum { MAJOR, MINOR, DORIAN, MIXOLYDIAN, PHRYGIAN, MODES };

/* What a part does. */
enum {
    ROLE_DRUMS,
    ROLE_BASS,
    ROLE_STRUM, /* guitar, chords over all strings */
    ROLE_POWER, /* distorted guitar, roots and fifths */
    ROLE_PICK,  /* guitar, broken chords */
    ROLE_MUTE,  /* guitar, damped or scratched */
    ROLE_KEYS,  /* piano, electric piano */
    ROLE_ORGAN,
    ROLE_PAD,
    ROLE_STRINGS,
    ROLE_BRASS,
    ROLE_ARP,
    ROLE_LEAD,
    ROLE_VOCALS,
    ROLE_BACKING,
    ROLES
};

/* Kinds of sections, in the order of the columns of tables. */
enum { INTRO, VERSE, PRECHORUS, CHORUS, BRIDGE, SOLO, BREAK, A_CAPPELLA, OUTRO, KINDS };

/* ---- chance ---- */

typedef struct rv_dice {
    uint64_t seed, stream, count;
} rv_dice;

/* Dice of a purpose (any distinct number), of three numbers below 2^16. */
typedef enum rv_purpose {
    FOR_SONG = 1,
    FOR_FORM,
    FOR_HARMONY,
    FOR_BAND,
    FOR_GROOVE,
    FOR_DRUMS,
    FOR_BASS,
    FOR_COMPING,
    FOR_RHYTHM,
    FOR_CONTOUR,
    FOR_MELODY,
    FOR_WORDS,
    FOR_BACKING,
    FOR_HUMAN,
    FOR_TEMPO,
} rv_purpose;

rv_dice rv_dice_for(uint64_t seed, rv_purpose purpose, int a, int b, int c);
int rv_dice_roll(rv_dice *d, int n);                /* 0 .. n - 1 */
int rv_dice_between(rv_dice *d, int low, int high); /* both included */
bool rv_dice_chance(rv_dice *d, int percent);
int rv_dice_weighted(rv_dice *d, const uint8_t *weights, int n); /* an index */

/* ---- the plan ---- */

typedef struct rv_chord {
    int root, bass; /* pitch classes, 0: C */
    int quality;    /* a row of rv_chord_qualities */
} rv_chord;

typedef struct rv_chord_quality {
    char numeral;        /* 'I': written in capitals, 'i': in small letters */
    const char *suffix;  /* behind the numeral */
    uint8_t n, tones[5]; /* semitones above the root */
} rv_chord_quality;

extern const rv_chord_quality rv_chord_qualities[];

typedef struct rv_section {
    int kind, nth; /* nth of its kind, from 0 */
    int bar, bars;
    int energy;            /* 0 .. 100 */
    int tonic;             /* pitch class */
    bool half_time;        /* drums */
    bool plays[PARTS_MAX]; /* by part */
    int enters[PARTS_MAX]; /* bars after the section's beginning */
} rv_section;

typedef struct rv_bar {
    int section;
    rv_chord chord[2]; /* of each half */
    uint32_t kick;     /* a bit for each step with a bass drum */
} rv_bar;

/* ---- the score ---- */

/* How a note is played (only in parts of one voice) */
enum { PLAIN = 0, BEND_UP = 1, SLIDE_IN = 2, VIBRATO = 4, FALL = 8 };

typedef struct rv_note {
    int start, length; /* ticks */
    int pitch, velocity;
    int manner;
    int phrase;       /* of a melody: counts up */
    const char *text; /* sung: a syllable, "": the one before goes on; NULL: not sung */
    int text_length;
} rv_note;

typedef struct rv_control {
    int tick, status, data[2]; /* status without the channel */
} rv_control;

typedef struct rv_part {
    const char *name;
    int role, channel, program; /* program from 0 */
    int low, high;              /* range, MIDI notes */
    int volume, pan;
    bool single; /* one voice: notes are cut where the next begins */
    int late;    /* ticks behind the beat */
    int loose;   /* ticks, how far timing wanders */
    rv_note *notes;
    size_t n, room;
    rv_control *controls;
    size_t n_controls, controls_room;
} rv_part;

typedef struct rv_player {
    uint8_t role;
    uint8_t chance;      /* percent, that the song has one */
    uint8_t programs[7]; /* as General MIDI counts, from 1; 0 ends the list */
} rv_player;

enum { PLAYERS_MAX = 13 };

typedef struct rv_style {
    const char *name;
    uint32_t bit;
    int bpm[2];                     /* quarters a minute (of 6/8: dotted quarters) */
    uint8_t metres[METRES];         /* weights */
    uint8_t modes[MODES];           /* weights */
    int swing_unit, swing[2];       /* 8 or 16; percent of the way to triplets, least and most */
    int loose;                      /* ms, how far players wander from the grid */
    uint8_t bars;                   /* of a section: 8, 12 or 16 */
    uint8_t sevenths;               /* percent, that plain chords get sevenths */
    uint8_t density[2];             /* of melodies, 0 .. 3, least and most */
    uint8_t pentatonic;             /* percent */
    uint8_t kits[4];                /* programs of channel 10, from 1; 0 ends */
    const char *forms[4];           /* letters of sections that go round, between intro and outro */
    rv_player players[PLAYERS_MAX]; /* role 0 (drums) with chance 0 ends */
} rv_style;

extern const rv_style rv_styles[];
extern const int rv_n_styles;

typedef struct rv_song {
    uint64_t seed;
    const rv_style *style;
    int metre, mode, tonic;
    int bpm;               /* quarters a minute, in hundredths */
    int swing_unit, swing; /* ticks: the grid that swings, how late its odd steps are */
    int steps, beat;       /* of a bar; steps of a beat */
    int bar_ticks;
    bool sings, pentatonic;
    int n_sections, n_bars, n_parts;
    rv_section sections[SECTIONS_MAX];
    rv_bar bars[BARS_MAX];
    rv_part parts[PARTS_MAX];
    bool out_of_memory; /* sticks; checked at the end */
} rv_song;

/* compose_score.c */
void rv_song_add(rv_song *s, rv_part *p, const rv_note *note);
void rv_song_control(rv_song *s, rv_part *p, int tick, int controller, int value);
int rv_step_tick(const rv_song *s, int bar, int step);
rv_note *rv_part_last(rv_part *p);

/* compose_perform.c: swing, timing, controls, and the file */
rv_status rv_song_perform(rv_song *s, rv_midi **out, rv_error *err);

/* compose_form.c */
void rv_song_form(rv_song *s, double seconds);
rv_part *rv_song_part(rv_song *s, int role); /* NULL if the band has none */
void rv_song_band(rv_song *s);
bool rv_part_plays(const rv_song *s, const rv_part *p, int bar);

/* compose_harmony.c */
void rv_song_harmony(rv_song *s);
bool rv_chord_parse(rv_chord *out, const char **text, int tonic);
const rv_chord *rv_song_chord(const rv_song *s, int bar, int step);
const rv_chord *rv_song_chord_after(const rv_song *s, int bar, int step);
bool rv_chord_equal(const rv_chord *a, const rv_chord *b);
bool rv_chord_has(const rv_chord *c, int pitch);
bool rv_scale_has(const rv_song *s, int bar, int pitch);
int rv_scale_step(const rv_song *s, int bar, int pitch, int steps, bool pentatonic);
int rv_chord_nearest(const rv_song *s, int bar, int step, int pitch, bool in_scale);
int rv_signature(const rv_song *s, int tonic); /* sharps, negative: flats */

/* compose_progressions.c */
typedef struct rv_progression {
    uint32_t styles;
    uint8_t mode;
    const char *where; /* letters of sections, as in forms */
    const char *chords;
} rv_progression;

extern const rv_progression rv_progressions[];
extern const int rv_n_progressions;
extern const char rv_section_letters[]; /* by kind */

/* compose_voicing.c: pitches from low to high; their number */
int rv_voice_close(int *out, const rv_chord *c, const int *before, int n_before, int low, int high,
                   int n);
int rv_voice_guitar(int *out, const rv_chord *c, int position);
int rv_voice_power(int *out, const rv_chord *c, int low);

/* the players */
void rv_play_drums(rv_song *s, rv_part *p);
void rv_play_bass(rv_song *s, rv_part *p);
void rv_play_comping(rv_song *s, rv_part *p);
void rv_play_lead(rv_song *s, rv_part *p);
void rv_play_vocals(rv_song *s, rv_part *p);
void rv_play_backing(rv_song *s, rv_part *p);

/* compose_melody.c: a tune for a section */
typedef struct rv_tune {
    int id; /* tunes with the same id and section kind are the same */
    int low, high;
    int density; /* 0 .. 3 */
    int phrase_bars;
    int leaps; /* percent of free leaps */
    int velocity;
    bool pentatonic;
} rv_tune;

void rv_write_tune(rv_song *s, rv_part *p, const rv_section *at, const rv_tune *tune);

/* compose_lyrics.c: syllables for n notes; text of notes that are not "" already is written.
 * Lines with equal `rhyme` end alike. */
void rv_write_line(rv_dice *d, rv_note *notes, size_t n, int rhyme);

#endif
