/* test_sing.c - sung notes, measured: pitch, time, peak, sides, formants, consonants. What needs
 * the program espeak-ng is skipped with a message where it is not installed. */
#include "base/pool.h"
#include "check.h"
#include "data/sing.h"
#include "dsp/real_fft.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { RATE = 44100 };

static void need_espeak(void)
{
    if (rv_sing_available())
        return;
    print_message("skipped: the program espeak-ng is not installed (scripts/setup.sh test)\n");
    skip();
}

typedef struct song {
    float *side[2];
    size_t frames;
    int rate;
} song;

static song sing_at(int rate, double seconds, const rv_sung_note *notes, size_t n,
                    rv_voice_options opt)
{
    rv_error err = { 0 };
    song s = { .frames = (size_t)(seconds * rate), .rate = rate };
    for (int i = 0; i < 2; i++) {
        s.side[i] = malloc((s.frames + 1) * sizeof(float));
        CHECK(s.side[i] != NULL);
    }
    CHECK_OK(rv_sing(s.side, s.frames, rate, notes, n, &opt, &err), err);
    return s;
}

static song sing(double seconds, const rv_sung_note *notes, size_t n, rv_voice_options opt)
{
    return sing_at(RATE, seconds, notes, n, opt);
}

static void song_free(song *s)
{
    free(s->side[0]);
    free(s->side[1]);
}

static double likeness(const float *x, size_t lag, size_t window)
{
    double ab = 0, aa = 0, bb = 0;
    for (size_t i = 0; i < window; i++) {
        ab += (double)x[i] * (double)x[i + lag];
        aa += (double)x[i] * (double)x[i];
        bb += (double)x[i + lag] * (double)x[i + lag];
    }
    return ab / sqrt(aa * bb + 1e-30);
}

/* Cents by which the signal repeats off `hertz`: the best lag of four periods, to half a semitone
 * around, between samples by a parabola. */
static double cents_off(const song *s, double from, double hertz)
{
    const float *x = s->side[0] + (size_t)(from * s->rate);
    const double centre = 4 * s->rate / hertz;
    const size_t low = (size_t)(centre / 1.03), high = (size_t)(centre * 1.03) + 1;
    const size_t window = (size_t)(0.04 * s->rate);
    size_t best = low;
    for (size_t lag = low; lag <= high; lag++)
        if (likeness(x, lag, window) > likeness(x, best, window))
            best = lag;
    CHECK_MSG(likeness(x, best, window) > 0.9, "at %g s: no pitch", from);
    const double a = likeness(x, best - 1, window), b = likeness(x, best, window),
                 c = likeness(x, best + 1, window);
    return -1200 * log2(((double)best + 0.5 * (a - c) / (a - 2 * b + c)) / centre);
}

static const char *const vowels[] = { "ah", "oh", "la", "me", "new", "day" };
static const double pitches[] = { 48, 55, 60, 64.5, 69, 76 };

static void check_pitches(int rate, const char *voice)
{
    rv_sung_note notes[6];
    for (size_t i = 0; i < 6; i++)
        notes[i] = (rv_sung_note){ 0.3 + (double)i, 0.7, pitches[i], 0.8, vowels[i] };
    song s = sing_at(rate, 6.5, notes, 6,
                     (rv_voice_options){ .seed = 4, .espeak_voice = voice, .breath = 0.1 });
    for (size_t i = 0; i < 6; i++) {
        const double off = cents_off(&s, notes[i].start + 0.15, 440 * exp2((pitches[i] - 69) / 12));
        CHECK_MSG(fabs(off) < 10, "%s: note %zu is off by %.1f cents", voice, i, off);
    }
    song_free(&s);
}

TEST(test_notes_are_in_tune)
{
    need_espeak();
    check_pitches(RATE, "en-us+f3");
    check_pitches(48000, "en-us+m2");
}

static float peak_between(const song *s, double from, double to)
{
    float peak = 0;
    for (size_t t = (size_t)(from * s->rate); t < (size_t)(to * s->rate) && t < s->frames; t++)
        peak = fmaxf(peak, fmaxf(fabsf(s->side[0][t]), fabsf(s->side[1][t])));
    return peak;
}

