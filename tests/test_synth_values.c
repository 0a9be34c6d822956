/* test_synth_values.c - sums of oscillators against sines in double, wavetables against lookups. */
#include "ops_fixture.h"

/* A tone of 440 Hz and more, whose amplitudes move between 5 frames, against sines. */
static double share_of_next(rv_upsample_mode mode, double x)
{
    return mode == RV_UPSAMPLE_HOLD     ? 0
           : mode == RV_UPSAMPLE_LINEAR ? x
                                        : 0.5 - 0.5 * cos(M_PI * x);
}

static double amplitude(const float *a, size_t t, size_t k, rv_upsample_mode mode)
{
    enum { F = 5, T = 1003, K = 60 };
    const double at = (double)t * F / T, w = share_of_next(mode, at - floor(at));
    const size_t f = (size_t)at, next = f + 1 < F ? f + 1 : f;
    return (1 - w) * (double)a[f * K + k] + w * (double)a[next * K + k];
}

static void check_harmonic(rv_upsample_mode mode)
{
    enum { B = 2, F = 5, T = 1003, K = 60 };
    fixture f;
    set_up(&f);
    rv_node *frequency = leaf(&f, RV_SHAPE(B, T)), *a = leaf(&f, RV_SHAPE(B, F, K));
    rv_node *y = rv_harmonic(rv_phase(rv_scale(frequency, 0.01, 0.0275)), a, mode);
    double *want = calloc(B * T, sizeof *want);
    for (size_t b = 0; b < B; b++) {
        double phase = 0;
        for (size_t t = 0; t < T; t++) {
            phase += (double)(f.data[0][b * T + t] * 0.01f + 0.0275f);
            for (size_t k = 0; k < K; k++)
                want[b * T + t] += amplitude(f.data[1] + b * F * K, t, k, mode) / 60 *
                                   sin(2 * M_PI * (double)(k + 1) * phase);
        }
    }
    finish(&f, rv_scale(y, 1.0 / 60, 0), want, B * T, 3e-6);
}

TEST(harmonic_is_a_sum_of_sines)
{
    check_harmonic(RV_UPSAMPLE_HOLD);
    check_harmonic(RV_UPSAMPLE_LINEAR);
    check_harmonic(RV_UPSAMPLE_HANN);
}

/* Oscillators that slide for a minute's worth of turns, summed sample by sample. */
static double slid(const float *x, size_t t, size_t k, rv_upsample_mode mode)
{
    enum { F = 7, T = 20001, K = 3 };
    const double at = (double)t * F / T, w = share_of_next(mode, at - floor(at));
    const size_t f = (size_t)at, next = f + 1 < F ? f + 1 : f;
    return (1 - w) * (double)x[f * K + k] + w * (double)x[next * K + k];
}

static void check_sinusoids(rv_upsample_mode mode)
{
    enum { B = 2, F = 7, T = 20001, K = 3 };
    fixture f;
    set_up(&f);
    rv_node *frequency = leaf(&f, RV_SHAPE(B, F, K)), *a = leaf(&f, RV_SHAPE(B, F, K));
    rv_node *y = rv_sinusoids(frequency, a, T, mode);
    double *want = calloc(B * T, sizeof *want);
    for (size_t b = 0; b < B; b++)
        for (size_t k = 0; k < K; k++) {
            double phase = 0;
            for (size_t t = 0; t < T; t++) {
                phase += slid(f.data[0] + b * F * K, t, k, RV_UPSAMPLE_LINEAR);
                phase -= rint(phase);
                want[b * T + t] +=
                    slid(f.data[1] + b * F * K, t, k, mode) / K * sin(2 * M_PI * phase);
            }
        }
    finish(&f, rv_scale(y, 1.0 / K, 0), want, B * T, 4e-7);
}

TEST(sinusoids_follow_their_frequencies)
{
    check_sinusoids(RV_UPSAMPLE_HOLD);
    check_sinusoids(RV_UPSAMPLE_LINEAR);
    check_sinusoids(RV_UPSAMPLE_HANN);
}

/* As ddsp.core.linear_lookup: every point of a table weighs what is left of 1 after its distance to
 * the phase, in points; the first point stands behind the last, too. */
static double looked_up(const double *table, size_t n, double phase)
{
    double sum = 0;
    const double at = (phase - floor(phase)) * (double)n;
    for (size_t i = 0; i <= n; i++)
        sum += table[i % n] * fmax(1 - fabs(at - (double)i), 0);
    return sum;
}

TEST(wavetable_is_a_lookup)
{
    enum { B = 2, F = 7, T = 2001, L = 3 };
    fixture f;
    set_up(&f);
    rv_node *phase = leaf(&f, RV_SHAPE(B, T)), *tables = leaf(&f, RV_SHAPE(B, F, L));
    rv_node *y = rv_wavetable(phase, tables, RV_UPSAMPLE_HOLD);
    double *want = calloc(B * T, sizeof *want);
    for (size_t row = 0; row < B * T; row++) {
        double table[L];
        for (size_t i = 0; i < L; i++)
            table[i] = (double)f.data[1][(row / T * F + row % T * F / T) * L + i];
        want[row] = looked_up(table, L, (double)f.data[0][row]);
    }
    finish(&f, y, want, B * T, 2e-6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(harmonic_is_a_sum_of_sines),
        cmocka_unit_test(sinusoids_follow_their_frequencies),
        cmocka_unit_test(wavetable_is_a_lookup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
