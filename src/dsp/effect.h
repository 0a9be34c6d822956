/* effect.h - one link of a chain of effects (effects.h), for the files effect_*.c and effects.c.
 *
 * A link is one block of memory, released with free(). Its state moves on with every frame and
 * nothing looks at where a block ends, so the cuts do not matter. */
#ifndef DSP_EFFECT_H
#define DSP_EFFECT_H

#include "dsp/effects.h"

#include <math.h>

typedef struct effect effect;

struct effect {
    void (*process)(effect *e, float *const stereo[2], size_t frames);
    size_t latency; /* frames by which its output is late */
};

/* NULL where memory is missing. The values have been checked. */
effect *rv_biquad_new(const rv_effect *spec, double rate);
effect *rv_compressor_new(const rv_effect *spec, double rate);
effect *rv_distortion_new(const rv_effect *spec, double rate);
effect *rv_chorus_new(const rv_effect *spec, double rate);
effect *rv_reverb_new(const rv_effect *spec, double rate);
effect *rv_pan_new(const rv_effect *spec, double rate);
effect *rv_gain_new(const rv_effect *spec, double rate);

/* A decaying state ends at zero, and not among the denormal numbers, which are slow. */
static inline double calm(double x)
{
    return fabs(x) < 1e-20 ? 0 : x;
}

static inline float calm_float(float x)
{
    return fabsf(x) < 1e-20f ? 0 : x;
}

typedef struct biquad {
    double b0, b1, b2, a1, a2; /* a0 = 1 */
} biquad;

/* For the five kinds of filter. */
biquad rv_biquad_design(const rv_effect *spec, double rate);

/* Transposed direct form II. */
static inline double biquad_step(const biquad *f, double state[2], double x)
{
    const double y = f->b0 * x + state[0];
    state[0] = calm(f->b1 * x - f->a1 * y + state[1]);
    state[1] = calm(f->b2 * x - f->a2 * y);
    return y;
}

#endif
