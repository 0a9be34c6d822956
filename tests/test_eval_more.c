/* test_eval_more.c - spectral, loudness, pitch and weighted figures against the reference
 * implementations (tools/make_golden_eval_more.py), and what they must not depend on. */
#include "eval/contour_distance.h"
#include "eval/log_wmse.h"
#include "eval/spectral_distance.h"
#include "eval_signals.h"

#include <string.h>

enum { FRAMES = 5000 };

static json_t *load(const char *name)
{
    char path[500];
    json_error_t error;
    snprintf(path, sizeof path, "%s/tests/golden/%s.json", getenv("RV_TEST_SOURCE"), name);
    json_t *golden = json_load_file(path, 0, &error);
    CHECK_MSG(golden != NULL, "%s: %s", path, error.text);
    return golden;
}

static double number_of(const json_t *object, const char *name)
{
    const json_t *x = json_object_get(object, name);
    CHECK_MSG(json_is_number(x), "no %s", name);
    return json_number_value(x);
}

/* Two stereo stems, their estimates, and the sum of the stems. */
typedef struct song {
    eval_signals signals;
    float *mixture[2];
} song;

static song new_song(void)
{
    song s = { .signals = new_signals(2, 2, FRAMES) };
    for (size_t c = 0; c < 2; c++) {
        s.mixture[c] = new_plane(FRAMES);
        for (size_t t = 0; t < FRAMES; t++)
            s.mixture[c][t] = s.signals.references[c][t] + s.signals.references[2 + c][t];
    }
    return s;
}

static void free_song(song *s)
{
    free_signals(&s->signals);
    free(s->mixture[0]);
    free(s->mixture[1]);
}

static rv_stem_pair pair_of(const song *s, size_t stem)
{
    return (rv_stem_pair){ (const float *const *)s->signals.references + 2 * stem,
                           (const float *const *)s->signals.estimates + 2 * stem, 2, FRAMES };
}

typedef struct figures {
    double mctn, si_sdr_i, mr_stft, mss, loudness, log_wmse;
} figures;

static figures measure(const song *s, const rv_stem_pair *p)
{
    figures f = { 0 };
    rv_error err = { 0 };
    const float *const *mixture = (const float *const *)s->mixture;
    const rv_stem_pair of_mixture = { p->reference, mixture, p->channels, p->frames };
    f.mctn = rv_sdr_mctn(p);
    f.si_sdr_i = rv_si_sdr(p) - rv_si_sdr(&of_mixture);
    CHECK_OK(rv_multi_resolution_stft(&f.mr_stft, p, &err), err);
    CHECK_OK(rv_multi_scale_spectral(&f.mss, p, &err), err);
    CHECK_OK(rv_loudness_distance(&f.loudness, p, 16000, &err), err);
    CHECK_OK(rv_log_wmse(&f.log_wmse, p, mixture, 44100, &err), err);
    return f;
}

TEST(test_agrees_with_references)
{
    json_t *golden = load("eval_more"), *ddsp = load("eval_ddsp");
    song s = new_song();
    for (size_t stem = 0; stem < 2; stem++) {
        const json_t *g = json_array_get(json_object_get(golden, "whole"), stem);
        const json_t *d = json_array_get(ddsp, stem);
        const rv_stem_pair p = pair_of(&s, stem);
        const figures f = measure(&s, &p);
        CHECK_CLOSE(f.mctn, number_of(g, "SDR-MCTN"), 1e-6);
        CHECK_CLOSE(f.si_sdr_i, number_of(g, "SI-SDRi"), 1e-9);
        CHECK_CLOSE(f.mr_stft, number_of(g, "MR-STFT"), 1e-6);
        CHECK_CLOSE(f.log_wmse, number_of(g, "logWMSE"), 1e-6);
        CHECK_CLOSE(f.mss, number_of(d, "MSS"), 1e-5);
        CHECK_CLOSE(f.loudness, number_of(d, "LD-L1"), 1e-5);
    }
    free_song(&s);
    json_decref(golden);
    json_decref(ddsp);
}

TEST(test_pitch_agrees_with_mir_eval)
{
    json_t *golden = load("eval_more"), *g = json_object_get(golden, "pitch");
    enum { N = 200 };
    float reference[3 * N], estimate[3 * N];
    for (size_t i = 0; i < N; i++) {
        reference[3 * i] =
            (float)json_real_value(json_array_get(json_object_get(g, "reference"), i));
        estimate[3 * i] = (float)json_real_value(json_array_get(json_object_get(g, "estimate"), i));
        reference[3 * i + 2] = json_is_true(json_array_get(json_object_get(g, "voiced"), i));
        estimate[3 * i + 2] = i % 2 ? 1.0F : 0.0F; /* does not matter */
    }
    const rv_pitch_distance d = rv_pitch_distance_between(reference, estimate, N);
    CHECK_CLOSE(d.accuracy, number_of(g, "RPA"), 1e-12);
    CHECK_CLOSE(d.hertz, number_of(g, "F0-L1"), 1e-9);
    CHECK(isnan(rv_pitch_distance_between(reference, estimate, 0).accuracy));
    json_decref(golden);
}

