/* midi_read.c - Standard MIDI Files, parsed (The MIDI Association, RP-001).
 *
 *     "MThd" length format tracks division, then for each track "MTrk" length {delta event}
 *
 * As files in the wild have it, running status also goes on after meta and exclusive events, a
 * track may lack its end, and chunks of other kinds are passed over. */
#include "base/status.h"
#include "io/mapping.h"
#include "io/midi_file.h"
#include "io/text.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

typedef struct {
    const uint8_t *bytes;
    size_t at, end; /* of the file; within a track, of its chunk */
    const char *name;
    rv_midi *midi;
    int tick_scale; /* 2 where SMPTE time has half a tick for a quarter */
    bool smpte;     /* tempo events of the file do not hold */
    int track;
    uint64_t tick;   /* of the event that is being read */
    uint64_t latest; /* where the track that ends last ends */
} reader;

#define BAD(r, ...) bad(r, err, __VA_ARGS__)

RV_PRINTF(3, 4)
static rv_status bad(const reader *r, rv_error *err, const char *fmt, ...)
{
    char what[300];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(what, sizeof what, fmt, ap);
    va_end(ap);
    return RV_FAIL(err, RV_ERR_FORMAT, "%s: byte %zu: %s", r->name, r->at, what);
}

static uint32_t big(const uint8_t *p, int n)
{
    uint32_t value = 0;
    for (int i = 0; i < n; i++)
        value = value << 8 | p[i];
    return value;
}

/* Numbers of seven bits in a byte, the highest first; the last byte is below 0x80. */
static rv_status read_length(reader *r, uint32_t *out, rv_error *err)
{
    uint32_t value = 0;
    for (int i = 0; i < 4; i++) {
        if (r->at == r->end)
            return BAD(r, "the track %d is cut short", r->track + 1);
        const uint8_t byte = r->bytes[r->at++];
        value = value << 7 | (byte & 0x7f);
        if (byte < 0x80) {
            *out = value;
            return RV_OK;
        }
    }
    return BAD(r, "a number of more than four bytes");
}

static rv_status add(reader *r, rv_midi_event *e, rv_error *err)
{
    if (r->tick > UINT32_MAX)
        return BAD(r, "the song is longer than 2^32 ticks");
    e->tick = (uint32_t)r->tick;
    e->track = (uint16_t)r->track;
    return rv_midi_add(r->midi, e, err);
}

/* The content of a meta or exclusive event. */
static rv_status read_content(reader *r, rv_midi_event *e, rv_error *err)
{
    RV_TRY(read_length(r, &e->n_bytes, err));
    if (e->n_bytes > r->end - r->at)
        return BAD(r, "an event of %u bytes where the track %d has %zu left", e->n_bytes,
                   r->track + 1, r->end - r->at);
    e->bytes = r->bytes + r->at;
    r->at += e->n_bytes;
    if (r->smpte && e->status == 0xff && e->data[0] == RV_MIDI_TEMPO)
        return RV_OK;
    return add(r, e, err);
}

static rv_status read_channel_message(reader *r, uint8_t status, rv_error *err)
{
    rv_midi_event e = { .status = status };
    for (int i = 0; i < rv_midi_data_bytes(status); i++, r->at++) {
        if (r->at == r->end)
            return BAD(r, "the track %d is cut short", r->track + 1);
        if (r->bytes[r->at] >= 0x80)
            return BAD(r, "0x%02x where a data byte of event 0x%02x should be", r->bytes[r->at],
                       status);
        e.data[i] = r->bytes[r->at];
    }
    return add(r, &e, err);
}

/* One event after its delta time; *running is the status that holds where none is given. */
static rv_status read_event(reader *r, uint8_t *running, bool *ended, rv_error *err)
{
    if (r->at == r->end)
        return BAD(r, "the track %d is cut short", r->track + 1);
    rv_midi_event e = { .status = r->bytes[r->at] };
    if (e.status < 0x80 && !*running)
        return BAD(r, "0x%02x where an event should begin", e.status);
    if (e.status < 0xf0) {
        r->at += e.status >= 0x80;
        *running = e.status >= 0x80 ? e.status : *running;
        return read_channel_message(r, *running, err);
    }
    if (e.status != 0xf0 && e.status != 0xf7 && e.status != 0xff)
        return BAD(r, "event 0x%02x, which a file cannot hold", e.status);
    r->at++;
    if (e.status == 0xff) {
        if (r->at == r->end)
            return BAD(r, "the track %d is cut short", r->track + 1);
        e.data[0] = r->bytes[r->at++];
        *ended = e.data[0] == RV_MIDI_END;
    }
    return read_content(r, &e, err);
}

static rv_status read_track(reader *r, rv_error *err)
{
    uint8_t running = 0;
    bool ended = false;
    r->tick = r->midi->format == 2 ? r->latest : 0;
    while (!ended && r->at < r->end) {
        uint32_t delta = 0;
        RV_TRY(read_length(r, &delta, err));
        r->tick += (uint64_t)delta * r->tick_scale;
        RV_TRY(read_event(r, &running, &ended, err));
    }
    r->latest = r->tick > r->latest ? r->tick : r->latest;
    return RV_OK;
}

