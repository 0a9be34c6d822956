/* test_features.c - features against librosa, DDSP and DDSP-Demucs (tools/make_golden_features.py),
 * and against what is known of tones. */
#include "check.h"

#include "io/checkpoint.h"
#include "ravel/features.h"

#include <stdlib.h>
#include <string.h>

typedef struct measured {
    size_t width, n;
    float *at; /* [n, width] */
} measured;

/* A whole signal, given in blocks of `block` samples. */
static measured measure_with(const rv_feature_spec *spec, const float *f0, size_t n_f0,
                             const float *x, size_t n, size_t block)
{
    rv_error err = { 0 };
    rv_feature *f = NULL;
    CHECK_OK(rv_feature_new(&f, spec, f0, n_f0, &err), err);
    measured m = { rv_feature_width(f), 0, NULL };
    const size_t frames = rv_feature_frames(spec, n);
    m.at = calloc((frames + 1) * m.width, sizeof *m.at);
    for (size_t i = 0; i < n; i += block) {
        CHECK_OK(rv_feature_push(f, x + i, n - i < block ? n - i : block, &err), err);
        m.n += rv_feature_pull(f, m.at + m.n * m.width, frames - m.n);
    }
    CHECK_OK(rv_feature_finish(f, &err), err);
    m.n += rv_feature_pull(f, m.at + m.n * m.width, frames + 1 - m.n);
    CHECK_MSG(m.n == frames, "%zu frames of %zu", m.n, frames);
    rv_feature_free(f);
    return m;
}

static measured measure(const rv_feature_spec *spec, const float *x, size_t n)
{
    return measure_with(spec, NULL, 0, x, n, n);
}

/* The generator's signal: uniform noise (Knuth's MMIX), and a gliding tone in the middle. */
static float *golden_signal(int rate)
{
    float *x = calloc((size_t)rate, sizeof *x);
    uint64_t state = 1;
    double phase = 0;
    for (int i = 0; i < rate; i++) {
        const double t = (double)i / rate,
                     hz = 150 * exp2(1.4 * t) * (1 + 0.01 * sin(2 * M_PI * 5 * t));
        double tone = 0;
        state = state * 6364136223846793005U + 1442695040888963407U;
        phase += 2 * M_PI * hz / rate;
        for (int h = 1; h < 6; h++)
            tone += sin(h * phase) / h * 0.3;
        const double noise = (double)(state >> 40) / 8388608 - 1;
        const double level = t < 0.15 ? 1e-3 : t < 0.85 ? 0.01 : 0.1;
        x[i] = (float)((t >= 0.15 && t < 0.85 ? tone : 0) + level * noise);
    }
    return x;
}

static float *golden(const char *name, size_t *n)
{
    const char *root = getenv("RV_TEST_SOURCE");
    char path[1000];
    rv_checkpoint *c = NULL;
    rv_error err = { 0 };
    snprintf(path, sizeof path, "%s/tests/golden/features.safetensors", root ? root : ".");
    CHECK_OK(rv_checkpoint_open(&c, path, &err), err);
    const rv_tensor *t = rv_checkpoint_find(c, name);
    CHECK_MSG(t != NULL, "no golden %s", name);
    *n = 1;
    for (int i = 0; i < t->rank; i++)
        *n *= t->shape[i];
    float *values = calloc(*n, sizeof *values);
    CHECK_OK(rv_checkpoint_read(c, t, values, &err), err);
    rv_checkpoint_free(c);
    return values;
}

/* What 1e-5 is relative to: the value; of MFCC, which are sums of both signs, the frame's largest.
 */
static double scale_of(const rv_feature_spec *spec, const float *want, size_t width, size_t i)
{
    double scale = fmax(1, fabs((double)want[i]));
    const float *frame = want + i / width * width;
    for (size_t k = 0; spec->feature == RV_FEATURE_MFCC && k < width; k++)
        scale = fmax(scale, fabs((double)frame[k]));
    return scale;
}

/* As many frames as the reference gives (ddsp_pytorch drops the last), all within 1e-5. */
static void check_golden(const char *name, const rv_feature_spec *spec)
{
    size_t n;
    double worst = 0;
    float *want = golden(name, &n), *x = golden_signal(spec->sample_rate);
    measured got = measure(spec, x, (size_t)spec->sample_rate);
    CHECK_MSG(n <= got.n * got.width && n + got.width >= got.n * got.width,
              "%s: %zu values, not %zu", name, got.n * got.width, n);
    for (size_t i = 0; i < n; i++) {
        const double off =
            fabs((double)got.at[i] - (double)want[i]) / scale_of(spec, want, got.width, i);
        CHECK_MSG(off <= 1e-5, "%s: %zu: %.9g, not %.9g", name, i, (double)got.at[i],
                  (double)want[i]);
        worst = fmax(worst, off);
    }
    print_message("# %s: within %.2g\n", name, worst);
    free(got.at);
    free(want);
    free(x);
}

