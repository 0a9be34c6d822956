/* render_plan.c - how loud instruments are and what is done to them: a mixing engineer's habits,
 * with a spread around them. A stem reaches its effects at -20 LUFS, to which thresholds refer. */
#include "data/render_plan.h"

#include "base/rng.h"

#include <math.h>
#include <stdbool.h>

/* Numbers drawn one after the other from a stream of the seed. */
typedef struct {
    uint64_t seed, stream, counter;
    double highest; /* Hz that an effect may have */
} dice;

static double between(dice *d, double least, double most)
{
    return least + (most - least) * rv_rng_uniform(d->seed, d->stream, d->counter++);
}

static bool happens(dice *d, double probability)
{
    return rv_rng_uniform(d->seed, d->stream, d->counter++) < probability;
}

/* Streams; the stem i has STEMS + i. What was added later has its own, so that the other choices of
 * a seed stay. */
enum { TRACK = 1, STEMS = 1000, INSTRUMENTS = 1 << 20, MIXED_DRUMS = 1 << 21 };

rv_track_plan rv_track_plan_make(uint64_t seed, size_t soundfonts, size_t drum_kits, double vary)
{
    dice d = { .seed = seed, .stream = TRACK };
    rv_track_plan plan = { .seed = seed, .drum_kit = drum_kits };
    plan.soundfont = (size_t)between(&d, 0, (double)soundfonts);
    const bool kit = happens(&d, 0.5);
    const size_t which = (size_t)between(&d, 0, (double)drum_kits);
    if (kit && drum_kits)
        plan.drum_kit = which;
    plan.performance.transposition = (int)between(&d, 0, 7) - 3;
    plan.performance.tempo = between(&d, 0.9, 1.1);
    plan.performance.velocity = between(&d, 0.8, 1.15);
    plan.performance.vary = vary;
    plan.performance.seed = seed;
    plan.loudness = between(&d, -18, -14);
    return plan;
}

/* An instrument that is one alone, of many programs, should not be heard in every song. */
static const double instrument_share = 0.5;

size_t rv_plan_instrument(uint64_t seed, int program, size_t having)
{
    dice d = { .seed = seed, .stream = INSTRUMENTS + (uint64_t)program };
    const bool taken = happens(&d, instrument_share);
    const size_t which = (size_t)between(&d, 0, (double)having);
    return taken ? which : having;
}

/* Drums */

enum { KICK, SNARE, TOMS, HATS, CYMBALS };

int rv_drum_group(int note)
{
    static const signed char of[] = {
        [35] = KICK, [36] = KICK, [37] = SNARE, [38] = SNARE,  [39] = SNARE, [40] = SNARE,
        [41] = TOMS, [43] = TOMS, [45] = TOMS,  [47] = TOMS,   [48] = TOMS,  [50] = TOMS,
        [42] = HATS, [44] = HATS, [46] = HATS,  [49] = CYMBALS
    };
    return note >= 35 && note <= 50 ? of[note] : CYMBALS;
}

/* Tuned as a drummer may tune, in quarter tones; damped from a dead studio snare to nearly free. */
static rv_drum_way draw_way(dice *d)
{
    rv_drum_way way = { .tuning = floor(between(d, 0, 13)) / 2 - 3, .gain = between(d, -4, 4) };
    const bool damped = happens(d, 0.5);
    const double decay = exp(between(d, log(0.15), log(1.2)));
    way.decay = damped ? decay : 0;
    return way;
}

rv_drum_mix rv_drum_mix_make(uint64_t seed, size_t drum_kits)
{
    dice d = { .seed = seed, .stream = MIXED_DRUMS };
    rv_drum_mix mix = { .kits = happens(&d, 0.7) && drum_kits };
    mix.set = between(&d, 0, 1);
    for (int g = 0; g < RV_DRUM_GROUPS; g++) {
        mix.group[g].kit = (size_t)between(&d, 0, (double)drum_kits);
        mix.group[g].way = draw_way(&d);
    }
    return mix;
}

/* Kinds of instruments that are treated alike */

typedef enum {
    DRUMS,
    BASS,
    VOCALS,
    PIANO,
    MALLETS,
    ORGAN,
    GUITAR,
    DISTORTED,
    STRINGS,
    BRASS,
    REED,
    PIPE,
    LEAD,
    PAD,
    EFFECT,
    ETHNIC,
    PERCUSSION,
    NOISE
} treatment;

