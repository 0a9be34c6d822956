/* test_effects.c - each effect against its formula, measured on what comes out; chains in blocks.
 */
#include "base/rng.h"
#include "check.h"
#include "dsp/effects.h"

#include <complex.h>
#include <stdlib.h>
#include <string.h>

enum { RATE = 44100 };

static const double pi = 3.14159265358979323846;

static rv_effects *open_chain(const rv_effect *chain, size_t n, int rate)
{
    rv_effects *e = NULL;
    rv_error err = { 0 };
    CHECK_OK(rv_effects_new(&e, chain, n, rate, &err), err);
    return e;
}

static void apply(const rv_effect *effect, float *left, float *right, size_t frames)
{
    rv_effects *e = open_chain(effect, 1, RATE);
    rv_effects_process(e, (float *const[2]){ left, right }, frames);
    rv_effects_free(e);
}

static float *floats(size_t n)
{
    float *x = calloc(n, sizeof *x);
    CHECK(x != NULL);
    return x;
}

/* |X(f)| of x[0 .. n) */
static double magnitude(const float *x, size_t n, double hz)
{
    double complex sum = 0;
    for (size_t t = 0; t < n; t++)
        sum += (double)x[t] * cexp(-2 * pi * (double complex)I * fmod((double)t * hz / RATE, 1));
    return cabs(sum);
}

static double energy(const float *x, size_t n)
{
    double sum = 0;
    for (size_t t = 0; t < n; t++)
        sum += (double)x[t] * (double)x[t];
    return sum;
}

/* The analogue prototypes at s; the bilinear transform puts s = j tan(pi f/rate)/tan(pi f0/rate).
 */
static double complex prototype(const rv_effect *f, double complex s)
{
    const double q = f->value[1], a = pow(10, f->value[2] / 40);
    switch (f->kind) {
    case RV_EFFECT_HIGHPASS:
        return s * s / (s * s + s / q + 1);
    case RV_EFFECT_LOWPASS:
        return 1 / (s * s + s / q + 1);
    case RV_EFFECT_LOW_SHELF:
        return a * (s * s + sqrt(a) / q * s + a) / (a * s * s + sqrt(a) / q * s + 1);
    case RV_EFFECT_HIGH_SHELF:
        return a * (a * s * s + sqrt(a) / q * s + 1) / (s * s + sqrt(a) / q * s + a);
    default:
        return (s * s + s * a / q + 1) / (s * s + s / (a * q) + 1);
    }
}

TEST(test_filters_have_their_response)
{
    static const rv_effect filters[] = {
        { RV_EFFECT_HIGHPASS, { 80, 0.707 } },     { RV_EFFECT_LOWPASS, { 5000, 2 } },
        { RV_EFFECT_LOW_SHELF, { 200, 0.7, 9 } },  { RV_EFFECT_HIGH_SHELF, { 6000, 0.5, -12 } },
        { RV_EFFECT_PEAK, { 1000, 4, -15 } },      { RV_EFFECT_PEAK, { 12000, 1, 20 } },
        { RV_EFFECT_LOWPASS, { 0.49 * RATE, 5 } }, { RV_EFFECT_HIGH_SHELF, { 300, 1, 6 } },
    };
    static const double hz[] = { 30, 79, 200, 1000, 1100, 5000, 6000, 12000, 20000 };
    enum { N = 32768 };
    float *x = floats(N), *y = floats(N);
    for (size_t i = 0; i < sizeof filters / sizeof *filters; i++) {
        memset(x, 0, N * sizeof *x);
        x[0] = 1;
        apply(&filters[i], x, y, N);
        for (size_t k = 0; k < sizeof hz / sizeof *hz; k++) {
            const double complex s =
                (double complex)I * tan(pi * hz[k] / RATE) / tan(pi * filters[i].value[0] / RATE);
            const double want = cabs(prototype(&filters[i], s)), got = magnitude(x, N, hz[k]);
            CHECK_MSG(fabs(20 * log10(got / want)) < 1e-3, "filter %zu at %g Hz: %.5f dB, not %.5f",
                      i, hz[k], 20 * log10(got), 20 * log10(want));
        }
        CHECK(energy(y, N) == 0);
    }
    free(x);
    free(y);
}

