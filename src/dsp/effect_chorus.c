/* effect_chorus.c - the signal beside a copy whose delay, and with it its pitch, wavers.
 *
 *     delay(t) = 5 ms + depth (1 + sin(2 pi (rate t + c/4))) / 2,  c = 0 left, 1 right
 *
 * Between samples the copy is read by the cubic through four of them (T. I. Laakso et al.,
 * "Splitting the Unit Delay", 1996), which keeps the treble that a straight line would lose. The
 * channels waver a quarter of a period apart: the copy moves in the stereo image. */
#include "dsp/effect.h"

#include <stdlib.h>

static const double pi = 3.14159265358979323846;
static const double least = 0.005; /* seconds */

typedef struct {
    effect base;
    double turns; /* of the oscillator per frame */
    double least, depth, share;
    uint64_t frame;
    size_t size, at; /* frames of the ring, and the next to write */
    float ring[][2];
} chorus;

static double ring_at(const chorus *e, size_t delay, int channel)
{
    return (double)e->ring[e->at >= delay ? e->at - delay : e->at + e->size - delay][channel];
}

/* `delay` in frames, at least 2; the newest frame, with delay 0, is the one at e->at. */
static double read_between(const chorus *e, double delay, int channel)
{
    const size_t whole = (size_t)delay;
    const double f = delay - (double)whole;
    return -f * (f - 1) * (f - 2) / 6 * ring_at(e, whole - 1, channel) +
           (f + 1) * (f - 1) * (f - 2) / 2 * ring_at(e, whole, channel) -
           (f + 1) * f * (f - 2) / 2 * ring_at(e, whole + 1, channel) +
           (f + 1) * f * (f - 1) / 6 * ring_at(e, whole + 2, channel);
}

static void process(effect *base, float *const stereo[2], size_t frames)
{
    chorus *e = (chorus *)base;
    for (size_t t = 0; t < frames; t++, e->frame++) {
        const double phase = fmod((double)e->frame * e->turns, 1);
        for (int c = 0; c < 2; c++) {
            const double sway = (1 + sin(2 * pi * (phase + 0.25 * c))) / 2;
            const double x = (double)stereo[c][t];
            e->ring[e->at][c] = calm_float(stereo[c][t]);
            const double copy = read_between(e, e->least + e->depth * sway, c);
            stereo[c][t] = (float)(x + e->share * (copy - x));
        }
        e->at = e->at + 1 == e->size ? 0 : e->at + 1;
    }
}

effect *rv_chorus_new(const rv_effect *spec, double rate)
{
    const double depth = spec->value[1] / 1000;
    const size_t size = (size_t)((least + depth) * rate) + 4;
    chorus *e = calloc(1, sizeof *e + size * sizeof *e->ring);
    if (!e)
        return NULL;
    e->base.process = process;
    e->turns = spec->value[0] / rate;
    e->least = least * rate;
    e->depth = depth * rate;
    e->share = spec->value[2];
    e->size = size;
    return &e->base;
}
