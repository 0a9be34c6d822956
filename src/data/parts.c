/* parts.c - see parts.h. */
#include "data/parts.h"

#include "base/status.h"

#include <stdlib.h>
#include <string.h>

enum { NOTE_OFF = 0x80, NOTE_ON = 0x90, POLY_PRESSURE = 0xa0, CONTROL = 0xb0, PROGRAM = 0xc0 };
enum { CC_BANK = 0, CC_PAN = 10, CC_BANK_LOW = 32 };

static int kind_of(const rv_midi_event *e)
{
    return e->status < 0xf0 ? e->status & 0xf0 : e->status;
}

static bool begins(const rv_midi_event *e)
{
    return kind_of(e) == NOTE_ON && e->data[1];
}

static bool ends(const rv_midi_event *e)
{
    return kind_of(e) == NOTE_OFF || (kind_of(e) == NOTE_ON && !e->data[1]);
}

static bool is_meta(const rv_midi_event *e, int kind)
{
    return e->status == 0xff && e->data[0] == kind;
}

/* Finding the parts */

static int compare(const void *left, const void *right)
{
    const rv_part *a = left, *b = right;
    if (a->track != b->track)
        return a->track < b->track ? -1 : 1;
    if (a->channel != b->channel)
        return a->channel < b->channel ? -1 : 1;
    return (a->program > b->program) - (a->program < b->program);
}

static rv_part *find(const rv_parts *p, const rv_part *key)
{
    for (size_t i = 0; i < p->n; i++)
        if (compare(&p->items[i], key) == 0)
            return &p->items[i];
    return NULL;
}

/* The program that a channel has is followed; key is what a note of this event belongs to. */
static rv_part part_of(const rv_midi_event *e, const uint8_t *programs)
{
    const uint8_t channel = e->status & 15;
    return (rv_part){ .track = e->track,
                      .channel = channel,
                      .program = channel == RV_GM_DRUM_CHANNEL ? RV_GM_DRUMS : programs[channel] };
}

static void follow(const rv_midi_event *e, uint8_t *programs)
{
    if (kind_of(e) == PROGRAM)
        programs[e->status & 15] = e->data[0];
}

static rv_status find_parts(rv_parts *p, const char *name, rv_error *err)
{
    uint8_t programs[16] = { 0 };
    for (size_t i = 0; i < p->midi->n; i++) {
        const rv_midi_event *e = &p->midi->events[i];
        follow(e, programs);
        if (!begins(e))
            continue;
        rv_part key = part_of(e, programs), *part = find(p, &key);
        if (!part && p->n == RV_PARTS_MAX)
            return RV_FAIL(err, RV_ERR_FORMAT, "%s: more than %d instruments", name, RV_PARTS_MAX);
        if (!part) {
            part = &p->items[p->n++];
            *part = key;
        }
        part->notes++;
    }
    if (!p->n)
        return RV_FAIL(err, RV_ERR_FORMAT, "%s: no notes", name);
    qsort(p->items, p->n, sizeof *p->items, compare);
    return RV_OK;
}

/* Who plays which event */

/* Of the parts that sound `key` of the channel, that of the same track if there is one. */
static size_t who_sounds(const rv_parts *p, uint8_t (*open)[128], const rv_midi_event *e)
{
    size_t other = RV_PARTS_MAX;
    for (size_t i = 0; i < p->n; i++) {
        if (p->items[i].channel != (e->status & 15) || !open[i][e->data[0]])
            continue;
        if (p->items[i].track == e->track)
            return i;
        other = i;
    }
    return other;
}

static rv_status find_owners(rv_parts *p, rv_error *err)
{
    uint8_t programs[16] = { 0 };
    uint8_t(*open)[128] = calloc(p->n, sizeof *open);
    if (!open)
        return RV_FAIL(err, RV_ERR_NOMEM, "out of memory");
    for (size_t i = 0; i < p->midi->n; i++) {
        const rv_midi_event *e = &p->midi->events[i];
        follow(e, programs);
        p->owner[i] = RV_PARTS_MAX;
        if (begins(e)) {
            const rv_part key = part_of(e, programs);
            p->owner[i] = (uint16_t)(find(p, &key) - p->items);
            open[p->owner[i]][e->data[0]] = 1;
        } else if (ends(e) || kind_of(e) == POLY_PRESSURE) {
            p->owner[i] = (uint16_t)who_sounds(p, open, e);
            if (ends(e) && p->owner[i] < RV_PARTS_MAX)
                open[p->owner[i]][e->data[0]] = 0;
        }
        if (begins(e) || (ends(e) && p->owner[i] < RV_PARTS_MAX))
            p->end = p->seconds[i];
    }
    free(open);
    return RV_OK;
}

static bool track_has(const rv_midi *m, int track, int kind, const char *text)
{
    for (size_t i = 0; i < m->n; i++) {
        const rv_midi_event *e = &m->events[i];
        if (e->track == track && is_meta(e, kind) && e->n_bytes &&
            (!text || (e->n_bytes == strlen(text) && memcmp(e->bytes, text, e->n_bytes) == 0)))
            return true;
    }
    return false;
}

static bool is_panned(const rv_midi *m, int channel)
{
    for (size_t i = 0; i < m->n; i++)
        if (m->events[i].status == (CONTROL | channel) && m->events[i].data[0] == CC_PAN)
            return true;
    return false;
}