/* The settled output level of a constant `in`, in dB above the input. */
static double settled_gain(const rv_effect *compressor, double in_db)
{
    enum { N = RATE };
    float *left = floats(N), *right = floats(N);
    for (size_t t = 0; t < N; t++)
        left[t] = -(right[t] = (float)pow(10, in_db / 20) / 2) * 2;
    apply(compressor, left, right, N);
    const double gain = 20 * log10(fabs((double)left[N - 1])) - in_db;
    CHECK_CLOSE((double)left[N - 1] / (double)right[N - 1], -2, 1e-6); /* one gain for both */
    free(left);
    free(right);
    return gain;
}

TEST(test_compressor_curve)
{
    const rv_effect c = { RV_EFFECT_COMPRESSOR, { -20, 4, 5, 50, 3 } };
    CHECK_CLOSE(settled_gain(&c, -60), 3, 1e-4);
    CHECK_CLOSE(settled_gain(&c, -23), 3, 1e-4);
    CHECK_CLOSE(settled_gain(&c, -20), 3 - 0.75 * 9 / 12, 1e-4);
    CHECK_CLOSE(settled_gain(&c, -18), 3 - 0.75 * 25 / 12, 1e-4);
    CHECK_CLOSE(settled_gain(&c, -17), 3 - 0.75 * 3, 1e-4);
    CHECK_CLOSE(settled_gain(&c, 0), 3 - 0.75 * 20, 1e-4);
    const rv_effect limiter = { RV_EFFECT_COMPRESSOR, { -12, 1000, 1, 10, 0 } };
    CHECK_CLOSE(settled_gain(&limiter, 0), -12, 0.02);
    const rv_effect none = { RV_EFFECT_COMPRESSOR, { -20, 1, 0, 0, 0 } };
    CHECK_CLOSE(settled_gain(&none, -1), 0, 1e-4);
}

/* 20 dB over the threshold for a second, then 40 dB less: exponentials in dB. */
TEST(test_compressor_times)
{
    enum { N = 2 * RATE };
    const double attack = 0.010, release = 0.100, full = 15;
    const rv_effect c = { RV_EFFECT_COMPRESSOR, { -20, 4, 10, 100, 0 } };
    float *left = floats(N), *right = floats(N);
    for (size_t t = 0; t < N; t++)
        left[t] = right[t] = t < RATE ? 1 : 0.01f;
    apply(&c, left, right, N);
    for (size_t i = 0; i < 4; i++) {
        const double at = 0.005 * (1 << i), later = 10 * at;
        const size_t up = (size_t)(at * RATE), down = (size_t)(later * RATE);
        CHECK_CLOSE(-20 * log10((double)left[up]),
                    full * (1 - exp(-(double)(up + 1) / RATE / attack)), 1e-3);
        const double want = full *
                            (release * exp(-(double)(down + 1) / RATE / release) -
                             attack * exp(-(double)(down + 1) / RATE / attack)) /
                            (release - attack);
        CHECK_CLOSE(-20 * log10((double)left[RATE + down] / 0.01), want, 5e-3);
    }
    free(left);
    free(right);
}

TEST(test_compressor_leaves_tones_clean)
{
    enum { N = RATE };
    const rv_effect c = { RV_EFFECT_COMPRESSOR, { -30, 4, 20, 200, 0 } };
    float *left = floats(N), *right = floats(N);
    for (size_t t = 0; t < N; t++)
        left[t] = right[t] = (float)sin(2 * pi * 441 * (double)t / RATE);
    apply(&c, left, right, N);
    const float *late = left + N / 2;
    const double first = magnitude(late, N / 2, 441), third = magnitude(late, N / 2, 3 * 441);
    CHECK_CLOSE(20 * log10(first / (N / 4.0)), -22.5, 0.05);
    CHECK_MSG(third < first * 1e-3, "third harmonic at %.1f dB", 20 * log10(third / first));
    free(left);
    free(right);
}