TEST(test_loudness_as_ddsp)
{
    rv_feature_spec s;
    rv_feature_defaults(&s, RV_FEATURE_LOUDNESS, 16000, 250);
    check_golden("loudness_ddsp", &s);
    s.window = 2048;
    s.ref_db = 20.7;
    check_golden("loudness_ddsp_20", &s);
    s.loudness = RV_LOUDNESS_DDSP1;
    s.range_db = 120;
    s.align = RV_FRAMES_STARTED;
    check_golden("loudness_ddsp1", &s);
}

TEST(test_loudness_as_ddsp_pytorch)
{
    rv_feature_spec s;
    rv_feature_defaults(&s, RV_FEATURE_LOUDNESS, 16000, 250);
    s.loudness = RV_LOUDNESS_DDSP_PYTORCH;
    check_golden("loudness_ddsp_pytorch", &s);
}

TEST(test_level_and_centroid_as_librosa)
{
    rv_feature_spec s;
    rv_feature_defaults(&s, RV_FEATURE_RMS, 16000, 40);
    check_golden("rms", &s);
    rv_feature_defaults(&s, RV_FEATURE_CENTROID, 16000, 40);
    check_golden("centroid", &s);
}

static rv_feature_spec mel_spec(rv_feature_name feature, rv_mel_scale scale)
{
    rv_feature_spec s;
    rv_feature_defaults(&s, feature, 16000, 40);
    if (scale == RV_MEL_TENSORFLOW && feature == RV_FEATURE_MFCC) {
        s.align = RV_FRAMES_STARTED;
        return s;
    }
    rv_feature_defaults(&s, RV_FEATURE_MEL, 16000, 40);
    s.feature = feature;
    s.window = 2048;
    s.mel_scale = scale;
    s.bands = 40;
    s.coefficients = 20;
    s.mel_min = scale == RV_MEL_TENSORFLOW ? 80 : 20;
    s.mel_max = 7600;
    if (scale == RV_MEL_TENSORFLOW) {
        s.align = RV_FRAMES_STARTED;
        s.power = 1;
        s.decibels = 0;
        s.mel_floor = 1e-5;
    }
    return s;
}

TEST(test_mel_as_librosa_and_tensorflow)
{
    static const char *const names[2][RV_MEL_SCALES] = {
        { "mel_slaney", "mel_htk", "mel_tensorflow" },
        { "mfcc_slaney", "mfcc_htk", "mfcc_tensorflow" }
    };
    for (int scale = 0; scale < RV_MEL_SCALES; scale++)
        for (int mfcc = 0; mfcc < 2; mfcc++) {
            const rv_feature_spec s =
                mel_spec(mfcc ? RV_FEATURE_MFCC : RV_FEATURE_MEL, (rv_mel_scale)scale);
            check_golden(names[mfcc][scale], &s);
        }
}

TEST(test_harmonicity_as_ddsp_demucs)
{
    size_t n, m;
    rv_feature_spec s;
    float *f0 = golden("harmonicity_f0", &n), *x = golden_signal(16000);
    for (int residual = 0; residual < 2; residual++) {
        float *want = golden(residual ? "residual" : "harmonicity", &m);
        rv_feature_defaults(&s, residual ? RV_FEATURE_RESIDUAL : RV_FEATURE_HARMONICITY, 16000,
                            100);
        measured got = measure_with(&s, f0, n, x, 16000, 16000);
        CHECK(got.n == m);
        for (size_t i = 0; i < m; i++)
            CHECK_CLOSE(got.at[i], want[i], 1e-5);
        free(want);
        free(got.at);
    }
    free(f0);
    free(x);
}

static rv_feature_spec f0_spec(rv_f0_method method, int rate, double frame_rate)
{
    rv_feature_spec s;
    rv_feature_defaults(&s, RV_FEATURE_F0, rate, frame_rate);
    s.f0_method = method;
    return s;
}

