/* test_oracles.c - estimates of those who know the stems, against the formulas of
 * sigsep-mus-oracle run with scipy (tools/make_golden_eval_more.py), and their properties. */
#include "eval/oracle.h"
#include "eval/oracle_filter.h"
#include "eval_signals.h"
#include "ravel/eval.h"

#include <string.h>

enum { STEMS = 3, CHANNELS = 2, FRAMES = 5000, PLANES = STEMS * CHANNELS, EVERY = 97 };

static char *names[] = { "drums", "bass", "vocals", "accompaniment" };

/* Stems, of which the mixture is the sum, and room for estimates. */
typedef struct fixture {
    eval_signals signals;
    float *mixture[CHANNELS];
    float *more[2 * CHANNELS]; /* of a fourth stem: its reference, its estimate */
    float *references[PLANES + CHANNELS], *estimates[PLANES + CHANNELS];
    rv_song_audio audio;
} fixture;

static fixture *new_fixture(void)
{
    fixture *f = calloc(1, sizeof *f);
    CHECK(f != NULL);
    f->signals = new_signals(STEMS, CHANNELS, FRAMES);
    for (size_t i = 0; i < 2 * CHANNELS; i++)
        f->more[i] = new_plane(FRAMES);
    for (size_t p = 0; p < PLANES + CHANNELS; p++) {
        f->references[p] = p < PLANES ? f->signals.references[p] : f->more[p - PLANES];
        f->estimates[p] = p < PLANES ? f->signals.estimates[p] : f->more[CHANNELS + p - PLANES];
    }
    for (size_t c = 0; c < CHANNELS; c++) {
        f->mixture[c] = new_plane(FRAMES);
        for (size_t i = 0; i < STEMS * FRAMES; i++)
            f->mixture[c][i % FRAMES] += f->references[i / FRAMES * CHANNELS + c][i % FRAMES];
    }
    f->audio = (rv_song_audio){ .n_stems = STEMS,
                                .channels = CHANNELS,
                                .frames = FRAMES,
                                .sample_rate = 44100,
                                .references = f->references,
                                .estimates = f->estimates,
                                .mixture = f->mixture };
    return f;
}

static void free_fixture(fixture *f)
{
    free_signals(&f->signals);
    for (size_t c = 0; c < CHANNELS; c++)
        free(f->mixture[c]);
    for (size_t i = 0; i < 2 * CHANNELS; i++)
        free(f->more[i]);
    free(f);
}

static void estimate(fixture *f, const char *oracle)
{
    int number = -1;
    rv_error err = { 0 };
    rv_song_audio_clear(&f->audio);
    CHECK_OK(rv_oracle_find(&number, oracle, &err), err);
    CHECK_OK(rv_oracle_estimate(number, &f->audio, names, NULL, NULL, &err), err);
}

static void check_golden(fixture *f, const char *oracle, const json_t *planes)
{
    estimate(f, oracle);
    CHECK_MSG(json_array_size(planes) == PLANES, "%s", oracle);
    for (size_t p = 0; p < PLANES; p++)
        for (size_t i = 0; i * EVERY < FRAMES; i++)
            CHECK_CLOSE(f->estimates[p][i * EVERY],
                        json_number_value(json_array_get(json_array_get(planes, p), i)), 1e-6);
}

TEST(test_agrees_with_references)
{
    char path[500];
    snprintf(path, sizeof path, "%s/tests/golden/eval_more.json", getenv("RV_TEST_SOURCE"));
    json_t *golden = json_load_file(path, 0, NULL);
    CHECK_MSG(golden != NULL, "%s", path);
    fixture *f = new_fixture();
    static const char *const oracles[] = { "ibm1", "ibm2", "irm1", "irm2", "mwf" };
    for (size_t i = 0; i < 5; i++)
        check_golden(f, oracles[i],
                     json_object_get(json_object_get(golden, "oracles"), oracles[i]));
    free_fixture(f);
    json_decref(golden);
}

static double distance(const float *x, const float *y, size_t n)
{
    double most = 0;
    for (size_t t = 0; t < n; t++)
        most = fmax(most, fabs((double)x[t] - (double)y[t]));
    return most;
}

/* Ratios add up to 1, so that estimates add up to the mixture; for the Wiener filter but for what
 * eps in the determinant takes away. */
