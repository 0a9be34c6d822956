/* test_phrase_distance.c - the loudness and pitch of a resynthesis against those of its phrase. */
#include "base/rng.h"
#include "check.h"
#include "train/phrase_distance.h"

#include <math.h>
#include <stdlib.h>

enum { RATE = 16000, HOP = 128, FRAMES = 125, SAMPLES = FRAMES * HOP };

static const rv_phrase_meter meter = { RATE, (double)RATE / HOP, RV_FRAMES_CENTRED, 65.406,
                                       2093.005 };
static float wanted[SAMPLES], made[SAMPLES], pitch[FRAMES];
static bool voiced[FRAMES];

/* Harmonics h up to 7 kHz with amplitude h^-tilt, in a little noise; vibrato in semitones. */
static void tone(float *x, double hz, double tilt, double vibrato)
{
    double phase = 0;
    for (size_t t = 0; t < SAMPLES; t++) {
        const double now = hz * exp2(vibrato / 12 * sin(2 * M_PI * 5 * (double)t / RATE));
        double y = 0.01 * rv_rng_normal(1, 0, t);
        phase += 2 * M_PI * now / RATE;
        for (int h = 1; h * hz < 7000; h++)
            y += sin(h * phase) / pow(h, tilt);
        x[t] = (float)(0.2 * y);
    }
}

static void say(double hz, double vibrato)
{
    for (size_t t = 0; t < FRAMES; t++) {
        pitch[t] = (float)(hz * exp2(vibrato / 12 * sin(2 * M_PI * 5 * (double)(t * HOP) / RATE)));
        voiced[t] = true;
    }
}

static rv_phrase_distance distance_of(const rv_phrase_meter *m)
{
    rv_phrase_distance d = { 0 };
    rv_error err = { 0 };
    const rv_phrase_sound want = { wanted, pitch, voiced, SAMPLES, FRAMES };
    CHECK_OK(rv_phrase_distance_add(&d, m, made, &want, &err), err);
    CHECK(d.both + d.lost == d.voiced && d.frames == FRAMES + 1);
    return d;
}

static double semitones(const rv_phrase_distance *d)
{
    return d->pitch / (double)d->both;
}

/* What YIN finds in the middle of `made`. */
static double yin(double trough)
{
    float rows[3 * (FRAMES + 1)];
    rv_feature_spec spec;
    rv_feature *f = NULL;
    rv_error err = { 0 };
    rv_feature_defaults(&spec, RV_FEATURE_F0, RATE, meter.frame_rate);
    spec.f0_method = RV_F0_YIN;
    spec.trough = trough;
    CHECK_OK(rv_feature_new(&f, &spec, NULL, 0, &err), err);
    CHECK_OK(rv_feature_push(f, made, SAMPLES, &err), err);
    CHECK_OK(rv_feature_finish(f, &err), err);
    CHECK(rv_feature_pull(f, rows, FRAMES + 1) == FRAMES + 1);
    rv_feature_free(f);
    return (double)rows[3 * (FRAMES / 2)];
}

/* A period of 13.5 samples: YIN as it is published takes two of them, 27 samples, for one. */
TEST(test_high_tones_between_samples)
{
    const double hz = RATE / 13.5;
    tone(made, hz, 0.25, 0);
    say(hz, 0);
    CHECK_MSG(fabs(yin(0.1) - hz / 2) < 2 && fabs(yin(0.2) - hz / 2) < 2, "%g Hz", yin(0.1));
    const rv_phrase_distance d = distance_of(&meter);
    CHECK_MSG(semitones(&d) < 0.02 && d.both >= FRAMES - 6, "%g semitones, %d frames",
              semitones(&d), (int)d.both);
}

TEST(test_tones_have_their_pitch)
{
    double worst = 0;
    for (int note = 38; note < 95; note++)
        for (int kind = 0; kind < 3; kind++) {
            const double hz = 440 * exp2((note - 69 + 0.3) / 12), tilt = kind == 1 ? 0 : 1;
            const double vibrato = kind == 2 ? 0.3 : 0;
            tone(made, hz, tilt, vibrato);
            say(hz, vibrato);
            const rv_phrase_distance d = distance_of(&meter);
            worst = fmax(worst, semitones(&d));
            CHECK_MSG(semitones(&d) < 0.1 && d.both >= FRAMES - 6,
                      "%g Hz, kind %d: %g semitones, %d frames", hz, kind, semitones(&d),
                      (int)d.both);
        }
    printf("# within %.2g semitones\n", worst);
}

