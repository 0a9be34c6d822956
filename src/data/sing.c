/* sing.c - a song for one singer: syllables are spoken once each, sung by a lead in the middle and
 * by further takes at the sides. What of a singer is not asked for is drawn from the seed. */
#include "data/sing.h"

#include "base/rng.h"
#include "base/status.h"
#include "data/voice_lexicon.h"
#include "data/voice_synthesis.h"
#include "io/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_DOUBLES = 3, VOICE = 1, FORMANT, BREATH, RATE, DEPTH, TAKE_SEED, LATE, DETUNE, WHEN };

static const float wanted_peak = 0.5f;

int rv_sing_available(void)
{
    return rv_espeak_found();
}

static double between(uint64_t seed, uint64_t what, uint64_t which, double low, double high)
{
    return low + (high - low) * rv_rng_uniform(seed, what, which);
}

static rv_status check_note(const rv_sung_note *notes, size_t i, rv_error *err)
{
    const rv_sung_note *note = &notes[i];
    if (!(note->start >= 0 && note->start < 1e6 && note->duration > 0 && note->duration < 1e4))
        return RV_FAIL(err, RV_ERR_ARG,
                       "sung note %zu: start %g s, duration %g s; expected a start from 0 on and a "
                       "duration above 0",
                       i, note->start, note->duration);
    if (!(note->pitch >= 24 && note->pitch <= 96))
        return RV_FAIL(err, RV_ERR_ARG, "sung note %zu: pitch %g; expected 24 to 96", i,
                       note->pitch);
    if (!(note->velocity >= 0 && note->velocity <= 1))
        return RV_FAIL(err, RV_ERR_ARG, "sung note %zu: velocity %g; expected 0 to 1", i,
                       note->velocity);
    if (i > 0 && note->start < notes[i - 1].start + notes[i - 1].duration - 1e-6)
        return RV_FAIL(
            err, RV_ERR_ARG,
            "sung note %zu at %g s: the note before ends only at %g s; a voice sings one "
            "note at a time",
            i, note->start, notes[i - 1].start + notes[i - 1].duration);
    return RV_OK;
}

static rv_status check(int sample_rate, const rv_sung_note *notes, size_t n,
                       const rv_voice_options *opt, rv_error *err)
{
    if (sample_rate < 8000 || sample_rate > 192000)
        return RV_FAIL(err, RV_ERR_ARG, "sample rate %d; expected 8000 to 192000", sample_rate);
    if (opt->doubles < 0 || opt->doubles > MOST_DOUBLES)
        return RV_FAIL(err, RV_ERR_ARG, "%d doubles of a voice; expected 0 to %d", opt->doubles,
                       MOST_DOUBLES);
    if (opt->formant_shift != 0 && !(opt->formant_shift >= 0.8 && opt->formant_shift <= 1.3))
        return RV_FAIL(err, RV_ERR_ARG, "formant shift %g; expected 0.8 to 1.3, or 0",
                       opt->formant_shift);
    if (!(opt->breath <= 1))
        return RV_FAIL(err, RV_ERR_ARG, "breath %g; expected 0 to 1, or below 0", opt->breath);
    for (size_t i = 0; i < n; i++)
        RV_TRY(check_note(notes, i, err));
    return RV_OK;
}

/* Low melodies are for men, high ones for women, those between for either. */
static const char *choose_voice(const rv_sung_note *notes, size_t n, uint64_t seed)
{
    static const char *const voices[] = { "en-us+m1", "en-us+m2", "en-us+m3", "en-us+m4",
                                          "en-us+m5", "en-us+m6", "en-us+m7", "en-us+m8",
                                          "en-us+f1", "en-us+f2", "en-us+f3", "en-us+f4",
                                          "en-us+f5", "en-gb+f2", "en-gb+f3", "en-gb+f4" };
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += notes[i].pitch;
    const double mean = sum / (double)n, woman = fmin(fmax((mean - 55) / 9, 0), 1);
    const size_t first = rv_rng_uniform(seed, VOICE, 0) < woman ? 8 : 0;
    return voices[first + rv_rng_below(seed, VOICE, 1, 8)];
}

/* Take 0 leads. */
static rv_voice_take make_take(const rv_voice_options *opt, int i)
{
    const uint64_t seed = opt->seed, which = (uint64_t)i;
    rv_voice_take take = { .seed = rv_rng_bits(seed, TAKE_SEED, which) };
    take.formant =
        opt->formant_shift > 0 ? opt->formant_shift : between(seed, FORMANT, 0, 0.9, 1.12);
    take.breath = opt->breath >= 0 ? opt->breath : between(seed, BREATH, 0, 0.1, 0.7);
    take.vibrato_rate =
        between(seed, RATE, 0, 4.7, 6.2) * between(seed, RATE, 1 + which, 0.96, 1.04);
    take.vibrato_depth = between(seed, DEPTH, 0, 30, 75);
    if (i > 0) {
        const double side = i % 2 ? 1 : -1;
        take.detune = side * between(seed, DETUNE, which, 5, 15);
        take.formant *= between(seed, FORMANT, which, 0.98, 1.02);
    }
    return take;
}