TEST(test_estimates_add_up)
{
    static const char *const oracles[] = { "irm1", "irm2", "mwf" };
    static const double allowed[] = { 1e-6, 1e-6, 1e-4 };
    fixture *f = new_fixture();
    for (size_t i = 0; i < 3; i++) {
        estimate(f, oracles[i]);
        for (size_t c = 0; c < CHANNELS; c++) {
            float *sum = new_plane(FRAMES);
            for (size_t k = 0; k < STEMS * FRAMES; k++)
                sum[k % FRAMES] += f->estimates[k / FRAMES * CHANNELS + c][k % FRAMES];
            CHECK_CLOSE(distance(sum, f->mixture[c], FRAMES), 0, allowed[i]);
            free(sum);
        }
    }
    free_fixture(f);
}

TEST(test_baselines)
{
    fixture *f = new_fixture();
    estimate(f, "mix");
    for (size_t p = 0; p < PLANES; p++)
        CHECK(memcmp(f->estimates[p], f->mixture[p % CHANNELS], FRAMES * sizeof(float)) == 0);
    estimate(f, "silence");
    CHECK(rv_is_silent((const float *const *)f->estimates, PLANES, FRAMES));
    free_fixture(f);
}

/* The same sound on both channels: determinants are rounding noise, the filter is still one. */
TEST(test_mono_on_two_channels)
{
    fixture *f = new_fixture();
    for (size_t s = 0; s < STEMS; s++)
        memcpy(f->references[2 * s + 1], f->references[2 * s], FRAMES * sizeof(float));
    memcpy(f->mixture[1], f->mixture[0], FRAMES * sizeof(float));
    estimate(f, "irm2");
    float *masked = new_plane(FRAMES);
    memcpy(masked, f->estimates[0], FRAMES * sizeof(float));
    estimate(f, "mwf");
    CHECK_CLOSE(distance(f->estimates[0], masked, FRAMES), 0, 1e-6);
    CHECK_CLOSE(distance(f->estimates[0], f->estimates[1], FRAMES), 0, 1e-7);
    f->audio.channels = 1;
    f->audio.n_stems = 2;
    estimate(f, "mwf"); /* one channel is a mask as well */
    CHECK(!rv_is_silent((const float *const *)f->estimates, 1, FRAMES));
    free(masked);
    free_fixture(f);
}

/* Of one stem alone, what the mixture has beside it is a source, too. */
TEST(test_rest_of_the_mixture)
{
    static const char *const oracles[] = { "irm2", "mwf", "ibm1" };
    fixture *f = new_fixture();
    for (size_t i = 0; i < 3; i++) {
        f->audio.n_stems = 1;
        estimate(f, oracles[i]);
        CHECK(distance(f->estimates[0], f->mixture[0], FRAMES) > 0.05);
        const rv_stem_pair p = rv_song_audio_pair(&f->audio, 0);
        rv_stem_pair mix = p;
        mix.estimate = (const float *const *)f->mixture;
        CHECK(rv_si_sdr(&p) > rv_si_sdr(&mix) + 1);
    }
    free_fixture(f);
}

/* "accompaniment" is the sum of the estimates of all but the vocals. */
TEST(test_accompaniment)
{
    fixture *f = new_fixture();
    f->audio.n_stems = 4;
    for (size_t c = 0; c < CHANNELS; c++)
        for (size_t t = 0; t < FRAMES; t++)
            f->references[PLANES + c][t] = f->references[c][t] + f->references[CHANNELS + c][t];
    estimate(f, "ibm1");
    for (size_t c = 0; c < CHANNELS; c++)
        for (size_t t = 0; t < FRAMES; t++)
            CHECK_CLOSE(f->estimates[PLANES + c][t],
                        f->estimates[c][t] + f->estimates[CHANNELS + c][t], 1e-6);
    free_fixture(f);
}

TEST(test_refused)
{
    int number = 0;
    rv_error err = { 0 };
    CHECK(rv_oracle_find(&number, "irm3", &err) == RV_ERR_ARG);
    CHECK(strstr(err.text, "'irm3'") &&
          strstr(err.text, "mix, silence, ibm1, ibm2, irm1, irm2, mwf"));
    const rv_oracle_input three = { .channels = 3 };
    CHECK(rv_oracle_wiener(NULL, &three, &err) == RV_ERR_UNSUPPORTED &&
          strstr(err.text, "3 channels"));
    CHECK(rv_oracle_name(0) && rv_oracle_about(0) && !rv_oracle_name(7) && !rv_oracle_about(-1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_agrees_with_references),
        cmocka_unit_test(test_estimates_add_up),
        cmocka_unit_test(test_baselines),
        cmocka_unit_test(test_mono_on_two_channels),
        cmocka_unit_test(test_rest_of_the_mixture),
        cmocka_unit_test(test_accompaniment),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
