/* effect_level.c - pan and gain: one factor for each channel.
 *
 * Pan p has factors sqrt(2) cos a and sqrt(2) sin a with a = (p + 1) pi/4: their squares always
 * add up to 2, and the middle leaves the signal as it is. */
#include "dsp/effect.h"

#include <stdlib.h>

typedef struct {
    effect base;
    float factor[2];
} level;

static void process(effect *base, float *const stereo[2], size_t frames)
{
    const level *e = (const level *)base;
    for (int c = 0; c < 2; c++) {
        for (size_t t = 0; t < frames; t++)
            stereo[c][t] *= e->factor[c];
    }
}

static effect *level_new(double left, double right)
{
    level *e = calloc(1, sizeof *e);
    if (!e)
        return NULL;
    e->base.process = process;
    e->factor[0] = (float)left;
    e->factor[1] = (float)right;
    return &e->base;
}

effect *rv_pan_new(const rv_effect *spec, double rate)
{
    (void)rate;
    const double angle = (spec->value[0] + 1) * 0.78539816339744830962;
    return level_new(sqrt(2) * cos(angle), sqrt(2) * sin(angle));
}

effect *rv_gain_new(const rv_effect *spec, double rate)
{
    (void)rate;
    const double factor = pow(10, spec->value[0] / 20);
    return level_new(factor, factor);
}
