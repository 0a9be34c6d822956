/* f0_notes.c - from a pitch curve to notes; see f0_notes.h. */
#include "data/f0_notes.h"

#include "base/status.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

static const double leap = 0.7, shortest_seconds = 0.05;

typedef struct tracker {
    const rv_f0_curve *curve;
    size_t shortest;    /* frames */
    size_t begin, last; /* of the note: first frame, and last one near its pitch */
    size_t count;       /* such frames; 0: there is no note */
    double sum;         /* of their pitches in semitones */
    rv_f0_note *notes;
    size_t n, room;
} tracker;

static double semitones(float hz)
{
    return 69 + 12 * log2((double)hz / 440);
}

static int velocity(const rv_f0_curve *c, size_t begin, size_t end)
{
    double top = 0;
    if (!c->level)
        return 96;
    for (size_t i = begin; i < end; i++)
        top = fmax(top, (double)c->level[i]);
    const double value = 127 + 20 * log10(fmax(top, 1e-6)) * 127 / 54;
    return (int)fmin(fmax(rint(value), 1), 127);
}

static bool end_note(tracker *t)
{
    const size_t end = t->last + 1;
    const bool is_note = t->count > 0 && end - t->begin >= t->shortest;
    const double key = t->count ? rint(t->sum / (double)t->count) : 0;
    t->count = 0;
    t->sum = 0;
    if (!is_note || key < 0 || key > 127)
        return true;
    if (t->n == t->room) {
        const size_t room = t->room * 2 + 64;
        rv_f0_note *notes = realloc(t->notes, room * sizeof *notes);
        if (!notes)
            return false;
        t->notes = notes;
        t->room = room;
    }
    t->notes[t->n++] = (rv_f0_note){ t->begin, end, (int)key, velocity(t->curve, t->begin, end) };
    return true;
}

/* Frames from the first that left the note have lasted too long to be an excursion: they are heard
 * again, as what follows the note. */
static bool take(tracker *t, size_t *frame)
{
    const float hz = t->curve->hz[*frame];
    const double pitch = hz > 0 ? semitones(hz) : 0;
    const bool near = hz > 0 && t->count && fabs(pitch - t->sum / (double)t->count) <= leap;
    if (t->count > 0 && !near && *frame - t->last >= t->shortest) {
        *frame = t->last + 1;
        return end_note(t);
    }
    if (hz > 0 && t->count == 0)
        t->begin = *frame;
    if (near || (hz > 0 && t->count == 0)) {
        t->sum += pitch;
        t->count++;
        t->last = *frame;
    }
    ++*frame;
    return true;
}

rv_status rv_f0_notes(rv_f0_note **out, size_t *n, const rv_f0_curve *curve, rv_error *err)
{
    tracker t = { .curve = curve };
    const double frames = ceil(shortest_seconds * curve->frame_rate);
    t.shortest = frames < 1 ? 1 : (size_t)frames;
    bool good = true;
    for (size_t frame = 0; good && frame < curve->n;)
        good = take(&t, &frame);
    if (!good || !end_note(&t)) {
        free(t.notes);
        return RV_FAIL(err, RV_ERR_NOMEM, "%zu notes", t.n);
    }
    *out = t.notes;
    *n = t.n;
    return RV_OK;
}
