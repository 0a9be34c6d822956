/* test_wiener_stream.c - the Wiener filter over separated stems: values of Open-Unmix' filter
 * (tools/make_golden_wiener_window.py), and what holds for any stems. */
#include "base/rng.h"
#include "check.h"
#include "core/wiener_em.h"
#include "infer/wiener_stream.h"
#include "infer/wiener_window.h"
#include "io/checkpoint.h"
#include "ravel/separate.h"

#include <stdlib.h>
#include <string.h>

enum { FRAMES = 7, BINS = 18, AUDIO = 2, STEMS = 3 };

/* Values ----------------------------------------------------------------------------- */

static float *read_values(const char *name, size_t count)
{
    char path[600];
    rv_error err = { 0 };
    rv_checkpoint *c = NULL;
    snprintf(path, sizeof path, "%s/tests/golden/wiener_window.safetensors",
             getenv("RV_TEST_SOURCE"));
    CHECK_OK(rv_checkpoint_open(&c, path, &err), err);
    const rv_tensor *t = rv_checkpoint_find(c, name);
    CHECK(t && t->count == count);
    float *values = malloc(count * sizeof *values);
    CHECK_OK(rv_checkpoint_read(c, t, values, &err), err);
    rv_checkpoint_free(c);
    return values;
}

/* One bin of [frames,bins,n,2] <-> [frames,n,2] */
static void pick(float *to, const float *from, size_t f, size_t n)
{
    for (size_t t = 0; t < FRAMES; t++)
        memcpy(to + t * n * 2, from + (t * BINS + f) * n * 2, n * 2 * sizeof *to);
}

static void check_improved(const char *name, size_t iterations)
{
    enum { N = STEMS * AUDIO };
    float *mix = read_values("mix", FRAMES * BINS * AUDIO * 2);
    float *stems = read_values("stems", FRAMES * BINS * N * 2);
    float *all = read_values(name, FRAMES * BINS * N * 2);
    float x[FRAMES * AUDIO * 2], y[FRAMES * N * 2], want[FRAMES * N * 2];
    for (size_t f = 0; f < BINS; f++) {
        pick(x, mix, f, AUDIO);
        pick(y, stems, f, N);
        pick(want, all, f, N);
        rv_wiener_improve(y, x, (rv_wiener_size){ FRAMES, STEMS, AUDIO }, iterations);
        for (size_t i = 0; i < FRAMES * N * 2; i++)
            CHECK_CLOSE(y[i], want[i], 1e-5);
    }
    free(mix);
    free(stems);
    free(all);
}

TEST(test_iterations)
{
    check_improved("em1", 1);
    check_improved("em3", 3);
}

/* [frames,bins,n] -> [plane][frames][bins] */
static void to_planes(float complex *planes, const float *x, size_t n, size_t kept)
{
    for (size_t i = 0; i < FRAMES * BINS; i++)
        for (size_t p = 0; p < kept; p++)
            planes[p * FRAMES * BINS + i] = CMPLXF(x[(i * n + p) * 2], x[(i * n + p) * 2 + 1]);
}

static void check_window(const char *name, size_t stems, int threads)
{
    enum { N = STEMS * AUDIO };
    rv_error err = { 0 };
    rv_pool *pool = NULL;
    float *mix = read_values("mix", FRAMES * BINS * AUDIO * 2);
    float *given = read_values("stems", FRAMES * BINS * N * 2);
    float *want = read_values(name, FRAMES * BINS * stems * AUDIO * 2);
    float complex planes[(1 + STEMS) * AUDIO * FRAMES * BINS], *y = planes + AUDIO * FRAMES * BINS;
    to_planes(planes, mix, AUDIO, AUDIO);
    to_planes(y, given, N, stems * AUDIO);
    const rv_wiener_window w = { planes, FRAMES, BINS, AUDIO, stems, 2 };
    CHECK_OK(rv_pool_new(&pool, threads, NULL, &err), err);
    float *scratch = malloc((size_t)threads * rv_wiener_window_scratch(&w) * sizeof *scratch);
    rv_wiener_window_filter(&w, scratch, pool);
    for (size_t i = 0; i < FRAMES * BINS; i++)
        for (size_t p = 0; p < stems * AUDIO; p++) {
            CHECK_CLOSE(crealf(y[p * FRAMES * BINS + i]), want[(i * stems * AUDIO + p) * 2], 1e-5);
            CHECK_CLOSE(cimagf(y[p * FRAMES * BINS + i]), want[(i * stems * AUDIO + p) * 2 + 1],
                        1e-5);
        }
    rv_pool_free(pool);
    free(scratch);
    free(mix);
    free(given);
    free(want);
}

