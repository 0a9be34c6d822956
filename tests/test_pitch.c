/* test_pitch.c - decoding of CREPE's bins, filters and thresholds against torchcrepe and CREPE
 * (tools/make_golden_crepe.py); the Viterbi path against one found by trying all; its memory. */
#include "base/rng.h"
#include "check.h"
#include "crepe_formula.h"
#include "dsp/pitch_decode.h"

#include <stdlib.h>
#include <string.h>

enum { BINS = RV_PITCH_BINS, N = 150, M = 60 };

/* As voices() of the generator. */
static float *voices(void)
{
    float *y = malloc(N * BINS * sizeof *y), *noise = malloc(N * BINS * sizeof *noise);
    crepe_formula(noise, N * BINS, "noise", 0.5, 0.5);
    for (int t = 0; t < N; t++) {
        const double first = 90 + 30 * sin(t / 17.0) + 0.13 * t;
        const double second = t < 80 ? 230.4 : 300.7 - 2.5 * ((t - 80) % 9);
        const double level = 0.55 + 0.45 * cos(t / 11.0);
        for (int i = 0; i < BINS; i++) {
            const double a = (i - first) / 1.6, b = (i - second) / 1.6;
            double v = 0.8 * level * exp(-a * a) + 0.7 * (1 - level) * exp(-b * b);
            v += 0.04 * (double)noise[t * BINS + i];
            y[t * BINS + i] = (float)(t > 60 && t < 85 ? 0.05 * v : v);
        }
    }
    free(noise);
    return y;
}

static void check_decoder(const char *name, rv_pitch_path path, rv_pitch_average average)
{
    rv_error err = { 0 };
    rv_pitch_decoder *d;
    char tensor[64];
    float f0[N], periodicity[N], want[N];
    float *y = voices();
    CHECK_OK(rv_pitch_decoder_new(&d, path, average, 50, 1200, &err), err);
    CHECK_OK(rv_pitch_decoder_push(d, y, N, &err), err);
    CHECK_OK(rv_pitch_decoder_finish(d, &err), err);
    CHECK(rv_pitch_decoder_pull(d, f0, periodicity, N) == N);
    snprintf(tensor, sizeof tensor, "%s.f0", name);
    crepe_golden(tensor, want, N);
    for (size_t i = 0; i < N; i++)
        CHECK_MSG(fabs(1200 * log2((double)f0[i] / (double)want[i])) < 0.01,
                  "%s: frame %zu is %g Hz, not %g", name, i, (double)f0[i], (double)want[i]);
    snprintf(tensor, sizeof tensor, "%s.periodicity", name);
    crepe_golden(tensor, want, N);
    for (size_t i = 0; i < N; i++)
        CHECK_CLOSE(periodicity[i], want[i], 1e-6);
    rv_pitch_decoder_free(d);
    free(y);
}

TEST(decoders)
{
    check_decoder("argmax", RV_PITCH_ARGMAX, RV_PITCH_BIN);
    check_decoder("weighted_argmax", RV_PITCH_ARGMAX, RV_PITCH_LOCAL_TORCHCREPE);
    check_decoder("viterbi", RV_PITCH_VITERBI_TORCHCREPE, RV_PITCH_BIN);
    check_decoder("crepe", RV_PITCH_VITERBI, RV_PITCH_LOCAL);
}

TEST(hertz)
{
    CHECK_CLOSE(rv_pitch_hertz(0), 31.7, 1e-3);
    CHECK_CLOSE(rv_pitch_hertz(60), 2 * rv_pitch_hertz(0), 1e-12);
    CHECK_CLOSE(rv_pitch_hertz(359), 2005.5, 1e-4);
}

/* Noise, and a voice in it: the path that leaves in parts is that of the whole. */
static void random_logs(double *y, size_t t)
{
    const double voice = 180 + 60 * sin((double)t / 20);
    for (size_t i = 0; i < BINS; i++)
        y[i] = 4 * rv_rng_uniform(1, t, i) + (fabs((double)i - voice) < 10 ? 12 : 0);
}

static double score_of(const unsigned short *bins, size_t n, bool jumps)
{
    double y[BINS], sum = 0;
    for (size_t t = 0; t < n; t++) {
        random_logs(y, t);
        sum += y[bins[t]];
        if (t == 0)
            continue;
        const int from = bins[t - 1], far = abs(from - bins[t]);
        double row = 0;
        for (int i = 0; i < BINS; i++)
            row += fmax(0, 12 - abs(from - i));
        sum += far < 12 ? log((12 - far) / row) : jumps ? -87.33654475 : -HUGE_VAL;
    }
    return sum;
}

/* The best score by the definition, all states before at each step. */
static double best_score(size_t n, bool jumps)
{
    double v[BINS], y[BINS], next[BINS], best = -HUGE_VAL, row[BINS] = { 0 };
    for (int i = 0; i < BINS; i++)
        for (int j = 0; j < BINS; j++)
            row[i] += fmax(0, 12 - abs(i - j));
    random_logs(v, 0);
    for (size_t t = 1; t < n; t++) {
        random_logs(y, t);
        for (int j = 0; j < BINS; j++) {
            next[j] = -HUGE_VAL;
            for (int i = 0; i < BINS; i++) {
                const int far = abs(i - j);
                const double step = far < 12 ? log((12 - far) / row[i])
                                    : jumps  ? -87.33654475
                                             : -HUGE_VAL;
                next[j] = fmax(next[j], v[i] + step + y[j]);
            }
        }
        memcpy(v, next, sizeof v);
    }
    for (size_t i = 0; i < BINS; i++)
        best = fmax(best, v[i]);
    return best;
}

