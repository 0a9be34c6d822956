/* test_augment.c - what each augmentation may do and what it may not. */
#include "base/rng.h"
#include "check.h"
#include "train/augment.h"
#include "train/repitch.h"

#include <stdlib.h>
#include <string.h>

enum { B = 8, S = 4, C = 2, L = 30, T = 20, STEPS = 200, SEED = 5 };

static const rv_batch_shape shape = { B, S, C, L, T };

static void draw(const rv_augment *a, uint64_t step, rv_choice *choices)
{
    rv_augment_draw(a, SEED, step, &shape, choices);
}

static bool is_plain(const rv_choice *c, size_t b)
{
    return c->from == b && c->offset == 0 && c->gain == 1 && !c->swap;
}

TEST(test_none_changes_nothing)
{
    const rv_augment none = rv_augment_none();
    rv_choice c[B * S];
    CHECK(rv_augment_is_none(&none));
    CHECK(rv_augment_clip_frames(&none, T) == T);
    for (uint64_t step = 0; step < STEPS; step++) {
        draw(&none, step, c);
        for (size_t i = 0; i < B * S; i++)
            CHECK(is_plain(&c[i], i / S));
    }
}

/* In each group each stem comes from each example once, and songs do get mixed. */
TEST(test_remix_keeps_all_stems)
{
    rv_augment a = rv_augment_none();
    a.remix = 1;
    for (size_t group = 0; group <= 8; group = group ? group * 2 : 1) {
        a.remix_group = group;
        size_t moved = 0, apart = 0;
        for (uint64_t step = 0; step < STEPS; step++) {
            rv_choice c[B * S];
            draw(&a, step, c);
            for (size_t s = 0; s < S; s++) {
                unsigned seen = 0;
                for (size_t b = 0; b < B; b++) {
                    const size_t from = c[b * S + s].from, size = group ? group : B;
                    CHECK(from / size == b / size);
                    seen |= 1u << from;
                    moved += from != b;
                    apart += from != c[b * S].from;
                }
                CHECK(seen == (1u << B) - 1);
            }
        }
        const double stay = group ? 1.0 / (double)group : 1.0 / B; /* expected share that stays */
        CHECK_CLOSE((double)moved / (STEPS * B * S), 1 - stay, 0.03);
        CHECK_CLOSE((double)apart / (STEPS * B * (S - 1)), 1 - stay, 0.03);
    }
}

/* Counts, over many steps, what `a` does to clips. */
typedef struct tally {
    double swapped, flipped, scaled, silent, n, gain_sum;
    double gain_low, gain_high;
    size_t offset_high;
    double offset_sum;
} tally;

static tally count(const rv_augment *a)
{
    tally t = { .gain_low = HUGE_VAL };
    rv_choice c[B * S];
    for (uint64_t step = 0; step < STEPS; step++) {
        draw(a, step, c);
        for (size_t i = 0; i < B * S; i++) {
            const double gain = fabs((double)c[i].gain);
            t.n++;
            t.swapped += c[i].swap;
            t.flipped += c[i].gain < 0;
            t.silent += gain == 0;
            t.scaled += gain != 0 && gain != 1;
            t.gain_sum += gain;
            t.gain_low = fmin(t.gain_low, gain);
            t.gain_high = fmax(t.gain_high, gain);
            t.offset_high = c[i].offset > t.offset_high ? c[i].offset : t.offset_high;
            t.offset_sum += (double)c[i].offset;
        }
    }
    return t;
}

TEST(test_gain)
{
    rv_augment a = rv_augment_none();
    a.gain = 1;
    tally t = count(&a);
    CHECK(t.gain_low >= 0.25 && t.gain_low < 0.26 && t.gain_high <= 1.25 && t.gain_high > 1.24);
    CHECK_CLOSE(t.gain_sum / t.n, 0.75, 0.02);
    CHECK(t.flipped == 0 && t.swapped == 0 && t.silent == 0 && t.offset_high == 0);
    a.gain = 0.5;
    CHECK_CLOSE(count(&a).scaled / t.n, 0.5, 0.1);
}

TEST(test_swap_and_sign)
{
    rv_augment a = rv_augment_none();
    a.swap_channels = true;
    tally t = count(&a);
    CHECK_CLOSE(t.swapped / t.n, 0.5, 0.03);
    CHECK(t.flipped == 0 && t.scaled == 0);
    a = rv_augment_none();
    a.flip_sign = true;
    t = count(&a);
    CHECK_CLOSE(t.flipped / t.n, 0.5, 0.03);
    CHECK(t.swapped == 0 && t.scaled == 0);
}