enum { TONE = 4096 }; /* an odd bin: harmonics fold onto bins of their own */

/* One settled period [TONE] of a sine of `bin` through a distortion; share 1, tone far up. */
static void distorted_period(float period[TONE], double drive_db, int bin, double amplitude)
{
    const rv_effect d = { RV_EFFECT_DISTORTION, { drive_db, 0.49 * RATE, 1 } };
    float *left = floats(3 * TONE), *right = floats(3 * TONE);
    for (size_t t = 0; t < 3 * TONE; t++)
        left[t] = (float)(amplitude * sin(2 * pi * bin * (double)(t % TONE) / TONE));
    apply(&d, left, right, 3 * TONE);
    memcpy(period, left + 2 * TONE, TONE * sizeof *period);
    free(left);
    free(right);
}

/* Amplitude of harmonic k of tanh(g sin): (2/N) sum over a fine circle. */
static double tanh_harmonic(double g, int k)
{
    enum { N = 4096 };
    double sum = 0;
    for (int i = 0; i < N; i++)
        sum += tanh(g * sin(2 * pi * i / N)) * sin(2 * pi * k * i / N);
    return 2 * sum / N;
}

TEST(test_distortion_makes_the_harmonics_of_tanh)
{
    static float period[TONE];
    distorted_period(period, 18, 51, 0.5);
    for (int k = 1; k <= 9; k++) {
        const double got = magnitude(period, TONE, k * 51.0 * RATE / TONE) / (TONE / 2);
        /* the tone's low-pass is still there: -3 dB at 21.6 kHz, less than 0.1 dB at 5 kHz */
        const double want = fabs(tanh_harmonic(0.5 * pow(10, 18 / 20.0), k));
        CHECK_MSG(fabs(got - want) < 2e-3 * want + 1e-6, "harmonic %d: %.7f, not %.7f", k, got,
                  want);
    }
}

/* What is neither harmonic nor above the audible range came by folding. */
TEST(test_distortion_hardly_folds)
{
    static float period[TONE];
    const int bin = 465; /* 5006 Hz */
    distorted_period(period, 12, bin, 0.7);
    double worst = 0;
    for (int b = 1; b < 18000.0 * TONE / RATE; b++) {
        if (b % bin == 0)
            continue;
        const double got = magnitude(period, TONE, (double)b * RATE / TONE) / (TONE / 2);
        worst = got > worst ? got : worst;
    }
    double plain = 0; /* harmonic 7 of 35042 Hz would fold to 9058 Hz */
    plain = fabs(tanh_harmonic(0.7 * pow(10, 12 / 20.0), 7));
    CHECK_MSG(worst < 1e-4 && plain > 1e-2, "folded at %.1f dB; without oversampling %.1f dB",
              20 * log10(worst), 20 * log10(plain));
}

TEST(test_distortion_is_late_by_what_it_says)
{
    enum { N = 400 };
    float x[N], left[N] = { 0 }, right[N] = { 0 };
    const rv_effect half = { RV_EFFECT_DISTORTION, { 0, 10000, 0 } };
    rv_effects *e = open_chain(&half, 1, RATE);
    const size_t latency = rv_effects_latency(e);
    CHECK(latency > 0 && latency < 100);
    for (size_t t = 0; t < N; t++) /* small and slow, so that the wet signal is the same */
        x[t] = left[t] = right[t] = (float)(1e-3 * sin(2 * pi * 500 * (double)t / RATE));
    rv_effects_process(e, (float *const[2]){ left, right }, N);
    CHECK(memcmp(left + latency, x, (N - latency) * sizeof *x) == 0);
    rv_effects_free(e);
    const rv_effect wet = { RV_EFFECT_DISTORTION, { 0, 0.49 * RATE, 1 } };
    memcpy(left, x, sizeof x);
    apply(&wet, left, right, N);
    for (size_t t = 150; t < N; t++)
        CHECK_MSG(fabsf(left[t] - x[t - latency]) < 2e-6f, "frame %zu: %g, not %g", t,
                  (double)left[t], (double)x[t - latency]);
}