/* A double is late by 10 to 35 ms, by another time for every note; notes still do not overlap. */
static void retime(rv_sung_note *notes, size_t n, uint64_t seed, uint64_t take)
{
    const double late = between(seed, LATE, take, 0.015, 0.03);
    for (size_t i = 0; i < n; i++) {
        const double by = late + between(rv_rng_bits(seed, WHEN, take), WHEN, i, -0.005, 0.005);
        const double end = notes[i].start + notes[i].duration + late;
        notes[i].start += by;
        notes[i].duration = fmax(end - notes[i].start, 0.5 * notes[i].duration);
        if (i > 0)
            notes[i - 1].duration =
                fmin(notes[i - 1].duration, notes[i].start - notes[i - 1].start);
    }
}

typedef struct choir {
    size_t frames, controls, n;
    int sample_rate;
    const rv_sung_note *notes;
    const rv_voice_options *opt;
    rv_sung_note *moved;       /* [n] */
    rv_voice_control *control; /* [controls] */
    float *take, *sum[2];      /* [frames] */
    rv_voice_lexicon *words;
} choir;

static void choir_free(choir *c)
{
    rv_voice_lexicon_free(c->words);
    free(c->moved);
    free(c->control);
    free(c->take);
    free(c->sum[0]);
    free(c->sum[1]);
}

static rv_status choir_new(choir *c, rv_error *err)
{
    c->controls = (size_t)((double)c->frames / c->sample_rate / RV_VOICE_STEP) + 2;
    c->moved = calloc(c->n, sizeof *c->moved);
    c->control = calloc(c->controls, sizeof *c->control);
    c->take = calloc(c->frames, sizeof *c->take);
    c->sum[0] = calloc(c->frames, sizeof *c->sum[0]);
    c->sum[1] = calloc(c->frames, sizeof *c->sum[1]);
    if (!c->moved || !c->control || !c->take || !c->sum[0] || !c->sum[1])
        return RV_FAIL(err, RV_ERR_NOMEM, "a voice of %zu frames and %zu notes", c->frames, c->n);
    return RV_OK;
}

static rv_status sing_take(choir *c, int i, rv_error *err)
{
    /* The lead in the middle; doubles softer, to the right and left by turns, the third between. */
    static const double pan[MOST_DOUBLES + 1] = { 0, 0.8, -0.8, 0.35 };
    const double gain = i > 0 ? 0.5 : 1;
    const rv_voice_take take = make_take(c->opt, i);
    memcpy(c->moved, c->notes, c->n * sizeof *c->notes);
    if (i > 0)
        retime(c->moved, c->n, c->opt->seed, (uint64_t)i);
    RV_TRY(rv_voice_score(c->control, c->controls, c->moved, rv_voice_lexicon_sounds(c->words),
                          c->n, &take, err));
    RV_TRY(rv_voice_synthesise(c->take, c->frames, c->sample_rate, c->control, c->controls, &take,
                               err));
    const float left = (float)(gain * sqrt(1 - pan[i])), right = (float)(gain * sqrt(1 + pan[i]));
    for (size_t t = 0; t < c->frames; t++) {
        c->sum[0][t] += left * c->take[t];
        c->sum[1][t] += right * c->take[t];
    }
    return RV_OK;
}

static rv_status sing_all(choir *c, rv_error *err)
{
    const char *voice =
        c->opt->espeak_voice ? c->opt->espeak_voice : choose_voice(c->notes, c->n, c->opt->seed);
    RV_TRY(choir_new(c, err));
    RV_TRY(rv_voice_lexicon_new(&c->words, voice, c->notes, c->n, err));
    for (int i = 0; i <= c->opt->doubles; i++)
        RV_TRY(sing_take(c, i, err));
    return RV_OK;
}

/* out = the sum with the peak that is wanted */
static void hand_out(const choir *c, float *const out[2])
{
    float peak = 0;
    for (size_t t = 0; t < c->frames; t++)
        peak = fmaxf(peak, fmaxf(fabsf(c->sum[0][t]), fabsf(c->sum[1][t])));
    const float gain = peak > 0 ? wanted_peak / peak : 0;
    for (size_t t = 0; t < c->frames; t++) {
        out[0][t] = gain * c->sum[0][t];
        out[1][t] = gain * c->sum[1][t];
    }
}

rv_status rv_sing(float *const out[2], size_t frames, int sample_rate, const rv_sung_note *notes,
                  size_t n, const rv_voice_options *opt, rv_error *err)
{
    RV_TRY(check(sample_rate, notes, n, opt, err));
    if (!n || !frames) {
        for (size_t t = 0; t < frames; t++)
            out[0][t] = out[1][t] = 0;
        return RV_OK;
    }
    choir c = { .frames = frames, .n = n, .sample_rate = sample_rate, .notes = notes, .opt = opt };
    const rv_status status = sing_all(&c, err);
    if (status == RV_OK)
        hand_out(&c, out);
    choir_free(&c);
    return status;
}
