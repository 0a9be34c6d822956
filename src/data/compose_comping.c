/* compose_comping.c - chords: strummed, picked, struck, held, broken (compose_patterns.c). */
#include "data/compose_patterns.h"

#include <string.h>

typedef struct player {
    rv_song *song;
    rv_part *part;
    const rv_section *at;
    const char *strokes;
    int position; /* of the left hand on a guitar, in frets */
    int voices;
    bool sustain;
    int pitches[VOICES_MAX], n; /* of the chord now played */
    const rv_chord *chord;
} player;

static const char *choose(const rv_song *s, int role, const rv_section *at)
{
    const int kind = at->kind == OUTRO ? CHORUS : at->kind == INTRO ? VERSE : at->kind;
    const char *found = NULL, *any = NULL;
    rv_dice d = rv_dice_for(s->seed, FOR_COMPING, role, kind, 0);
    for (int i = 0, n = 0; i < rv_n_compings; i++) {
        const rv_comping *c = &rv_compings[i];
        if (!(c->styles & s->style->bit) || !(c->roles >> role & 1) || c->metre != s->metre)
            continue;
        any = any ? any : c->strokes;
        if (c->least <= at->energy && at->energy <= c->most && rv_dice_roll(&d, ++n) == 0)
            found = c->strokes;
    }
    return found ? found : any;
}

/* ---- chords to pitches ---- */

static bool is_guitar(int role)
{
    return role == ROLE_STRUM || role == ROLE_PICK || role == ROLE_MUTE;
}

static void into_range(player *p)
{
    for (int i = 0; i < p->n; i++) {
        while (p->pitches[i] > p->part->high)
            p->pitches[i] -= 12;
        while (p->pitches[i] < p->part->low)
            p->pitches[i] += 12;
    }
}

static void take_chord(player *p, const rv_chord *c)
{
    int now[VOICES_MAX];
    if (p->chord && rv_chord_equal(p->chord, c))
        return;
    const int role = p->part->role;
    const int low = role == ROLE_KEYS ? 52 : p->part->low + 2;
    int n = 0;
    if (is_guitar(role))
        n = rv_voice_guitar(now, c, p->position);
    else if (role == ROLE_POWER)
        n = rv_voice_power(now, c, p->part->low);
    if (n < 3)
        n = rv_voice_close(now, c, p->pitches, p->n, low,
                           low + 24 < p->part->high ? low + 24 : p->part->high, p->voices);
    memcpy(p->pitches, now, sizeof now);
    p->n = n;
    p->chord = c;
    into_range(p);
}

/* ---- strokes ---- */

typedef struct stroke {
    int start, length, velocity;
} stroke;

static void add(const player *p, const stroke *k, int late, int pitch, int quieter)
{
    rv_song_add(p->song, p->part,
                &(rv_note){ .start = k->start + late,
                            .length = k->length - late,
                            .pitch = pitch,
                            .velocity = k->velocity - quieter > 10 ? k->velocity - quieter : 10 });
}

/* All voices: guitars one string after another, a few ms apart. */
static void add_chord(const player *p, const stroke *k, int from, bool upwards)
{
    const int spread = p->part->role == ROLE_STRUM ? 7 : p->part->role == ROLE_POWER ? 3 : 0;
    for (int i = from; i < p->n; i++) {
        const int order = upwards ? p->n - 1 - i : i - from;
        add(p, k, order * spread, p->pitches[i], upwards && i < 2 ? 30 : order * 2);
    }
}

static int bass_pitch(const player *p)
{
    const int low = p->part->low;
    return low + (p->chord->bass - low % 12 + 12) % 12;
}

/* A voice by its number; beyond the last they go on an octave higher. */
static int voice(const player *p, int number)
{
    const int pitch = p->pitches[number % p->n] + 12 * (number / p->n);
    return pitch > p->part->high ? pitch - 12 : pitch;
}

static void damped(const player *p, stroke *k)
{
    k->length = TICKS_STEP / 2;
    if (p->part->role == ROLE_POWER) {
        k->length = TICKS_STEP * 3 / 4;
        add(p, k, 0, p->pitches[0], 8);
        add(p, k, 2, p->pitches[1], 14);
        return;
    }
    k->length = TICKS_STEP / 4;
    k->velocity = k->velocity * 45 / 100;
    add_chord(p, k, p->n > 3 ? p->n - 3 : 0, false);
}

static void play_letter(const player *p, char letter, stroke *k)
{
    const bool short_chord = p->part->role == ROLE_MUTE;
    if (letter >= '0' && letter <= '7') {
        add(p, k, 0, voice(p, letter - '0'), 6);
    } else if (letter == 'm') {
        damped(p, k);
    } else if (letter == 'b') {
        add(p, k, 0, bass_pitch(p), 0);
    } else if (letter == 'u') {
        add_chord(p, k, p->n > 4 ? p->n - 4 : 0, true);
    } else {
        if (letter == 'B' && bass_pitch(p) < p->pitches[0])
            add(p, k, 0, bass_pitch(p), 0);
        add_chord(p, k, short_chord && p->n > 4 ? p->n - 4 : 0, false);
    }
}

static int velocity_of(const player *p, char letter, int step)
{
    const int loud = letter == 'X' || letter == 'B' ? 12
                     : letter == 'o'                ? -16
                     : letter == 'u'                ? -8
                                                    : 0;
    const int beat = step % p->song->beat == 0 ? 5 : 0;
    return 58 + p->at->energy * 3 / 10 + loud + beat;
}

/* ---- bars ---- */

static char letter_at(const player *p, int bar, int step)
{
    const size_t at = (size_t)((bar - p->at->bar) * p->song->steps + step);
    return p->strokes[at % strlen(p->strokes)];
}

