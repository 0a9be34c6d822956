/* test_oscillators.c - every variant of the oscillators' kernels against sines in double. */
#include "kern_variants.h"

/* sine(k) of all phases, in double. Phases run through many turns. */
static double harmonic(kern_real phase, size_t k, bool cosine)
{
    const long double turns = (long double)(k + 1) * (long double)phase;
    const double angle = 2 * M_PI * (double)(turns - rintl(turns));
    return cosine ? cos(angle) : sin(angle);
}

static void check_harmonics(const kern_table *t)
{
    for (size_t n = 1; n < 80; n += 1 + below(5)) {
        const size_t count = 1 + below(100);
        const bool cosine = below(2);
        kern_real *phase = randoms(n), *first = randoms(count), *second = randoms(count);
        kern_real *y = sentinels(n + GUARD), *next = sentinels(n + GUARD);
        t->harmonics(y, next, phase, n, first, second, count, cosine);
        for (size_t i = 0; i < n; i++) {
            double want = 0, want_next = 0, size = 0;
            for (size_t k = 0; k < count; k++) {
                const double value = harmonic(phase[i], k, cosine);
                want += value * (double)first[k];
                want_next += value * (double)second[k];
                size += fabs((double)first[k]) + fabs((double)second[k]);
            }
            CHECK_CLOSE((double)y[i] / size, want / size, 20 * ROUNDING);
            CHECK_CLOSE((double)next[i] / size, want_next / size, 20 * ROUNDING);
        }
        CHECK(y[n] == SENTINEL && next[n] == SENTINEL);
        free(phase);
        free(first);
        free(second);
        free(y);
        free(next);
    }
}

static void check_harmonic_weights(const kern_table *t)
{
    for (size_t n = 1; n < 3000; n = 3 * n + below(5)) {
        const size_t count = 1 + below(100);
        kern_real *phase = randoms(n), *weight = randoms(n), *scratch = randoms(count * t->lanes);
        double sums[100];
        for (size_t k = 0; k < count; k++)
            sums[k] = 3;
        t->harmonic_weights(sums, phase, weight, n, count, scratch);
        for (size_t k = 0; k < count; k++) {
            double want = 3, size = 1;
            for (size_t i = 0; i < n; i++) {
                want += (double)weight[i] * harmonic(phase[i], k, false);
                size += fabs((double)weight[i]);
            }
            CHECK_CLOSE(sums[k] / size, want / size, 100 * ROUNDING);
        }
        free(phase);
        free(weight);
        free(scratch);
    }
}

/* Few turns in all: the rounding of their number is not what is tested. */
static kern_chirp random_chirp(void)
{
    return (kern_chirp){ .phase = rv_rng_normal(7, 2, drawn++),
                         .step = 0.2 * rv_rng_normal(7, 2, drawn++),
                         .bend = 1e-5 * rv_rng_normal(7, 2, drawn++),
                         .first = (kern_real)rv_rng_normal(7, 2, drawn++),
                         .second = (kern_real)rv_rng_normal(7, 2, drawn++) };
}

static double angle_of(const kern_chirp *c, size_t i)
{
    const double t = (double)i;
    return 2 * M_PI * (c->phase + t * c->step + t * (t - 1) / 2 * c->bend);
}

static double amplitude_of(const kern_chirp *c, kern_real share)
{
    return (double)c->first + (double)share * ((double)c->second - (double)c->first);
}

/* Largest error of a sine of amplitude 1 */
static const double CHIRP_ERROR = sizeof(kern_real) == sizeof(float) ? 4e-7 : 1e-12;

static void check_chirps(const kern_table *t)
{
    for (size_t n = 1; n < 3000; n = 2 * n + below(5)) {
        const size_t count = 1 + below(5);
        kern_real *share = randoms(n), *y = sentinels(n + GUARD);
        kern_chirp c[5];
        for (size_t k = 0; k < count; k++)
            c[k] = random_chirp();
        t->chirps(y, c, count, share, n);
        for (size_t i = 0; i < n; i++) {
            double want = 0, size = 0;
            for (size_t k = 0; k < count; k++) {
                want += amplitude_of(&c[k], share[i]) * sin(angle_of(&c[k], i));
                size += (fabs((double)c[k].first) + fabs((double)c[k].second)) *
                        (1 + fabs((double)share[i]));
            }
            CHECK_CLOSE((double)y[i] / size, want / size, CHIRP_ERROR);
        }
        CHECK(y[n] == SENTINEL);
        c[0].step = NAN;
        t->chirps(y, c, count, share, n);
        CHECK(isnan(y[0]) && isnan(y[n - 1]));
        free(share);
        free(y);
    }
}

static void check_chirp_slopes(const kern_table *t)
{
    for (size_t n = 1; n < 3000; n = 2 * n + below(5)) {
        kern_real *share = randoms(n), *weight = randoms(n);
        const kern_chirp c[2] = { random_chirp(), random_chirp() };
        kern_chirp_slopes got[2] = { { 3, 3, 3, 3, 3 }, { 3, 3, 3, 3, 3 } };
        t->chirp_slopes(got, c, 2, share, weight, n);
        for (size_t k = 0; k < 2; k++) {
            double want[5] = { 3, 3, 3, 3, 3 };
            for (size_t i = 0; i < n; i++) {
                const double w = (double)weight[i], s = (double)share[i], x = (double)i;
                const double angle = angle_of(&c[k], i);
                const double slope = 2 * M_PI * w * amplitude_of(&c[k], share[i]) * cos(angle);
                want[0] += w * (1 - s) * sin(angle);
                want[1] += w * s * sin(angle);
                want[2] += slope;
                want[3] += slope * x;
                want[4] += slope * x * (x - 1) / 2;
            }
            const double x = (double)n, sizes[] = { x, x, 20 * x, 20 * x * x, 10 * x * x * x };
            const double found[] = { got[k].first, got[k].second, got[k].phase, got[k].step,
                                     got[k].bend };
            for (size_t i = 0; i < 5; i++)
                CHECK_CLOSE(found[i] / sizes[i], want[i] / sizes[i], 4 * CHIRP_ERROR);
        }
        free(share);
        free(weight);
    }
}

TEST(test_oscillators)
{
    each_variant(check_chirps);
    each_variant(check_chirp_slopes);
    each_variant(check_harmonics);
    each_variant(check_harmonic_weights);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_oscillators),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