TEST(test_window)
{
    check_window("window", STEMS, 1);
    check_window("window", STEMS, 3);
    check_window("single", 1, 2);
}

/* Streams ---------------------------------------------------------------------------- */

static float *make_mix(size_t channels, size_t frames, float level)
{
    float *x = calloc(channels * frames + 1, sizeof *x);
    for (size_t c = 0; c < channels; c++)
        for (size_t t = 0; t < frames; t++) {
            const double beat = (double)(t % 2000) / 2000;
            const double noise = exp(-9 * beat) * (rv_rng_uniform(3, c, t) - 0.5);
            x[c * frames + t] =
                level * (float)(0.4 * sin(0.08 * (double)(c + 1) * (double)t) + 0.5 * noise);
        }
    return x;
}

static void check_sum(const float *stems, const float *mix, size_t n_stems, size_t numbers)
{
    for (size_t i = 0; i < numbers; i++) {
        double sum = 0;
        for (size_t k = 0; k < n_stems; k++)
            sum += (double)stems[k * numbers + i];
        CHECK_CLOSE(sum, mix[i], 2e-6);
    }
}

/* At 700 Hz a spectrum has 64 samples, every 16. */
static rv_wiener_stream *open_stream(size_t channels, size_t n_stems, rv_pool *pool)
{
    rv_error err = { 0 };
    rv_wiener_stream *s = NULL;
    const rv_wiener_options o = { channels, n_stems, 700, 1, pool, NULL };
    CHECK_OK(rv_wiener_stream_new(&s, &o, &err), err);
    CHECK(rv_wiener_stream_latency(s) == 450 * 16);
    return s;
}

/* Stems [n_stems * channels][frames] are replaced; the mix comes in blocks, the stems later. */
static void run_stream(rv_wiener_stream *s, const float *mix, float *stems, size_t channels,
                       size_t n_stems, size_t frames, size_t block)
{
    rv_error err = { 0 };
    const float *from[8];
    float *to[8];
    size_t made, done = 0;
    for (size_t at = 0; at <= frames; at += block) {
        const size_t n = frames - at < block ? frames - at : block;
        for (size_t c = 0; c < channels; c++)
            from[c] = mix + c * frames + at;
        CHECK_OK(rv_wiener_stream_mix(s, from, n, &err), err);
        for (size_t p = 0; p < n_stems * channels; p++)
            from[p] = stems + p * frames + at;
        CHECK_OK(rv_wiener_stream_stems(s, from, n, &err), err);
        if (n < block)
            rv_wiener_stream_finish(s);
        do {
            for (size_t p = 0; p < n_stems * channels; p++)
                to[p] = stems + p * frames + done;
            CHECK_OK(rv_wiener_stream_pull(s, to, frames - done, &made, &err), err);
            done += made;
        } while (made > 0);
        CHECK(done <= at + n);
    }
    CHECK(done == frames);
}

static void filter(const float *mix, float *stems, size_t channels, size_t n_stems, size_t frames)
{
    rv_wiener_stream *s = open_stream(channels, n_stems, NULL);
    run_stream(s, mix, stems, channels, n_stems, frames, frames + 1);
    rv_wiener_stream_free(s);
}

