/* effect_compressor.c - less range: feed-forward, in dB, soft knee, one gain for both channels.
 *
 * With x = 20 log10 max(|left|, |right|), threshold T, ratio R and knee W, the reduction is
 *
 *     r = (1 - 1/R) (x - T + W/2)^2 / 2W   within the knee |x - T| <= W/2
 *     r = (1 - 1/R) (x - T)                above it, 0 below
 *
 * smoothed by the "smooth, decoupled" detector, which holds peaks while they are released and so
 * leaves the static curve as it is for tones:
 *
 *     p[t] = max(r[t], aR p[t-1] + (1 - aR) r[t]),  s[t] = aA s[t-1] + (1 - aA) p[t],
 *     a = exp(-1 / (time rate)): the time to come within 1/e
 *
 * D. Giannoulis, M. Massberg, J. D. Reiss, "Digital Dynamic Range Compressor Design - A Tutorial
 * and Analysis", JAES 60(6), 2012. */
#include "dsp/effect.h"

#include <stdlib.h>

static const double knee = 6; /* dB */
static const double floor_level = 1e-6;

typedef struct {
    effect base;
    double threshold, slope, attack, release, make_up;
    double held, smooth; /* dB of reduction */
} compressor;

static double wanted_reduction(const compressor *e, double level)
{
    const double over = 20 * log10(level > floor_level ? level : floor_level) - e->threshold;
    if (over <= -knee / 2)
        return 0;
    if (over >= knee / 2)
        return e->slope * over;
    return e->slope * (over + knee / 2) * (over + knee / 2) / (2 * knee);
}

static void process(effect *base, float *const stereo[2], size_t frames)
{
    compressor *e = (compressor *)base;
    const double to_log = log(10) / 20;
    for (size_t t = 0; t < frames; t++) {
        const double level = fmax(fabs((double)stereo[0][t]), fabs((double)stereo[1][t]));
        const double wanted = wanted_reduction(e, level);
        e->held = calm(fmax(wanted, e->release * e->held + (1 - e->release) * wanted));
        e->smooth = calm(e->attack * e->smooth + (1 - e->attack) * e->held);
        const double gain = exp((e->make_up - e->smooth) * to_log);
        stereo[0][t] = (float)(gain * (double)stereo[0][t]);
        stereo[1][t] = (float)(gain * (double)stereo[1][t]);
    }
}

static double coefficient(double milliseconds, double rate)
{
    return milliseconds > 0 ? exp(-1000 / (milliseconds * rate)) : 0;
}

effect *rv_compressor_new(const rv_effect *spec, double rate)
{
    compressor *e = calloc(1, sizeof *e);
    if (!e)
        return NULL;
    e->base.process = process;
    e->threshold = spec->value[0];
    e->slope = 1 - 1 / spec->value[1];
    e->attack = coefficient(spec->value[2], rate);
    e->release = coefficient(spec->value[3], rate);
    e->make_up = spec->value[4];
    return &e->base;
}