TEST(test_wrong_pitches_count)
{
    static const double off[] = { 1, -2, 12, -12 };
    for (size_t i = 0; i < sizeof off / sizeof *off; i++) {
        tone(made, 300 * exp2(off[i] / 12), 1, 0);
        say(300, 0);
        const rv_phrase_distance d = distance_of(&meter);
        CHECK_MSG(fabs(semitones(&d) - fabs(off[i])) < 0.02, "%g: %g", off[i], semitones(&d));
    }
}

TEST(test_only_frames_with_a_pitch_count)
{
    tone(made, 300, 1, 0);
    say(300, 0);
    for (size_t t = 50; t < FRAMES; t++) {
        voiced[t] = false;
        pitch[t] = 100;
    }
    rv_phrase_distance d = distance_of(&meter);
    CHECK(d.voiced == 50 && d.lost <= 2 && semitones(&d) < 0.02);
    /* silence from frame 25 on, but for the window that frames look through */
    for (size_t t = 25 * (size_t)HOP; t < SAMPLES; t++)
        made[t] = 0;
    d = distance_of(&meter);
    CHECK_MSG(d.lost >= 20 && d.lost <= 30 && semitones(&d) < 0.02, "%d lost", (int)d.lost);
}

TEST(test_noise_has_no_pitch)
{
    for (size_t t = 0; t < SAMPLES; t++)
        made[t] = (float)(0.1 * rv_rng_normal(2, 0, t));
    say(300, 0);
    const rv_phrase_distance d = distance_of(&meter);
    CHECK_MSG(d.lost == FRAMES && d.pitch == 0, "%d lost", (int)d.lost);
}

/* Frames that begin at their time see what comes after it. */
TEST(test_frames_lie_where_the_phrase_has_them)
{
    rv_phrase_meter m = meter;
    tone(made, 300, 1, 1);
    say(300, 1);
    const rv_phrase_distance centred = distance_of(&m);
    m.align = RV_FRAMES_STARTED;
    const rv_phrase_distance started = distance_of(&m);
    CHECK_MSG(semitones(&centred) < 0.1 && semitones(&started) > 3 * semitones(&centred),
              "%g and %g semitones", semitones(&centred), semitones(&started));
}

/* CREPE has its own range, whatever the rate. */
TEST(test_a_range_above_the_rate)
{
    const rv_phrase_meter m = { 4000, 4000.0 / HOP, RV_FRAMES_CENTRED, 65.406, 5000 };
    tone(made, 1200, 1, 0);
    say(300, 0); /* as 1200 Hz at 16 kHz are */
    for (size_t t = 0; t < SAMPLES; t++)
        wanted[t] = made[t];
    const rv_phrase_distance d = distance_of(&m);
    CHECK_MSG(semitones(&d) < 0.02 && d.loudness == 0, "%g semitones, %g dB", semitones(&d),
              d.loudness);
}

TEST(test_loudness)
{
    tone(made, 300, 1, 0);
    say(300, 0);
    for (size_t t = 0; t < SAMPLES; t++)
        wanted[t] = made[t] / 2;
    const rv_phrase_distance d = distance_of(&meter);
    CHECK(fabs(d.loudness / (double)d.frames - 20 * log10(2)) < 0.01);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_high_tones_between_samples),
        cmocka_unit_test(test_tones_have_their_pitch),
        cmocka_unit_test(test_wrong_pitches_count),
        cmocka_unit_test(test_only_frames_with_a_pitch_count),
        cmocka_unit_test(test_noise_has_no_pitch),
        cmocka_unit_test(test_frames_lie_where_the_phrase_has_them),
        cmocka_unit_test(test_a_range_above_the_rate),
        cmocka_unit_test(test_loudness),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