static void check_yin(const char *name, int rate, double frame_rate)
{
    size_t n;
    double worst = 0;
    rv_feature_spec s = f0_spec(RV_F0_YIN, rate, frame_rate);
    s.f0_librosa = 1;
    float *want = golden(name, &n), *x = golden_signal(rate);
    measured got = measure(&s, x, (size_t)rate);
    CHECK(got.n == n);
    for (size_t i = 0; i < n; i++) {
        const double off = fabs((double)got.at[3 * i] / (double)want[i] - 1);
        CHECK_MSG(off <= 1e-5, "%s: frame %zu: %.9g, not %.9g", name, i, (double)got.at[3 * i],
                  (double)want[i]);
        worst = fmax(worst, off);
    }
    print_message("# %s: within %.2g\n", name, worst);
    free(want);
    free(got.at);
    free(x);
}

TEST(test_yin_as_librosa)
{
    check_yin("yin_16000", 16000, 250);
    check_yin("yin_22050", 22050, 22050.0 / 256);
}

/* Voiced decisions as in the reference, in 99.5 % of the frames; where both are voiced 1 cent. */
static void check_pyin(const char *name, int rate, double frame_rate)
{
    size_t n, other = 0;
    rv_feature_spec s = f0_spec(RV_F0_PYIN, rate, frame_rate);
    s.f0_librosa = 1;
    float *want = golden(name, &n), *x = golden_signal(rate);
    measured got = measure(&s, x, (size_t)rate);
    CHECK(3 * got.n == n);
    for (size_t i = 0; i < n; i += 3) {
        other += got.at[i + 2] != want[i + 2];
        CHECK_CLOSE(got.at[i + 1], want[i + 1], 1e-4);
        if (got.at[i + 2] > 0 && want[i + 2] > 0)
            CHECK_CLOSE(1200 * log2((double)got.at[i] / (double)want[i]), 0, 1);
    }
    CHECK_MSG((double)other <= 0.005 * (double)got.n, "%zu of %zu decisions differ", other, got.n);
    print_message("# %s: %zu of %zu decisions differ\n", name, other, got.n);
    free(want);
    free(got.at);
    free(x);
}

TEST(test_pyin_as_librosa)
{
    check_pyin("pyin_16000", 16000, 250);
    check_pyin("pyin_22050", 22050, 22050.0 / 256);
}

/* A tone that glides two octaves in two seconds, at frame rates that do not divide the rate. */
TEST(test_sweep_within_five_cents)
{
    static const int rates[] = { 8000, 22050, 44100, 192000 };
    for (int i = 0; i < 8; i++) {
        const int rate = rates[i / 2];
        const size_t n = (size_t)rate;
        const rv_feature_spec s = f0_spec(i % 2 ? RV_F0_PYIN : RV_F0_YIN, rate, 47.3);
        float *x = calloc(n, sizeof *x);
        for (size_t k = 0; k < n; k++) {
            const double t = (double)k / rate; /* phase of 200 * 2^t Hz */
            x[k] = (float)(0.5 * sin(2 * M_PI * 200 * (exp2(t) - 1) / M_LN2));
        }
        measured got = measure(&s, x, n);
        CHECK(got.n == 48);
        for (size_t f = 4; f + 4 < got.n; f++) {
            const double cents = 1200 * (log2((double)got.at[3 * f] / 200) - (double)f / 47.3);
            CHECK_MSG(fabs(cents) <= 5, "%d Hz, %s: frame %zu is off by %.1f cents", rate,
                      i % 2 ? "pyin" : "yin", f, cents);
            CHECK(got.at[3 * f + 2] == 1);
        }
        free(x);
        free(got.at);
    }
}

TEST(test_silence_has_no_pitch)
{
    float *x = calloc(16000, sizeof *x);
    for (int method = 0; method <= RV_F0_PYIN; method++) {
        const rv_feature_spec s = f0_spec((rv_f0_method)method, 16000, 100);
        measured got = measure(&s, x, 16000);
        for (size_t i = 0; i < got.n; i++)
            CHECK(got.at[3 * i + 2] == 0 && got.at[3 * i + 1] <= 0.01F);
        free(got.at);
    }
    free(x);
}

TEST(test_silence_is_finite)
{
    float *x = calloc(16000, sizeof *x);
    for (int feature = 0; feature < RV_FEATURES; feature++) {
        rv_feature_spec s;
        rv_feature_defaults(&s, (rv_feature_name)feature, 16000, 100);
        measured got = measure(&s, x, 16000);
        for (size_t i = 0; i < got.n * got.width; i++)
            CHECK(isfinite(got.at[i]));
        if (feature == RV_FEATURE_LOUDNESS)
            CHECK(got.at[0] == -80);
        free(got.at);
    }
    free(x);
}