/* The chunk at r->at: leaves r->at at its content and *end at its end. */
static rv_status open_chunk(reader *r, size_t size, size_t *end, rv_error *err)
{
    const size_t room = size - r->at;
    if (room < 8)
        return BAD(r, "the file ends after %d of %d tracks", r->track, r->midi->n_tracks);
    const uint32_t length = big(r->bytes + r->at + 4, 4);
    if (length > room - 8)
        return BAD(r, "a chunk '%s' of %u bytes where the file has %zu left",
                   rv_show((const char *)r->bytes + r->at, 4).text, length, room - 8);
    r->at += 8;
    *end = r->at + length;
    return RV_OK;
}

static rv_status read_tracks(reader *r, size_t size, rv_error *err)
{
    while (r->track < r->midi->n_tracks) {
        const uint8_t *kind = r->bytes + r->at;
        size_t end = size;
        RV_TRY(open_chunk(r, size, &end, err));
        if (memcmp(kind, "MTrk", 4) == 0) {
            r->end = end;
            RV_TRY(read_track(r, err));
            r->track++;
        }
        r->at = end;
    }
    rv_midi_sort(r->midi);
    return RV_OK;
}

/* Frames a second in the upper byte (negative), ticks of a frame in the lower: 120 quarters a
 * minute; 29 stands for 30 / 1.001 and is a tempo that much slower. */
static rv_status smpte_time(reader *r, uint32_t division, int *quarter, int *microseconds,
                            rv_error *err)
{
    const int frames = 256 - (int)(division >> 8), ticks = division & 0xff;
    if ((frames != 24 && frames != 25 && frames != 29 && frames != 30) || !ticks)
        return BAD(r, "SMPTE time of %d frames and %d ticks", frames, ticks);
    const int second = (frames == 29 ? 30 : frames) * ticks;
    r->smpte = true;
    r->tick_scale = second % 2 ? 2 : 1;
    *quarter = second * r->tick_scale / 2;
    *microseconds = frames == 29 ? 500500 : 500000;
    return RV_OK;
}

static rv_status add_tempo(rv_midi *m, int microseconds, rv_error *err)
{
    const uint8_t bytes[] = { (uint8_t)(microseconds >> 16), (uint8_t)(microseconds >> 8),
                              (uint8_t)microseconds };
    return rv_midi_add(
        m,
        &(rv_midi_event){ .status = 0xff, .data = { RV_MIDI_TEMPO }, .bytes = bytes, .n_bytes = 3 },
        err);
}

static rv_status read_header(reader *r, rv_error *err)
{
    const uint8_t *p = r->bytes + r->at;
    if (r->end - r->at < 14 || memcmp(p, "MThd", 4))
        return BAD(r, "not a MIDI file: it does not begin with a header 'MThd'");
    const uint32_t length = big(p + 4, 4), format = big(p + 8, 2), tracks = big(p + 10, 2);
    uint32_t division = big(p + 12, 2);
    if (length < 6 || length > r->end - r->at - 8)
        return BAD(r, "a header of %u bytes", length);
    if (format > 2)
        return BAD(r, "MIDI format %u; 0, 1 and 2 are known", format);
    if (!tracks || !division)
        return BAD(r, "a header of %u tracks and %u ticks for a quarter", tracks, division);
    int quarter = (int)division, microseconds = 0;
    if (division & 0x8000)
        RV_TRY(smpte_time(r, division, &quarter, &microseconds, err));
    RV_TRY(rv_midi_new(&r->midi, quarter, (int)tracks, err));
    r->midi->format = (int)format;
    r->at += 8 + length;
    return microseconds ? add_tempo(r->midi, microseconds, err) : RV_OK;
}

/* RIFF size RMID data size: the file is within. */
static void unwrap(reader *r)
{
    if (r->end >= 20 && memcmp(r->bytes, "RIFF", 4) == 0 &&
        memcmp(r->bytes + 8, "RMIDdata", 8) == 0)
        r->at = 20;
}

rv_status rv_midi_parse(rv_midi **out, const void *bytes, size_t n, const char *name, rv_error *err)
{
    reader r = { .bytes = bytes, .end = n, .name = name, .tick_scale = 1 };
    unwrap(&r);
    rv_status status = read_header(&r, err);
    if (status == RV_OK)
        status = read_tracks(&r, n, err);
    if (status == RV_OK)
        *out = r.midi;
    else
        rv_midi_free(r.midi);
    return status;
}

rv_status rv_midi_read(rv_midi **out, const char *path, rv_error *err)
{
    rv_mapping map = { 0 };
    RV_TRY(rv_mapping_open(&map, path, err));
    const rv_status status = rv_midi_parse(out, map.data, map.size, path, err);
    rv_mapping_close(&map);
    return status;
}