static rv_status take_apart(rv_parts *p, const char *name, rv_error *err)
{
    const size_t n = p->midi->n + 1;
    p->items = calloc(RV_PARTS_MAX, sizeof *p->items);
    p->owner = calloc(n, sizeof *p->owner);
    p->seconds = calloc(n, sizeof *p->seconds);
    if (!p->items || !p->owner || !p->seconds)
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", name);
    rv_midi_times(p->midi, p->seconds);
    RV_TRY(find_parts(p, name, err));
    RV_TRY(find_owners(p, err));
    for (size_t i = 0; i < p->n; i++) {
        rv_part *part = &p->items[i];
        part->panned = is_panned(p->midi, part->channel);
        part->sung = part->program != RV_GM_DRUMS &&
                     (track_has(p->midi, part->track, RV_MIDI_TRACK_NAME, "Vocals") ||
                      track_has(p->midi, part->track, RV_MIDI_TRACK_NAME, "Backing vocals")) &&
                     track_has(p->midi, part->track, RV_MIDI_LYRIC, NULL);
    }
    return RV_OK;
}

rv_status rv_parts_new(rv_parts **out, const rv_midi *m, const char *name, rv_error *err)
{
    rv_parts *p = calloc(1, sizeof *p);
    if (!p)
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", name);
    p->midi = m;
    const rv_status status = take_apart(p, name, err);
    if (status == RV_OK)
        *out = p;
    else
        rv_parts_free(p);
    return status;
}

void rv_parts_free(rv_parts *p)
{
    if (!p)
        return;
    free(p->items);
    free(p->owner);
    free(p->seconds);
    free(p);
}

/* What a part hears and plays */

bool rv_parts_hears(const rv_parts *p, size_t part, size_t i)
{
    const rv_midi_event *e = &p->midi->events[i];
    const int kind = kind_of(e);
    if (kind >= 0xf0 || kind == PROGRAM || (e->status & 15) != p->items[part].channel)
        return false;
    if (kind == NOTE_ON || kind == NOTE_OFF || kind == POLY_PRESSURE)
        return p->owner[i] == part;
    return kind != CONTROL || (e->data[0] != CC_BANK && e->data[0] != CC_BANK_LOW);
}

static void close_note(rv_part_note *notes, int *open, double seconds)
{
    if (*open >= 0)
        notes[*open].duration = seconds - notes[*open].start;
    *open = -1;
}

/* A lyric may stand before or after its note among the events of one time. */
static const rv_midi_event *lyric_at(const rv_midi *m, size_t i)
{
    const rv_midi_event *note = &m->events[i];
    size_t first = i;
    while (first > 0 && m->events[first - 1].tick == note->tick)
        first--;
    for (size_t k = first; k < m->n && m->events[k].tick == note->tick; k++)
        if (m->events[k].track == note->track && is_meta(&m->events[k], RV_MIDI_LYRIC))
            return &m->events[k];
    return NULL;
}

void rv_parts_notes(const rv_parts *p, size_t part, rv_part_note *notes)
{
    int open[128], n = 0;
    memset(open, -1, sizeof open);
    for (size_t i = 0; i < p->midi->n; i++) {
        const rv_midi_event *e = &p->midi->events[i];
        if (p->owner[i] != part || kind_of(e) == POLY_PRESSURE)
            continue;
        close_note(notes, &open[e->data[0]], p->seconds[i]);
        if (!begins(e))
            continue;
        open[e->data[0]] = n;
        notes[n++] = (rv_part_note){ .start = p->seconds[i],
                                     .tick = e->tick,
                                     .key = e->data[0],
                                     .velocity = e->data[1],
                                     .lyric = lyric_at(p->midi, i) };
    }
    for (int key = 0; key < 128; key++)
        close_note(notes, &open[key], p->end);
}

/* A part as a song */

static bool goes_along(const rv_parts *p, size_t part, size_t i)
{
    const rv_midi_event *e = &p->midi->events[i];
    if (e->status != 0xff)
        return rv_parts_hears(p, part, i);
    if (is_meta(e, RV_MIDI_TEMPO) || is_meta(e, RV_MIDI_MEASURE) || is_meta(e, RV_MIDI_KEY))
        return true;
    return e->track == p->items[part].track &&
           (is_meta(e, RV_MIDI_TRACK_NAME) || is_meta(e, RV_MIDI_LYRIC));
}

static rv_status fill(rv_midi *m, const rv_parts *p, size_t part, rv_error *err)
{
    const rv_part *from = &p->items[part];
    if (from->program != RV_GM_DRUMS)
        RV_TRY(rv_midi_add(m,
                           &(rv_midi_event){ .status = (uint8_t)(PROGRAM | from->channel),
                                             .data = { (uint8_t)from->program } },
                           err));
    for (size_t i = 0; i < p->midi->n; i++) {
        rv_midi_event e = p->midi->events[i];
        e.track = 0;
        if (goes_along(p, part, i))
            RV_TRY(rv_midi_add(m, &e, err));
    }
    rv_midi_sort(m);
    return RV_OK;
}

rv_status rv_parts_midi(rv_midi **out, const rv_parts *p, size_t part, rv_error *err)
{
    rv_midi *m = NULL;
    RV_TRY(rv_midi_new(&m, p->midi->ticks_per_quarter, 1, err));
    const rv_status status = fill(m, p, part, err);
    if (status == RV_OK)
        *out = m;
    else
        rv_midi_free(m);
    return status;
}