TEST(test_blocks_give_the_same_bits)
{
    static const size_t blocks[] = { 1, 997, 5000 };
    float *x = golden_signal(16000);
    for (int feature = 0; feature < RV_FEATURES; feature++) {
        rv_feature_spec s;
        rv_feature_defaults(&s, (rv_feature_name)feature, 16000, 61.7);
        measured whole = measure(&s, x, 16000);
        for (int b = 0; b < 3; b++) {
            measured part = measure_with(&s, NULL, 0, x, 16000, blocks[b]);
            CHECK(memcmp(part.at, whole.at, whole.n * whole.width * sizeof *whole.at) == 0);
            free(part.at);
        }
        free(whole.at);
    }
    free(x);
}

/* pYIN keeps every 512th frame alone: paths longer than that come from several pieces. */
TEST(test_long_paths)
{
    const rv_feature_spec s = f0_spec(RV_F0_PYIN, 8000, 800);
    float *x = calloc(16000, sizeof *x);
    for (size_t i = 0; i < 16000; i++)
        x[i] = (float)sin(2 * M_PI * (i < 8000 ? 200 : 300) * (double)i / 8000);
    measured got = measure(&s, x, 16000);
    CHECK(got.n == 1601);
    for (size_t i = 60; i < 1540; i++)
        if (i < 740 || i > 860)
            CHECK_CLOSE(got.at[3 * i], i < 800 ? 200 : 300, 0.002);
    free(got.at);
    free(x);
}

TEST(test_frames_of_short_and_odd_streams)
{
    rv_feature_spec s;
    rv_feature_defaults(&s, RV_FEATURE_RMS, 44100, 250);
    s.window = 64;
    CHECK(rv_feature_frames(&s, 0) == 0);
    CHECK(rv_feature_frames(&s, 441) == 3); /* 10 ms: at 0, 4 and 8 ms */
    CHECK(rv_feature_frames(&s, 44100) == 251);
    s.align = RV_FRAMES_STARTED;
    CHECK(rv_feature_frames(&s, 44100) == 250);
    CHECK(rv_feature_frames(&s, 44101) == 251);
    float x[441] = { 0 };
    x[353] = 1; /* frame 2 begins at sample round(352.8) */
    measured got = measure(&s, x, 441);
    CHECK(got.n == 3 && got.at[0] == 0 && got.at[1] == 0);
    CHECK_CLOSE(got.at[2], 0.125, 1e-7);
    free(got.at);
}

static void refuse(const rv_feature_spec *s, const char *word)
{
    rv_error err = { 0 };
    rv_feature *f = NULL;
    CHECK(rv_feature_new(&f, s, NULL, 0, &err) == RV_ERR_ARG);
    CHECK_MSG(strstr(err.text, word) != NULL, "\"%s\" does not say \"%s\"", err.text, word);
}

TEST(test_specs_that_make_no_sense)
{
    rv_feature_spec s = f0_spec(RV_F0_YIN, 8000, 100);
    s.f0_max = 4001;
    refuse(&s, "half the sample rate");
    s = f0_spec(RV_F0_PYIN, 8000, 100);
    s.f0_min = NAN;
    refuse(&s, "f0 from");
    s = f0_spec(RV_F0_PYIN, 16000, 100);
    s.window = 200;
    refuse(&s, "shorter than its period");
    s = f0_spec(RV_F0_PYIN, 16000, 0);
    refuse(&s, "frames a second");
    s = mel_spec(RV_FEATURE_MEL, RV_MEL_HTK);
    s.mel_max = 9000;
    refuse(&s, "mel bands from");
    s = mel_spec(RV_FEATURE_MFCC, RV_MEL_HTK);
    s.coefficients = 41;
    refuse(&s, "coefficients");
    s.window = 2049;
    refuse(&s, "even");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_loudness_as_ddsp),
        cmocka_unit_test(test_loudness_as_ddsp_pytorch),
        cmocka_unit_test(test_level_and_centroid_as_librosa),
        cmocka_unit_test(test_mel_as_librosa_and_tensorflow),
        cmocka_unit_test(test_harmonicity_as_ddsp_demucs),
        cmocka_unit_test(test_yin_as_librosa),
        cmocka_unit_test(test_pyin_as_librosa),
        cmocka_unit_test(test_sweep_within_five_cents),
        cmocka_unit_test(test_silence_has_no_pitch),
        cmocka_unit_test(test_silence_is_finite),
        cmocka_unit_test(test_blocks_give_the_same_bits),
        cmocka_unit_test(test_long_paths),
        cmocka_unit_test(test_frames_of_short_and_odd_streams),
        cmocka_unit_test(test_specs_that_make_no_sense),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
