/* compose_melody.c - tunes: phrases with a rhythm and a contour that come again, bent to the
 * chords.
 *
 * A section is a row of phrases, in forms like AABA. Phrases of one letter share rhythm and
 * contour, and so are variants of each other over other chords. On strong beats and on long notes
 * stand chord tones, between them steps of the scale; after a leap the tune turns (D. Temperley,
 * "Music and Probability", 2007; C. Krumhansl, "Cognitive Foundations of Musical Pitch", 1990). */
#include "data/compose_impl.h"

#include <stdlib.h>
#include <string.h>

enum { PHRASE_STEPS_MAX = 64, CONTOUR_POINTS = 5, DENSITIES = 4 };

/* Rhythm of a beat: x a note begins, - it goes on, . rest; weights by density. */
typedef struct cell {
    const char *steps;
    uint8_t weights[DENSITIES];
} cell;

static const cell cells_of_4[] = {
    { "x---", { 40, 28, 12, 6 } }, { "----", { 34, 16, 6, 2 } }, { "x-x-", { 14, 30, 34, 20 } },
    { "--x-", { 8, 14, 12, 6 } },  { "x--x", { 3, 8, 10, 10 } }, { "x-xx", { 0, 2, 9, 18 } },
    { "xxx-", { 0, 2, 9, 16 } },   { "xxxx", { 0, 0, 5, 22 } },  { "-x-x", { 0, 3, 7, 8 } },
    { "..x-", { 6, 9, 7, 5 } },    { ".x-x", { 0, 2, 5, 6 } },   { "....", { 8, 5, 3, 2 } },
    { "--xx", { 0, 2, 6, 7 } },    { "x.x-", { 2, 5, 6, 4 } },
};

static const cell cells_of_6[] = {
    { "x-----", { 40, 26, 10, 4 } },  { "------", { 26, 12, 4, 2 } },
    { "x---x-", { 20, 26, 22, 10 } }, { "x-x-x-", { 8, 24, 36, 36 } },
    { "x-x---", { 6, 10, 10, 6 } },   { "--x-x-", { 2, 6, 10, 8 } },
    { "x--xx-", { 0, 4, 8, 10 } },    { "....x-", { 8, 8, 6, 4 } },
    { "xxx-x-", { 0, 0, 4, 14 } },    { "......", { 6, 3, 2, 1 } },
};

/* Where a phrase goes, in steps of the scale from its centre (times its width). */
static const int8_t contours[][CONTOUR_POINTS] = {
    { -2, 1, 3, 1, -1 },  { 3, 2, 0, -1, -3 }, { -3, -1, 1, 2, 3 }, { 0, 3, 0, 3, 0 },
    { 2, -1, -2, -1, 1 }, { 0, 0, 2, 1, 0 },   { 4, 1, 3, 0, -2 },  { -3, 2, 1, -1, -2 },
    { 0, 4, 2, 1, 0 },    { -1, 0, 3, 4, 2 },  { 1, 1, 0, 0, -2 },  { -2, -2, 0, 3, 0 },
};

enum { N_CONTOURS = sizeof contours / sizeof *contours };

static const char *const phrase_forms[] = {
    "AABA", "ABAB", "ABAC", "AAAB", "AABB", "ABCB", "AABC"
};

typedef struct phrase {
    const rv_song *song;
    const rv_section *at;
    const rv_tune *tune;
    int bar, steps;
    char rhythm[PHRASE_STEPS_MAX + 1];
    const int8_t *contour;
    int centre, width; /* width of the contour, in halves */
} phrase;

/* ---- rhythm ---- */

static void put_cells(const rv_song *s, rv_dice *d, int density, char *rhythm, int steps)
{
    const bool six = s->beat == 6;
    const cell *cells = six ? cells_of_6 : cells_of_4;
    const int n =
        six ? sizeof cells_of_6 / sizeof *cells_of_6 : sizeof cells_of_4 / sizeof *cells_of_4;
    uint8_t weights[20];
    for (int i = 0; i < n; i++)
        weights[i] = cells[i].weights[density];
    for (int at = 0; at < steps; at += s->beat)
        memcpy(rhythm + at, cells[rv_dice_weighted(d, weights, n)].steps, (size_t)s->beat);
}

