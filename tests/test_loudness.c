/* test_loudness.c - loudness: the standard's tone, and what pyloudnorm measures
 * (tools/make_golden_loudness.py holds the same signals). */
#include "check.h"
#include "dsp/effects.h"

#include <stdlib.h>
#include <string.h>

static const double pi = 3.14159265358979323846;

enum { LEVELS = 8 };
static const double levels_db[LEVELS] = { -20, -60, -14, -45, -30, -90, -8, -26 };

static double measure(const float *left, const float *right, size_t frames, int rate)
{
    rv_error err = { 0 };
    double lufs = 1;
    CHECK_OK(rv_loudness_lufs(&lufs, (const float *const[2]){ left, right }, right ? 2 : 1, frames,
                              rate, &err),
             err);
    return lufs;
}

static float *floats(size_t n)
{
    float *x = calloc(n, sizeof *x);
    CHECK(x != NULL);
    return x;
}

/* BS.1770: 0 dBFS at 997 Hz in one front channel is -3.01 LKFS, and in two 3.01 dB more. */
TEST(test_tone_of_the_standard)
{
    static const int rates[] = { 44100, 48000 };
    for (size_t i = 0; i < 2; i++) {
        const size_t n = 5 * (size_t)rates[i];
        float *x = floats(n), *silence = floats(n);
        for (size_t t = 0; t < n; t++)
            x[t] = (float)sin(2 * pi * 997 * (double)t / rates[i]);
        CHECK_CLOSE(measure(x, x, n, rates[i]), 0, 0.01);
        CHECK_CLOSE(measure(x, silence, n, rates[i]), -3.01, 0.005);
        CHECK_CLOSE(measure(x, NULL, n, rates[i]), -3.01, 0.005);
        CHECK(measure(silence, silence, n, rates[i]) == -HUGE_VAL);
        CHECK(measure(x, x, 100, rates[i]) == -HUGE_VAL);
        CHECK(measure(x, x, 0, rates[i]) == -HUGE_VAL);
        free(x);
        free(silence);
    }
}

static float *stepped_tone(int rate, double hz)
{
    float *x = floats((size_t)(rate * LEVELS));
    for (int t = 0; t < rate * LEVELS; t++)
        x[t] = (float)(pow(10, levels_db[t / rate] / 20) * sin(2 * pi * hz * t / rate));
    return x;
}

TEST(test_agrees_with_pyloudnorm)
{
    static const struct {
        int rate;
        double left_hz, right_hz;
        int channels;
        double lufs;
    } cases[] = {
        { 44100, 300, 1000, 2, -12.6941 },
        { 48000, 60, 5000, 2, -11.2088 },
        { 44100, 2500, 0, 1, -12.4447 },
        { 96000, 440, 9000, 2, -10.5403 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        float *left = stepped_tone(cases[i].rate, cases[i].left_hz);
        float *right =
            cases[i].channels == 2 ? stepped_tone(cases[i].rate, cases[i].right_hz) : NULL;
        const size_t n = (size_t)(cases[i].rate * LEVELS);
        const double got = measure(left, right, n, cases[i].rate);
        CHECK_MSG(fabs(got - cases[i].lufs) < 0.05, "case %zu: %.4f LUFS, not %.4f", i, got,
                  cases[i].lufs);
        free(left);
        free(right);
    }
}

TEST(test_wrong_arguments)
{
    rv_error err = { 0 };
    const float x = 0, *const planes[1] = { &x };
    double lufs = 1;
    CHECK(rv_loudness_lufs(&lufs, planes, 0, 1, 44100, &err) == RV_ERR_ARG);
    CHECK(rv_loudness_lufs(&lufs, planes, 1, 1, 0, &err) == RV_ERR_ARG);
    CHECK(strstr(err.text, "1 channels at 0 Hz") && lufs == 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tone_of_the_standard),
        cmocka_unit_test(test_agrees_with_pyloudnorm),
        cmocka_unit_test(test_wrong_arguments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
