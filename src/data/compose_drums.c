/* compose_drums.c - grooves, fills, crashes; and where the bass drum is, for the bass. */
#include "data/compose_grooves.h"

#include <string.h>

typedef struct kit {
    rv_song *song;
    rv_part *part;
    const rv_section *at;
    const rv_groove *groove;
    int timekeeper; /* what plays the hi-hat's row */
    bool hat_plays, ghosts;
} kit;

static void hit(const kit *k, int bar, int step, int drum, int velocity)
{
    rv_song_add(k->song, k->part,
                &(rv_note){ .start = rv_step_tick(k->song, bar, step),
                            .length = TICKS_STEP / 2,
                            .pitch = drum,
                            .velocity = velocity });
}

/* ---- choosing ---- */

/* The groove of a kind of section; what suits its energy, each with the same chance. */
static const rv_groove *choose_groove(const rv_song *s, const rv_section *at)
{
    /* verses of a song share a groove; intro, solo and outro borrow one */
    const int kind = at->kind == OUTRO || at->kind == SOLO ? CHORUS
                     : at->kind == INTRO                   ? VERSE
                                                           : at->kind;
    const rv_groove *found = NULL, *any = NULL;
    rv_dice d = rv_dice_for(s->seed, FOR_GROOVE, kind, 0, 0);
    for (int i = 0, n = 0; i < rv_n_grooves; i++) {
        const rv_groove *g = &rv_grooves[i];
        if (!(g->styles & s->style->bit) || g->metre != s->metre)
            continue;
        any = any ? any : g;
        if (g->least <= at->energy && at->energy <= g->most && rv_dice_roll(&d, ++n) == 0)
            found = g;
    }
    return found ? found : any;
}

static const char *choose_fill(const rv_song *s, rv_dice *d)
{
    const char *found = NULL;
    for (int i = 0, n = 0; i < rv_n_drum_fills; i++) {
        const rv_drum_fill *f = &rv_drum_fills[i];
        if ((f->styles & s->style->bit) && f->metre == s->metre && rv_dice_roll(d, ++n) == 0)
            found = f->hits;
    }
    return found;
}

/* Loud sections move from the hi-hat to ride, open hi-hat or crash. */
static int choose_timekeeper(const rv_song *s, const rv_section *at)
{
    static const uint8_t weights[4] = { 40, 35, 20, 5 };
    static const int drums[4] = { HAT, RIDE, OPEN_HAT, CRASH };
    const uint32_t hats_only = DISCO | HOUSE | ELECTRONIC | HIPHOP | REGGAE | BOSSA;
    rv_dice d = rv_dice_for(s->seed, FOR_GROOVE, at->kind, 1, 0);
    const bool loud = at->kind == CHORUS || at->kind == SOLO || at->kind == BRIDGE;
    if (!loud || (s->style->bit & hats_only))
        return HAT;
    return drums[rv_dice_weighted(&d, weights, s->style->bit & (ROCK | METAL) ? 4 : 2)];
}

/* ---- a bar ---- */

static int velocity_of(char letter, rv_dice *d)
{
    static const char letters[] = "XxogO?";
    static const int base[] = { 112, 92, 62, 38, 98, 80 };
    const char *at = letter ? strchr(letters, letter) : NULL;
    return at ? base[at - letters] + rv_dice_between(d, -6, 6) : 0;
}

static bool is_played(char letter, bool ghosts, rv_dice *d)
{
    if (letter == 'g')
        return ghosts && rv_dice_chance(d, 70);
    return letter == '?' ? rv_dice_chance(d, 35) : letter != '.';
}

static int drum_of(const kit *k, int drum, char letter)
{
    if (letter == 'O')
        return OPEN_HAT;
    return drum == HAT ? k->timekeeper : drum;
}

/* The letter of a row at a step of a bar of the section. Half time: as if twice as long. */
static char letter_at(const kit *k, const rv_groove_row *row, int bar, int step)
{
    int at = (bar - k->at->bar) * k->song->steps + step;
    const bool slow =
        k->at->half_time && (row->drum == KICK || row->drum == SNARE || row->drum == CLAP);
    if (slow && at % 2)
        return '.';
    at = slow ? at / 2 : at;
    return row->hits[(size_t)at % strlen(row->hits)];
}

static void play_row(const kit *k, const rv_groove_row *row, int bar, int end)
{
    rv_song *s = k->song;
    /* bars repeat every four, so that what is left to chance is a pattern, too */
    rv_dice d = rv_dice_for(s->seed, FOR_DRUMS, k->at->kind, (bar - k->at->bar) % 4, row->drum);
    for (int step = 0; step < s->steps; step++) {
        const char letter = letter_at(k, row, bar, step);
        const int velocity = velocity_of(letter, &d);
        if (!is_played(letter, k->ghosts, &d) || !velocity)
            continue;
        if (row->drum == KICK && step < end)
            s->bars[bar].kick |= 1u << step;
        if (k->part && step < end && (k->hat_plays || row->drum != HAT))
            hit(k, bar, step, drum_of(k, row->drum, letter),
                velocity * (60 + k->at->energy / 2) / 100);
    }
}