TEST(test_rests_are_silent_and_the_peak_is_a_half)
{
    need_espeak();
    const rv_sung_note notes[] = { { 0.5, 0.5, 60, 0.9, "love" }, { 1.6, 0.5, 64, 0.5, "me" } };
    song s = sing(3, notes, 2, (rv_voice_options){ .seed = 1 });
    CHECK_CLOSE(peak_between(&s, 0, 3), 0.5, 1e-6);
    CHECK(peak_between(&s, 0, 0.2) < 1e-4f);
    CHECK(peak_between(&s, 1.06, 1.3) < 1e-4f);
    CHECK(peak_between(&s, 2.16, 3) < 1e-4f);
    CHECK(peak_between(&s, 0.6, 0.9) > 0.2f);
    CHECK(peak_between(&s, 1.7, 1.95) > 0.1f);
    song_free(&s);
}

TEST(test_breath_is_heard_before_a_phrase)
{
    need_espeak();
    rv_sung_note notes[6];
    for (size_t i = 0; i < 6; i++)
        notes[i] = (rv_sung_note){ 1.5 + 2 * (double)i, 0.5, 64, 0.8, "ah" };
    song s = sing(14, notes, 6, (rv_voice_options){ .seed = 1, .breath = 0.6 });
    int heard = 0;
    for (size_t i = 0; i < 6; i++) {
        const float peak = peak_between(&s, notes[i].start - 0.5, notes[i].start - 0.08);
        CHECK(peak < 0.12f);
        heard += peak > 5e-4f;
    }
    CHECK_MSG(heard >= 3, "%d breaths", heard);
    song_free(&s);
}

/* The right side's part that the left does not have. */
static double width(const song *s)
{
    double mid = 0, side = 0;
    for (size_t t = 0; t < s->frames; t++) {
        const double l = (double)s->side[0][t], r = (double)s->side[1][t];
        mid += (l + r) * (l + r);
        side += (l - r) * (l - r);
    }
    return side / mid;
}

static const rv_sung_note phrase[] = { { 0.4, 0.5, 60, 0.9, "sing" },
                                       { 0.9, 0.4, 62, 0.7, "ing" },
                                       { 1.3, 0.9, 64, 0.8, "song" },
                                       { 2.2, 0.6, 62, 0.8, "" } };

TEST(test_one_voice_is_in_the_middle_and_doubles_are_not)
{
    need_espeak();
    song one = sing(3, phrase, 4, (rv_voice_options){ .seed = 1 });
    CHECK(memcmp(one.side[0], one.side[1], one.frames * sizeof(float)) == 0);
    song three = sing(3, phrase, 4, (rv_voice_options){ .seed = 1, .doubles = 2 });
    CHECK_MSG(width(&three) > 0.03 && width(&three) < 0.8, "width %g", width(&three));
    CHECK_CLOSE(peak_between(&three, 0, 3), 0.5, 1e-6);
    song_free(&one);
    song_free(&three);
}

TEST(test_a_melisma_goes_on)
{
    need_espeak();
    song s = sing(3, phrase, 4, (rv_voice_options){ .seed = 1 });
    for (double t = 2.1; t < 2.4; t += 0.02)
        CHECK_MSG(peak_between(&s, t, t + 0.02) > 0.05f, "silent at %g s", t);
    song_free(&s);
}

static void sing_task(void *job, size_t task, int worker __attribute__((unused)))
{
    song *songs = job;
    songs[task] = sing(3, phrase, 4,
                       (rv_voice_options){ .seed = task % 4, .breath = -1, .doubles = task % 2 });
}

TEST(test_equal_arguments_make_equal_bits_in_any_thread)
{
    need_espeak();
    rv_error err = { 0 };
    rv_pool *pool = NULL;
    song songs[8], alone[4];
    CHECK_OK(rv_pool_new(&pool, 4, &rv_alloc_default, &err), err);
    rv_pool_run(pool, 8, sing_task, songs);
    for (size_t i = 0; i < 4; i++)
        sing_task(alone, i, 0);
    for (size_t i = 0; i < 8; i++)
        for (int side = 0; side < 2; side++)
            CHECK(memcmp(songs[i].side[side], alone[i % 4].side[side],
                         songs[i].frames * sizeof(float)) == 0);
    for (size_t i = 1; i < 4; i++)
        CHECK(memcmp(alone[i].side[0], alone[0].side[0], alone[0].frames * sizeof(float)) != 0);
    for (size_t i = 0; i < 8; i++)
        song_free(&songs[i]);
    for (size_t i = 0; i < 4; i++)
        song_free(&alone[i]);
    rv_pool_free(pool);
}

