/* perform.c - see perform.h. What is added stands at the beginning of the first track. */
#include "data/perform.h"

#include "base/rng.h"
#include "base/status.h"
#include "data/gm.h"

#include <math.h>
#include <stdbool.h>

static bool is_tempo(const rv_midi_event *e)
{
    return e->status == 0xff && e->data[0] == RV_MIDI_TEMPO && e->n_bytes >= 3;
}

static rv_status add_tempo(rv_midi *m, rv_midi_event e, double microseconds, rv_error *err)
{
    const double most = 0xffffff, bounded = microseconds > most ? most : microseconds;
    const int whole = (int)lround(bounded);
    const uint8_t bytes[] = { (uint8_t)(whole >> 16), (uint8_t)(whole >> 8), (uint8_t)whole };
    e.status = 0xff;
    e.data[0] = RV_MIDI_TEMPO;
    e.bytes = bytes;
    e.n_bytes = sizeof bytes;
    return rv_midi_add(m, &e, err);
}

static uint8_t program_for(const rv_performance *p, int channel, int program)
{
    const uint64_t key = (uint64_t)channel << 8 | (uint64_t)program;
    if (channel == RV_GM_DRUM_CHANNEL || !(rv_rng_uniform(p->seed, key, 0) < p->vary))
        return (uint8_t)program;
    return (uint8_t)rv_gm_substitute(program, rv_rng_uniform(p->seed, key, 1));
}

/* A channel without a program plays the first, and a song without a tempo 120 quarters. */
static rv_status begin(rv_midi *out, const rv_midi *m, const rv_performance *p, rv_error *err)
{
    bool has_tempo = false;
    for (size_t i = 0; i < m->n && m->events[i].tick == 0; i++)
        has_tempo |= is_tempo(&m->events[i]);
    if (!has_tempo)
        RV_TRY(add_tempo(out, (rv_midi_event){ 0 }, 500000 / p->tempo, err));
    for (int channel = 0; channel < 16; channel++) {
        const uint8_t program = program_for(p, channel, 0);
        const rv_midi_event e = { .status = (uint8_t)(0xc0 | channel), .data = { program } };
        if (program)
            RV_TRY(rv_midi_add(out, &e, err));
    }
    return RV_OK;
}

static uint8_t transposed(int key, int by)
{
    key += by;
    while (key < 0)
        key += 12;
    while (key > 127)
        key -= 12;
    return (uint8_t)key;
}

static uint8_t scaled(int velocity, double ratio)
{
    const long value = lround(velocity * ratio);
    return (uint8_t)(value < 1 ? 1 : value > 127 ? 127 : value);
}

static rv_status play(rv_midi *out, const rv_midi_event *event, const rv_performance *p,
                      rv_error *err)
{
    rv_midi_event e = *event;
    const int kind = e.status & 0xf0, channel = e.status & 15;
    if (is_tempo(&e))
        return add_tempo(out, e, (e.bytes[0] << 16 | e.bytes[1] << 8 | e.bytes[2]) / p->tempo, err);
    if (e.status == 0xff && e.data[0] == RV_MIDI_KEY && p->transposition)
        return RV_OK; /* the song is in another key now */
    if (kind <= 0xa0 && channel != RV_GM_DRUM_CHANNEL)
        e.data[0] = transposed(e.data[0], p->transposition);
    if (kind == 0x90 && e.data[1])
        e.data[1] = scaled(e.data[1], p->velocity);
    if (kind == 0xc0)
        e.data[0] = program_for(p, channel, e.data[0]);
    return rv_midi_add(out, &e, err);
}

rv_status rv_perform(rv_midi **out, const rv_midi *m, const rv_performance *p, rv_error *err)
{
    rv_midi *made = NULL;
    RV_TRY(rv_midi_new(&made, m->ticks_per_quarter, m->n_tracks, err));
    rv_status status = begin(made, m, p, err);
    for (size_t i = 0; i < m->n && status == RV_OK; i++)
        status = play(made, &m->events[i], p, err);
    rv_midi_sort(made);
    if (status == RV_OK)
        *out = made;
    else
        rv_midi_free(made);
    return status;
}