TEST(test_chorus_delays_as_its_formula_says)
{
    enum { N = RATE / 2 };
    const double rate = 1.5, depth = 3, hz = 700;
    const rv_effect chorus = { RV_EFFECT_CHORUS, { 1.5, 3, 1 } };
    float *out[2] = { floats(N), floats(N) };
    for (size_t t = 0; t < N; t++)
        out[0][t] = out[1][t] = (float)sin(2 * pi * hz * (double)t / RATE);
    apply(&chorus, out[0], out[1], N);
    for (size_t t = RATE / 50; t < N; t++) {
        const double now = (double)t / RATE;
        for (int c = 0; c < 2; c++) {
            const double delay =
                0.005 + depth / 1000 * (1 + sin(2 * pi * (rate * now + c / 4.0))) / 2;
            CHECK_CLOSE(out[c][t], sin(2 * pi * hz * (now - delay)), 1e-4);
        }
    }
    free(out[0]);
    free(out[1]);
}

/* Seconds to fall by 60 dB: the line through -5 and -35 dB of the energy that is still to come
 * (Schroeder 1965), as ISO 3382 has it. */
static double decay_time(const float *x, size_t n)
{
    double left = energy(x, n);
    const double whole = left;
    size_t from = 0, to = 0;
    for (size_t t = 0; t < n && to == 0; t++) {
        from = from == 0 && left < whole * pow(10, -0.5) ? t : from;
        to = left < whole * pow(10, -3.5) ? t : to;
        left -= (double)x[t] * (double)x[t];
    }
    CHECK(to > from);
    return 2.0 * (double)(to - from) / RATE;
}

/* T60 of a reverb's answer to an impulse within a narrow band. */
static double measured_time(double seconds, double damping, double hz)
{
    const size_t n = (size_t)((seconds + 0.2) * RATE);
    const rv_effect room[] = { { RV_EFFECT_REVERB, { seconds, damping, 1 } },
                               { RV_EFFECT_HIGHPASS, { hz / 1.05, 3 } },
                               { RV_EFFECT_HIGHPASS, { hz / 1.05, 3 } },
                               { RV_EFFECT_LOWPASS, { hz * 1.05, 3 } },
                               { RV_EFFECT_LOWPASS, { hz * 1.05, 3 } } };
    float *left = floats(n), *right = floats(n);
    left[0] = right[0] = 1;
    rv_effects *e = open_chain(room, 5, RATE);
    rv_effects_process(e, (float *const[2]){ left, right }, n);
    const double times = (decay_time(left, n) + decay_time(right, n)) / 2;
    rv_effects_free(e);
    free(left);
    free(right);
    return times;
}

TEST(test_reverb_takes_its_time)
{
    static const double seconds[] = { 0.2, 0.5, 1.2, 2.5, 5 };
    for (size_t i = 0; i < sizeof seconds / sizeof *seconds; i++) {
        const double got = measured_time(seconds[i], 0.49 * RATE, 1000);
        CHECK_MSG(fabs(got / seconds[i] - 1) < 0.1, "T60 of %g s: %.3f s", seconds[i], got);
        const double low = measured_time(seconds[i], 6000, 400);
        CHECK_MSG(fabs(low / seconds[i] - 1) < 0.1, "T60 of %g s at 400 Hz: %.3f s", seconds[i],
                  low);
        const double damped = measured_time(seconds[i], 6000, 6000);
        CHECK_MSG(fabs(2 * damped / seconds[i] - 1) < 0.1,
                  "T60 of %g s, half of it at 6 kHz: %.3f s", seconds[i], damped);
    }
}

