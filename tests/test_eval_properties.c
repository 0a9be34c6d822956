/* test_eval_properties.c - what figures must not depend on: level, a delay that the filters of BSS
 * Eval cover, the order of sources and channels. */
#include "eval/bss_eval.h"
#include "eval/ratios.h"
#include "eval/spectral_distance.h"
#include "eval_signals.h"

#include <string.h>

enum { SOURCES = 2, CHANNELS = 2, PLANES = SOURCES * CHANNELS, FRAMES = 9000, QUIET = 1000 };

/* Signals that end in silence, so that they can be delayed as a whole. */
static eval_signals signals_with_end(void)
{
    eval_signals s = new_signals(SOURCES, CHANNELS, FRAMES);
    for (size_t p = 0; p < PLANES; p++) {
        memset(s.references[p] + FRAMES - QUIET, 0, QUIET * sizeof(float));
        memset(s.estimates[p] + FRAMES - QUIET, 0, QUIET * sizeof(float));
    }
    return s;
}

/* Of the whole track: ratio k of a source at [k * SOURCES + source]. */
typedef struct ratios {
    double at[RV_BSS_RATIOS * SOURCES];
} ratios;

static ratios measure_planes(float *const *references, float *const *estimates, bool sources)
{
    const rv_bss_input in = { (const float *const *)references, (const float *const *)estimates,
                              SOURCES, CHANNELS, FRAMES };
    const rv_bss_options options = { .taps = 512, .sources = sources };
    rv_bss_result r = { 0 };
    rv_error err = { 0 };
    ratios all;
    CHECK_OK(rv_bss_eval(&r, &in, &options, &err), err);
    memcpy(all.at, r.values, sizeof all.at);
    rv_bss_result_free(&r);
    return all;
}

static ratios measure(eval_signals *s, bool sources)
{
    return measure_planes(s->references, s->estimates, sources);
}

static double ratio(const ratios *r, int k, size_t source)
{
    return r->at[(size_t)k * SOURCES + source];
}

/* y(t) = gain y(t - by) */
static void change(eval_signals *s, float gain, size_t by)
{
    for (size_t p = 0; p < PLANES; p++) {
        float *y = s->estimates[p];
        memmove(y + by, y, (FRAMES - by) * sizeof *y);
        memset(y, 0, by * sizeof *y);
        for (size_t t = 0; t < FRAMES; t++)
            y[t] *= gain;
    }
}

/* A level is a filter: the variant for sources does not see it, that for images does, and neither
 * do SIR and SAR of images. */
TEST(test_bss_scale)
{
    eval_signals s = signals_with_end();
    const ratios sources = measure(&s, true), images = measure(&s, false);
    change(&s, 0.25F, 0);
    const ratios quiet_sources = measure(&s, true), quiet_images = measure(&s, false);
    for (size_t i = 0; i < SOURCES; i++) {
        for (int k = RV_BSS_SIR; k <= RV_BSS_SAR; k++) {
            CHECK_CLOSE(ratio(&quiet_sources, k, i), ratio(&sources, k, i), 1e-9);
            CHECK_CLOSE(ratio(&quiet_images, k, i), ratio(&images, k, i), 1e-9);
        }
        CHECK_CLOSE(ratio(&quiet_sources, RV_BSS_SDR, i), ratio(&sources, RV_BSS_SDR, i), 1e-9);
        CHECK(ratio(&quiet_images, RV_BSS_SDR, i) < ratio(&images, RV_BSS_SDR, i) - 3);
        CHECK(ratio(&quiet_images, RV_BSS_ISR, i) < ratio(&images, RV_BSS_ISR, i) - 3);
    }
    free_signals(&s);
}

/* A delay within the 512 taps costs next to nothing but image distortion; beyond them, all. */
TEST(test_bss_delay)
{
    eval_signals near = signals_with_end(), shifted = signals_with_end(), far = signals_with_end();
    change(&shifted, 1, 300);
    change(&far, 1, 800);
    const ratios a = measure(&near, true), b = measure(&shifted, true), c = measure(&far, true);
    const ratios image = measure(&shifted, false);
    for (size_t i = 0; i < SOURCES; i++) {
        CHECK_CLOSE(ratio(&b, RV_BSS_SDR, i), ratio(&a, RV_BSS_SDR, i), 0.03);
        CHECK_CLOSE(ratio(&b, RV_BSS_SIR, i), ratio(&a, RV_BSS_SIR, i), 0.05);
        CHECK_CLOSE(ratio(&b, RV_BSS_SAR, i), ratio(&a, RV_BSS_SAR, i), 0.03);
        CHECK(ratio(&c, RV_BSS_SDR, i) < ratio(&a, RV_BSS_SDR, i) - 10);
        CHECK(ratio(&image, RV_BSS_SDR, i) < 0);
    }
    free_signals(&near);
    free_signals(&shifted);
    free_signals(&far);
}

