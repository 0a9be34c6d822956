/* compose_perform.c - from the straight score to events: swing, human timing, expression, file.
 *
 * Timing of a human wanders slowly round the beat rather than jumping (Hennig et al., "The nature
 * and perception of fluctuations in human musical rhythms", PLoS ONE 2011). Each part's deviation
 * is an autoregressive process, a_k = 7/8 a_{k-1} + noise, with a little white jitter on it;
 * loudness likewise. */
#include "data/compose_impl.h"

#include "base/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TOGETHER = 40, BEND_CENTRE = 8192, WANDER_ONE = 64 };

/* Odd steps of the swung grid come later: a tick of the straight grid -> of the swung one. */
static int swung(const rv_song *s, int tick)
{
    const int unit = s->swing_unit, late = s->swing, at = tick % (2 * unit);
    const int moved =
        at < unit ? at * (unit + late) / unit : unit + late + (at - unit) * (unit - late) / unit;
    return tick - at + moved;
}

static int by_time(const void *a, const void *b)
{
    const rv_note *x = a, *y = b;
    const int keys[4] = { x->start - y->start, x->pitch - y->pitch, y->velocity - x->velocity,
                          y->length - x->length };
    for (int i = 0; i < 4; i++)
        if (keys[i])
            return keys[i];
    return 0;
}

static void sort_notes(rv_part *p)
{
    if (p->n > 1)
        qsort(p->notes, p->n, sizeof *p->notes, by_time);
}

static int clamped(int x, int low, int high)
{
    return x < low ? low : x > high ? high : x;
}

/* One step of the slow wander, in 1/WANDER_ONE of the part's looseness. */
static int wandered(rv_dice *d, int at)
{
    return at * 7 / 8 + rv_dice_between(d, -WANDER_ONE / 2, WANDER_ONE / 2);
}

static void humanise(rv_song *s, rv_part *p)
{
    rv_dice d = rv_dice_for(s->seed, FOR_HUMAN, p->role, p->channel, 0);
    int timing = 0, loudness = 0, group = -2 * TOGETHER;
    for (size_t i = 0; i < p->n; i++) {
        rv_note *note = &p->notes[i];
        const int end = swung(s, note->start + note->length);
        if (note->start - group > TOGETHER) {
            group = note->start;
            timing = wandered(&d, timing);
            loudness = wandered(&d, loudness);
        }
        const int jitter = rv_dice_between(&d, -p->loose, p->loose) / 4;
        const int shift = p->late + timing * p->loose / WANDER_ONE + jitter;
        note->start = clamped(swung(s, note->start) + shift, 0, INT32_MAX);
        note->length = clamped(end + shift - note->start, 1, INT32_MAX);
        const int soft = loudness * 6 / WANDER_ONE + rv_dice_between(&d, -3, 3);
        note->velocity = clamped(note->velocity + (p->loose ? soft : 0), 1, 127);
    }
    for (size_t i = 0; i < p->n_controls; i++)
        p->controls[i].tick = swung(s, p->controls[i].tick);
}

/* A key is down once at a time, and a part of one voice sounds one note. A note that begins with
 * another of its key is left out. */
static void part_overlaps(rv_part *p)
{
    size_t kept = 0, last[128];
    memset(last, 0xff, sizeof last);
    for (size_t i = 0; i < p->n; i++) {
        const rv_note note = p->notes[i];
        size_t *before = p->single ? &last[0] : &last[note.pitch];
        rv_note *b = *before == SIZE_MAX ? NULL : &p->notes[*before];
        if (b && note.start - b->start < 12)
            continue;
        if (b && b->start + b->length >= note.start)
            b->length = note.start - 1 - b->start;
        *before = kept;
        p->notes[kept++] = note;
    }
    p->n = kept;
}

/* ---- events ---- */

typedef struct writer {
    rv_midi *midi;
    rv_error *err;
    int track, channel;
} writer;

static rv_status put(const writer *w, int tick, int status, int a, int b)
{
    return rv_midi_add(w->midi,
                       &(rv_midi_event){ .tick = (uint32_t)clamped(tick, 0, INT32_MAX),
                                         .track = (uint16_t)w->track,
                                         .status = (uint8_t)(status | w->channel),
                                         .data = { (uint8_t)a, (uint8_t)b } },
                       w->err);
}

