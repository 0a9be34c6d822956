/* f0_midi.c - notes with pitch bends as a MIDI file; see f0_notes.h. */
#include "data/f0_notes.h"

#include "base/status.h"
#include "io/midi_file.h"

#include <math.h>
#include <stdlib.h>

enum { TICKS = 960, QUARTER = 480, NOTE_OFF = 0x80, NOTE_ON = 0x90, CONTROL = 0xB0, BEND = 0xE0 };
static const int centre = 8192, cent = 41; /* of the 8192 steps of two semitones */

static rv_status add(rv_midi *m, double seconds, int status, int a, int b, rv_error *err)
{
    const double tick = rint(seconds * TICKS);
    if (tick > 0x0fffffff)
        return RV_FAIL(err, RV_ERR_UNSUPPORTED, "%g s are too long for a MIDI file", seconds);
    const rv_midi_event e = { .tick = (uint32_t)tick,
                              .status = (uint8_t)status,
                              .data = { (uint8_t)a, (uint8_t)b } };
    return rv_midi_add(m, &e, err);
}

static int bend(const rv_f0_curve *c, size_t frame, int key)
{
    const double pitch = 69 + 12 * log2((double)c->hz[frame] / 440) - key;
    const double value = rint(centre + pitch / 2 * centre);
    return (int)fmin(fmax(value, 0), 16383);
}

static rv_status add_note(rv_midi *m, const rv_f0_curve *c, const rv_f0_note *note, int *last,
                          rv_error *err)
{
    for (size_t f = note->begin; f < note->end; f++) {
        const double seconds = (double)f / c->frame_rate;
        const int value = c->hz[f] > 0 ? bend(c, f, note->key) : *last;
        if (abs(value - *last) >= cent) {
            RV_TRY(add(m, seconds, BEND, value & 127, value >> 7, err));
            *last = value;
        }
        if (f == note->begin)
            RV_TRY(add(m, seconds, NOTE_ON, note->key, note->velocity, err));
    }
    return add(m, (double)note->end / c->frame_rate, NOTE_OFF, note->key, 64, err);
}

static rv_status fill(rv_midi *m, const rv_f0_curve *c, const rv_f0_note *notes, size_t n,
                      rv_error *err)
{
    static const uint8_t tempo[] = { 0x07, 0xA1, 0x20 }; /* 500000 us a quarter */
    static const uint8_t range[][2] = { { 101, 0 }, { 100, 0 }, { 6, 2 }, { 38, 0 } };
    const rv_midi_event e = {
        .status = 0xFF, .data = { RV_MIDI_TEMPO }, .bytes = tempo, .n_bytes = sizeof tempo
    };
    int last = centre;
    RV_TRY(rv_midi_add(m, &e, err));
    for (int i = 0; i < 4; i++)
        RV_TRY(add(m, 0, CONTROL, range[i][0], range[i][1], err));
    for (size_t i = 0; i < n; i++)
        RV_TRY(add_note(m, c, &notes[i], &last, err));
    return RV_OK;
}

rv_status rv_f0_midi(const rv_f0_curve *curve, const rv_f0_note *notes, size_t n, const char *path,
                     rv_error *err)
{
    rv_midi *m = NULL;
    RV_TRY(rv_midi_new(&m, QUARTER, 1, err));
    rv_status st = fill(m, curve, notes, n, err);
    if (st == RV_OK) {
        rv_midi_sort(m);
        st = rv_midi_write(m, path, err);
    }
    rv_midi_free(m);
    return st;
}
