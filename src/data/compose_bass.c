/* compose_bass.c - bass lines: patterns by style, walking lines, and lines with the bass drum.
 *
 * Patterns have a letter for each sixteenth: R root (the chord's bass), 5 fifth, 8 octave, 3 third,
 * 7 seventh or sixth, a approach to the next chord from a step away, x damped, - goes on, . rest.
 * "kick" plays roots with the bass drum; "walk" a new tone each beat. */
#include "data/compose_impl.h"

#include <string.h>

typedef struct bass_line {
    uint32_t styles;
    uint8_t metre, least, most; /* energy */
    const char *notes;
} bass_line;

#define M44   METRE_44
#define SONGS (ROCK | POP | BALLAD | COUNTRY | FOLK)

static const bass_line lines[] = {
    { ROCK | METAL | POP, M44, 45, 100, "R-R-R-R-R-R-R-R-" },
    { ROCK | METAL | POP, M44, 40, 100, "R.R.R.R.R.R.R.a." },
    { ROCK | POP | METAL | HIPHOP | FUNK, M44, 0, 100, "kick" },
    { ROCK | POP, M44, 0, 80, "R-----R-R---5-a-" },
    { ROCK | POP, M44, 45, 100, "R--R--R-R--R--8-" },
    { ROCK | POP | BALLAD, M44, 0, 60, "R---------------" },
    { ROCK | POP, M44, 0, 100, "R-R-..R-5-R-3-a-" },
    { METAL, M44, 50, 100, "R.RRR.RRR.RRR.RR" },
    { METAL, M44, 50, 100, "RRRRRRRRRRRRRRRR" },
    { METAL, M44, 0, 70, "R-------R-----a-" },
    { POP | BALLAD, M44, 0, 100, "R-----5-8---5-a-" },
    { POP | BALLAD, M44, 0, 100, "R-----R-R-----a-" },
    { BALLAD, M44, 0, 100, "R-----------5---" },
    { BALLAD | FOLK, M44, 0, 100, "R-------R---a---" },
    { COUNTRY | FOLK, M44, 0, 100, "R---....5---...." },
    { COUNTRY | FOLK, M44, 0, 100, "R-------5-------" },
    { COUNTRY | FOLK, M44, 0, 100, "R-------5-----a-" },
    { COUNTRY | BLUES, M44, 30, 100, "R---3---5---7---" },
    { COUNTRY, M44, 0, 100, "R-----a-5-----a-" },
    { FUNK, M44, 0, 100, "R-..xx8.x.R..7.8" },
    { FUNK, M44, 0, 100, "R.x8..x.R-x7.x5a" },
    { FUNK, M44, 0, 100, "R--.8.x.x7.8.xR." },
    { FUNK, M44, 0, 100, "R-R.x.7.8-..x5.a" },
    { FUNK | DISCO, M44, 0, 100, "R.8.R.8.R.8.R.8." },
    { DISCO, M44, 0, 100, "R-8.R-8.R-8.5-8." },
    { DISCO, M44, 0, 100, "R..8R..8R.x8R.a." },
    { DISCO | HOUSE, M44, 0, 100, "R--R..8-R--R.x8a" },
    { HOUSE | ELECTRONIC, M44, 0, 100, "..R-..R-..R-..R-" },
    { HOUSE | ELECTRONIC, M44, 0, 100, "..RR..RR..RR..R8" },
    { HOUSE, M44, 0, 100, "R..R..R...R..8.." },
    { HOUSE, M44, 0, 100, "R..R.R..x.R.7-8." },
    { HOUSE, M44, 0, 100, "....R..R..8...R." },
    { ELECTRONIC, M44, 45, 100, ".RRR.RRR.RRR.RRR" },
    { ELECTRONIC, M44, 0, 100, "R.R.R.R.R.R.R.R." },
    { ELECTRONIC, M44, 0, 100, "R-----------R---" },
    { ELECTRONIC, M44, 0, 100, "R.8.R.8.R.8.R.8." },
    { ELECTRONIC, M44, 0, 100, "R--R--R--R--R-8-" },
    { HIPHOP, M44, 0, 100, "R-----------..a-" },
    { HIPHOP, M44, 0, 100, "R--..R-...R-----" },
    { HIPHOP, M44, 0, 100, "R-----.R--R-..8." },
    { HIPHOP, M44, 0, 100, "R-..5-7-8---..a-" },
    { REGGAE, M44, 0, 100, "R--.R-..3-5-...." },
    { REGGAE, M44, 0, 100, "....R-R-..5-R---" },
    { REGGAE, M44, 0, 100, "R-R...5-..R-3-5-" },
    { REGGAE, M44, 0, 100, "R-..R-..5-3-R-.." },
    { REGGAE, M44, 0, 100, "........R-3-5-8-" },
    { BOSSA, M44, 0, 100, "R-----5-5-----R-" },
    { BOSSA, M44, 0, 100, "R-----5-8-----a-" },
    { BOSSA, M44, 0, 100, "R---..5-5---..5-" },
    { JAZZ, M44, 40, 100, "walk" },
    { JAZZ, M44, 45, 100, "walk" },
    { JAZZ, M44, 0, 48, "R-------5-----a-" },
    { BLUES, M44, 0, 100, "walk" },
    { BLUES, M44, 0, 100, "R---R---5---5-7-" },
    { BLUES, M44, 0, 100, "R-R-3-3-5-5-7-5-" },
    { BLUES, M44, 0, 100, "R---3---5---7---8---7---5---3---" },
    { BLUES | ROCK, M44, 0, 100, "R-----R-5-R-7-5-" },
    { SONGS | METAL | JAZZ, METRE_34, 0, 100, "R-----------" },
    { SONGS | METAL, METRE_34, 0, 100, "R-------5---" },
    { SONGS | METAL, METRE_34, 50, 100, "R-R-R-R-R-R-" },
    { SONGS | JAZZ, METRE_34, 0, 100, "R-------a---" },
    { JAZZ, METRE_34, 50, 100, "walk" },
    { SONGS, METRE_34, 0, 100, "R---3---5---" },
    { SONGS | METAL | BLUES, METRE_68, 0, 100, "R-----5---a-" },
    { SONGS | METAL | BLUES, METRE_68, 0, 100, "R---R-R---5-" },
    { SONGS | METAL, METRE_68, 55, 100, "R-R-R-R-R-R-" },
    { SONGS | BLUES, METRE_68, 0, 100, "R-----------" },
    { BLUES, METRE_68, 0, 100, "R---3-5---7-" },
};