/* The end of a phrase: a long note, and a rest to breathe. */
static void put_ending(const rv_song *s, rv_dice *d, char *rhythm, int steps)
{
    const int rest = rv_dice_between(d, 2, steps > s->steps ? s->beat + 4 : s->beat);
    const int length = rv_dice_between(d, 3, s->beat + 2);
    const int end = steps - rest, begin = end - length > 0 ? end - length - (end - length) % 2 : 0;
    memset(rhythm + end, '.', (size_t)rest);
    memset(rhythm + begin, '-', (size_t)(end - begin));
    rhythm[begin] = 'x';
}

/* Phrases of two halves often begin alike: the second half repeats the first's rhythm. */
static void make_rhythm(phrase *p, rv_dice *d)
{
    const rv_song *s = p->song;
    const int half = p->steps / 2;
    put_cells(s, d, p->tune->density, p->rhythm, p->steps);
    if (half % s->steps == 0 && rv_dice_chance(d, 40))
        memcpy(p->rhythm + half, p->rhythm, (size_t)half);
    if (rv_dice_chance(d, 35)) /* begins behind the beat */
        memcpy(p->rhythm,
               s->beat == 6            ? "..x-x-"
               : rv_dice_chance(d, 50) ? "..x-"
                                       : ".x-x",
               (size_t)s->beat);
    else
        p->rhythm[0] = 'x';
    put_ending(s, d, p->rhythm, p->steps);
}

/* ---- pitch ---- */

static int contour_at(const phrase *p, int step)
{
    const int span = p->steps - 1 > 0 ? p->steps - 1 : 1;
    const int scaled = step * (CONTOUR_POINTS - 1) * 16 / span, i = scaled / 16;
    const int8_t *c = p->contour;
    if (i >= CONTOUR_POINTS - 1)
        return c[CONTOUR_POINTS - 1];
    return (c[i] * (16 - scaled % 16) + c[i + 1] * (scaled % 16) + 64 * 16) / 16 - 64;
}

static int fold(const rv_tune *t, int pitch)
{
    while (pitch < t->low)
        pitch += 12;
    while (pitch > t->high)
        pitch -= 12;
    return pitch < t->low ? t->low : pitch;
}

static int on_scale(const phrase *p, int bar, int pitch)
{
    return rv_scale_has(p->song, bar, pitch) ? pitch
                                             : rv_scale_step(p->song, bar, pitch, -1, false);
}

static bool is_strong(const phrase *p, int step, int length)
{
    const int in_bar = step % p->song->steps;
    const bool beat = in_bar % p->song->beat == 0;
    const bool accent = in_bar == 0 || in_bar == (p->song->steps + 1) / 2;
    return (beat && accent) || length >= 4 || (beat && length >= 3);
}

/* From `before` towards `target`: a chord tone where it counts, else a step of the scale. */
static int next_pitch(const phrase *p, rv_dice *d, int step, int length, int before, int target)
{
    const int bar = p->bar + step / p->song->steps, in_bar = step % p->song->steps;
    const bool leaps = rv_dice_chance(d, p->tune->leaps);
    const int away = target - before, way = away < 0                ? -1
                                            : away > 0              ? 1
                                            : rv_dice_chance(d, 50) ? 1
                                                                    : -1;
    if (is_strong(p, step, length)) {
        const int reach = leaps ? 12 : 5, goal = abs(away) > reach ? before + way * reach : target;
        const bool in_scale = !rv_dice_chance(d, p->song->style->bit & (JAZZ | BOSSA) ? 12 : 6);
        return rv_chord_nearest(p->song, bar, in_bar, goal, in_scale);
    }
    if (leaps && abs(away) > 3)
        return rv_chord_nearest(p->song, bar, in_bar, before + way * rv_dice_between(d, 3, 7),
                                true);
    if (abs(away) < 2 && rv_dice_chance(d, 30))
        return on_scale(p, bar, before);
    if (abs(away) > 5 && rv_dice_chance(d, 50)) /* two steps at once, to keep up */
        return rv_scale_step(p->song, bar, before, 2 * way, p->tune->pentatonic);
    const bool against = rv_dice_chance(d, 15);
    return rv_scale_step(p->song, bar, before, against ? -way : way, p->tune->pentatonic);
}