TEST(test_reverb_is_as_loud_as_its_input_and_wide)
{
    enum { N = 6 * RATE, FROM = 3 * RATE };
    static const double seconds[] = { 0.3, 1, 2 };
    float *out[2] = { floats(N), floats(N) };
    for (size_t i = 0; i < 3; i++) {
        for (size_t t = 0; t < N; t++) {
            out[0][t] = 0.1f * (float)rv_rng_normal(1, 0, t);
            out[1][t] = 0.1f * (float)rv_rng_normal(1, 1, t);
        }
        const rv_effect room = { RV_EFFECT_REVERB, { seconds[i], 0.49 * RATE, 1 } };
        apply(&room, out[0], out[1], N);
        const double left = energy(out[0] + FROM, N - FROM) / (N - FROM);
        const double right = energy(out[1] + FROM, N - FROM) / (N - FROM);
        double both = 0;
        for (size_t t = FROM; t < N; t++)
            both += (double)out[0][t] * (double)out[1][t] / (N - FROM);
        CHECK_MSG(fabs(10 * log10(left / 0.01)) < 1.5 && fabs(10 * log10(right / 0.01)) < 1.5,
                  "%g s: %.2f and %.2f dB louder", seconds[i], 10 * log10(left / 0.01),
                  10 * log10(right / 0.01));
        CHECK_MSG(fabs(both) < 0.1 * sqrt(left * right), "%g s: correlation of %.3f", seconds[i],
                  both / sqrt(left * right));
    }
    free(out[0]);
    free(out[1]);
}

TEST(test_pan_and_gain)
{
    for (int i = -4; i <= 4; i++) {
        float left = 1, right = 1;
        apply(&(rv_effect){ RV_EFFECT_PAN, { i / 4.0 } }, &left, &right, 1);
        CHECK_CLOSE((double)left * (double)left + (double)right * (double)right, 2, 1e-6);
        CHECK(i == 0 ? fabsf(left - right) < 1e-6f : (i < 0) == (left > right));
    }
    float left = 1, right = 0.5f;
    apply(&(rv_effect){ RV_EFFECT_PAN, { -1 } }, &left, &right, 1);
    CHECK_CLOSE(left, sqrt(2), 1e-6);
    CHECK_CLOSE(right, 0, 1e-6);
    apply(&(rv_effect){ RV_EFFECT_GAIN, { -6 } }, &left, &right, 1);
    CHECK_CLOSE(left, sqrt(2) * pow(10, -0.3), 1e-6);
}

static const rv_effect everything[] = {
    { RV_EFFECT_HIGHPASS, { 30, 0.7 } },
    { RV_EFFECT_LOWPASS, { 15000, 0.7 } },
    { RV_EFFECT_LOW_SHELF, { 200, 0.7, 3 } },
    { RV_EFFECT_HIGH_SHELF, { 5000, 0.7, -3 } },
    { RV_EFFECT_PEAK, { 1000, 1, 6 } },
    { RV_EFFECT_COMPRESSOR, { -20, 4, 5, 50, 6 } },
    { RV_EFFECT_DISTORTION, { 6, 8000, 0.5 } },
    { RV_EFFECT_CHORUS, { 0.8, 3, 0.4 } },
    { RV_EFFECT_REVERB, { 1, 6000, 0.3 } },
    { RV_EFFECT_PAN, { 0.3 } },
    { RV_EFFECT_GAIN, { -3 } },
};
enum { EVERYTHING = sizeof everything / sizeof *everything };

