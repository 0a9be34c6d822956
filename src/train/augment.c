/* augment.c - draw what happens to each stem of a batch, and make the batch.
 *
 * In Demucs a clip is shifted, swapped, flipped and scaled before stems are exchanged, so these
 * choices belong to the example that a clip came from; silence belongs to the new mix. */
#include "train/augment.h"

#include "base/rng.h"
#include "base/status.h"
#include "train/data_streams.h"
#include "train/repitch.h"

#include <math.h>
#include <string.h>

rv_augment rv_augment_none(void)
{
    return (rv_augment){ .remix_group = 4,
                         .gain_min = 0.25,
                         .gain_max = 1.25,
                         .pitch_max = 2,
                         .tempo_max = 12,
                         .tempo_std = 5,
                         .repitch_same = true,
                         .effects_gain = 9 };
}

rv_augment rv_augment_demucs(int sample_rate)
{
    rv_augment a = rv_augment_none();
    a.remix = a.gain = 1;
    a.swap_channels = a.flip_sign = true;
    a.shift = (size_t)sample_rate;
    a.repitch = 0.2;
    return a;
}

bool rv_augment_is_none(const rv_augment *a)
{
    return a->remix == 0 && a->gain == 0 && !a->swap_channels && !a->flip_sign && a->shift == 0 &&
           a->silence == 0 && a->borrow == 0 && a->repitch == 0 && a->effects == 0;
}

static rv_status check_probability(const char *name, double p, rv_error *err)
{
    if (!(p >= 0 && p <= 1))
        return RV_FAIL(err, RV_ERR_ARG, "augmentation: probability of %s is %g; expected 0 to 1",
                       name, p);
    return RV_OK;
}

static rv_status check_repitch(const rv_augment *a, rv_error *err)
{
    if (a->pitch_max < 0 || a->pitch_max > 24)
        return RV_FAIL(err, RV_ERR_ARG, "augmentation: %d semitones; expected 0 to 24",
                       a->pitch_max);
    if (!(a->tempo_max >= 0 && a->tempo_max <= 50) || !(a->tempo_std >= 0 && a->tempo_std <= 100))
        return RV_FAIL(err, RV_ERR_ARG,
                       "augmentation: tempo up to %g %% with a deviation of %g %%; expected 0 to "
                       "50 and 0 to 100",
                       a->tempo_max, a->tempo_std);
    if (a->repitch > 0 && !rv_repitch_present())
        return RV_FAIL(err, RV_ERR_UNSUPPORTED,
                       "augmentation: changing pitch and tempo needs Rubber Band, and this Ravel "
                       "was built without it: install librubberband-dev and build again");
    return RV_OK;
}

rv_status rv_augment_check(const rv_augment *a, size_t batch, rv_error *err)
{
    enum { SHIFT_MAX = 1 << 28 };
    RV_TRY(check_probability("remix", a->remix, err));
    RV_TRY(check_probability("gain", a->gain, err));
    RV_TRY(check_probability("silence", a->silence, err));
    RV_TRY(check_probability("borrow", a->borrow, err));
    RV_TRY(check_probability("repitch", a->repitch, err));
    RV_TRY(check_probability("effects", a->effects, err));
    if (!(a->effects_gain >= 0 && a->effects_gain <= 40))
        return RV_FAIL(err, RV_ERR_ARG, "augmentation: effects of %g dB; expected 0 to 40",
                       a->effects_gain);
    if (!isfinite(a->gain_min) || !isfinite(a->gain_max) || a->gain_min > a->gain_max)
        return RV_FAIL(err, RV_ERR_ARG,
                       "augmentation: gains from %g to %g; expected a range of numbers",
                       a->gain_min, a->gain_max);
    if (a->remix > 0 && a->remix_group > 0 && batch % a->remix_group != 0)
        return RV_FAIL(err, RV_ERR_ARG,
                       "augmentation: a batch of %zu examples cannot be remixed in groups of %zu; "
                       "expected a divisor, or 0 for all",
                       batch, a->remix_group);
    if (a->shift > SHIFT_MAX)
        return RV_FAIL(err, RV_ERR_ARG, "augmentation: shift of %zu frames; expected at most %d",
                       a->shift, SHIFT_MAX);
    return check_repitch(a, err);
}

size_t rv_augment_shift_frames(const rv_augment *a, size_t frames)
{
    return frames + a->shift;
}

size_t rv_augment_clip_frames(const rv_augment *a, size_t frames)
{
    const size_t n = rv_augment_shift_frames(a, frames);
    return a->repitch > 0 ? (size_t)ceil((double)n * (1 + 0.01 * a->tempo_max)) : n;
}

/* Draws of one batch. */
typedef struct drawer {
    const rv_augment *a;
    const rv_batch_shape *shape;
    uint64_t seed, step;
} drawer;

static double uniform(const drawer *d, int kind, uint64_t counter)
{
    return rv_rng_uniform(d->seed, RV_DATA_STREAM(kind), counter);
}

/* Of stem s of example b, unique in the whole training. */
static uint64_t counter_of(const drawer *d, size_t b, size_t s)
{
    return (d->step * d->shape->examples + b) * d->shape->stems + s;
}