TEST(test_mono_is_not_swapped)
{
    const rv_batch_shape mono = { B, S, 1, L, T };
    rv_augment a = rv_augment_none();
    a.swap_channels = true;
    rv_choice c[B * S];
    rv_augment_draw(&a, SEED, 0, &mono, c);
    for (size_t i = 0; i < B * S; i++)
        CHECK(!c[i].swap);
}

TEST(test_shift)
{
    rv_augment a = rv_augment_none();
    a.shift = 10;
    const tally t = count(&a);
    CHECK(t.offset_high == 9);
    CHECK_CLOSE(t.offset_sum / t.n, 4.5, 0.03);
    CHECK(rv_augment_clip_frames(&a, T) == T + 10);
    a.shift_same = true;
    size_t distinct = 0;
    for (uint64_t step = 0; step < STEPS; step++) {
        rv_choice c[B * S];
        draw(&a, step, c);
        for (size_t i = 0; i < B * S; i++)
            CHECK(c[i].offset == c[i - i % S].offset);
        distinct += c[0].offset != c[S].offset;
    }
    CHECK(distinct > STEPS / 2);
}

TEST(test_silence_leaves_a_stem)
{
    rv_augment a = rv_augment_none();
    a.silence = 0.1;
    const tally t = count(&a);
    CHECK_CLOSE(t.silent / t.n, 0.1, 0.02);
    a.silence = 0.9;
    for (uint64_t step = 0; step < STEPS; step++) {
        rv_choice c[B * S];
        draw(&a, step, c);
        for (size_t b = 0; b < B; b++) {
            float loudest = 0;
            for (size_t s = 0; s < S; s++)
                loudest = fmaxf(loudest, c[b * S + s].gain);
            CHECK(loudest == 1);
        }
    }
}

/* Switching one kind on leaves the other draws as they were; seeds and steps differ. */
TEST(test_draws_are_independent)
{
    rv_augment a = rv_augment_none(), all = rv_augment_demucs(9);
    a.shift = 9;
    all.remix = 0;
    rv_choice c[B * S], d[B * S], e[B * S];
    draw(&a, 3, c);
    draw(&all, 3, d);
    for (size_t i = 0; i < B * S; i++)
        CHECK(c[i].offset == d[i].offset);
    memset(e, 0, sizeof e);
    memset(d, 0, sizeof d);
    draw(&all, 4, d);
    draw(&all, 4, e);
    CHECK(memcmp(d, e, sizeof d) == 0);
    draw(&all, 5, e);
    CHECK(memcmp(d, e, sizeof d) != 0);
    rv_augment_draw(&all, SEED + 1, 4, &shape, e);
    CHECK(memcmp(d, e, sizeof d) != 0);
}

TEST(test_apply)
{
    static float samples[B * S * C * L], mix[B * T * C], stems[B * T * S * C];
    const float *planes[B * S * C];
    for (size_t i = 0; i < B * S * C * L; i++)
        samples[i] = (float)rv_rng_normal(1, 2, i);
    for (size_t i = 0; i < B * S * C; i++)
        planes[i] = samples + i * L;
    const rv_augment a = rv_augment_demucs(L - T);
    rv_choice choices[B * S];
    draw(&a, 7, choices);
    rv_augment_apply(choices, &shape, planes, mix, stems);
    for (size_t i = 0; i < B * T * C; i++) {
        const size_t b = i / (T * C), t = i / C % T, c = i % C;
        float sum = 0;
        for (size_t s = 0; s < S; s++) {
            const rv_choice *k = &choices[b * S + s];
            const size_t from = k->swap ? 1 - c : c;
            const float x = samples[((k->from * S + s) * C + from) * L + k->offset + t];
            const float y = stems[(b * T + t) * S * C + s * C + c];
            CHECK(y == k->gain * x);
            sum += y;
        }
        CHECK(mix[i] == sum);
    }
}

TEST(test_repitch_draws)
{
    rv_augment a = rv_augment_none();
    a.repitch = 0.2;
    double on = 0, pitches[5] = { 0 }, squares = 0;
    enum { N = 4000 };
    for (uint64_t i = 0; i < N; i++) {
        const rv_repitch_choice c = rv_augment_draw_repitch(&a, SEED, i, S, 0);
        const rv_repitch_choice other = rv_augment_draw_repitch(&a, SEED, i, S, 3);
        CHECK(c.on == other.on && c.semitones == other.semitones && c.tempo == other.tempo);
        CHECK(c.semitones >= -2 && c.semitones <= 2 && fabs(c.tempo) <= 12);
        on += c.on;
        pitches[c.semitones + 2]++;
        squares += c.tempo * c.tempo;
    }
    CHECK_CLOSE(on / N, 0.2, 0.03);
    for (int p = 0; p < 5; p++)
        CHECK_CLOSE(pitches[p] / N, 0.2, 0.03);
    CHECK_CLOSE(sqrt(squares / N), 5, 0.06);
    a.repitch_same = false;
    const double one = rv_augment_draw_repitch(&a, SEED, 1, S, 0).tempo;
    CHECK(one != rv_augment_draw_repitch(&a, SEED, 1, S, 3).tempo);
    CHECK(rv_augment_clip_frames(&a, 1000) >= 1120 && rv_augment_clip_frames(&a, 1000) <= 1121);
}