static rv_status put_meta(const writer *w, int tick, int kind, const void *bytes, size_t n)
{
    return rv_midi_add(w->midi,
                       &(rv_midi_event){ .tick = (uint32_t)tick,
                                         .track = (uint16_t)w->track,
                                         .status = 0xFF,
                                         .data = { (uint8_t)kind, 0 },
                                         .bytes = bytes,
                                         .n_bytes = (uint32_t)n },
                       w->err);
}

/* value in 1/8192 of the bend range (two semitones) */
static rv_status put_bend(const writer *w, int tick, int value)
{
    const int bend = clamped(BEND_CENTRE + value, 0, 2 * BEND_CENTRE - 1);
    return put(w, tick, 0xE0, bend & 127, bend >> 7);
}

/* From `from` at `start` to `to`, in eight steps. */
static rv_status put_glide(const writer *w, int start, int length, int from, int to)
{
    for (int i = 0; i <= 8; i++)
        RV_TRY(put_bend(w, start + length * i / 8, from + (to - from) * i / 8));
    return RV_OK;
}

/* A triangle wave that sets in after a third of the note and grows; 20 steps a quarter, so that
 * at usual tempi there are about five waves a second. */
static rv_status put_vibrato(const writer *w, const rv_note *note, int bpm)
{
    static const int wave[8] = { 0, 2, 4, 2, 0, -2, -4, -2 };
    const int step = clamped(TICKS_QUARTER * bpm / 6000 / 44, 6, 60);
    const int first = note->start + note->length / 3, end = note->start + note->length - step;
    for (int i = 0, tick = first; tick < end; i++, tick += step) {
        const int depth = clamped(i * 12, 0, 300);
        RV_TRY(put_bend(w, tick, wave[i % 8] * depth));
    }
    return RV_OK;
}

static rv_status put_manner(const writer *w, const rv_note *note, int bpm)
{
    const int rise = clamped(note->length / 3, 8, 160);
    if (note->manner & BEND_UP)
        RV_TRY(put_glide(w, note->start, rise, -BEND_CENTRE, 0));
    if (note->manner & SLIDE_IN)
        RV_TRY(put_glide(w, note->start, rise / 2, -BEND_CENTRE / 2, 0));
    if (note->manner & VIBRATO)
        RV_TRY(put_vibrato(w, note, bpm));
    if (note->manner & FALL)
        RV_TRY(put_glide(w, note->start + note->length - rise, rise - 1, 0, -BEND_CENTRE));
    if (note->manner)
        RV_TRY(put_bend(w, note->start + note->length, 0));
    return RV_OK;
}

static rv_status put_setup(const writer *w, const rv_part *p)
{
    RV_TRY(put_meta(w, 0, RV_MIDI_TRACK_NAME, p->name, strlen(p->name)));
    RV_TRY(put(w, 0, 0xC0, p->program, 0));
    RV_TRY(put(w, 0, 0xB0, 7, p->volume));
    RV_TRY(put(w, 0, 0xB0, 10, p->pan));
    for (size_t i = 0; i < p->n_controls; i++) {
        const rv_control *c = &p->controls[i];
        RV_TRY(put(w, c->tick, c->status, c->data[0], c->data[1]));
    }
    return RV_OK;
}

/* Ends before beginnings: events of one time keep the order in which they are added. */
static rv_status put_notes(const writer *w, const rv_part *p, int bpm)
{
    for (size_t i = 0; i < p->n; i++)
        RV_TRY(put(w, p->notes[i].start + p->notes[i].length, 0x80, p->notes[i].pitch, 64));
    for (size_t i = 0; i < p->n; i++) {
        const rv_note *note = &p->notes[i];
        if (note->text)
            RV_TRY(put_meta(w, note->start, RV_MIDI_LYRIC, note->text, (size_t)note->text_length));
        RV_TRY(put_manner(w, note, bpm));
        RV_TRY(put(w, note->start, 0x90, note->pitch, note->velocity));
    }
    return RV_OK;
}

static rv_status put_tempo(const writer *w, int tick, int bpm)
{
    const long long us = 6000000000 / bpm; /* of a quarter; bpm in hundredths */
    const uint8_t bytes[3] = { (uint8_t)(us >> 16), (uint8_t)(us >> 8), (uint8_t)us };
    return put_meta(w, tick, RV_MIDI_TEMPO, bytes, 3);
}

