/* test_ddsp_synths.c - the synthesisers against ddsp and ddsp_pytorch (tools/make_golden_ddsp.py),
 * and where the noise comes from. */
#include "ddsp/synth_harmonic.h"
#include "ddsp/synth_noise.h"
#include "ddsp/synth_sinusoidal.h"
#include "ddsp/synth_wavetable.h"

#include "ddsp_case.h"

#include <string.h>

static void check_harmonic(const char *file, const char *name, const rv_harmonic_config *config)
{
    ddsp_case c = ddsp_open(file, name);
    const rv_harmonic_controls from = { .amplitude = ddsp_input(&c, "amplitude"),
                                        .distribution = ddsp_input(&c, "distribution"),
                                        .f0 = ddsp_input(&c, "f0") };
    ddsp_check(&c, rv_synth_harmonic(config, &from));
}

TEST(test_harmonic)
{
    const rv_harmonic_config config = rv_harmonic_defaults(16000, 256);
    check_harmonic("ddsp", "harmonic", &config);
    check_harmonic("ddsp", "harmonic_high", &config);
}

TEST(test_harmonic_held)
{
    const rv_harmonic_config config = rv_harmonic_held(16000, 256);
    check_harmonic("ddsp_pytorch", "harmonic", &config);
    check_harmonic("ddsp_pytorch", "harmonic_high", &config);
}

TEST(test_sinusoidal)
{
    const rv_sinusoidal_config config = rv_sinusoidal_defaults(16000, 64);
    ddsp_case c = ddsp_open("ddsp", "sinusoidal");
    const rv_sinusoidal_controls from = { .amplitudes = ddsp_input(&c, "amplitudes"),
                                          .frequencies = ddsp_input(&c, "frequencies") };
    ddsp_check(&c, rv_synth_sinusoidal(&config, &from));
}

/* A second of sound from controls in float, which are the reference's, too. */
enum { LONG = 16000, EVERY = 25 };

TEST(test_sinusoidal_long)
{
    rv_sinusoidal_config config = rv_sinusoidal_defaults(16000, LONG);
    config.scale = false;
    config.frequencies = RV_SINUSOIDAL_HERTZ;
    ddsp_case c = ddsp_open("ddsp", "sinusoidal_long");
    const rv_sinusoidal_controls from = { .amplitudes = ddsp_input(&c, "amplitudes"),
                                          .frequencies = ddsp_input(&c, "frequencies") };
    ddsp_check(&c, ddsp_each(rv_sinusoidal_get_signal(&config, &from), EVERY));
}

static void check_harmonic_long(const char *file, const rv_harmonic_config *config)
{
    ddsp_case c = ddsp_open(file, "harmonic_long");
    const rv_harmonic_controls from = { .amplitude = ddsp_input(&c, "amplitude"),
                                        .distribution = ddsp_input(&c, "distribution"),
                                        .f0 = ddsp_input(&c, "f0") };
    ddsp_check(&c, ddsp_each(rv_harmonic_get_signal(config, &from), EVERY));
}

TEST(test_harmonic_long)
{
    const rv_harmonic_config config = rv_harmonic_defaults(16000, LONG);
    const rv_harmonic_config held = rv_harmonic_held(16000, LONG);
    check_harmonic_long("ddsp", &config);
    check_harmonic_long("ddsp_pytorch", &held);
}

TEST(test_wavetable_long)
{
    const rv_wavetable_config config = rv_wavetable_defaults(16000, LONG);
    ddsp_case c = ddsp_open("ddsp", "wavetable_long");
    const rv_wavetable_controls from = { .amplitude = ddsp_input(&c, "amplitude"),
                                         .tables = ddsp_input(&c, "tables"),
                                         .f0 = ddsp_input(&c, "f0") };
    ddsp_check(&c, ddsp_each(rv_wavetable_get_signal(&config, &from), EVERY));
}

TEST(test_wavetable)
{
    const rv_wavetable_config config = rv_wavetable_defaults(16000, 256);
    ddsp_case c = ddsp_open("ddsp", "wavetable");
    const rv_wavetable_controls from = { .amplitude = ddsp_input(&c, "amplitude"),
                                         .tables = ddsp_input(&c, "tables"),
                                         .f0 = ddsp_input(&c, "f0") };
    ddsp_check(&c, rv_synth_wavetable(&config, &from));
}

static void check_noise(const char *file, const char *name, const rv_noise_config *config)
{
    ddsp_case c = ddsp_open(file, name);
    rv_node *noise = ddsp_input(&c, "noise");
    ddsp_check(&c, rv_synth_noise(config, noise, ddsp_input(&c, "magnitudes")));
}

TEST(test_noise)
{
    static const size_t windows[] = { 0, 8, 11, 257 };
    for (size_t i = 0; i < 4; i++) {
        char name[20];
        rv_noise_config config = rv_noise_defaults();
        config.window = windows[i];
        snprintf(name, sizeof name, "noise_%zu", windows[i]);
        check_noise("ddsp", name, &config);
    }
}

/* Responses of 16 samples in frames of 10 and of 64. */
TEST(test_noise_wrapped)
{
    const rv_noise_config config = rv_noise_wrapped();
    check_noise("ddsp_pytorch", "noise_10", &config);
    check_noise("ddsp_pytorch", "noise_64", &config);
}

TEST(test_noise_source)
{
    enum { N = 20000 };
    static real x[N], again[N], other[N];
    double mean = 0, square = 0;
    rv_noise_fill(x, N, 3, 7);
    rv_noise_fill(again, N, 3, 7);
    CHECK(!memcmp(x, again, sizeof x));
    rv_noise_fill(other, N, 3, 8);
    CHECK(memcmp(x, other, sizeof x));
    rv_noise_fill(other, N, 4, 7);
    CHECK(memcmp(x, other, sizeof x));
    for (size_t i = 0; i < N; i++) {
        CHECK(x[i] >= -1 && x[i] <= 1);
        mean += (double)x[i] / N;
        square += (double)x[i] * (double)x[i] / N;
    }
    CHECK_CLOSE(mean, 0, 0.02);
    CHECK_CLOSE(square, 1.0 / 3, 0.01);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_harmonic),      cmocka_unit_test(test_harmonic_held),
        cmocka_unit_test(test_sinusoidal),    cmocka_unit_test(test_wavetable),
        cmocka_unit_test(test_noise),         cmocka_unit_test(test_noise_wrapped),
        cmocka_unit_test(test_noise_source),  cmocka_unit_test(test_sinusoidal_long),
        cmocka_unit_test(test_harmonic_long), cmocka_unit_test(test_wavetable_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
