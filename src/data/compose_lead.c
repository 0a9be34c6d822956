/* compose_lead.c - solos, hooks between the sung lines, and the tune of songs without a singer. */
#include "data/compose_impl.h"

#include <string.h>

static bool bends(const rv_part *p)
{
    const bool keys = p->program < 24, chromatic = p->program >= 104 && p->program <= 108;
    return !keys && !chromatic;
}

static void ornament(const rv_song *s, rv_part *p, size_t first, int percent)
{
    rv_dice d = rv_dice_for(s->seed, FOR_MELODY, (int)(first % 60000), 1, 5);
    for (size_t i = first; i < p->n && bends(p); i++) {
        rv_note *note = &p->notes[i];
        if (note->length < TICKS_STEP || !rv_dice_chance(&d, percent))
            continue;
        static const uint8_t weights[4] = { 25, 25, 45, 5 };
        note->manner = 1 << rv_dice_weighted(&d, weights, 4);
        if (note->length < TICKS_QUARTER && note->manner != SLIDE_IN)
            note->manner = PLAIN;
    }
}

static rv_tune tune_of(const rv_song *s, const rv_part *p, const rv_section *at)
{
    rv_dice d = rv_dice_for(s->seed, FOR_MELODY, at->kind, 1, 3);
    const bool solo = at->kind == SOLO;
    const int most = s->style->density[1];
    rv_tune tune = { .id = 2, .pentatonic = s->pentatonic, .phrase_bars = 2 };
    tune.low = p->low + rv_dice_between(&d, 0, 6);
    tune.high = tune.low + (solo ? 27 : 19) < p->high ? tune.low + (solo ? 27 : 19) : p->high;
    tune.density =
        solo ? (most < 3 ? most + 1 : 3) : rv_dice_between(&d, s->style->density[0], most);
    tune.leaps = solo ? rv_dice_between(&d, 10, 35) : rv_dice_between(&d, 5, 25);
    tune.velocity = 74 + at->energy / 5;
    if (solo) /* every solo is another */
        tune.id = 10 + at->nth;
    return tune;
}

/* Notes that sound with the singer's are taken away: what is left answers the lines. */
static void leave_to_singer(rv_song *s, rv_part *p, size_t first)
{
    const rv_part *singer = rv_song_part(s, ROLE_VOCALS);
    size_t kept = first, at = 0;
    for (size_t i = first; i < p->n; i++) {
        const rv_note note = p->notes[i];
        while (at < singer->n && singer->notes[at].start + singer->notes[at].length < note.start)
            at++;
        if (at == singer->n || singer->notes[at].start >= note.start + note.length)
            p->notes[kept++] = note;
    }
    p->n = kept;
}

void rv_play_lead(rv_song *s, rv_part *p)
{
    const rv_part *singer = rv_song_part(s, ROLE_VOCALS);
    rv_dice d = rv_dice_for(s->seed, FOR_MELODY, 2, 0, 4);
    const bool counters = rv_dice_chance(&d, 35); /* plays against the singer, not between lines */
    for (int i = 0; i < s->n_sections; i++) {
        const rv_section *at = &s->sections[i];
        const bool sung = singer && rv_part_plays(s, singer, at->bar);
        const bool has_tune =
            !singer && (at->kind == VERSE || at->kind == CHORUS || at->kind == PRECHORUS);
        rv_tune tune = tune_of(s, p, at);
        const size_t first = p->n;
        if (sung && counters) {
            tune.density -= tune.density > 0;
            tune.velocity -= 12;
        }
        if (!has_tune && !rv_part_plays(s, p, at->bar))
            continue;
        rv_write_tune(s, p, at, &tune);
        if (sung && !counters)
            leave_to_singer(s, p, first);
        ornament(s, p, first, at->kind == SOLO ? 40 : 22);
    }
}
