/* test_classic.c - the classic model: what it promises, and that each part of a synthetic
 * mix lands in its stem. */
#include "base/rng.h"
#include "check.h"
#include "dsp/classic.h"

#include <stdlib.h>
#include <string.h>

enum { STEMS = RV_CLASSIC_STEMS, DRUMS = 0, BASS, OTHER, VOCALS, MOST_CHANNELS = 6 };

/* mix [channels][frames] and stems [4][channels][frames], with their tables of pointers. */
typedef struct {
    size_t channels, frames;
    float *mix, *stems;
    const float *mix_rows[MOST_CHANNELS];
    float *rows[STEMS][MOST_CHANNELS];
    float *const *stem_rows[STEMS];
} buffers;

static float *zeros(size_t n)
{
    float *x = calloc(n, sizeof *x);
    CHECK(x != NULL);
    return x;
}

static void make_buffers(buffers *b, size_t channels, size_t frames)
{
    *b = (buffers){ .channels = channels, .frames = frames };
    b->mix = zeros(channels * frames);
    b->stems = zeros(STEMS * channels * frames);
    for (size_t c = 0; c < channels; c++)
        b->mix_rows[c] = b->mix + c * frames;
    for (size_t s = 0; s < STEMS; s++) {
        b->stem_rows[s] = b->rows[s];
        for (size_t c = 0; c < channels; c++)
            b->rows[s][c] = b->stems + (s * channels + c) * frames;
    }
}

static void free_buffers(buffers *b)
{
    free(b->mix);
    free(b->stems);
}

static void separate(buffers *b, int sample_rate, int threads)
{
    rv_error err = { 0 };
    rv_classic *c = NULL;
    rv_pool *pool = NULL;
    CHECK_OK(rv_pool_new(&pool, threads, NULL, &err), err);
    CHECK_OK(rv_classic_new(&c, (int)b->channels, sample_rate, b->frames, NULL, &err), err);
    rv_classic_process(c, b->mix_rows, b->frames, b->stem_rows, pool);
    rv_classic_free(c);
    rv_pool_free(pool);
}

static void fill_noise(buffers *b)
{
    for (size_t i = 0; i < b->channels * b->frames; i++)
        b->mix[i] = (float)rv_rng_normal(1, b->channels, i) / 4;
}

static void check_sum(int sample_rate, size_t channels, size_t frames)
{
    buffers b;
    make_buffers(&b, channels, frames);
    fill_noise(&b);
    separate(&b, sample_rate, 1);
    const size_t n = channels * frames;
    for (size_t i = 0; i < n; i++) {
        double sum = 0;
        for (size_t s = 0; s < STEMS; s++)
            sum += (double)b.stems[s * n + i];
        CHECK_CLOSE(sum, b.mix[i], 1e-6);
    }
    free_buffers(&b);
}

TEST(test_stems_add_up_to_the_mix)
{
    const size_t lengths[] = { 1, 2, 255, 256, 257, 1000, 9000 };
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
        for (size_t channels = 1; channels <= 3; channels++)
            check_sum(8000, channels, lengths[i]);
    check_sum(11025, 6, 5000);
    check_sum(44100, 2, 20000);
    check_sum(48000, 1, 1);
    check_sum(192000, 2, 40000);
}

TEST(test_silence_gives_zeros)
{
    buffers b;
    make_buffers(&b, 2, 30000);
    for (size_t i = 0; i < STEMS * 2 * b.frames; i++)
        b.stems[i] = 1;
    separate(&b, 16000, 2);
    for (size_t i = 0; i < STEMS * 2 * b.frames; i++)
        CHECK(b.stems[i] == 0);
    free_buffers(&b);
}

TEST(test_threads_give_equal_bits)
{
    buffers b;
    make_buffers(&b, 2, 20001);
    fill_noise(&b);
    separate(&b, 16000, 1);
    const size_t bytes = STEMS * b.channels * b.frames * sizeof(float);
    float *first = malloc(bytes);
    memcpy(first, b.stems, bytes);
    for (int threads = 2; threads <= 3; threads++) {
        memset(b.stems, 1, bytes);
        separate(&b, 16000, threads);
        CHECK(memcmp(first, b.stems, bytes) == 0);
    }
    free(first);
    free_buffers(&b);
}

/* A segment shorter than the object was made for, and again after another one. */
TEST(test_object_keeps_nothing)
{
    rv_error err = { 0 };
    rv_classic *c = NULL;
    buffers b, longer;
    make_buffers(&b, 2, 7000);
    make_buffers(&longer, 2, 20000);
    fill_noise(&b);
    fill_noise(&longer);
    separate(&b, 8000, 1);
    const size_t bytes = STEMS * 2 * b.frames * sizeof(float);
    float *fresh = malloc(bytes);
    memcpy(fresh, b.stems, bytes);
    CHECK_OK(rv_classic_new(&c, 2, 8000, longer.frames, NULL, &err), err);
    rv_classic_process(c, longer.mix_rows, longer.frames, longer.stem_rows, NULL);
    rv_classic_process(c, b.mix_rows, b.frames, b.stem_rows, NULL);
    CHECK(memcmp(fresh, b.stems, bytes) == 0);
    rv_classic_free(c);
    free(fresh);
    free_buffers(&b);
    free_buffers(&longer);
}

/* The four sources of a synthetic song, RATE Hz, at sample i of channel c. */
enum { RATE = 22050, SECONDS = 6 };

static double click_train(size_t i)
{
    const size_t beat = i % (RATE / 2), number = i / (RATE / 2);
    return beat < 400 ? 0.7 * rv_rng_normal(5, number, beat) * exp(-(double)beat / 80) : 0;
}

