/* effects.c - the table of effects with the ranges of their values, and chains of them. */
#include "dsp/effects.h"

#include "base/status.h"
#include "dsp/effect.h"

#include <stdlib.h>

enum { VALUES = 5, RATE_MIN = 1000, RATE_MAX = 768000 };

/* The highest frequency as a share of the sample rate: at the half, filters degenerate. */
static const double highest = 0.49;

typedef struct {
    const char *name; /* with the unit; NULL: no such value */
    double min, max;  /* max 0: `highest` of the sample rate */
} value_range;

typedef struct {
    const char *name;
    effect *(*create)(const rv_effect *spec, double rate);
    value_range value[VALUES];
} effect_kind;

/* clang-format off */
#define HZ { "frequency (Hz)", 10, 0 }
#define Q { "Q", 0.1, 40 }
#define DB { "gain (dB)", -60, 60 }
#define SHARE { "share", 0, 1 }
static const effect_kind kinds[RV_EFFECT_N] = {
    [RV_EFFECT_HIGHPASS] = { "high-pass", rv_biquad_new, { HZ, Q } },
    [RV_EFFECT_LOWPASS] = { "low-pass", rv_biquad_new, { HZ, Q } },
    [RV_EFFECT_LOW_SHELF] = { "low shelf", rv_biquad_new, { HZ, Q, DB } },
    [RV_EFFECT_HIGH_SHELF] = { "high shelf", rv_biquad_new, { HZ, Q, DB } },
    [RV_EFFECT_PEAK] = { "peak", rv_biquad_new, { HZ, Q, DB } },
    [RV_EFFECT_COMPRESSOR] = { "compressor", rv_compressor_new,
        { { "threshold (dB)", -100, 0 }, { "ratio", 1, 1000 }, { "attack (ms)", 0, 1000 },
          { "release (ms)", 0, 10000 }, { "make-up gain (dB)", -60, 60 } } },
    [RV_EFFECT_DISTORTION] = { "distortion", rv_distortion_new,
        { { "drive (dB)", -20, 60 }, { "tone (Hz)", 10, 0 }, SHARE } },
    [RV_EFFECT_CHORUS] = { "chorus", rv_chorus_new,
        { { "rate (Hz)", 0.01, 20 }, { "depth (ms)", 0, 20 }, SHARE } },
    [RV_EFFECT_REVERB] = { "reverb", rv_reverb_new,
        { { "time (s)", 0.05, 30 }, { "damping (Hz)", 100, 0 }, SHARE } },
    [RV_EFFECT_PAN] = { "pan", rv_pan_new, { { "position", -1, 1 } } },
    [RV_EFFECT_GAIN] = { "gain", rv_gain_new, { { "gain (dB)", -120, 60 } } },
};
/* clang-format on */

struct rv_effects {
    size_t n;
    effect *link[];
};

static rv_status check(const rv_effect *spec, size_t index, int rate, rv_error *err)
{
    if ((unsigned)spec->kind >= RV_EFFECT_N)
        return RV_FAIL(err, RV_ERR_ARG, "effect %zu is of kind %d; expected 0 to %d", index + 1,
                       (int)spec->kind, RV_EFFECT_N - 1);
    const effect_kind *kind = &kinds[spec->kind];
    for (size_t i = 0; i < VALUES && kind->value[i].name; i++) {
        const value_range *range = &kind->value[i];
        const double max = range->max == 0 && range->min > 0 ? highest * rate : range->max;
        if (!(spec->value[i] >= range->min && spec->value[i] <= max))
            return RV_FAIL(err, RV_ERR_ARG, "effect %zu (%s): %s is %g; expected %g to %g",
                           index + 1, kind->name, range->name, spec->value[i], range->min, max);
    }
    return RV_OK;
}

rv_status rv_effects_new(rv_effects **out, const rv_effect *chain, size_t n, int sample_rate,
                         rv_error *err)
{
    if (sample_rate < RATE_MIN || sample_rate > RATE_MAX)
        return RV_FAIL(err, RV_ERR_ARG, "effects at %d Hz; expected %d to %d", sample_rate,
                       RATE_MIN, RATE_MAX);
    for (size_t i = 0; i < n; i++)
        RV_TRY(check(&chain[i], i, sample_rate, err));
    rv_effects *e = NULL;
    size_t bytes;
    if (!__builtin_mul_overflow(n, sizeof(effect *), &bytes) && bytes <= SIZE_MAX - sizeof *e)
        e = calloc(1, sizeof *e + bytes);
    while (e && e->n < n) {
        if (!(e->link[e->n] = kinds[chain[e->n].kind].create(&chain[e->n], sample_rate)))
            break;
        e->n++;
    }
    if (!e || e->n < n) {
        rv_effects_free(e);
        return RV_FAIL(err, RV_ERR_NOMEM, "%zu effects", n);
    }
    *out = e;
    return RV_OK;
}

void rv_effects_free(rv_effects *e)
{
    for (size_t i = 0; e && i < e->n; i++)
        free(e->link[i]);
    free(e);
}

size_t rv_effects_latency(const rv_effects *e)
{
    size_t sum = 0;
    for (size_t i = 0; i < e->n; i++)
        sum += e->link[i]->latency;
    return sum;
}

void rv_effects_process(rv_effects *e, float *const stereo[2], size_t frames)
{
    for (size_t i = 0; i < e->n; i++)
        e->link[i]->process(e->link[i], stereo, frames);
}