enum { N_LINES = sizeof lines / sizeof *lines };

static const char *choose(const rv_song *s, const rv_section *at)
{
    const int kind = at->kind == OUTRO || at->kind == SOLO ? CHORUS
                     : at->kind == INTRO                   ? VERSE
                                                           : at->kind;
    const char *found = NULL, *any = "R-----------";
    rv_dice d = rv_dice_for(s->seed, FOR_BASS, kind, 0, 0);
    for (int i = 0, n = 0; i < N_LINES; i++) {
        if (!(lines[i].styles & s->style->bit) || lines[i].metre != s->metre)
            continue;
        any = lines[i].notes;
        if (lines[i].least <= at->energy && at->energy <= lines[i].most && !rv_dice_roll(&d, ++n))
            found = any;
    }
    return found ? found : any;
}

/* ---- pitches ---- */

/* A pitch class near the lowest string, from E1 up. */
static int low_pitch(const rv_part *p, int class)
{
    const int pitch = p->low + (class - p->low % 12 + 12) % 12;
    return pitch > p->low + 9 && pitch - 12 >= p->low ? pitch - 12 : pitch;
}

static int tone(const rv_chord *c, int index)
{
    const rv_chord_quality *q = &rv_chord_qualities[c->quality];
    return index < q->n ? q->tones[index] % 12 : index == 3 ? 9 : 7;
}