/* power[k] of 8192 samples from `from` seconds on */
static void spectrum(double power[4097], const song *s, double from)
{
    rv_error err = { 0 };
    rv_fft *fft = NULL;
    const rv_alloc *mem = &rv_alloc_default;
    CHECK_OK(rv_fft_new(&fft, 8192, mem, &err), err);
    float *x = mem->alloc(mem->ctx, 2 * rv_fft_row(fft) * sizeof *x, RV_FFT_ALIGN);
    float complex *bins = (float complex *)(x + rv_fft_row(fft));
    const float *in = s->side[0] + (size_t)(from * s->rate);
    for (size_t i = 0; i < 8192; i++)
        x[i] = in[i] * (float)(0.5 - 0.5 * cos(6.283185307179586 * (double)i / 8192));
    rv_fft_forward(fft, x, bins, 1);
    for (size_t k = 0; k <= 4096; k++)
        power[k] = (double)(crealf(bins[k]) * crealf(bins[k]) + cimagf(bins[k]) * cimagf(bins[k]));
    mem->free(mem->ctx, x);
    rv_fft_free(fft);
}

static double band(const double power[4097], double low, double high)
{
    double sum = 1e-30;
    for (size_t k = (size_t)(low * 8192 / RATE); k < (size_t)(high * 8192 / RATE); k++)
        sum += power[k];
    return sum;
}

static double centroid(double formant_shift)
{
    const rv_sung_note note = { 0.5, 1, 45, 0.8, "ah" };
    double power[4097], sum = 0, weighted = 0;
    song s = sing(2, &note, 1,
                  (rv_voice_options){
                      .seed = 2, .espeak_voice = "en-us+m3", .formant_shift = formant_shift });
    spectrum(power, &s, 0.7);
    for (size_t k = 40; k < 700; k++) { /* 215 to 3800 Hz */
        sum += power[k];
        weighted += power[k] * (double)k;
    }
    song_free(&s);
    return weighted / sum * RATE / 8192;
}

TEST(test_formants_move_with_their_shift)
{
    need_espeak();
    const double low = centroid(0.8), middle = centroid(1), high = centroid(1.3);
    CHECK_MSG(middle > 1.07 * low && high > 1.07 * middle, "centroids %g, %g, %g Hz", low, middle,
              high);
}

TEST(test_sibilants_hiss_and_vowels_ring)
{
    need_espeak();
    const rv_sung_note note = { 0.8, 0.8, 57, 0.8, "so" };
    double power[4097];
    song s = sing(2, &note, 1, (rv_voice_options){ .seed = 2, .espeak_voice = "en-us+f3" });
    spectrum(power, &s, 0.8 - 0.24); /* up to 50 ms before the beat */
    const double hiss = band(power, 4000, 16000), under = band(power, 0, 4000);
    CHECK_MSG(hiss > 2 * under, "sibilant: %.2g above 4 kHz, %.2g below", hiss, under);
    spectrum(power, &s, 1);
    CHECK(band(power, 4000, 16000) < 0.05 * band(power, 0, 4000));
    CHECK(hiss > 1e-4 * band(power, 0, 4000));
    song_free(&s);
}

static void check_refused(int rate, const rv_sung_note *notes, size_t n, rv_voice_options opt,
                          rv_status expected, const char *reason)
{
    rv_error err = { 0 };
    float left[4] = { 7, 7, 7, 7 }, right[4] = { 7, 7, 7, 7 };
    CHECK(rv_sing((float *[2]){ left, right }, 4, rate, notes, n, &opt, &err) == expected);
    CHECK_MSG(strstr(err.text, reason), "\"%s\" does not say \"%s\"", err.text, reason);
    CHECK(left[0] == 7 && right[3] == 7);
}

