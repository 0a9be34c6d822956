/* midi_file.c - the list of events: make, sort, time. */
#include "io/midi_file.h"

#include "base/status.h"

#include <stdlib.h>
#include <string.h>

rv_status rv_midi_new(rv_midi **out, int ticks_per_quarter, int n_tracks, rv_error *err)
{
    if (ticks_per_quarter < 1 || ticks_per_quarter > 0x7fff)
        return RV_FAIL(err, RV_ERR_ARG, "%d ticks for a quarter: 1 to 32767 are possible",
                       ticks_per_quarter);
    if (n_tracks < 1 || n_tracks > 0xffff)
        return RV_FAIL(err, RV_ERR_ARG, "%d MIDI tracks: 1 to 65535 are possible", n_tracks);
    rv_midi *m = calloc(1, sizeof *m);
    if (!m)
        return RV_FAIL(err, RV_ERR_NOMEM, "out of memory");
    m->format = n_tracks > 1;
    m->ticks_per_quarter = ticks_per_quarter;
    m->n_tracks = n_tracks;
    rv_arena_init(&m->storage, &rv_alloc_default);
    *out = m;
    return RV_OK;
}

void rv_midi_free(rv_midi *m)
{
    if (!m)
        return;
    rv_arena_fini(&m->storage);
    free(m->events);
    free(m);
}

int rv_midi_data_bytes(uint8_t status)
{
    return (status & 0xe0) == 0xc0 ? 1 : 2; /* program and channel pressure have one */
}

static rv_status make_room(rv_midi *m, rv_error *err)
{
    if (m->n < m->room)
        return RV_OK;
    const size_t room = m->room ? 2 * m->room : 256;
    rv_midi_event *events = NULL;
    if (room < UINT32_MAX / 2 && room < SIZE_MAX / sizeof *events)
        events = realloc(m->events, room * sizeof *events);
    if (!events)
        return RV_FAIL(err, RV_ERR_NOMEM, "out of memory for %zu MIDI events", room);
    m->events = events;
    m->room = room;
    return RV_OK;
}

rv_status rv_midi_add(rv_midi *m, const rv_midi_event *event, rv_error *err)
{
    RV_TRY(make_room(m, err));
    rv_midi_event e = *event;
    e.order = (uint32_t)m->n;
    e.bytes = NULL;
    if (e.n_bytes) {
        uint8_t *copy = rv_arena_take(&m->storage, e.n_bytes);
        if (!copy)
            return RV_FAIL(err, RV_ERR_NOMEM, "out of memory");
        memcpy(copy, event->bytes, e.n_bytes);
        e.bytes = copy;
    }
    m->events[m->n++] = e;
    return RV_OK;
}

static int compare(uint32_t a, uint32_t b)
{
    return (a > b) - (a < b);
}

/* By time, track, and adding: no two are equal, so any sort gives one result. */
static int in_order(const void *left, const void *right)
{
    const rv_midi_event *a = left, *b = right;
    if (a->tick != b->tick)
        return compare(a->tick, b->tick);
    return a->track != b->track ? compare(a->track, b->track) : compare(a->order, b->order);
}

void rv_midi_sort(rv_midi *m)
{
    if (m->n)
        qsort(m->events, m->n, sizeof *m->events, in_order);
}

void rv_midi_times(const rv_midi *m, double *seconds)
{
    double origin = 0, tick_seconds = 0.5 / m->ticks_per_quarter; /* since the last tempo event */
    uint32_t since = 0;
    for (size_t i = 0; i < m->n; i++) {
        const rv_midi_event *e = &m->events[i];
        seconds[i] = origin + (double)(e->tick - since) * tick_seconds;
        if (e->status != 0xff || e->data[0] != RV_MIDI_TEMPO || e->n_bytes < 3)
            continue;
        const int microseconds = e->bytes[0] << 16 | e->bytes[1] << 8 | e->bytes[2];
        origin = seconds[i];
        since = e->tick;
        tick_seconds = microseconds * 1e-6 / m->ticks_per_quarter;
    }
}