static void play_fill_letter(const kit *k, int bar, int step, char letter, int velocity)
{
    static const char letters[] = "SsHMLFKCOB";
    static const int drums[] = { SNARE,         SNARE, HIGH_TOM, MID_TOM,  FLOOR_TOM,
                                 LOW_FLOOR_TOM, KICK,  CRASH,    OPEN_HAT, SNARE };
    const char *at = strchr(letters, letter);
    if (!at || !letter)
        return;
    hit(k, bar, step, drums[at - letters], letter == 's' ? velocity / 2 : velocity);
    if (letter == 'B')
        hit(k, bar, step, LOW_FLOOR_TOM, velocity);
}

/* The end of a bar from a step on. Fills grow. */
static void play_fill(const kit *k, int bar, int from, rv_dice *d)
{
    const char *fill = choose_fill(k->song, d);
    for (int step = from; fill && step < k->song->steps; step++)
        play_fill_letter(k, bar, step, fill[step],
                         80 + 30 * step / k->song->steps + rv_dice_between(d, -6, 6));
}

/* Where a bar's fill begins; the bar's end if there is none. */
static int fill_begins(const kit *k, int bar, rv_dice *d)
{
    const rv_song *s = k->song;
    const int left = k->at->bar + k->at->bars - bar, beats = s->steps / s->beat;
    const bool last = left == 1, middle = (bar - k->at->bar) % 4 == 3;
    const int chance = last ? 78 : middle ? 28 : 0;
    if (bar == s->n_bars - 1 || !rv_dice_chance(d, chance))
        return s->steps;
    const int length = last ? rv_dice_between(d, 1, beats) : 1;
    return (beats - length) * s->beat;
}

/* A section begins with a crash if it is lively or the drums enter. */
static void crash(const kit *k, int bar, rv_dice *d)
{
    const bool entrance = bar == 0 || !rv_part_plays(k->song, k->part, bar - 1);
    const int chance =
        k->at->energy + (entrance ? 25 : 0) - (k->song->style->bit & (JAZZ | BOSSA) ? 40 : 0);
    if (bar == k->at->bar && rv_dice_chance(d, chance))
        hit(k, bar, 0, rv_dice_chance(d, 70) ? CRASH : CRASH_2, 90 + k->at->energy / 4);
    else if ((bar - k->at->bar) % 4 == 0 && rv_dice_chance(d, k->at->energy / 5))
        hit(k, bar, 0, rv_dice_chance(d, 60) ? CRASH : SPLASH, 84);
}

static void play_bar(kit *k, int bar)
{
    rv_song *s = k->song;
    rv_dice d = rv_dice_for(s->seed, FOR_DRUMS, k->at->kind, k->at->nth, 1000 + bar - k->at->bar);
    const bool plays = k->part && rv_part_plays(s, k->part, bar);
    kit quiet = *k;
    if (!plays)
        quiet.part = NULL;
    if (plays)
        crash(k, bar, &d);
    const int end = plays ? fill_begins(k, bar, &d) : s->steps;
    for (int i = 0; i < GROOVE_ROWS && k->groove->rows[i].hits; i++)
        play_row(&quiet, &k->groove->rows[i], bar, end);
    if (plays && end < s->steps)
        play_fill(k, bar, end, &d);
}

/* The last bar is a single stroke, or the groove goes on to its end. */
static void play_end(const kit *k, int bar)
{
    hit(k, bar, 0, KICK, 108);
    hit(k, bar, 0, CRASH, 104);
    k->song->bars[bar].kick = 1;
}

/* Four strokes of the sticks, or a roll, before the drums come in. */
static void pick_up(const kit *k, int bar, rv_dice *d)
{
    if (bar > 0 && k->song->style->loose > 0 && rv_dice_chance(d, 70))
        play_fill(k, bar - 1, k->song->steps - k->song->beat, d);
}

void rv_play_drums(rv_song *s, rv_part *p)
{
    rv_dice d = rv_dice_for(s->seed, FOR_DRUMS, 0, 0, 999);
    const bool stops = rv_dice_chance(&d, 70);
    const bool ghosts = rv_dice_chance(&d, 75);
    for (int i = 0; i < s->n_sections; i++) {
        const rv_section *at = &s->sections[i];
        kit k = {
            .song = s, .part = p, .at = at, .groove = choose_groove(s, at), .ghosts = ghosts
        };
        k.timekeeper = choose_timekeeper(s, at);
        k.hat_plays = at->kind != BREAK || rv_dice_chance(&d, 50);
        for (int bar = at->bar; bar < at->bar + at->bars && k.groove; bar++) {
            const bool enters =
                rv_part_plays(s, p, bar) && bar > 0 && !rv_part_plays(s, p, bar - 1);
            if (enters && s->sections[s->bars[bar - 1].section].kind != A_CAPPELLA)
                pick_up(&k, bar, &d);
            if (bar == s->n_bars - 1 && stops && rv_part_plays(s, p, bar))
                play_end(&k, bar);
            else
                play_bar(&k, bar);
        }
    }
}