TEST(path_is_the_best)
{
    enum { LENGTH = 200 };
    for (int jumps = 0; jumps <= 1; jumps++) {
        rv_error err = { 0 };
        rv_pitch_viterbi *v;
        unsigned short bins[RV_VITERBI_FRAMES];
        double y[BINS];
        size_t n = 0;
        CHECK_OK(rv_pitch_viterbi_new(&v, jumps, &err), err);
        for (size_t t = 0; t < LENGTH; t++) {
            random_logs(y, t);
            rv_pitch_viterbi_push(v, y);
            if (t % 10 == 9)
                n += rv_pitch_viterbi_decide(v, bins + n, false);
        }
        CHECK(n > 0);
        n += rv_pitch_viterbi_decide(v, bins + n, true);
        CHECK(n == LENGTH && rv_pitch_viterbi_decide(v, bins, true) == 0);
        CHECK_CLOSE(score_of(bins, n, jumps), best_score(n, jumps), 1e-9);
        rv_pitch_viterbi_free(v);
    }
}

/* A leap that lasts is worth its price where it is allowed. */
TEST(jumps)
{
    for (int jumps = 0; jumps <= 1; jumps++) {
        rv_error err = { 0 };
        rv_pitch_viterbi *v;
        unsigned short bins[RV_VITERBI_FRAMES];
        CHECK_OK(rv_pitch_viterbi_new(&v, jumps, &err), err);
        for (size_t t = 0; t < 100; t++) {
            double y[BINS];
            for (size_t i = 0; i < BINS; i++)
                y[i] = i == (t < 50 ? 20 : 320) ? 0 : -9;
            rv_pitch_viterbi_push(v, y);
        }
        CHECK(rv_pitch_viterbi_decide(v, bins, true) == 100);
        CHECK(bins[0] == 20 && bins[99] == 320);
        CHECK((bins[50] - bins[49] > 11) == jumps);
        rv_pitch_viterbi_free(v);
    }
}

/* Where nothing ever decides, memory stays bounded and every frame leaves. */
TEST(endless_silence)
{
    enum { LONG = 3 * RV_VITERBI_FRAMES };
    rv_error err = { 0 };
    rv_pitch_decoder *d;
    static const float silent[BINS];
    float f0;
    size_t n = 0, waits = 0;
    CHECK_OK(rv_pitch_decoder_new(&d, RV_PITCH_VITERBI_TORCHCREPE, RV_PITCH_LOCAL, 32, 2006, &err),
             err);
    for (size_t t = 0; t < LONG; t++) {
        CHECK_OK(rv_pitch_decoder_push(d, silent, 1, &err), err);
        while (rv_pitch_decoder_pull(d, &f0, NULL, 1))
            n++;
        waits = t + 1 - n > waits ? t + 1 - n : waits;
    }
    CHECK(waits < RV_VITERBI_FRAMES && n > 0);
    CHECK_OK(rv_pitch_decoder_finish(d, &err), err);
    while (rv_pitch_decoder_pull(d, &f0, NULL, 1))
        n++;
    CHECK(n == LONG);
    rv_pitch_decoder_free(d);
}

/* Filters and thresholds --------------------------------------------------------------------- */

static void check_contour(const float *got, const char *name, size_t n)
{
    float want[M];
    crepe_golden(name, want, n);
    for (size_t i = 0; i < n; i++)
        if (isnan(want[i]) || isnan(got[i]))
            CHECK_MSG(isnan(want[i]) && isnan(got[i]), "%s: %zu is %g, not %g", name, i,
                      (double)got[i], (double)want[i]);
        else
            CHECK_CLOSE(got[i], want[i], 2e-6);
}

TEST(filters)
{
    rv_error err = { 0 };
    float x[M], y[M];
    crepe_golden("gaps", x, M);
    rv_pitch_mean(y, x, M, 5);
    check_contour(y, "mean5", M);
    CHECK_OK(rv_pitch_median(y, x, M, 5, &err), err);
    check_contour(y, "median5", M);
    CHECK_OK(rv_pitch_median(y, x, M, 1, &err), err);
    check_contour(y, "gaps", M);
}

TEST(thresholds)
{
    rv_error err = { 0 };
    float x[M], p[M];
    crepe_golden("periodicity", p, M);
    crepe_golden("contour", x, M);
    rv_pitch_at(x, p, M, 0.21);
    check_contour(x, "at", M);
    crepe_golden("contour", x, M);
    CHECK_OK(rv_pitch_hysteresis(x, p, M, NULL, &err), err);
    check_contour(x, "hysteresis", M);
    crepe_golden("gaps", x, M);
    CHECK_OK(rv_pitch_hysteresis(x, p, M, NULL, &err), err);
    check_contour(x, "hysteresis_gaps", M);
}

TEST(silence)
{
    enum { SAMPLES = 4000, FRAMES = 26 };
    rv_error err = { 0 };
    float *tone = malloc(SAMPLES * sizeof *tone), p[FRAMES], least;
    crepe_formula(tone, SAMPLES, "hiss", 1e-6, 0);
    for (size_t i = 0; i < 3000; i++)
        tone[i] +=
            (float)(sin(2 * acos(-1) * 440 * (double)i / 16000) * pow(10, -30 * (double)i / 16000));
    for (size_t i = 0; i < FRAMES; i++)
        p[i] = 1;
    crepe_golden("silence.least", &least, 1);
    CHECK_OK(rv_pitch_silence(p, FRAMES, tone, SAMPLES, 160, (double)least, &err), err);
    check_contour(p, "silence", FRAMES);
    free(tone);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decoders),         cmocka_unit_test(hertz),
        cmocka_unit_test(path_is_the_best), cmocka_unit_test(jumps),
        cmocka_unit_test(endless_silence),  cmocka_unit_test(filters),
        cmocka_unit_test(thresholds),       cmocka_unit_test(silence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