static int length_at(const phrase *p, int step)
{
    int end = step + 1;
    while (end < p->steps && p->rhythm[end] == '-')
        end++;
    return end - step;
}

static int velocity_at(const phrase *p, rv_dice *d, int step)
{
    const int arch =
        step < p->steps / 2 ? step : p->steps - step; /* phrases swell to their middle */
    const int accent = step % p->song->beat == 0 ? 6 : 0;
    return p->tune->velocity + accent + 10 * arch / p->steps + rv_dice_between(d, -3, 3);
}

static void write_phrase(rv_song *s, rv_part *part, phrase *p, int number, rv_dice *d)
{
    int before = fold(p->tune, p->centre + p->width * p->contour[0]);
    for (int step = 0; step < p->steps; step++) {
        if (p->rhythm[step] != 'x')
            continue;
        const int bar = p->bar + step / s->steps, length = length_at(p, step);
        if (bar >= p->at->bar + p->at->bars)
            return;
        const int target =
            rv_scale_step(s, bar, p->centre, contour_at(p, step) * p->width / 2, false);
        before = fold(p->tune, next_pitch(p, d, step, length, before, target));
        rv_song_add(s, part,
                    &(rv_note){ .start = rv_step_tick(s, p->bar, step),
                                .length = length * TICKS_STEP - 20,
                                .pitch = before,
                                .velocity = velocity_at(p, d, step),
                                .phrase = number });
    }
}

/* A section's tune; phrases count on from those that the part has. */
void rv_write_tune(rv_song *s, rv_part *part, const rv_section *at, const rv_tune *tune)
{
    rv_dice song = rv_dice_for(s->seed, FOR_RHYTHM, tune->id, at->kind, 0);
    const char *form = phrase_forms[rv_dice_roll(&song, 7)];
    const int bars = tune->phrase_bars * s->steps > PHRASE_STEPS_MAX ? 2 : tune->phrase_bars;
    const int middle = (tune->low + tune->high) / 2 + rv_dice_between(&song, -3, 3);
    int number = part->n ? rv_part_last(part)->phrase + 1 : 0;
    for (int i = 0; i * bars < at->bars; i++) {
        const int letter = form[i % 4];
        rv_dice rhythm = rv_dice_for(s->seed, FOR_RHYTHM, tune->id, at->kind, letter);
        rv_dice line = rv_dice_for(s->seed, FOR_CONTOUR, tune->id, at->kind, letter);
        rv_dice pitch =
            rv_dice_for(s->seed, FOR_MELODY, tune->id, at->kind, i % 4 == 3 ? 100 + i : letter);
        phrase p = {
            .song = s, .at = at, .tune = tune, .bar = at->bar + i * bars, .steps = bars * s->steps
        };
        const int left = (at->bars - i * bars) * s->steps;
        make_rhythm(&p, &rhythm);
        if (left < p.steps) {
            p.steps = left;
            put_ending(s, &rhythm, p.rhythm, left);
        }
        p.contour = contours[rv_dice_roll(&line, N_CONTOURS)];
        p.width = rv_dice_between(&line, 2, 4);
        p.centre = on_scale(&p, p.bar, middle + rv_dice_between(&line, -2, 2));
        write_phrase(s, part, &p, number++, &pitch);
    }
}
