/* effect_biquad.c - filters of second order.
 *
 *     H(z) = (b0 + b1 z^-1 + b2 z^-2) / (1 + a1 z^-1 + a2 z^-2)
 *
 * by the bilinear transform of analogue prototypes (R. Bristow-Johnson, "Audio EQ Cookbook"), with
 * w = 2 pi f / rate, alpha = sin(w) / 2Q, A = 10^(dB/40). States are doubles: at low frequencies
 * the poles lie too close to z = 1 for floats. */
#include "dsp/effect.h"

#include <stdlib.h>

static const double pi = 3.14159265358979323846;

static biquad normalised(double b0, double b1, double b2, double a0, double a1, double a2)
{
    return (biquad){ b0 / a0, b1 / a0, b2 / a0, a1 / a0, a2 / a0 };
}

/* The sign is that of the cosine: -1 for a low shelf, 1 for a high shelf. */
static biquad shelf(double sign, double a, double alpha, double cosine)
{
    const double c = sign * cosine, root = 2 * sqrt(a) * alpha;
    const double up = a + 1, down = a - 1;
    return normalised(a * (up + down * c + root), -2 * a * sign * (down + up * c),
                      a * (up + down * c - root), up - down * c + root, 2 * sign * (down - up * c),
                      up - down * c - root);
}

biquad rv_biquad_design(const rv_effect *spec, double rate)
{
    const double w = 2 * pi * spec->value[0] / rate, c = cos(w);
    const double alpha = sin(w) / (2 * spec->value[1]), a = pow(10, spec->value[2] / 40);
    switch (spec->kind) {
    case RV_EFFECT_HIGHPASS:
        return normalised((1 + c) / 2, -(1 + c), (1 + c) / 2, 1 + alpha, -2 * c, 1 - alpha);
    case RV_EFFECT_LOW_SHELF:
        return shelf(-1, a, alpha, c);
    case RV_EFFECT_HIGH_SHELF:
        return shelf(1, a, alpha, c);
    case RV_EFFECT_PEAK:
        return normalised(1 + alpha * a, -2 * c, 1 - alpha * a, 1 + alpha / a, -2 * c,
                          1 - alpha / a);
    default:
        return normalised((1 - c) / 2, 1 - c, (1 - c) / 2, 1 + alpha, -2 * c, 1 - alpha);
    }
}

typedef struct {
    effect base;
    biquad filter;
    double state[2][2];
} biquad_effect;

static void process(effect *base, float *const stereo[2], size_t frames)
{
    biquad_effect *e = (biquad_effect *)base;
    for (int c = 0; c < 2; c++) {
        for (size_t t = 0; t < frames; t++)
            stereo[c][t] = (float)biquad_step(&e->filter, e->state[c], (double)stereo[c][t]);
    }
}

effect *rv_biquad_new(const rv_effect *spec, double rate)
{
    biquad_effect *e = calloc(1, sizeof *e);
    if (!e)
        return NULL;
    e->base.process = process;
    e->filter = rv_biquad_design(spec, rate);
    return &e->base;
}