/* A step below or above the next chord's bass: of the scale, or half a step. */
static int approach(const rv_song *s, const rv_part *p, int bar, int step, rv_dice *d)
{
    const int goal = low_pitch(p, rv_song_chord_after(s, bar, step)->bass);
    const int way = rv_dice_chance(d, 60) && goal > p->low + 1 ? -1 : 1;
    if (rv_dice_chance(d, s->style->bit & (JAZZ | FUNK | BLUES | BOSSA) ? 60 : 15))
        return goal + way;
    return rv_scale_step(s, bar, goal, way, false);
}

static int pitch_of(const rv_song *s, const rv_part *p, int bar, int step, char letter, rv_dice *d)
{
    const rv_chord *c = rv_song_chord(s, bar, step);
    const int root = low_pitch(p, c->bass);
    const rv_chord_quality *q = &rv_chord_qualities[c->quality];
    const int fifth = q->n > 2 ? tone(c, 2) : 7;
    switch (letter) {
    case '8':
        return root + 12;
    case '5':
        return c->bass != c->root ? low_pitch(p, c->root)
                                  : root + (root + fifth > p->low + 16 ? fifth - 12 : fifth);
    case '3':
        return c->bass != c->root || q->n < 3 ? root : root + tone(c, 1);
    case '7':
        return c->bass != c->root ? root : root + tone(c, 3);
    case 'a':
        return approach(s, p, bar, step, d);
    default:
        return root;
    }
}

static int in_range(const rv_part *p, int pitch)
{
    while (pitch < p->low)
        pitch += 12;
    while (pitch > p->high)
        pitch -= 12;
    return pitch;
}

static void add(rv_song *s, rv_part *p, int bar, int step, int steps, int pitch, int velocity)
{
    const bool damped = steps == 0;
    rv_dice d = rv_dice_for(s->seed, FOR_BASS, bar, step, 7);
    const rv_note *before = rv_part_last(p);
    const bool leap = before && (pitch - before->pitch > 4 || before->pitch - pitch > 4);
    const bool slides = !damped && steps >= 4 && leap && p->loose && rv_dice_chance(&d, 14);
    rv_song_add(s, p,
                &(rv_note){ .start = rv_step_tick(s, bar, step),
                            .length = damped ? TICKS_STEP / 3 : steps * TICKS_STEP - 14,
                            .pitch = in_range(p, pitch),
                            .velocity = damped ? 50 : velocity,
                            .manner = slides ? SLIDE_IN : PLAIN });
}

/* ---- lines ---- */

static int loudness(const rv_song *s, const rv_section *at, int step)
{
    return 74 + at->energy / 4 + (step % s->beat == 0 ? 7 : 0);
}

static void play_pattern(rv_song *s, rv_part *p, const rv_section *at, int bar, const char *notes)
{
    const size_t n = strlen(notes);
    const size_t origin = (size_t)((bar - at->bar) * s->steps);
    rv_dice d = rv_dice_for(s->seed, FOR_BASS, at->kind, (bar - at->bar) % 8, 1);
    for (int step = 0; step < s->steps; step++) {
        const char letter = notes[(origin + (size_t)step) % n];
        if (letter == '.' || (letter == '-' && step))
            continue;
        int steps = 1;
        while (step + steps < s->steps && notes[(origin + (size_t)(step + steps)) % n] == '-')
            steps++;
        const bool damped = letter == 'x';
        const int pitch = pitch_of(s, p, bar, step, letter == '-' ? 'R' : letter, &d);
        add(s, p, bar, step, damped ? 0 : steps, pitch, loudness(s, at, step));
    }
}

/* Held notes change with a chord in the middle of a bar. */
static void follow_chord(rv_song *s, rv_part *p, int bar, int velocity)
{
    const rv_note *last = rv_part_last(p);
    const int half = (s->steps + 1) / 2, tick = rv_step_tick(s, bar, half);
    const rv_chord *c = s->bars[bar].chord;
    if (last && c[0].bass != c[1].bass && last->start < tick &&
        last->start + last->length > tick + TICKS_STEP)
        add(s, p, bar, half, (last->start + last->length - tick) / TICKS_STEP + 1,
            low_pitch(p, c[1].bass), velocity);
}