/* Players without a click drift by a percent or so, and may slow down at the end. */
static rv_status put_tempi(const rv_song *s, const writer *w)
{
    rv_dice d = rv_dice_for(s->seed, FOR_TEMPO, 0, 0, 0);
    const bool click = s->style->loose <= 6 || rv_dice_chance(&d, 40);
    const bool slows = !click && rv_dice_chance(&d, 60);
    int drift = 0;
    for (int bar = 0; bar < s->n_bars; bar += 2) {
        if (!click)
            drift = wandered(&d, drift);
        const int left = s->n_bars - bar;
        const int slow = slows && left <= 2 ? 12 : slows && left <= 4 ? 5 : 0;
        if (bar == 0 || drift || slow)
            RV_TRY(put_tempo(w, bar * s->bar_ticks,
                             s->bpm + s->bpm / 100 * drift / WANDER_ONE - s->bpm / 100 * slow));
    }
    return RV_OK;
}

static const char *const section_names[KINDS] = { "intro",  "verse",      "pre-chorus",
                                                  "chorus", "bridge",     "solo",
                                                  "break",  "a cappella", "outro" };

/* Key and name of each section. */
static rv_status put_sections(const rv_song *s, const writer *w)
{
    for (int i = 0; i < s->n_sections; i++) {
        const rv_section *at = &s->sections[i];
        const char *name = section_names[at->kind];
        const int tick = at->bar * s->bar_ticks;
        const uint8_t key[2] = { (uint8_t)rv_signature(s, at->tonic),
                                 s->mode != MAJOR && s->mode != MIXOLYDIAN };
        if (i == 0 || at->tonic != s->sections[i - 1].tonic)
            RV_TRY(put_meta(w, tick, 0x59, key, 2));
        RV_TRY(put_meta(w, tick, 6, name, strlen(name)));
    }
    return RV_OK;
}

static rv_status put_conductor(const rv_song *s, const writer *w)
{
    static const uint8_t metres[METRES][4] = { { 4, 2, 24, 8 }, { 3, 2, 24, 8 }, { 6, 3, 36, 8 } };
    static const char *const modes[MODES] = { "major", "minor", "dorian", "mixolydian",
                                              "phrygian" };
    char text[80];
    const int n = snprintf(text, sizeof text, "%s, %s", s->style->name, modes[s->mode]);
    RV_TRY(put_meta(w, 0, RV_MIDI_TEXT, text, (size_t)n));
    RV_TRY(put_meta(w, 0, 0x58, metres[s->metre], 4));
    RV_TRY(put_tempi(s, w));
    return put_sections(s, w);
}

static rv_status fill(rv_song *s, rv_midi *midi, rv_error *err)
{
    writer w = { .midi = midi, .err = err };
    RV_TRY(put_conductor(s, &w));
    for (int i = 0; i < s->n_parts; i++) {
        rv_part *p = &s->parts[i];
        sort_notes(p);
        humanise(s, p);
        sort_notes(p);
        part_overlaps(p);
        w.track = i + 1;
        w.channel = p->channel;
        RV_TRY(put_setup(&w, p));
        RV_TRY(put_notes(&w, p, s->bpm));
    }
    return RV_OK;
}

/* Players who never had anything to play go home. */
static void dismiss_silent(rv_song *s)
{
    int kept = 0;
    for (int i = 0; i < s->n_parts; i++) {
        const rv_part part = s->parts[i];
        if (part.n) {
            s->parts[kept++] = part;
        } else {
            free(part.notes);
            free(part.controls);
        }
    }
    s->n_parts = kept;
}

rv_status rv_song_perform(rv_song *s, rv_midi **out, rv_error *err)
{
    rv_midi *midi;
    dismiss_silent(s);
    RV_TRY(rv_midi_new(&midi, TICKS_QUARTER, s->n_parts + 1, err));
    const rv_status status = fill(s, midi, err);
    if (status != RV_OK) {
        rv_midi_free(midi);
        return status;
    }
    rv_midi_sort(midi);
    *out = midi;
    return RV_OK;
}