static void check_cut(size_t channels, size_t frames)
{
    enum { STEMS_HERE = 3 };
    rv_error err = { 0 };
    rv_pool *pool = NULL;
    const size_t n = channels * frames, bytes = STEMS_HERE * n * sizeof(float);
    float *mix = make_mix(channels, frames, 1);
    float *given = malloc(bytes), *one = malloc(bytes), *two = malloc(bytes);
    for (size_t i = 0; i < STEMS_HERE * n; i++)
        given[i] = mix[i % n] * (float)(rv_rng_uniform(8, 0, i) - 0.2);
    memcpy(one, given, bytes);
    filter(mix, one, channels, STEMS_HERE, frames);
    check_sum(one, mix, STEMS_HERE, n);
    CHECK_OK(rv_pool_new(&pool, 3, NULL, &err), err);
    rv_wiener_stream *s = open_stream(channels, STEMS_HERE, pool);
    for (int round = 0; round < 2; round++) { /* the second one after a reset */
        memcpy(two, given, bytes);
        rv_wiener_stream_reset(s);
        run_stream(s, mix, two, channels, STEMS_HERE, frames, 777);
        CHECK(memcmp(one, two, bytes) == 0);
    }
    rv_wiener_stream_free(s);
    rv_pool_free(pool);
    free(mix);
    free(given);
    free(one);
    free(two);
}

/* Windows of 300 and of 300 to 449 frames; 10 ms; one sample; and threads, and blocks. */
TEST(test_windows_threads_and_blocks)
{
    static const size_t lengths[] = { 16 * 1100, 16 * 449, 16 * 447, 7, 1 };
    for (size_t i = 0; i < 5; i++) {
        check_cut(1, lengths[i]);
        check_cut(2, lengths[i]);
    }
}

static float *separate(const float *mix, int channels, size_t frames, int iterations)
{
    rv_error err = { 0 };
    rv_model *m = NULL;
    rv_separate_options o;
    float *out = calloc(4 * (size_t)channels * frames, sizeof *out), *to[8];
    const float *from[2] = { mix, mix + (size_t)(channels - 1) * frames };
    rv_separate_defaults(&o);
    o.threads = 2;
    o.wiener = iterations;
    for (size_t p = 0; p < 4 * (size_t)channels; p++)
        to[p] = out + p * frames;
    CHECK_OK(rv_model_open(&m, "classic", &err), err);
    CHECK_OK(rv_separate(m, from, channels, 8000, frames, to, &o, &err), err);
    rv_model_free(m);
    return out;
}

TEST(test_classic)
{
    enum { N = 8000 };
    float *mix = make_mix(2, N, 1), *plain = separate(mix, 2, N, 0);
    float *better = separate(mix, 2, N, 2), *mono = separate(mix, 1, N, 1);
    CHECK(memcmp(plain, better, 8 * N * sizeof *plain) != 0);
    check_sum(better, mix, 4, 2 * N);
    check_sum(mono, mix, 4, N);
    free(mix);
    free(plain);
    free(better);
    free(mono);
}

TEST(test_silence_stays_silent)
{
    enum { N = 3000 };
    float *mix = make_mix(2, N, 0), *stems = separate(mix, 2, N, 2);
    for (size_t i = 0; i < 8 * N; i++)
        CHECK(stems[i] == 0);
    for (size_t i = 0; i < 4 * N; i++)
        stems[i] = 1;
    filter(mix, stems, 2, 2, N);
    for (size_t i = 0; i < 4 * N; i++)
        CHECK(stems[i] == 0);
    free(mix);
    free(stems);
}

/* Two voices in different places, of which each estimate holds a part of the other. */
static float *make_voices(float *mix, float *estimates, size_t frames)
{
    float *voices = calloc(4 * frames, sizeof *voices);
    for (size_t i = 0; i < 4 * frames; i++) {
        const size_t voice = i / frames / 2, channel = i / frames % 2, t = i % frames;
        const float place = voice == channel ? 1.0F : 0.3F;
        voices[i] = place * (float)(rv_rng_uniform(5, voice, t) - 0.5);
        mix[channel * frames + t] += voices[i];
    }
    for (size_t i = 0; i < 4 * frames; i++)
        estimates[i] = 0.7F * voices[i] + 0.3F * voices[(i + 2 * frames) % (4 * frames)];
    return voices;
}