static void play_with_kick(rv_song *s, rv_part *p, const rv_section *at, int bar)
{
    const uint32_t kick = s->bars[bar].kick | 1;
    rv_dice d = rv_dice_for(s->seed, FOR_BASS, at->kind, (bar - at->bar) % 4, 2);
    for (int step = 0; step < s->steps; step++) {
        if (!(kick >> step & 1))
            continue;
        int steps = 1;
        while (step + steps < s->steps && !(kick >> (step + steps) & 1))
            steps++;
        const bool leads = step + steps == s->steps && steps > 4 && rv_dice_chance(&d, 45);
        steps = leads ? steps - 2 : steps;
        add(s, p, bar, step, steps, pitch_of(s, p, bar, step, 'R', &d), loudness(s, at, step));
        if (leads)
            add(s, p, bar, s->steps - 2, 2, approach(s, p, bar, step, &d), loudness(s, at, 1));
    }
}

/* The next tone of a walk: over a new chord its bass, before one an approach, else a chord tone on
 * the way up or down; the line turns near the ends of its range. */
static int walk_pitch(const rv_song *s, const rv_part *p, int bar, int step, rv_dice *d)
{
    const rv_note *last = p->n ? &p->notes[p->n - 1] : NULL;
    const rv_chord *now = rv_song_chord(s, bar, step),
                   *next = rv_song_chord(s, bar, step + s->beat);
    const rv_chord *before =
        step ? rv_song_chord(s, bar, step - s->beat) : &s->bars[bar - (bar > 0)].chord[1];
    const bool stays =
        last && bar > 0 && rv_chord_equal(now, before) && !rv_dice_chance(d, step ? 10 : 45);
    if (step + s->beat == s->steps || !rv_chord_equal(now, next)) {
        if (stays)
            return approach(s, p, bar, step, d);
    }
    if (!stays) {
        const int root = pitch_of(s, p, bar, step, 'R', d);
        const bool high = last && last->pitch > p->low + 13 && root + 12 <= p->high;
        return high ? root + 12 : root;
    }
    const bool up =
        last->pitch < p->low + 8 || (last->pitch < p->low + 18 && rv_dice_chance(d, 58));
    const int away = rv_dice_between(d, 2, 4);
    const int goal = last->pitch + (up ? away : -away);
    return rv_dice_chance(d, 65) ? rv_chord_nearest(s, bar, step, goal, false)
                                 : rv_scale_step(s, bar, last->pitch, up ? 1 : -1, false);
}

static void walk(rv_song *s, rv_part *p, const rv_section *at, int bar)
{
    rv_dice d = rv_dice_for(s->seed, FOR_BASS, bar, 0, 3);
    for (int step = 0; step < s->steps; step += s->beat) {
        const int pitch = walk_pitch(s, p, bar, step, &d);
        const bool skips = rv_dice_chance(&d, 10);
        add(s, p, bar, step, skips ? s->beat / 2 : s->beat, pitch, loudness(s, at, step));
        if (skips)
            add(s, p, bar, step + s->beat / 2, 0, pitch, 60);
    }
}

static void play_bar(rv_song *s, rv_part *p, const rv_section *at, int bar, const char *line)
{
    if (bar == s->n_bars - 1)
        add(s, p, bar, 0, s->steps, low_pitch(p, rv_song_chord(s, bar, 0)->bass), 96);
    else if (!strcmp(line, "walk"))
        walk(s, p, at, bar);
    else if (!strcmp(line, "kick"))
        play_with_kick(s, p, at, bar);
    else
        play_pattern(s, p, at, bar, line);
    follow_chord(s, p, bar, loudness(s, at, 0));
}

void rv_play_bass(rv_song *s, rv_part *p)
{
    for (int i = 0; i < s->n_sections; i++) {
        const rv_section *at = &s->sections[i];
        const char *line = choose(s, at);
        for (int bar = at->bar; bar < at->bar + at->bars; bar++)
            if (rv_part_plays(s, p, bar))
                play_bar(s, p, at, bar, line);
    }
}
