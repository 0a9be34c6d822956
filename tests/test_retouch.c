/* test_retouch.c - random effects keep to their ranges, and what they do is their chain. */
#include "check.h"
#include "train/retouch.h"

#include <string.h>

enum { SEED = 7, CLIPS = 2000, N = 4000, RATE = 44100 };

static void check_range(const rv_effect *e, rv_effect_kind kind, double lowest, double highest,
                        double gain)
{
    CHECK(e->kind == kind);
    CHECK(e->value[0] >= lowest && e->value[0] <= highest);
    CHECK(e->value[1] >= 0.5 && e->value[1] <= 2);
    CHECK(fabs(e->value[2]) <= gain);
}

/* Gains fill their range; half of the chains have a compressor, a quarter a reverb. */
TEST(test_draws)
{
    double compressors = 0, reverbs = 0, squares = 0;
    for (uint64_t clip = 0; clip < CLIPS; clip++) {
        rv_effect chain[RV_RETOUCH_MAX];
        const size_t n = rv_retouch_draw(chain, SEED, clip, 9);
        CHECK(n >= 3 && n <= RV_RETOUCH_MAX);
        check_range(&chain[0], RV_EFFECT_LOW_SHELF, 80, 400, 9);
        check_range(&chain[1], RV_EFFECT_PEAK, 300, 5000, 9);
        check_range(&chain[2], RV_EFFECT_HIGH_SHELF, 2000, 9000, 9);
        for (size_t i = 3; i < n; i++) {
            compressors += chain[i].kind == RV_EFFECT_COMPRESSOR;
            reverbs += chain[i].kind == RV_EFFECT_REVERB;
        }
        squares += chain[1].value[2] * chain[1].value[2];
    }
    CHECK_CLOSE(compressors / CLIPS, 0.5, 0.05);
    CHECK_CLOSE(reverbs / CLIPS, 0.25, 0.05);
    CHECK_CLOSE(sqrt(squares / CLIPS), 9 / sqrt(3), 0.05);
}

static void fill(float x[2][N])
{
    for (int t = 0; t < N; t++) {
        x[0][t] = sinf(0.05f * (float)t);
        x[1][t] = 0.5f * cosf(0.31f * (float)t);
    }
}

/* Level of a channel in dB beside what it was. */
static double change(const float *x, const float *was)
{
    double a = 0, b = 0;
    for (int t = N / 2; t < N; t++) {
        a += (double)x[t] * (double)x[t];
        b += (double)was[t] * (double)was[t];
    }
    return 10 * log10(a / b);
}

/* A shelf of 6 dB lifts what is below it, 351 Hz, and leaves 2176 Hz; the same bits each time. */
TEST(test_chain_is_applied)
{
    static float was[2][N], x[2][N], again[2][N];
    fill(was);
    fill(x);
    fill(again);
    rv_error err = { 0 };
    rv_effect chain[] = { { RV_EFFECT_LOW_SHELF, { 1000, 0.7071, 6 } } };
    CHECK_OK(rv_retouch_clip(chain, 1, RATE, (float *[]){ x[0], x[1] }, N, &err), err);
    CHECK_OK(rv_retouch_clip(chain, 1, RATE, (float *[]){ again[0], again[1] }, N, &err), err);
    CHECK(memcmp(x, again, sizeof x) == 0);
    CHECK(change(x[0], was[0]) > 5.5 && change(x[0], was[0]) < 6.1);
    CHECK(fabs(change(x[1], was[1])) < 0.5);
}

/* Every chain can be had at every rate. */
TEST(test_low_rate)
{
    static float x[2][N];
    fill(x);
    rv_error err = { 0 };
    for (uint64_t clip = 0; clip < 40; clip++) {
        rv_effect chain[RV_RETOUCH_MAX];
        const size_t n = rv_retouch_draw(chain, SEED, clip, 9);
        CHECK_OK(rv_retouch_clip(chain, n, 4000, (float *[]){ x[0], x[1] }, 200, &err), err);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_draws),
        cmocka_unit_test(test_chain_is_applied),
        cmocka_unit_test(test_low_rate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