/* A tone of 220 Hz, and one that is `cents` higher: what pYIN finds of them. */
static rv_pitch_distance of_tones(double cents)
{
    enum { RATE = 16000, N = RATE / 2 };
    float *s = new_plane(N), *e = new_plane(N);
    rv_pitch_distance d = { 0 };
    rv_error err = { 0 };
    for (size_t t = 0; t < N; t++) {
        const double turn = 2 * acos(-1) * 220 * (double)t / RATE;
        s[t] = (float)(0.3 * sin(turn) + 0.1 * sin(2 * turn));
        e[t] = (float)(0.2 * sin(turn * exp2(cents / 1200)));
    }
    const float *const reference[] = { s, s }, *const estimate[] = { e, e };
    const rv_stem_pair p = { reference, estimate, 2, N };
    CHECK_OK(rv_pitch_distance_of(&d, &p, RATE, &err), err);
    free(s);
    free(e);
    return d;
}

TEST(test_pitch_of_tones)
{
    const rv_pitch_distance same = of_tones(0), near = of_tones(40), far = of_tones(60);
    CHECK_CLOSE(same.hertz, 0, 0.5);
    CHECK(same.accuracy == 1 && near.accuracy > 0.9 && far.accuracy < 0.1);
    CHECK_CLOSE(near.hertz, 220 * (exp2(40.0 / 1200) - 1), 0.1);
}

/* The two names for a figure's value when everything is right, and when nothing is there. */
TEST(test_perfect_and_silent)
{
    song s = new_song();
    const rv_stem_pair any = pair_of(&s, 0);
    const rv_stem_pair same = { any.reference, any.reference, 2, FRAMES };
    const figures f = measure(&s, &same);
    CHECK(f.mr_stft == 0 && f.mss == 0 && f.loudness == 0);
    CHECK_CLOSE(f.log_wmse, -4 * log(1e-8), 1e-9);
    float *zero = new_plane(FRAMES);
    const float *const silent[] = { zero, zero };
    const rv_stem_pair no_estimate = { any.reference, silent, 2, FRAMES };
    const rv_stem_pair no_reference = { silent, any.estimate, 2, FRAMES };
    CHECK(isnan(measure(&s, &no_estimate).mctn) && measure(&s, &no_estimate).mr_stft > 1);
    const figures none = measure(&s, &no_reference);
    CHECK(isnan(none.mctn) && isnan(none.mr_stft) && isnan(none.mss) && isfinite(none.log_wmse));
    free(zero);
    free_song(&s);
}

/* Channels in any order; a channel whose stem is silent does not count. */
TEST(test_channels)
{
    song s = new_song();
    const rv_stem_pair p = pair_of(&s, 1);
    const float *const reference[] = { p.reference[1], p.reference[0] };
    const float *const estimate[] = { p.estimate[1], p.estimate[0] };
    const rv_stem_pair swapped = { reference, estimate, 2, FRAMES };
    float *const mixture[] = { s.mixture[1], s.mixture[0] };
    song other = { .mixture = { mixture[0], mixture[1] } };
    const figures a = measure(&s, &p), b = measure(&other, &swapped);
    CHECK_CLOSE(a.mr_stft, b.mr_stft, 1e-12);
    CHECK_CLOSE(a.mss, b.mss, 1e-12);
    CHECK_CLOSE(a.log_wmse, b.log_wmse, 1e-12);
    CHECK_CLOSE(a.loudness, b.loudness, 1e-6);
    rv_stem_pair first = pair_of(&s, 1);
    first.channels = 1;
    const double one = measure(&s, &first).mr_stft;
    memset(s.signals.references[3], 0, FRAMES * sizeof(float));
    CHECK_CLOSE(measure(&s, &p).mr_stft, one, 1e-12);
    free_song(&s);
}

/* Levels: log-WMSE knows that of the mixture alone; SC does not know any; the formula of the report
 * on MCTN does, which is why it is no SDR. */
TEST(test_scale)
{
    song s = new_song(), loud = new_song();
    rv_spectral_distance d[2] = { 0 };
    rv_error err = { 0 };
    const rv_stem_pair p = pair_of(&s, 0), q = pair_of(&loud, 0);
    for (size_t c = 0; c < 2; c++)
        for (size_t t = 0; t < FRAMES; t++) {
            loud.signals.references[c][t] *= 4;
            loud.signals.estimates[c][t] *= 4;
            loud.mixture[c][t] *= 4;
        }
    const figures a = measure(&s, &p), b = measure(&loud, &q);
    CHECK_CLOSE(a.log_wmse, b.log_wmse, 1e-9);
    CHECK_OK(rv_spectral_distance_of(&d[0], &p, &err), err);
    CHECK_OK(rv_spectral_distance_of(&d[1], &q, &err), err);
    CHECK_CLOSE(d[0].convergence, d[1].convergence, 1e-6);
    CHECK_CLOSE(rv_si_sdr(&p), rv_si_sdr(&q), 1e-6);
    CHECK(fabs(a.mctn - b.mctn) > 0.1);
    free_song(&s);
    free_song(&loud);
}

/* At other rates than the filter's, nearly the same: the signals are coloured noise. */
TEST(test_log_wmse_resampled)
{
    song s = new_song();
    const rv_stem_pair p = pair_of(&s, 0);
    const float *const *mixture = (const float *const *)s.mixture;
    double at_rate = 0, same = 0;
    rv_error err = { 0 };
    CHECK_OK(rv_log_wmse(&same, &p, mixture, 44100, &err), err);
    CHECK_OK(rv_log_wmse(&at_rate, &p, mixture, 44000, &err), err);
    CHECK_CLOSE(at_rate, same, 0.02);
    free_song(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_agrees_with_references),
        cmocka_unit_test(test_pitch_agrees_with_mir_eval),
        cmocka_unit_test(test_pitch_of_tones),
        cmocka_unit_test(test_perfect_and_silent),
        cmocka_unit_test(test_channels),
        cmocka_unit_test(test_scale),
        cmocka_unit_test(test_log_wmse_resampled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