TEST(test_cuts_do_not_matter)
{
    enum { N = 20000 };
    static const size_t blocks[] = { N, 1, 7, 4096 };
    static float whole[2][N], out[2][N];
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) {
        rv_effects *e = open_chain(everything, EVERYTHING, RATE);
        for (size_t t = 0; t < N; t++) {
            out[0][t] = 0.3f * (float)rv_rng_normal(2, 0, t);
            out[1][t] = 0.3f * (float)rv_rng_normal(2, 1, t);
        }
        for (size_t at = 0; at < N; at += blocks[i]) {
            const size_t n = N - at < blocks[i] ? N - at : blocks[i];
            rv_effects_process(e, (float *const[2]){ out[0] + at, out[1] + at }, n);
        }
        rv_effects_process(e, (float *const[2]){ out[0], out[1] }, 0);
        if (i == 0)
            memcpy(whole, out, sizeof whole);
        CHECK_MSG(memcmp(whole, out, sizeof whole) == 0, "blocks of %zu differ", blocks[i]);
        rv_effects_free(e);
    }
}

/* Ends of all ranges, all combinations of two ends of each value: finite, and at rest after it. */
TEST(test_all_that_is_allowed_is_stable)
{
    static const double ends[RV_EFFECT_N][5][2] = {
        [RV_EFFECT_HIGHPASS] = { { 10, 0.49 * RATE }, { 0.1, 40 } },
        [RV_EFFECT_LOWPASS] = { { 10, 0.49 * RATE }, { 0.1, 40 } },
        [RV_EFFECT_LOW_SHELF] = { { 10, 0.49 * RATE }, { 0.1, 40 }, { -60, 60 } },
        [RV_EFFECT_HIGH_SHELF] = { { 10, 0.49 * RATE }, { 0.1, 40 }, { -60, 60 } },
        [RV_EFFECT_PEAK] = { { 10, 0.49 * RATE }, { 0.1, 40 }, { -60, 60 } },
        [RV_EFFECT_COMPRESSOR] = { { -100, 0 },
                                   { 1, 1000 },
                                   { 0, 1000 },
                                   { 0, 10000 },
                                   { -60, 60 } },
        [RV_EFFECT_DISTORTION] = { { -20, 60 }, { 10, 0.49 * RATE }, { 0, 1 } },
        [RV_EFFECT_CHORUS] = { { 0.01, 20 }, { 0, 20 }, { 0, 1 } },
        [RV_EFFECT_REVERB] = { { 0.05, 30 }, { 100, 0.49 * RATE }, { 0, 1 } },
        [RV_EFFECT_PAN] = { { -1, 1 } },
        [RV_EFFECT_GAIN] = { { -120, 60 } },
    };
    enum { N = 4000 };
    static float left[N], right[N];
    for (int i = 0; i < RV_EFFECT_N * 32; i++) {
        rv_effect effect = { .kind = (rv_effect_kind)(i / 32) };
        for (int v = 0; v < 5; v++)
            effect.value[v] = ends[effect.kind][v][i >> v & 1];
        rv_effects *e = open_chain(&effect, 1, RATE);
        double peak[8];
        for (size_t block = 0; block < 8; block++) {
            for (size_t t = 0; t < N; t++)
                left[t] = right[t] = block < 2 ? (float)rv_rng_normal(3, block, t) : 0;
            rv_effects_process(e, (float *const[2]){ left, right }, N);
            peak[block] = sqrt(energy(left, N) / N);
            CHECK_MSG(isfinite(peak[block]) && peak[block] < 1e5, "case %d: %g", i, peak[block]);
        }
        CHECK_MSG(peak[7] <= peak[1] || peak[7] <= 1.001 * peak[2], "case %d grows: %g, then %g", i,
                  peak[1], peak[7]);
        rv_effects_free(e);
    }
}