/* One permutation for each stem and group: choices[b,s].from */
static void draw_remix(const drawer *d, rv_choice *choices)
{
    const size_t batch = d->shape->examples, stems = d->shape->stems;
    const size_t group = d->a->remix_group ? d->a->remix_group : batch;
    for (size_t i = 0; i < batch * stems; i++)
        choices[i].from = i / stems;
    if (uniform(d, DATA_REMIXED, d->step) >= d->a->remix)
        return;
    for (size_t b = batch; b-- > 0;)
        for (size_t s = 0; s < stems && b % group > 0; s++) {
            const size_t low = b - b % group;
            const size_t other = low + (size_t)(uniform(d, DATA_REMIX, counter_of(d, b, s)) *
                                                (double)(b % group + 1));
            const size_t from = choices[b * stems + s].from;
            choices[b * stems + s].from = choices[other * stems + s].from;
            choices[other * stems + s].from = from;
        }
}

/* What belongs to the clip; `from` is set. */
static void draw_clip(const drawer *d, bool scaled, size_t s, rv_choice *choice)
{
    const rv_augment *a = d->a;
    const uint64_t at = counter_of(d, choice->from, s);
    const uint64_t shift_at = a->shift_same ? counter_of(d, choice->from, 0) : at;
    choice->offset = (size_t)(uniform(d, DATA_SHIFT, shift_at) * (double)a->shift);
    choice->swap = a->swap_channels && d->shape->channels == 2 && uniform(d, DATA_SWAP, at) < 0.5;
    const double gain =
        scaled ? a->gain_min + (a->gain_max - a->gain_min) * uniform(d, DATA_GAIN, at) : 1;
    choice->gain = (float)(a->flip_sign && uniform(d, DATA_SIGN, at) < 0.5 ? -gain : gain);
}

static void draw_silence(const drawer *d, size_t b, rv_choice *mix)
{
    const size_t stems = d->shape->stems;
    size_t silent = 0;
    for (size_t s = 0; s < stems; s++)
        silent += uniform(d, DATA_SILENCE, counter_of(d, b, s)) < d->a->silence;
    for (size_t s = 0; s < stems && silent < stems; s++)
        if (uniform(d, DATA_SILENCE, counter_of(d, b, s)) < d->a->silence)
            mix[s].gain = 0;
}

void rv_augment_draw(const rv_augment *a, uint64_t seed, uint64_t step, const rv_batch_shape *shape,
                     rv_choice *choices)
{
    const drawer d = { a, shape, seed, step };
    const bool scaled = uniform(&d, DATA_SCALED, step) < a->gain;
    draw_remix(&d, choices);
    for (size_t b = 0; b < shape->examples; b++) {
        for (size_t s = 0; s < shape->stems; s++)
            draw_clip(&d, scaled, s, &choices[b * shape->stems + s]);
        draw_silence(&d, b, &choices[b * shape->stems]);
    }
}

bool rv_augment_borrows(const rv_augment *a, uint64_t seed, uint64_t clip)
{
    return rv_rng_uniform(seed, RV_DATA_STREAM(DATA_BORROW), clip) < a->borrow;
}

bool rv_augment_retouches(const rv_augment *a, uint64_t seed, uint64_t clip)
{
    return rv_rng_uniform(seed, RV_DATA_STREAM(DATA_EFFECTS), clip) < a->effects;
}

size_t rv_augment_draw_lender(uint64_t seed, uint64_t clip, size_t attempt, size_t n)
{
    return (size_t)rv_rng_below(seed, RV_DATA_STREAM(DATA_LENDER),
                                clip * RV_AUGMENT_ATTEMPTS + attempt, n);
}

rv_repitch_choice rv_augment_draw_repitch(const rv_augment *a, uint64_t seed, uint64_t example,
                                          size_t n_stems, size_t stem)
{
    const uint64_t at = example * n_stems + (a->repitch_same ? 0 : stem);
    const uint64_t range = (uint64_t)(2 * a->pitch_max + 1);
    const double tempo = a->tempo_std * rv_rng_normal(seed, RV_DATA_STREAM(DATA_TEMPO), at);
    return (rv_repitch_choice){
        .on = rv_rng_uniform(seed, RV_DATA_STREAM(DATA_REPITCH), example) < a->repitch,
        .semitones = (int)rv_rng_below(seed, RV_DATA_STREAM(DATA_PITCH), at, range) - a->pitch_max,
        .tempo = fmin(fmax(tempo, -a->tempo_max), a->tempo_max),
    };
}

/* One stem of one example: out [T, stride S*C], mix [T,C] += */
static void apply_one(const rv_choice *choice, const rv_batch_shape *shape,
                      const float *const *planes, float *mix, float *out)
{
    const size_t channels = shape->channels, width = shape->stems * channels;
    for (size_t c = 0; c < channels; c++) {
        const float *x = planes[choice->swap ? 1 - c : c] + choice->offset;
        for (size_t t = 0; t < shape->frames; t++) {
            const float y = choice->gain * x[t];
            out[t * width + c] = y;
            mix[t * channels + c] += y;
        }
    }
}

void rv_augment_apply(const rv_choice *choices, const rv_batch_shape *shape,
                      const float *const *clips, float *mix, float *stems)
{
    const size_t n = shape->stems, channels = shape->channels, mix_size = shape->frames * channels;
    memset(mix, 0, shape->examples * mix_size * sizeof *mix);
    for (size_t b = 0; b < shape->examples; b++)
        for (size_t s = 0; s < n; s++) {
            const rv_choice *choice = &choices[b * n + s];
            apply_one(choice, shape, clips + (choice->from * n + s) * channels, mix + b * mix_size,
                      stems + b * mix_size * n + s * channels);
        }
}
