/* compose_score.c - dice, and the lists of notes that players write. */
#include "data/compose_impl.h"

#include "base/rng.h"

#include <stdlib.h>

rv_dice rv_dice_for(uint64_t seed, rv_purpose purpose, int a, int b, int c)
{
    const uint64_t stream = (uint64_t)purpose << 48 | (uint64_t)(a & 0xffff) << 32 |
                            (uint64_t)(b & 0xffff) << 16 | (uint64_t)(c & 0xffff);
    return (rv_dice){ .seed = seed, .stream = stream };
}

int rv_dice_roll(rv_dice *d, int n)
{
    return n > 1 ? (int)rv_rng_below(d->seed, d->stream, d->count++, (uint64_t)n) : 0;
}

int rv_dice_between(rv_dice *d, int low, int high)
{
    return low + rv_dice_roll(d, high - low + 1);
}

bool rv_dice_chance(rv_dice *d, int percent)
{
    return rv_dice_roll(d, 100) < percent;
}

int rv_dice_weighted(rv_dice *d, const uint8_t *weights, int n)
{
    int sum = 0, i = 0;
    for (int k = 0; k < n; k++)
        sum += weights[k];
    int at = rv_dice_roll(d, sum);
    while (i < n - 1 && at >= weights[i])
        at -= weights[i++];
    return i;
}

int rv_step_tick(const rv_song *s, int bar, int step)
{
    return bar * s->bar_ticks + step * TICKS_STEP;
}

/* Room for one more of `size` bytes behind n, or NULL. */
static void *grown(void *list, size_t n, size_t *room, size_t size)
{
    if (n < *room)
        return list;
    const size_t more = *room ? 2 * *room : 256;
    void *moved = realloc(list, more * size);
    if (moved)
        *room = more;
    return moved;
}

void rv_song_add(rv_song *s, rv_part *p, const rv_note *note)
{
    rv_note *list = s->out_of_memory ? NULL : grown(p->notes, p->n, &p->room, sizeof *p->notes);
    if (!list) {
        s->out_of_memory = true;
        return;
    }
    p->notes = list;
    p->notes[p->n] = *note;
    if (note->length < 1)
        p->notes[p->n].length = 1;
    p->n++;
}

void rv_song_control(rv_song *s, rv_part *p, int tick, int controller, int value)
{
    rv_control *list = s->out_of_memory ? NULL
                                        : grown(p->controls, p->n_controls, &p->controls_room,
                                                sizeof *p->controls);
    if (!list) {
        s->out_of_memory = true;
        return;
    }
    p->controls = list;
    p->controls[p->n_controls++] =
        (rv_control){ .tick = tick, .status = 0xB0, .data = { controller, value } };
}

rv_note *rv_part_last(rv_part *p)
{
    return p->n ? &p->notes[p->n - 1] : NULL;
}