TEST(test_wrong_arguments_are_refused)
{
    const rv_voice_options plain = { .seed = 1 };
    const rv_sung_note fine = { 0, 1, 60, 0.5, "la" };
    const rv_sung_note late[] = { { 0, 1, 60, 0.5, "la" }, { 0.5, 1, 60, 0.5, "la" } };
    check_refused(1000, &fine, 1, plain, RV_ERR_ARG, "sample rate 1000");
    check_refused(RATE, late, 2, plain, RV_ERR_ARG, "sung note 1");
    check_refused(RATE, &(rv_sung_note){ -1, 1, 60, 0.5, "la" }, 1, plain, RV_ERR_ARG, "start -1");
    check_refused(RATE, &(rv_sung_note){ 0, NAN, 60, 0.5, "la" }, 1, plain, RV_ERR_ARG, "duration");
    check_refused(RATE, &(rv_sung_note){ 0, 1, 128, 0.5, "la" }, 1, plain, RV_ERR_ARG, "pitch 128");
    check_refused(RATE, &(rv_sung_note){ 0, 1, 60, 2, "la" }, 1, plain, RV_ERR_ARG, "velocity 2");
    check_refused(RATE, &fine, 1, (rv_voice_options){ .doubles = 4 }, RV_ERR_ARG, "4 doubles");
    check_refused(RATE, &fine, 1, (rv_voice_options){ .formant_shift = 2 }, RV_ERR_ARG, "shift 2");
    check_refused(RATE, &fine, 1, (rv_voice_options){ .breath = 3 }, RV_ERR_ARG, "breath 3");
}

TEST(test_no_notes_are_silence)
{
    rv_error err = { 0 };
    float left[4] = { 7, 7, 7, 7 }, right[4] = { 7, 7, 7, 7 };
    const rv_voice_options opt = { .seed = 1 };
    CHECK_OK(rv_sing((float *[2]){ left, right }, 4, RATE, NULL, 0, &opt, &err), err);
    for (int i = 0; i < 4; i++)
        CHECK(left[i] == 0 && right[i] == 0);
}

TEST(test_a_voice_that_is_not_there_is_named)
{
    need_espeak();
    const rv_sung_note note = { 0, 1, 60, 0.5, "la" };
    check_refused(RATE, &note, 1, (rv_voice_options){ .espeak_voice = "klingon-xx" }, RV_ERR_IO,
                  "klingon-xx");
}

/* In a folder where it is not, and in one where a program of that name only fails. */
TEST(test_without_espeak_the_error_says_what_to_install)
{
    const rv_sung_note note = { 0, 1, 60, 0.5, "la" };
    char folder[] = "/tmp/ravel-sing-XXXXXX", program[64];
    CHECK(mkdtemp(folder) != NULL);
    char *path = strdup(getenv("PATH"));
    setenv("PATH", folder, 1);
    CHECK(!rv_sing_available());
    check_refused(RATE, &note, 1, (rv_voice_options){ .seed = 1 }, RV_ERR_UNSUPPORTED,
                  "apt-get install espeak-ng");
    snprintf(program, sizeof program, "%s/espeak-ng", folder);
    FILE *f = fopen(program, "w");
    CHECK(f && fputs("#!/bin/sh\necho no such thing\n", f) >= 0 && fclose(f) == 0);
    CHECK(chmod(program, 0700) == 0);
    check_refused(RATE, &note, 1, (rv_voice_options){ .seed = 1 }, RV_ERR_FORMAT,
                  "not a WAV stream");
    setenv("PATH", path, 1);
    free(path);
    CHECK(remove(program) == 0 && rmdir(folder) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_notes_are_in_tune),
        cmocka_unit_test(test_rests_are_silent_and_the_peak_is_a_half),
        cmocka_unit_test(test_breath_is_heard_before_a_phrase),
        cmocka_unit_test(test_one_voice_is_in_the_middle_and_doubles_are_not),
        cmocka_unit_test(test_a_melisma_goes_on),
        cmocka_unit_test(test_equal_arguments_make_equal_bits_in_any_thread),
        cmocka_unit_test(test_formants_move_with_their_shift),
        cmocka_unit_test(test_sibilants_hiss_and_vowels_ring),
        cmocka_unit_test(test_wrong_arguments_are_refused),
        cmocka_unit_test(test_no_notes_are_silence),
        cmocka_unit_test(test_a_voice_that_is_not_there_is_named),
        cmocka_unit_test(test_without_espeak_the_error_says_what_to_install),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