static double glide(size_t i) /* 400 to 1600 Hz, never the same twice */
{
    const double t = (double)i / RATE;
    return 0.25 * sin(2 * M_PI * 400 * SECONDS / log(4) * (pow(4, t / SECONDS) - 1));
}

static double chord(size_t i)
{
    const double t = (double)i / RATE;
    return 0.1 * (sin(2 * M_PI * 523.25 * t) + sin(2 * M_PI * 659.26 * t) +
                  sin(2 * M_PI * 783.99 * t) + sin(2 * M_PI * 1046.5 * t));
}

static double source(size_t stem, size_t channel, size_t i)
{
    switch (stem) {
    case DRUMS:
        return click_train(i);
    case BASS:
        return 0.3 * sin(2 * M_PI * 65.4 * (double)i / RATE);
    case VOCALS:
        return glide(i);
    default:
        return channel == 0 ? chord(i) : 0;
    }
}

/* Scale-invariant signal to distortion ratio in dB (Le Roux et al. 2019). */
static double si_sdr(const float *estimate, const float *wanted, size_t n)
{
    double product = 0, power = 0, energy = 0;
    for (size_t i = 0; i < n; i++) {
        product += (double)estimate[i] * (double)wanted[i];
        power += (double)wanted[i] * (double)wanted[i];
        energy += (double)estimate[i] * (double)estimate[i];
    }
    const double target = product * product / power;
    return 10 * log10(target / (energy - target));
}

TEST(test_each_part_finds_its_stem)
{
    const double least[STEMS] = { 10, 20, 10, 10 }; /* dB */
    buffers b;
    make_buffers(&b, 2, RATE * SECONDS);
    const size_t n = 2 * b.frames;
    float *wanted = zeros(STEMS * n);
    for (size_t s = 0; s < STEMS; s++)
        for (size_t i = 0; i < n; i++) {
            wanted[s * n + i] = (float)source(s, i / b.frames, i % b.frames);
            b.mix[i] += wanted[s * n + i];
        }
    separate(&b, RATE, 2);
    for (size_t s = 0; s < STEMS; s++) {
        const double before = si_sdr(b.mix, wanted + s * n, n);
        const double after = si_sdr(b.stems + s * n, wanted + s * n, n);
        CHECK_MSG(after >= least[s] && after > before + 10,
                  "%s: SI-SDR %.2f dB, of the mix %.2f; expected %.0f", rv_classic_stem_names[s],
                  after, before, least[s]);
    }
    free(wanted);
    free_buffers(&b);
}

/* Fails at allocation number `left`, counted down. */
typedef struct {
    long left, live;
} faulty;

static void *faulty_alloc(void *ctx, size_t size, size_t align)
{
    faulty *f = ctx;
    if (f->left-- == 0)
        return NULL;
    f->live++;
    return rv_alloc_default.alloc(NULL, size, align);
}

static void faulty_free(void *ctx, void *ptr)
{
    faulty *f = ctx;
    f->live -= ptr != NULL;
    rv_alloc_default.free(NULL, ptr);
}

TEST(test_every_failing_allocation_is_reported)
{
    rv_status status = RV_ERR_NOMEM;
    long n = 0;
    for (; status != RV_OK; n++) {
        faulty f = { .left = n };
        const rv_alloc mem = { faulty_alloc, faulty_free, &f };
        rv_error err = { 0 };
        rv_classic *c = NULL;
        status = rv_classic_new(&c, 2, 44100, 100000, &mem, &err);
        CHECK(status == RV_OK || (status == RV_ERR_NOMEM && !c && err.text[0]));
        rv_classic_free(c);
        CHECK(f.live == 0);
    }
    CHECK(n > 10);
}

/* Sizes that wrapped round would be small; a sanitizer would not let the great ones through. */
static void *modest_alloc(void *ctx, size_t size, size_t align)
{
    return size < (size_t)1 << 30 ? rv_alloc_default.alloc(ctx, size, align) : NULL;
}

TEST(test_bad_arguments_are_refused)
{
    const rv_alloc modest = { modest_alloc, rv_alloc_default.free, NULL };
    rv_error err = { 0 };
    rv_classic *c = NULL;
    CHECK(rv_classic_new(&c, 0, 44100, 100, NULL, &err) == RV_ERR_ARG);
    CHECK(rv_classic_new(&c, 65, 44100, 100, NULL, &err) == RV_ERR_ARG);
    CHECK(rv_classic_new(&c, 2, 7999, 100, NULL, &err) == RV_ERR_ARG);
    CHECK(rv_classic_new(&c, 2, 192001, 100, NULL, &err) == RV_ERR_ARG);
    CHECK(rv_classic_new(&c, 2, 44100, 0, NULL, &err) == RV_ERR_ARG);
    CHECK(rv_classic_new(&c, 2, 44100, SIZE_MAX, NULL, &err) == RV_ERR_ARG);
    CHECK(rv_classic_new(&c, 2, 44100, SIZE_MAX / 64, &modest, &err) == RV_ERR_NOMEM);
    CHECK(c == NULL);
    rv_classic_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stems_add_up_to_the_mix),
        cmocka_unit_test(test_silence_gives_zeros),
        cmocka_unit_test(test_threads_give_equal_bits),
        cmocka_unit_test(test_object_keeps_nothing),
        cmocka_unit_test(test_each_part_finds_its_stem),
        cmocka_unit_test(test_every_failing_allocation_is_reported),
        cmocka_unit_test(test_bad_arguments_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
