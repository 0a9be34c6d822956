/* retouch.c - draw a chain of effects and send a clip through it.
 *
 * Frequencies are drawn uniform in their logarithm, everything else uniform. A clip comes at the
 * level of its song's normalisation, so the compressor's threshold reaches from where it always
 * works to where it hardly does. */
#include "train/retouch.h"

#include "base/rng.h"
#include "base/status.h"
#include "train/data_streams.h"

#include <math.h>
#include <stdbool.h>

/* Every value is a draw of its own, so that none depends on the order in which they are drawn. */
enum {
    LOW_SHELF,
    LOW_GAIN,
    PEAK,
    PEAK_Q,
    PEAK_GAIN,
    HIGH_SHELF,
    HIGH_GAIN,
    COMPRESSED,
    THRESHOLD,
    RATIO,
    ATTACK,
    RELEASE,
    IN_A_ROOM,
    DECAY,
    DAMPING,
    WET,
    DRAWS
};

typedef struct dice {
    uint64_t seed, clip;
} dice;

static double uniform(const dice *d, int draw, double low, double high)
{
    const uint64_t at = d->clip * DRAWS + (uint64_t)draw;
    return low + (high - low) * rv_rng_uniform(d->seed, RV_DATA_STREAM(DATA_RETOUCH), at);
}

static double frequency(const dice *d, int draw, double low, double high)
{
    return exp(uniform(d, draw, log(low), log(high)));
}

static rv_effect compressor(const dice *d)
{
    return (rv_effect){ RV_EFFECT_COMPRESSOR,
                        { uniform(d, THRESHOLD, -30, 0), uniform(d, RATIO, 1.5, 6),
                          uniform(d, ATTACK, 1, 30), uniform(d, RELEASE, 50, 400), 0 } };
}

static rv_effect reverb(const dice *d)
{
    return (rv_effect){ RV_EFFECT_REVERB,
                        { uniform(d, DECAY, 0.2, 1.5), frequency(d, DAMPING, 2000, 10000),
                          uniform(d, WET, 0.05, 0.3) } };
}

size_t rv_retouch_draw(rv_effect chain[RV_RETOUCH_MAX], uint64_t seed, uint64_t clip, double gain)
{
    const dice d = { seed, clip };
    const double flat = sqrt(0.5); /* the steepest shelf without a bump */
    size_t n = 0;
    chain[n++] = (rv_effect){ RV_EFFECT_LOW_SHELF,
                              { frequency(&d, LOW_SHELF, 80, 400), flat,
                                uniform(&d, LOW_GAIN, -gain, gain) } };
    chain[n++] = (rv_effect){ RV_EFFECT_PEAK,
                              { frequency(&d, PEAK, 300, 5000), uniform(&d, PEAK_Q, 0.5, 2),
                                uniform(&d, PEAK_GAIN, -gain, gain) } };
    chain[n++] = (rv_effect){ RV_EFFECT_HIGH_SHELF,
                              { frequency(&d, HIGH_SHELF, 2000, 9000), flat,
                                uniform(&d, HIGH_GAIN, -gain, gain) } };
    if (uniform(&d, COMPRESSED, 0, 1) < 0.5)
        chain[n++] = compressor(&d);
    if (uniform(&d, IN_A_ROOM, 0, 1) < 0.25)
        chain[n++] = reverb(&d);
    return n;
}

rv_status rv_retouch_clip(rv_effect *chain, size_t n, int sample_rate, float *const stereo[2],
                          size_t frames, rv_error *err)
{
    const double highest = 0.45 * sample_rate;
    for (size_t i = 0; i < n; i++) {
        double *hertz = &chain[i].value[chain[i].kind == RV_EFFECT_REVERB];
        if (chain[i].kind != RV_EFFECT_COMPRESSOR)
            *hertz = fmin(*hertz, highest);
    }
    rv_effects *effects = NULL;
    RV_TRY(rv_effects_new(&effects, chain, n, sample_rate, err));
    rv_effects_process(effects, stereo, frames);
    rv_effects_free(effects);
    return RV_OK;
}