/* Steps until the stroke is over; strings that are picked ring on through the half bar. */
static int steps_of(const player *p, int bar, int step)
{
    const int total = p->song->steps, half = (total + 1) / 2;
    const rv_chord *c = p->song->bars[bar].chord;
    const int limit = step < half && !rv_chord_equal(&c[0], &c[1]) ? half : total;
    const char letter = letter_at(p, bar, step);
    const bool rings = (p->part->role == ROLE_PICK || (p->part->role == ROLE_KEYS && p->sustain)) &&
                       letter >= '0' && letter <= '7';
    int end = step + 1;
    while (end < limit && (rings || letter_at(p, bar, end) == '-'))
        end++;
    return end - step;
}

/* A stroke that is held across a change of the chord is struck again. */
static bool changes_here(const player *p, int bar, int step, char letter)
{
    const rv_chord *c = p->song->bars[bar].chord;
    const bool half = step == (p->song->steps + 1) / 2;
    return letter == '-' && ((half && !rv_chord_equal(&c[0], &c[1])) || step == 0);
}

/* A chord on the last sixteenth belongs to the next bar. */
static bool anticipates(const player *p, int bar, int step, char letter)
{
    const rv_song *s = p->song;
    const bool goes_on = bar + 1 < s->n_bars && s->bars[bar].section == s->bars[bar + 1].section;
    return step == s->steps - 1 && letter != 'm' && goes_on;
}

static void play_step(player *p, int bar, int step)
{
    char letter = letter_at(p, bar, step);
    if (changes_here(p, bar, step, letter))
        letter = 'x';
    if (letter == '.' || letter == '-')
        return;
    take_chord(p, anticipates(p, bar, step, letter) ? rv_song_chord_after(p->song, bar, step)
                                                    : rv_song_chord(p->song, bar, step));
    stroke k = { .start = rv_step_tick(p->song, bar, step),
                 .length = steps_of(p, bar, step) * TICKS_STEP - 10,
                 .velocity = velocity_of(p, letter, step) };
    play_letter(p, letter, &k);
}

/* The last chord of the song rings. */
static void play_end(player *p, int bar)
{
    take_chord(p, rv_song_chord(p->song, bar, 0));
    stroke k = { .start = rv_step_tick(p->song, bar, 0),
                 .length = p->song->bar_ticks,
                 .velocity = velocity_of(p, 'X', 0) };
    play_letter(p, p->part->role == ROLE_KEYS ? 'B' : 'X', &k);
}

/* The pedal goes down just after each change of the chord. */
static void pedal(const player *p, int bar)
{
    const rv_chord *c = p->song->bars[bar].chord;
    for (int half = 0; half < 2; half++) {
        if (half && rv_chord_equal(&c[0], &c[1]))
            return;
        const int tick = rv_step_tick(p->song, bar, half * (p->song->steps / 2));
        rv_song_control(p->song, p->part, tick, 64, 0);
        rv_song_control(p->song, p->part, tick + 40, 64, 127);
    }
}

/* Held sounds breathe: expression rises and falls over two or four bars. */
static void swell(const player *p, int bar, int bars, int depth)
{
    for (int i = 0; i < 8 * bars; i++) {
        const int half = 4 * bars, rise = i < half ? i : 2 * half - i;
        rv_song_control(p->song, p->part,
                        rv_step_tick(p->song, bar, 0) + i * p->song->bar_ticks / 8, 11,
                        127 - depth + depth * rise / half);
    }
}

static bool is_held(int role)
{
    return role == ROLE_PAD || role == ROLE_STRINGS || role == ROLE_ORGAN || role == ROLE_BRASS;
}

static void play_section(player *p, int swells)
{
    rv_song *s = p->song;
    for (int bar = p->at->bar; bar < p->at->bar + p->at->bars; bar++) {
        if (!rv_part_plays(s, p->part, bar))
            continue;
        if (p->sustain)
            pedal(p, bar);
        if (swells && (bar - p->at->bar) % swells == 0 && bar + swells <= p->at->bar + p->at->bars)
            swell(p, bar, swells, p->part->role == ROLE_ORGAN ? 20 : 40);
        if (bar == s->n_bars - 1)
            play_end(p, bar);
        for (int step = 0; step < s->steps && bar < s->n_bars - 1; step++)
            play_step(p, bar, step);
    }
    if (p->sustain)
        rv_song_control(s, p->part, rv_step_tick(s, p->at->bar + p->at->bars, 0) - 20, 64, 0);
}

void rv_play_comping(rv_song *s, rv_part *part)
{
    const int role = part->role;
    rv_dice d = rv_dice_for(s->seed, FOR_COMPING, role, 0, 99);
    player p = { .song = s, .part = part, .voices = 4 };
    p.position = role == ROLE_MUTE        ? rv_dice_between(&d, 4, 8)
                 : rv_dice_chance(&d, 60) ? 0
                                          : rv_dice_between(&d, 2, 5);
    p.voices = role == ROLE_BRASS || role == ROLE_ORGAN ? 3 : rv_dice_between(&d, 3, 4);
    const uint32_t pedalled = BALLAD | POP | FOLK | ROCK | COUNTRY | ELECTRONIC;
    p.sustain = role == ROLE_KEYS && part->program < 6 && (s->style->bit & pedalled);
    const int swells = is_held(role) && rv_dice_chance(&d, 75) ? 2 << rv_dice_roll(&d, 2) : 0;
    for (int i = 0; i < s->n_sections; i++) {
        p.at = &s->sections[i];
        p.strokes = choose(s, role, p.at);
        if (p.strokes)
            play_section(&p, swells);
    }
}
