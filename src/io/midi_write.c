/* midi_write.c - Standard MIDI Files, written: every event with its status, every track ended. */
#include "base/status.h"
#include "io/audio_sink.h"
#include "io/midi_file.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    const rv_midi *midi;
    const char *path;
    uint8_t *bytes; /* [n] of the whole file */
    size_t n, room;
    uint32_t tick; /* of the last event of the track */
} writer;

static rv_status put(writer *w, const void *bytes, size_t n, rv_error *err)
{
    if (n > w->room - w->n) {
        const size_t room = 2 * w->room + n + 1024;
        uint8_t *more = room > w->room ? realloc(w->bytes, room) : NULL;
        if (!more)
            return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", w->path);
        w->bytes = more;
        w->room = room;
    }
    if (n)
        memcpy(w->bytes + w->n, bytes, n);
    w->n += n;
    return RV_OK;
}

static void store_big(uint8_t *p, uint32_t value, int n)
{
    for (int i = n; i-- > 0; value >>= 8)
        p[i] = (uint8_t)value;
}

static rv_status put_length(writer *w, uint32_t value, rv_error *err)
{
    uint8_t bytes[4];
    int first = 3;
    if (value >> 28)
        return RV_FAIL(err, RV_ERR_ARG, "%s: a MIDI file cannot hold the number %u", w->path,
                       value);
    bytes[3] = value & 0x7f;
    while (value >>= 7)
        bytes[--first] = (uint8_t)(0x80 | (value & 0x7f));
    return put(w, bytes + first, 4 - first, err);
}

static rv_status put_delta(writer *w, uint32_t tick, rv_error *err)
{
    if (tick < w->tick)
        return RV_FAIL(err, RV_ERR_ARG, "%s: the events are not in the order of time", w->path);
    const uint32_t delta = tick - w->tick;
    w->tick = tick;
    return put_length(w, delta, err);
}

static rv_status put_event(writer *w, const rv_midi_event *e, rv_error *err)
{
    RV_TRY(put_delta(w, e->tick, err));
    RV_TRY(put(w, &e->status, 1, err));
    if (e->status < 0xf0)
        return put(w, e->data, rv_midi_data_bytes(e->status), err);
    if (e->status == 0xff)
        RV_TRY(put(w, e->data, 1, err));
    RV_TRY(put_length(w, e->n_bytes, err));
    return put(w, e->bytes, e->n_bytes, err);
}

static bool is_end(const rv_midi_event *e)
{
    return e->status == 0xff && e->data[0] == RV_MIDI_END;
}

static rv_status put_track(writer *w, int track, rv_error *err)
{
    static const uint8_t end[] = { 0xff, RV_MIDI_END, 0 };
    const size_t start = w->n;
    uint32_t last = 0;
    w->tick = 0;
    RV_TRY(put(w, "MTrk\0\0\0\0", 8, err));
    for (size_t i = 0; i < w->midi->n; i++) {
        const rv_midi_event *e = &w->midi->events[i];
        if (e->track != track)
            continue;
        last = e->tick;
        if (!is_end(e))
            RV_TRY(put_event(w, e, err));
    }
    RV_TRY(put_delta(w, last, err));
    RV_TRY(put(w, end, sizeof end, err));
    if (w->n - start - 8 > UINT32_MAX)
        return RV_FAIL(err, RV_ERR_ARG, "%s: a track of more than 4 GiB", w->path);
    store_big(w->bytes + start + 4, (uint32_t)(w->n - start - 8), 4);
    return RV_OK;
}

static rv_status put_file(writer *w, rv_error *err)
{
    uint8_t header[14] = "MThd\0\0\0\6";
    for (size_t i = 0; i < w->midi->n; i++)
        if (w->midi->events[i].track >= w->midi->n_tracks || w->midi->events[i].status < 0x80)
            return RV_FAIL(err, RV_ERR_ARG, "%s: event %zu has no track or no status", w->path, i);
    store_big(header + 8, w->midi->n_tracks > 1, 2);
    store_big(header + 10, (uint32_t)w->midi->n_tracks, 2);
    store_big(header + 12, (uint32_t)w->midi->ticks_per_quarter, 2);
    RV_TRY(put(w, header, sizeof header, err));
    for (int track = 0; track < w->midi->n_tracks; track++)
        RV_TRY(put_track(w, track, err));
    return RV_OK;
}

rv_status rv_midi_write(const rv_midi *m, const char *path, rv_error *err)
{
    writer w = { .midi = m, .path = path };
    rv_status status = put_file(&w, err);
    if (status == RV_OK)
        status = rv_sink_store(path, w.bytes, w.n, err);
    free(w.bytes);
    return status;
}
