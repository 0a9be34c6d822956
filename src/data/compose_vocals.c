/* compose_vocals.c - the sung melody and its words, and voices behind it. */
#include "data/compose_impl.h"

#include <stdlib.h>
#include <string.h>

/* Ranges of pop singers, MIDI notes. */
static const uint8_t voices[][2] = {
    { 60, 79 }, /* soprano */
    { 57, 76 }, /* mezzo-soprano */
    { 55, 73 }, /* alto */
    { 50, 70 }, /* tenor */
    { 48, 67 }, /* high baritone */
    { 48, 64 }, /* baritone */
};

static rv_tune tune_of(const rv_song *s, const rv_section *at)
{
    rv_dice song = rv_dice_for(s->seed, FOR_MELODY, 0, 0, 1);
    rv_dice d = rv_dice_for(s->seed, FOR_MELODY, at->kind, 0, 2);
    const uint8_t *range = voices[rv_dice_roll(&song, 6)];
    rv_tune tune = { .id = 1, .low = range[0], .high = range[1], .pentatonic = s->pentatonic };
    tune.density = rv_dice_between(&d, s->style->density[0], s->style->density[1]);
    tune.phrase_bars = s->bpm > 12000 && s->metre != METRE_68 && rv_dice_chance(&d, 50) ? 4 : 2;
    tune.leaps = rv_dice_between(&d, 4, 22);
    tune.velocity = 70 + at->energy / 4;
    if (at->kind == CHORUS) { /* the highest notes are kept for it */
        tune.low += 3;
        tune.density -= tune.density > 1 && rv_dice_chance(&d, 40);
    } else {
        tune.high -= 4;
    }
    return tune;
}

/* A syllable may go on over the next note, if that is near in time and pitch. */
static bool goes_on(const rv_note *before, const rv_note *note, rv_dice *d)
{
    const int gap = note->start - (before->start + before->length),
              interval = abs(note->pitch - before->pitch);
    return before->phrase == note->phrase && gap < TICKS_STEP && interval > 0 && interval < 5 &&
           rv_dice_chance(d, 9);
}

static void ornament(const rv_song *s, rv_note *note, rv_dice *d)
{
    if (note->length > TICKS_QUARTER * s->bpm / 12000 && rv_dice_chance(d, 60))
        note->manner |= VIBRATO;
    if (note->length > TICKS_STEP && rv_dice_chance(d, 7))
        note->manner |= SLIDE_IN;
}

/* Words for the notes from `first` on, a line for each phrase. Choruses repeat theirs. */
static void write_words(const rv_song *s, rv_part *p, size_t first, const rv_section *at)
{
    const bool repeats =
        at->kind == CHORUS || at->kind == PRECHORUS || at->kind == A_CAPPELLA || at->kind == OUTRO;
    const int verse = repeats ? 0 : at->nth,
              kind = repeats && at->kind != PRECHORUS ? CHORUS : at->kind;
    rv_dice song = rv_dice_for(s->seed, FOR_WORDS, 0, 0, 0);
    const bool couplets = rv_dice_chance(&song, 50); /* AABB, or ABAB */
    size_t i = first;
    for (int line = 0; i < p->n; line++) {
        const int rhyme = couplets ? line / 2 : line / 4 * 2 + line % 2;
        rv_dice d = rv_dice_for(s->seed, FOR_WORDS, kind, verse, 1 + line);
        rv_dice manner = rv_dice_for(s->seed, FOR_WORDS, kind, 9, 1 + line);
        size_t end = i;
        for (; end < p->n && p->notes[end].phrase == p->notes[i].phrase; end++) {
            p->notes[end].text =
                end > i && goes_on(&p->notes[end - 1], &p->notes[end], &manner) ? "" : NULL;
            ornament(s, &p->notes[end], &manner);
        }
        rv_write_line(&d, p->notes + i, end - i, 40 * kind + 7 * verse + rhyme);
        i = end;
    }
}

void rv_play_vocals(rv_song *s, rv_part *p)
{
    for (int i = 0; i < s->n_sections; i++) {
        const rv_section *at = &s->sections[i];
        const rv_tune tune = tune_of(s, at);
        const size_t first = p->n;
        if (!rv_part_plays(s, p, at->bar))
            continue;
        rv_write_tune(s, p, at, &tune);
        write_words(s, p, first, at);
    }
}

/* ---- backing vocals ---- */

/* A third of the scale above (or below), the same words; long notes in the chord. */
static void harmonise(rv_song *s, rv_part *p, const rv_part *lead, const rv_section *at, int steps)
{
    const int from = rv_step_tick(s, at->bar, 0), end = rv_step_tick(s, at->bar + at->bars, 0);
    for (size_t i = 0; i < lead->n; i++) {
        rv_note note = lead->notes[i];
        if (note.start < from || note.start >= end)
            continue;
        const int bar = note.start / s->bar_ticks, step = note.start % s->bar_ticks / TICKS_STEP;
        note.pitch = rv_scale_step(s, bar, note.pitch, steps, false);
        if (note.length > TICKS_QUARTER)
            note.pitch = rv_chord_nearest(s, bar, step, note.pitch, true);
        note.pitch += note.pitch < p->low ? 12 : note.pitch > p->high ? -12 : 0;
        note.velocity -= 14;
        note.manner = PLAIN;
        rv_song_add(s, p, &note);
    }
}

/* "Ooh" and "aah" on a tone of each chord, led smoothly. */
static void hum(rv_song *s, rv_part *p, const rv_section *at, const char *text)
{
    const rv_note *last = rv_part_last(p);
    int pitch = last ? last->pitch : 65;
    for (int bar = at->bar; bar < at->bar + at->bars; bar++) {
        const bool breathes = (bar - at->bar) % 4 == 3;
        pitch = rv_chord_nearest(s, bar, 0, pitch, true);
        pitch = pitch < p->low + 8 ? pitch + 12 : pitch > p->high - 8 ? pitch - 12 : pitch;
        rv_song_add(s, p,
                    &(rv_note){ .start = rv_step_tick(s, bar, 0),
                                .length = s->bar_ticks - (breathes ? s->beat : 0) * TICKS_STEP - 20,
                                .pitch = pitch,
                                .velocity = 52 + at->energy / 4,
                                .text = text,
                                .text_length = (int)strlen(text) });
    }
}

void rv_play_backing(rv_song *s, rv_part *p)
{
    static const char *const sounds[] = { "ooh", "aah", "oh", "la" };
    const rv_part *lead = rv_song_part(s, ROLE_VOCALS);
    for (int i = 0; i < s->n_sections; i++) {
        const rv_section *at = &s->sections[i];
        rv_dice d = rv_dice_for(s->seed, FOR_BACKING, at->kind, 0, 0);
        const bool with_lead = lead && rv_part_plays(s, lead, at->bar) && rv_dice_chance(&d, 60);
        if (!rv_part_plays(s, p, at->bar))
            continue;
        if (with_lead)
            harmonise(s, p, lead, at, rv_dice_chance(&d, 70) ? 2 : -2);
        else
            hum(s, p, at, sounds[rv_dice_roll(&d, 4)]);
    }
}