static treatment treatment_of(const rv_part *part)
{
    static const treatment of_eight[] = { PIANO,   MALLETS, ORGAN,      GUITAR, BASS, STRINGS,
                                          STRINGS, BRASS,   REED,       PIPE,   LEAD, PAD,
                                          EFFECT,  ETHNIC,  PERCUSSION, NOISE,  DRUMS };
    if (part->sung)
        return VOCALS;
    return part->program == 29 || part->program == 30 ? DISTORTED : of_eight[part->program / 8];
}

/* Mean level beside the others (dB), highest lows that are cut (Hz; 0: none), probabilities of
 * compressor, chorus and reverb, the longest reverb (s), its largest share, farthest pan. */
static const struct {
    double level, lows, compressor, chorus, reverb, seconds, share, pan;
} habits[] = {
    [DRUMS] = { -1, 0, 0.7, 0, 0.6, 0.9, 0.15, 0 },
    [BASS] = { -3, 40, 0.8, 0.1, 0.1, 0.5, 0.06, 0 },
    [VOCALS] = { 0, 110, 0.9, 0.1, 0.8, 1.8, 0.22, 0.1 },
    [PIANO] = { -5, 70, 0.4, 0.1, 0.7, 1.8, 0.25, 0.4 },
    [MALLETS] = { -9, 120, 0.2, 0.1, 0.8, 2, 0.3, 0.6 },
    [ORGAN] = { -7, 80, 0.3, 0.3, 0.6, 1.5, 0.25, 0.4 },
    [GUITAR] = { -5, 100, 0.5, 0.3, 0.7, 1.5, 0.25, 0.7 },
    [DISTORTED] = { -5, 100, 0.4, 0.1, 0.4, 1, 0.15, 0.8 },
    [STRINGS] = { -7, 120, 0.2, 0.1, 0.9, 2.8, 0.4, 0.5 },
    [BRASS] = { -5, 110, 0.4, 0, 0.7, 1.6, 0.25, 0.4 },
    [REED] = { -6, 110, 0.4, 0, 0.7, 1.6, 0.25, 0.4 },
    [PIPE] = { -7, 150, 0.3, 0, 0.8, 2, 0.3, 0.4 },
    [LEAD] = { -4, 110, 0.4, 0.2, 0.6, 1.5, 0.25, 0.3 },
    [PAD] = { -9, 120, 0.2, 0.4, 0.8, 3, 0.4, 0.4 },
    [EFFECT] = { -11, 120, 0.1, 0.3, 0.8, 3, 0.4, 0.6 },
    [ETHNIC] = { -6, 100, 0.3, 0.1, 0.7, 1.6, 0.25, 0.5 },
    [PERCUSSION] = { -8, 60, 0.4, 0, 0.6, 1.2, 0.25, 0.6 },
    [NOISE] = { -14, 100, 0, 0, 0.5, 2, 0.3, 0.6 },
};

/* The chain, in the order of a mixing desk */

typedef struct {
    double least, most;
} range;

/* Which value of an effect is a frequency; -1: none. */
static int frequency_of(rv_effect_kind kind)
{
    if (kind <= RV_EFFECT_PEAK)
        return 0;
    return kind == RV_EFFECT_DISTORTION || kind == RV_EFFECT_REVERB ? 1 : -1;
}

/* The values are drawn in their order; frequencies stay below 0.45 of the sample rate. */
static void add(rv_stem_plan *p, dice *d, rv_effect_kind kind, const range *ranges)
{
    rv_effect *e = &p->effects[p->n_effects++];
    const int frequency = frequency_of(kind);
    e->kind = kind;
    for (int i = 0; i < 5; i++)
        e->value[i] = between(d, ranges[i].least, ranges[i].most);
    if (frequency >= 0)
        e->value[frequency] = fmin(e->value[frequency], d->highest);
}

#define ADD(...)    add(p, d, __VA_ARGS__)
#define RANGES(...) ((const range[5]){ __VA_ARGS__ })
#define EXACTLY(value)   \
    {                    \
        (value), (value) \
    }
#define RANGE(least, most) \
    {                      \
        (least), (most)    \
    }

