/* fuzz_midi.c - any bytes as a MIDI file: refused with one line of text, or read as events in the
 * order of time, which are the same when written and read again. */
#include "io/midi_file.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_times(const rv_midi *m)
{
    double *seconds = malloc((m->n + 1) * sizeof *seconds);
    if (!seconds)
        return;
    rv_midi_times(m, seconds);
    for (size_t i = 0; i < m->n; i++)
        if (!isfinite(seconds[i]) || seconds[i] < (i ? seconds[i - 1] : 0))
            abort();
    free(seconds);
}

static int same(const rv_midi_event *a, const rv_midi_event *b)
{
    return a->tick == b->tick && a->track == b->track && a->status == b->status &&
           a->data[0] == b->data[0] && a->data[1] == b->data[1] && a->n_bytes == b->n_bytes &&
           (!a->n_bytes || memcmp(a->bytes, b->bytes, a->n_bytes) == 0);
}

/* All but the ends of tracks, which the writer adds where they are missing. */
static const rv_midi_event *next(const rv_midi *m, size_t *i)
{
    while (*i < m->n && m->events[*i].status == 0xff && m->events[*i].data[0] == RV_MIDI_END)
        ++*i;
    return *i < m->n ? &m->events[(*i)++] : NULL;
}

static void check_equal(const rv_midi *m, const rv_midi *again)
{
    size_t i = 0, j = 0;
    const rv_midi_event *a, *b;
    do {
        a = next(m, &i);
        b = next(again, &j);
        if (!a != !b || (a && !same(a, b)))
            abort();
    } while (a);
    if (m->ticks_per_quarter != again->ticks_per_quarter || m->n_tracks != again->n_tracks)
        abort();
}

static void write_and_read(const rv_midi *m)
{
    char path[64];
    rv_error err;
    rv_midi *again = NULL;
    snprintf(path, sizeof path, "/tmp/fuzz-midi-%ld.mid", (long)getpid());
    if (rv_midi_write(m, path, &err) != RV_OK)
        return; /* a pause may be longer than a file can hold */
    if (rv_midi_read(&again, path, &err) != RV_OK)
        abort();
    check_equal(m, again);
    rv_midi_free(again);
    unlink(path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    rv_midi *m = NULL;
    rv_error err = { .text = "" };
    if (rv_midi_parse(&m, data, size, "fuzz", &err) != RV_OK) {
        if (m || !strstr(err.text, "fuzz") || strchr(err.text, '\n'))
            abort();
        return 0;
    }
    check_times(m);
    write_and_read(m);
    rv_midi_free(m);
    return 0;
}