/* A sine of 441 Hz at 44.1 kHz that stops after 16000 frames -> its rising zeros in the middle of
 * what is left of it, and its end. */
static void measure(const rv_repitch *r, double *zeros, size_t *end, float *x)
{
    enum { N = 20000, OUT = 17000, FROM = 2000, TO = 12000 };
    rv_error err = { 0 };
    for (size_t i = 0; i < N; i++)
        x[i] = i < 16000 ? (float)(0.5 * sin(2 * 3.14159265358979323846 * (double)i / 100)) : 0;
    CHECK_OK(rv_repitch_clip(r, &x, N, OUT, &err), err);
    *zeros = 0;
    for (size_t i = FROM + 1; i < TO; i++)
        *zeros += x[i - 1] < 0 && x[i] >= 0;
    for (*end = OUT; *end > 0 && fabsf(x[*end - 1]) < 0.1f;)
        --*end;
}

TEST(test_repitch_with_rubber_band)
{
    if (!rv_repitch_present())
        skip();
    static float x[20000], again[20000];
    for (int semitones = -2; semitones <= 2; semitones += 2)
        for (int tempo = 0; tempo <= 12; tempo += 6) {
            const rv_repitch r = { 44100, 1, semitones, tempo };
            double zeros;
            size_t end;
            measure(&r, &zeros, &end, x);
            CHECK_CLOSE(zeros, 100 * exp2(semitones / 12.0), 0.02);
            CHECK_CLOSE((double)end, 16000 / (1 + 0.01 * tempo), 0.03);
            measure(&r, &zeros, &end, again);
            CHECK(memcmp(x, again, sizeof x) == 0);
        }
}

static void check_error(const rv_augment *a, size_t batch, rv_status status, const char *word)
{
    rv_error err = { 0 };
    const rv_status got = rv_augment_check(a, batch, &err);
    CHECK_MSG(got == status && strstr(err.text, word), "status %d, not %d, or no \"%s\" in: %s",
              got, status, word, err.text);
}

TEST(test_errors)
{
    rv_error err = { 0 };
    rv_augment a = rv_augment_demucs(44100);
    a.repitch = 0;
    CHECK_OK(rv_augment_check(&a, 8, &err), err);
    check_error(&a, 6, RV_ERR_ARG, "6 examples cannot be remixed in groups of 4");
    a.remix = 0;
    CHECK_OK(rv_augment_check(&a, 6, &err), err);
    a.gain_min = 2;
    check_error(&a, 6, RV_ERR_ARG, "gains from 2 to 1.25");
    a.gain_min = 0;
    a.silence = (double)NAN;
    check_error(&a, 6, RV_ERR_ARG, "probability of silence is nan");
    a.silence = 0;
    a.repitch = 1.5;
    check_error(&a, 6, RV_ERR_ARG, "probability of repitch is 1.5");
    a.repitch = 1;
    a.tempo_max = 90;
    check_error(&a, 6, RV_ERR_ARG, "90 %");
    a.tempo_max = 12;
    a.effects = -1;
    check_error(&a, 6, RV_ERR_ARG, "probability of effects is -1");
    a.effects = 1;
    a.effects_gain = 50;
    check_error(&a, 6, RV_ERR_ARG, "effects of 50 dB; expected 0 to 40");
    a.effects = 0;
    a.effects_gain = 9;
    if (rv_repitch_present())
        CHECK_OK(rv_augment_check(&a, 6, &err), err);
    else
        check_error(&a, 6, RV_ERR_UNSUPPORTED, "librubberband-dev");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_none_changes_nothing),
        cmocka_unit_test(test_remix_keeps_all_stems),
        cmocka_unit_test(test_gain),
        cmocka_unit_test(test_swap_and_sign),
        cmocka_unit_test(test_mono_is_not_swapped),
        cmocka_unit_test(test_shift),
        cmocka_unit_test(test_silence_leaves_a_stem),
        cmocka_unit_test(test_draws_are_independent),
        cmocka_unit_test(test_apply),
        cmocka_unit_test(test_repitch_draws),
        cmocka_unit_test(test_repitch_with_rubber_band),
        cmocka_unit_test(test_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