/* Sources, and channels, in another order. */
TEST(test_bss_permutation)
{
    static const size_t sources[PLANES] = { 2, 3, 0, 1 }, channels[PLANES] = { 1, 0, 3, 2 };
    eval_signals s = signals_with_end();
    float *r[2][PLANES], *e[2][PLANES];
    for (size_t p = 0; p < PLANES; p++) {
        r[0][p] = s.references[sources[p]];
        e[0][p] = s.estimates[sources[p]];
        r[1][p] = s.references[channels[p]];
        e[1][p] = s.estimates[channels[p]];
    }
    const ratios a = measure(&s, false), b = measure_planes(r[0], e[0], false);
    const ratios c = measure_planes(r[1], e[1], false);
    for (int k = 0; k < RV_BSS_RATIOS; k++)
        for (size_t i = 0; i < SOURCES; i++) {
            CHECK_CLOSE(ratio(&b, k, SOURCES - 1 - i), ratio(&a, k, i), 1e-8);
            CHECK_CLOSE(ratio(&c, k, i), ratio(&a, k, i), 1e-8);
        }
    free_signals(&s);
}

/* The source itself has nothing wrong; its filtered copy has distortion of the image alone. */
TEST(test_bss_bounds)
{
    eval_signals s = signals_with_end();
    const ratios any = measure(&s, false);
    for (size_t p = 0; p < PLANES; p++)
        memcpy(s.estimates[p], s.references[p], FRAMES * sizeof(float));
    const ratios same = measure(&s, false);
    for (size_t p = 0; p < PLANES; p++)
        for (size_t t = FRAMES - 1; t > 0; t--)
            s.estimates[p][t] += 0.5F * s.estimates[p][t - 1];
    const ratios filtered = measure(&s, false);
    for (size_t i = 0; i < SOURCES; i++) {
        CHECK(ratio(&same, RV_BSS_SDR, i) > 100 && ratio(&same, RV_BSS_SAR, i) > 100);
        CHECK(ratio(&filtered, RV_BSS_SIR, i) > 80 && ratio(&filtered, RV_BSS_SAR, i) > 80);
        CHECK(ratio(&filtered, RV_BSS_SDR, i) < 20 && ratio(&filtered, RV_BSS_ISR, i) < 20);
        CHECK(ratio(&any, RV_BSS_SDR, i) < ratio(&any, RV_BSS_ISR, i));
    }
    free_signals(&s);
}

/* Whole-track ratios: SI-SDR knows no level of the estimate, the others do. */
TEST(test_ratio_scale)
{
    eval_signals s = new_signals(SOURCES, CHANNELS, FRAMES);
    const rv_stem_pair p = { (const float *const *)s.references, (const float *const *)s.estimates,
                             CHANNELS, FRAMES };
    const double si_sdr = rv_si_sdr(&p), snr = rv_snr(&p), mdx = rv_sdr_mdx21(&p);
    change(&s, 0.5F, 0);
    CHECK_CLOSE(rv_si_sdr(&p), si_sdr, 1e-6);
    CHECK(fabs(rv_snr(&p) - snr) > 1 && fabs(rv_sdr_mdx21(&p) - mdx) > 1);
    change(&s, -2, 0);
    CHECK_CLOSE(rv_si_sdr(&p), si_sdr, 1e-6); /* its sign is a scale as well */
    CHECK(rv_snr(&p) < 0);
    change(&s, 1, 1);
    CHECK(rv_si_sdr(&p) < si_sdr - 3);
    free_signals(&s);
}

/* A click has the same magnitude in all bins, and silence counts as 1e-5 in the logarithm. */
TEST(test_click_against_silence)
{
    enum { LENGTH = 3000, AT = 777 };
    static float click[LENGTH], silence[LENGTH];
    const float *const r[] = { click }, *const e[] = { silence };
    const rv_stem_pair p = { r, e, 1, LENGTH };
    rv_error err = { 0 };
    double want = 0, got = 0;
    click[AT] = 0.5F;
    for (int size = 2048; size >= 64; size /= 2) {
        const int hop = size / 4, frames = (LENGTH + hop - 1) / hop;
        for (int start = 0; start <= AT; start += hop)
            if (AT - start < size) {
                const double turn = 2 * acos(-1.0) * (AT - start) / size;
                const double magnitude = 0.5 * (0.5 - 0.5 * cos(turn));
                want += (magnitude + fabs(log(magnitude / 1e-5))) / frames;
            }
    }
    CHECK_OK(rv_multi_scale_spectral(&got, &p, &err), err);
    CHECK_CLOSE(got, want, 1e-5 * want);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bss_scale),       cmocka_unit_test(test_bss_delay),
        cmocka_unit_test(test_bss_permutation), cmocka_unit_test(test_bss_bounds),
        cmocka_unit_test(test_ratio_scale),     cmocka_unit_test(test_click_against_silence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
