/* test_resample.c - the resampler: quality in dB, exact lengths, independence of the blocks. */
#include "check.h"
#include "dsp/resample.h"

#include <stdlib.h>
#include <string.h>

static const double pi = 3.14159265358979323846;

static float *sine(size_t n, double hz, int rate)
{
    float *x = malloc((n + 1) * sizeof *x);
    CHECK(x != NULL);
    for (size_t t = 0; t < n; t++)
        x[t] = (float)(0.5 * sin(2 * pi * hz * (double)t / rate));
    return x;
}

/* All of x [n] in blocks of `block` frames, at most `room` frames out at a time. */
static float *resample(rv_resampler *r, const float *x, size_t n, size_t block, size_t room,
                       size_t expected)
{
    rv_error err = { 0 };
    float *y = calloc(expected + room, sizeof *y);
    size_t made = 0, total = 0;
    for (size_t at = 0, used = 0; at < n; at += used) {
        const size_t take = n - at < block ? n - at : block;
        CHECK_OK(rv_resampler_process(r, &(const float *){ x + at }, take, &used,
                                      &(float *){ y + total }, room, &made, &err),
                 err);
        total += made;
        CHECK(total <= expected);
    }
    do {
        CHECK_OK(rv_resampler_process(r, NULL, 0, NULL, &(float *){ y + total }, room, &made, &err),
                 err);
        total += made;
        CHECK(total <= expected);
    } while (made > 0);
    CHECK(total == expected);
    return y;
}

static float *convert(const float *x, size_t n, int from, int to)
{
    rv_error err = { 0 };
    rv_resampler *r = NULL;
    CHECK_OK(rv_resampler_new(&r, 1, from, to, &err), err);
    float *y = resample(r, x, n, 4096, 4096, rv_resampled_length(n, from, to));
    rv_resampler_free(r);
    return y;
}

/* SNR in dB of y against a perfect sine, without the ends, where the sine starts and stops. */
static double snr(const float *y, size_t n, double hz, int rate)
{
    double signal = 0, noise = 0;
    for (size_t t = n / 8; t < n - n / 8; t++) {
        const double want = 0.5 * sin(2 * pi * hz * (double)t / rate);
        signal += want * want;
        const double off = (double)y[t] - want;
        noise += off * off;
    }
    return 10 * log10(signal / (noise + 1e-30));
}

/* A delay of a hundredth of a sample at 1 kHz would already bring the SNR below 57 dB. */
TEST(test_sines_keep_their_quality)
{
    static const struct {
        int from, to;
        double hz, least; /* dB */
    } cases[] = {
        { 44100, 48000, 997, 140 },   { 48000, 44100, 997, 140 }, { 44100, 48000, 19000, 140 },
        { 48000, 44100, 19000, 140 }, { 96000, 44100, 997, 140 }, { 96000, 44100, 15000, 140 },
        { 8000, 44100, 997, 140 },    { 8000, 44100, 3400, 140 }, { 44100, 16000, 5000, 140 },
        { 44100, 88200, 10000, 140 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const size_t n = (size_t)cases[i].from;
        float *x = sine(n, cases[i].hz, cases[i].from);
        float *y = convert(x, n, cases[i].from, cases[i].to);
        const double db = snr(y, (size_t)cases[i].to, cases[i].hz, cases[i].to);
        CHECK_MSG(db >= cases[i].least, "%d to %d Hz, sine of %g Hz: SNR of %.1f dB", cases[i].from,
                  cases[i].to, cases[i].hz, db);
        free(x);
        free(y);
    }
}

TEST(test_there_and_back)
{
    const size_t n = 44100;
    float *x = sine(n, 12345, 44100);
    float *y = convert(x, n, 44100, 48000);
    float *z = convert(y, 48000, 48000, 44100);
    const double db = snr(z, n, 12345, 44100);
    CHECK_MSG(db >= 135, "44.1 to 48 to 44.1 kHz: SNR of %.1f dB", db);
    free(x);
    free(y);
    free(z);
}

/* What lies above the new Nyquist frequency must not come back below it. */
TEST(test_nothing_folds_back)
{
    const size_t n = 96000;
    float *x = sine(n, 30000, 96000);
    float *y = convert(x, n, 96000, 44100);
    double energy = 0;
    for (size_t t = 5000; t < 39000; t++)
        energy += (double)y[t] * (double)y[t] / 34000;
    CHECK_MSG(energy < 0.125 * 1e-14, "30 kHz comes through at %.1f dB",
              10 * log10(energy / 0.125));
    free(x);
    free(y);
}

TEST(test_blocks_do_not_matter)
{
    static const size_t blocks[][2] = { { 1, 1 }, { 7, 1000 }, { 4096, 3 }, { 1000, 4096 } };
    const size_t n = 30011, expected = rv_resampled_length(n, 44100, 48000);
    rv_error err = { 0 };
    rv_resampler *r = NULL;
    float *x = sine(n, 440, 44100);
    CHECK_OK(rv_resampler_new(&r, 1, 44100, 48000, &err), err);
    float *whole = resample(r, x, n, n, expected, expected);
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) {
        CHECK_OK(rv_resampler_reset(r, &err), err);
        float *y = resample(r, x, n, blocks[i][0], blocks[i][1], expected);
        CHECK(memcmp(y, whole, expected * sizeof *y) == 0);
        free(y);
    }
    rv_resampler_free(r);
    free(whole);
    free(x);
}