/* After a minute of silence nothing creeps among the denormals: all is zero. */
TEST(test_silence_becomes_zero)
{
    enum { N = RATE };
    float *left = floats(N), *right = floats(N);
    rv_effects *e = open_chain(everything, EVERYTHING, RATE);
    left[0] = right[0] = 1;
    for (int second = 0; second < 12; second++) {
        rv_effects_process(e, (float *const[2]){ left, right }, N);
        if (second < 11) {
            memset(left, 0, N * sizeof *left);
            memset(right, 0, N * sizeof *right);
        }
    }
    for (size_t t = 0; t < N; t++)
        CHECK_MSG(left[t] == 0 && right[t] == 0, "frame %zu: %g %g", t, (double)left[t],
                  (double)right[t]);
    rv_effects_free(e);
    free(left);
    free(right);
}

TEST(test_wrong_values_are_named)
{
    static const struct {
        rv_effect effect;
        const char *text;
    } cases[] = {
        { { RV_EFFECT_HIGHPASS, { 5, 1 } }, "effect 2 (high-pass): frequency (Hz) is 5" },
        { { RV_EFFECT_PEAK, { 23000, 1 } }, "effect 2 (peak): frequency (Hz) is 23000" },
        { { RV_EFFECT_LOWPASS, { 500, 0 } }, "effect 2 (low-pass): Q is 0; expected 0.1 to 40" },
        { { RV_EFFECT_LOW_SHELF, { 500, 1, NAN } }, "effect 2 (low shelf): gain (dB) is nan" },
        { { RV_EFFECT_COMPRESSOR, { -10, 0.5, 1, 1, 0 } }, "(compressor): ratio is 0.5" },
        { { RV_EFFECT_COMPRESSOR, { 1, 2, 1, 1, 0 } }, "threshold (dB) is 1; expected -100 to 0" },
        { { RV_EFFECT_REVERB, { 1, 5000, 1.5 } }, "(reverb): share is 1.5; expected 0 to 1" },
        { { RV_EFFECT_CHORUS, { 0, 1, 1 } }, "(chorus): rate (Hz) is 0" },
        { { RV_EFFECT_DISTORTION, { 99, 5000, 1 } }, "(distortion): drive (dB) is 99" },
        { { RV_EFFECT_PAN, { -2 } }, "(pan): position is -2" },
        { { RV_EFFECT_N, { 0 } }, "effect 2 is of kind 11" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const rv_effect chain[] = { { RV_EFFECT_GAIN, { 0 } }, cases[i].effect };
        rv_effects *e = NULL;
        rv_error err = { 0 };
        CHECK(rv_effects_new(&e, chain, 2, RATE, &err) == RV_ERR_ARG && e == NULL);
        CHECK_MSG(strstr(err.text, cases[i].text), "%s\nis not: %s", err.text, cases[i].text);
    }
    rv_effects *e = NULL;
    CHECK(rv_effects_new(&e, NULL, 0, 0, NULL) == RV_ERR_ARG);
    e = open_chain(NULL, 0, RATE);
    rv_effects_process(e, (float *const[2]){ NULL, NULL }, 0);
    rv_effects_free(e);
    rv_effects_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_filters_have_their_response),
        cmocka_unit_test(test_compressor_curve),
        cmocka_unit_test(test_compressor_times),
        cmocka_unit_test(test_compressor_leaves_tones_clean),
        cmocka_unit_test(test_distortion_makes_the_harmonics_of_tanh),
        cmocka_unit_test(test_distortion_hardly_folds),
        cmocka_unit_test(test_distortion_is_late_by_what_it_says),
        cmocka_unit_test(test_chorus_delays_as_its_formula_says),
        cmocka_unit_test(test_reverb_takes_its_time),
        cmocka_unit_test(test_reverb_is_as_loud_as_its_input_and_wide),
        cmocka_unit_test(test_pan_and_gain),
        cmocka_unit_test(test_cuts_do_not_matter),
        cmocka_unit_test(test_all_that_is_allowed_is_stable),
        cmocka_unit_test(test_silence_becomes_zero),
        cmocka_unit_test(test_wrong_values_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