static void add_distortion(rv_stem_plan *p, dice *d, treatment t)
{
    const bool on = happens(d, t == DISTORTED ? 0.6 : t == GUITAR ? 0.1 : t == BASS ? 0.15 : 0);
    if (!on)
        return;
    if (t == DISTORTED)
        ADD(RV_EFFECT_DISTORTION, RANGES(RANGE(6, 24), RANGE(3500, 7000), RANGE(0.3, 1)));
    else if (t == GUITAR)
        ADD(RV_EFFECT_DISTORTION, RANGES(RANGE(3, 14), RANGE(3500, 6000), RANGE(0.2, 0.8)));
    else
        ADD(RV_EFFECT_DISTORTION, RANGES(RANGE(0, 12), RANGE(1500, 4000), RANGE(0.1, 0.4)));
}

static void add_equaliser(rv_stem_plan *p, dice *d, treatment t)
{
    const double lows = habits[t].lows, centre = exp(between(d, log(250), log(4000)));
    if (lows > 0)
        ADD(RV_EFFECT_HIGHPASS, RANGES(RANGE(0.6 * lows, lows), EXACTLY(0.707)));
    else
        ADD(RV_EFFECT_LOW_SHELF, RANGES(RANGE(70, 140), EXACTLY(0.707), RANGE(-3, 4)));
    ADD(RV_EFFECT_PEAK, RANGES(EXACTLY(centre), RANGE(0.5, 1.5), RANGE(-4, 3)));
    ADD(RV_EFFECT_HIGH_SHELF, RANGES(RANGE(4000, 9000), EXACTLY(0.707), RANGE(-4, 4)));
}

static void add_dynamics(rv_stem_plan *p, dice *d, treatment t)
{
    if (happens(d, habits[t].compressor))
        ADD(RV_EFFECT_COMPRESSOR, RANGES(RANGE(-26, -14), RANGE(1.5, t == VOCALS ? 5 : 4),
                                         RANGE(t == DRUMS ? 5 : 2, 30), RANGE(60, 250)));
}

static void add_space(rv_stem_plan *p, dice *d, treatment t)
{
    if (happens(d, habits[t].chorus))
        ADD(RV_EFFECT_CHORUS, RANGES(RANGE(0.2, 1.5), RANGE(0.5, 3), RANGE(0.15, 0.5)));
    if (happens(d, habits[t].reverb))
        ADD(RV_EFFECT_REVERB,
            RANGES(RANGE(0.3, habits[t].seconds), RANGE(2500, 8000), RANGE(0.02, habits[t].share)));
}

rv_stem_plan rv_stem_plan_make(const rv_track_plan *track, size_t index, const rv_part *part,
                               size_t alike, int sample_rate)
{
    dice d = { .seed = track->seed, .stream = STEMS + index, .highest = 0.45 * sample_rate };
    const treatment t = treatment_of(part);
    rv_stem_plan plan = { .level = habits[t].level - 10 * log10((double)alike) };
    plan.level += fmax(-6, fmin(6, 2.5 * rv_rng_normal(track->seed, STEMS + index, 1000)));
    plan.voices = happens(&d, 0.3) ? 3 : 1;
    add_distortion(&plan, &d, t);
    add_equaliser(&plan, &d, t);
    add_dynamics(&plan, &d, t);
    add_space(&plan, &d, t);
    if (!part->panned && habits[t].pan > 0)
        add(&plan, &d, RV_EFFECT_PAN, RANGES(RANGE(-habits[t].pan, habits[t].pan)));
    return plan;
}

static const struct {
    const char *name;
    int values;
} effect_table[RV_EFFECT_N] = {
    [RV_EFFECT_HIGHPASS] = { "highpass", 2 },
    [RV_EFFECT_LOWPASS] = { "lowpass", 2 },
    [RV_EFFECT_LOW_SHELF] = { "low_shelf", 3 },
    [RV_EFFECT_HIGH_SHELF] = { "high_shelf", 3 },
    [RV_EFFECT_PEAK] = { "peak", 3 },
    [RV_EFFECT_COMPRESSOR] = { "compressor", 5 },
    [RV_EFFECT_DISTORTION] = { "distortion", 3 },
    [RV_EFFECT_CHORUS] = { "chorus", 3 },
    [RV_EFFECT_REVERB] = { "reverb", 3 },
    [RV_EFFECT_PAN] = { "pan", 1 },
    [RV_EFFECT_GAIN] = { "gain", 1 },
};

const char *rv_plan_effect_name(rv_effect_kind kind)
{
    return effect_table[kind].name;
}

int rv_plan_effect_values(rv_effect_kind kind)
{
    return effect_table[kind].values;
}