TEST(test_lengths_are_exact)
{
    static const size_t frames[] = { 0, 1, 2, 1000, 44100 };
    static const int rates[] = { 8000, 11025, 16000, 44100, 48000, 96000 };
    enum { RATES = sizeof rates / sizeof *rates };
    for (int i = 0; i < RATES * RATES; i++) {
        const int from = rates[i / RATES], to = rates[i % RATES];
        for (size_t k = 0; k < sizeof frames / sizeof *frames; k++) {
            float *x = sine(frames[k], 100, from);
            free(convert(x, frames[k], from, to)); /* checks the length */
            free(x);
        }
    }
}

TEST(test_length_formula)
{
    CHECK(rv_resampled_length(0, 44100, 48000) == 0);
    CHECK(rv_resampled_length(1, 44100, 48000) == 2);
    CHECK(rv_resampled_length(1, 96000, 44100) == 1);
    CHECK(rv_resampled_length(44100, 44100, 48000) == 48000);
    CHECK(rv_resampled_length(44101, 44100, 48000) == 48002);
    CHECK(rv_resampled_length(SIZE_MAX, 48000, 48000) == SIZE_MAX);
    CHECK(rv_resampled_length(SIZE_MAX / 2, 1, 3) == SIZE_MAX);
    CHECK(rv_resampled_length(SIZE_MAX, 2, 1) == SIZE_MAX / 2 + 1);
}

TEST(test_channels_are_kept_apart)
{
    enum { N = 8000, M = 2 * N };
    rv_error err = { 0 };
    rv_resampler *r = NULL;
    float *x[3] = { sine(N, 100, 8000), sine(N, 200, 8000), sine(N, 300, 8000) };
    float *y[3] = { calloc(M, 4), calloc(M, 4), calloc(M, 4) };
    size_t used = 0, made = 0, rest = 0;
    CHECK_OK(rv_resampler_new(&r, 3, 8000, 16000, &err), err);
    CHECK_OK(rv_resampler_process(r, (const float *const *)x, N, &used, y, M, &made, &err), err);
    float *tail[3] = { y[0] + made, y[1] + made, y[2] + made };
    CHECK_OK(rv_resampler_process(r, NULL, 0, NULL, tail, M, &rest, &err), err);
    CHECK(used == N && made + rest == M);
    for (int c = 0; c < 3; c++) {
        const double db = snr(y[c], M, 100 * (c + 1), 16000);
        CHECK_MSG(db > 130, "channel %d: SNR of %.1f dB", c, db);
        free(x[c]);
        free(y[c]);
    }
    rv_resampler_free(r);
}

TEST(test_equal_rates_copy)
{
    float *x = sine(1000, 440, 44100);
    float *y = convert(x, 1000, 44100, 44100);
    CHECK(memcmp(x, y, 1000 * sizeof *x) == 0);
    free(x);
    free(y);
}

TEST(test_bad_arguments)
{
    rv_error err = { 0 };
    rv_resampler *r = NULL;
    CHECK(rv_resampler_new(&r, 0, 1, 1, &err) == RV_ERR_ARG);
    CHECK(rv_resampler_new(&r, 1, 0, 44100, &err) == RV_ERR_ARG);
    CHECK(rv_resampler_new(&r, 1, 44100, -1, &err) == RV_ERR_ARG);
    CHECK(r == NULL);
    rv_resampler_free(NULL);
    float x = 0, *p = &x;
    size_t made = 0;
    CHECK_OK(rv_resampler_new(&r, 1, 44100, 48000, &err), err);
    CHECK(rv_resampler_process(r, NULL, 0, NULL, &p, 0, &made, &err) == RV_ERR_ARG);
    CHECK_OK(rv_resampler_process(r, NULL, 0, NULL, &p, 1, &made, &err), err);
    CHECK(rv_resampler_process(r, (const float *const *)&p, 1, NULL, &p, 1, &made, &err) ==
          RV_ERR_ARG);
    rv_resampler_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sines_keep_their_quality),
        cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_nothing_folds_back),
        cmocka_unit_test(test_blocks_do_not_matter),
        cmocka_unit_test(test_lengths_are_exact),
        cmocka_unit_test(test_length_formula),
        cmocka_unit_test(test_channels_are_kept_apart),
        cmocka_unit_test(test_equal_rates_copy),
        cmocka_unit_test(test_bad_arguments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