static double distance(const float *a, const float *b, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += pow((double)a[i] - (double)b[i], 2);
    return sum;
}

TEST(test_better_and_at_any_level)
{
    enum { N = 4000 };
    float *mix = calloc(2 * N, sizeof *mix), *quiet = calloc(4 * N, sizeof *quiet);
    float *estimates = calloc(4 * N, sizeof *estimates);
    float *voices = make_voices(mix, estimates, N);
    const double before = distance(estimates, voices, 4 * N);
    for (size_t i = 0; i < 4 * N; i++)
        quiet[i] = ldexpf(estimates[i], -20);
    filter(mix, estimates, 2, 2, N);
    CHECK(distance(estimates, voices, 4 * N) < 0.7 * before);
    check_sum(estimates, mix, 2, 2 * N);
    for (size_t i = 0; i < 2 * N; i++)
        mix[i] = ldexpf(mix[i], -20);
    filter(mix, quiet, 2, 2, N);
    for (size_t i = 0; i < 4 * N; i++)
        CHECK(ldexpf(quiet[i], 20) == estimates[i]);
    free(mix);
    free(quiet);
    free(estimates);
    free(voices);
}

/* A silent stem stays silent, the mix is shared even if all are; a single stem is not the mix. */
TEST(test_silent_and_single_stems)
{
    enum { N = 2000 };
    float *mix = make_mix(1, N, 1), *stems = calloc(3 * N, sizeof *stems);
    memcpy(stems, mix, N * sizeof *mix);
    memcpy(stems + N, mix, N * sizeof *mix);
    filter(mix, stems, 1, 3, N);
    for (size_t i = 0; i < N; i++) {
        CHECK_CLOSE(stems[i], mix[i] / 2, 2e-6);
        CHECK(stems[2 * N + i] == 0);
    }
    memset(stems, 0, 3 * N * sizeof *stems);
    filter(mix, stems, 1, 3, N);
    for (size_t i = 0; i < 3 * N; i++)
        CHECK_CLOSE(stems[i], mix[i % N] / 3, 2e-6);
    for (size_t i = 0; i < N; i++)
        stems[i] = 0.5F * mix[i];
    filter(mix, stems, 1, 1, N);
    for (size_t i = 0; i < N; i++)
        CHECK_CLOSE(stems[i], mix[i] / 2, 2e-6);
    free(mix);
    free(stems);
}

TEST(test_refused)
{
    rv_error err = { 0 };
    rv_model *classic = NULL;
    rv_separate_options o;
    rv_separator *s = NULL;
    CHECK_OK(rv_model_open(&classic, "classic", &err), err);
    rv_separate_defaults(&o);
    CHECK(o.wiener == 0);
    o.wiener = 1;
    CHECK(rv_separator_new(&s, classic, 6, 8000, &o, &err) == RV_ERR_UNSUPPORTED);
    CHECK(strstr(err.text, "1 or 2 channels") && strstr(err.text, "not 6"));
    o.wiener = -1;
    CHECK(rv_separator_new(&s, classic, 2, 8000, &o, &err) == RV_ERR_ARG);
    o.wiener = 1001;
    CHECK(rv_separator_new(&s, classic, 2, 8000, &o, &err) == RV_ERR_ARG);
    rv_model_free(classic);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_iterations),
        cmocka_unit_test(test_window),
        cmocka_unit_test(test_windows_threads_and_blocks),
        cmocka_unit_test(test_classic),
        cmocka_unit_test(test_silence_stays_silent),
        cmocka_unit_test(test_better_and_at_any_level),
        cmocka_unit_test(test_silent_and_single_stems),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
