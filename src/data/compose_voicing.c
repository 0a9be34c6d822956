/* compose_voicing.c - which pitches a chord is played with. */
#include "data/compose_impl.h"

#include <stdlib.h>

/* The tones to play with n voices: the fifth goes first, then the root (the bass has it). */
static int chosen_tones(int out[5], const rv_chord *c, int n)
{
    const rv_chord_quality *q = &rv_chord_qualities[c->quality];
    int count = 0;
    for (int i = 0; i < q->n; i++) {
        const bool fifth = i == 2 && q->tones[i] == 7;
        const int surplus = q->n - n;
        if ((fifth && surplus > 0) || (i == 0 && surplus > 1))
            continue;
        out[count++] = (c->root + q->tones[i]) % 12;
    }
    return count;
}

static int by_pitch(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

/* The tones from `lowest` up, close together, doubled in the octave up to n voices. */
static int stacked(int *out, const int *tones, int count, int lowest, int n)
{
    for (int i = 0; i < n; i++) {
        const int class = tones[i % count];
        out[i] = lowest + (class - lowest % 12 + 12) % 12 + 12 * (i / count);
    }
    qsort(out, (size_t)n, sizeof *out, by_pitch);
    return n;
}

/* How far the voices move from the chord before, in semitones; a little for leaving the middle. */
static int movement(const int *a, int n, const int *before, int n_before, int middle)
{
    int sum = 0;
    for (int i = 0; i < n && n_before; i++)
        sum += abs(a[i] - before[i < n_before ? i : n_before - 1]);
    return 4 * sum + 2 * abs(a[0] + a[n - 1] - 2 * middle);
}

/* Close position; of all inversions the one with least movement. */
int rv_voice_close(int *out, const rv_chord *c, const int *before, int n_before, int low, int high,
                   int n)
{
    int tones[5], best = -1;
    const int count = chosen_tones(tones, c, n);
    for (int lowest = low; lowest < low + 12 || lowest < high - 14; lowest++) {
        int now[VOICES_MAX];
        stacked(now, tones, count, lowest, n);
        const int cost = movement(now, n, before, n_before, (low + high) / 2);
        if (now[n - 1] > high || (best >= 0 && cost >= best))
            continue;
        best = cost;
        for (int i = 0; i < n; i++)
            out[i] = now[i];
    }
    return best < 0 ? stacked(out, tones, count, low, n) : n;
}

/* The lowest chord tone within four frets of a position, on each string from the bass tone up. */
int rv_voice_guitar(int *out, const rv_chord *c, int position)
{
    static const int strings[6] = { 40, 45, 50, 55, 59, 64 };
    int n = 0;
    for (int i = 0; i < 6; i++)
        for (int fret = position; fret < position + 5; fret++) {
            const int pitch = strings[i] + fret;
            const bool fits =
                n ? rv_chord_has(c, pitch) && pitch > out[n - 1] : pitch % 12 == c->bass;
            if (!fits)
                continue;
            out[n++] = pitch;
            break;
        }
    return n;
}

/* Root, fifth, octave. */
int rv_voice_power(int *out, const rv_chord *c, int low)
{
    const rv_chord_quality *q = &rv_chord_qualities[c->quality];
    const int root = low + (c->root - low % 12 + 12) % 12;
    out[0] = root;
    out[1] = root + (q->n > 2 && q->tones[2] <= 8 ? q->tones[2] : 7);
    out[2] = root + 12;
    return 3;
}
