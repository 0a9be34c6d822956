/* test_stream.c - processors for real time: what they make in blocks of any size is what the graph
 * makes of the whole, and nothing is allocated meanwhile. */
#include "base/rng.h"
#include "check.h"
#include "core/ops.h"
#include "ddsp/stream_harmonic.h"
#include "ddsp/stream_sinusoids.h"
#include "dsp/stream_convolution.h"

#include <stdlib.h>
#include <string.h>

/* The allocator, counted. rv_alloc_default ends here, too. */
void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
void *__real_aligned_alloc(size_t align, size_t size);
int __real_posix_memalign(void **p, size_t align, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);
void *__wrap_aligned_alloc(size_t align, size_t size);
int __wrap_posix_memalign(void **p, size_t align, size_t size);

static size_t allocations;

void *__wrap_malloc(size_t size)
{
    allocations++;
    return __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
    allocations++;
    return __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t size)
{
    allocations++;
    return __real_realloc(p, size);
}

void *__wrap_aligned_alloc(size_t align, size_t size)
{
    allocations++;
    return __real_aligned_alloc(align, size);
}

int __wrap_posix_memalign(void **p, size_t align, size_t size)
{
    allocations++;
    return __real_posix_memalign(p, align, size);
}

enum { FRAMES = 9, HOP = 80, SAMPLES = FRAMES * HOP, COUNT = 13 };
static const size_t BLOCKS[] = { 1, 7, 64, 80, 129, 1000 };
enum { N_BLOCKS = sizeof BLOCKS / sizeof *BLOCKS };

static void uniform(float *x, size_t n, uint64_t stream, double low, double high)
{
    for (size_t i = 0; i < n; i++)
        x[i] = (float)(low + (high - low) * rv_rng_uniform(5, stream, i));
}

/* What the graph makes of parameters `data`. */
static void run_graph(rv_node *y, rv_node *const *params, const float *const *data, size_t n,
                      float *want)
{
    rv_error err = { 0 };
    rv_plan *plan = NULL;
    rv_output(y);
    CHECK_OK(rv_plan_new(&plan, y->graph, NULL, &err), err);
    for (size_t i = 0; i < n; i++)
        rv_plan_bind(plan, params[i], data[i]);
    rv_plan_run(plan);
    memcpy(want, rv_value(plan, y), SAMPLES * sizeof *want);
    rv_plan_free(plan);
    rv_graph_free(y->graph);
}

/* Frame f of the controls; the last one lasts. */
static const float *frame_of(const float *controls, size_t f, size_t count)
{
    return controls + (f < FRAMES ? f : FRAMES - 1) * count;
}

static void compare(const float *got, const float *want, size_t block, size_t before)
{
    CHECK_MSG(allocations == before, "%zu allocations", allocations - before);
    for (size_t t = 0; t < SAMPLES; t++)
        CHECK_MSG(fabsf(got[t] - want[t]) <= 1e-6f, "blocks of %zu: sample %zu is %g, not %g",
                  block, t, (double)got[t], (double)want[t]);
}

static void want_harmonic(const float *f0, const float *a, rv_upsample_mode mode, float *want)
{
    rv_error err = { 0 };
    rv_graph *g = NULL;
    CHECK_OK(rv_graph_new(&g, NULL, &err), err);
    rv_node *const params[] = { rv_param(g, RV_SHAPE(1, FRAMES, 1)),
                                rv_param(g, RV_SHAPE(1, FRAMES, COUNT)) };
    rv_node *f = rv_upsample(params[0], SAMPLES, RV_UPSAMPLE_LINEAR);
    rv_node *phase = rv_phase(rv_reshape(f, RV_SHAPE(1, SAMPLES)));
    run_graph(rv_harmonic(phase, params[1], mode), params, (const float *const[]){ f0, a }, 2,
              want);
}

static void stream_harmonic(rv_stream_harmonic *s, const float *f0, const float *a, float *out,
                            size_t block)
{
    size_t f = 0;
    for (size_t t = 0; t < SAMPLES;) {
        const size_t n = SAMPLES - t < block ? SAMPLES - t : block;
        const size_t made = rv_stream_harmonic_process(s, out + t, n);
        t += made;
        if (made < n) {
            CHECK(rv_stream_harmonic_give(s, *frame_of(f0, f, 1), frame_of(a, f, COUNT)));
            f++;
        }
    }
}

TEST(test_harmonic)
{
    for (int mode = RV_UPSAMPLE_HOLD; mode <= RV_UPSAMPLE_HANN; mode++) {
        rv_error err = { 0 };
        float f0[FRAMES], a[FRAMES * COUNT], want[SAMPLES], got[SAMPLES];
        rv_stream_harmonic *s = NULL;
        uniform(f0, FRAMES, 1, 0.001, 0.03);
        uniform(a, FRAMES * COUNT, 2, 0, 1.0 / COUNT);
        want_harmonic(f0, a, (rv_upsample_mode)mode, want);
        const rv_stream_harmonic_config config = { HOP, COUNT, (rv_upsample_mode)mode };
        CHECK_OK(rv_stream_harmonic_new(&s, &config, NULL, &err), err);
        for (size_t i = 0; i < N_BLOCKS; i++) {
            const size_t before = allocations;
            rv_stream_harmonic_reset(s);
            stream_harmonic(s, f0, a, got, BLOCKS[i]);
            compare(got, want, BLOCKS[i], before);
        }
        rv_stream_harmonic_free(s);
    }
}

static void want_sinusoids(const float *f, const float *a, rv_upsample_mode mode, float *want)
{
    rv_error err = { 0 };
    rv_graph *g = NULL;
    CHECK_OK(rv_graph_new(&g, NULL, &err), err);
    rv_node *const params[] = { rv_param(g, RV_SHAPE(1, FRAMES, COUNT)),
                                rv_param(g, RV_SHAPE(1, FRAMES, COUNT)) };
    run_graph(rv_sinusoids(params[0], params[1], SAMPLES, mode), params,
              (const float *const[]){ f, a }, 2, want);
}

static void stream_sinusoids(rv_stream_sinusoids *s, const float *f, const float *a, float *out,
                             size_t block)
{
    size_t frame = 0;
    for (size_t t = 0; t < SAMPLES;) {
        const size_t n = SAMPLES - t < block ? SAMPLES - t : block;
        const size_t made = rv_stream_sinusoids_process(s, out + t, n);
        t += made;
        if (made < n) {
            while (
                !rv_stream_sinusoids_give(s, frame_of(f, frame, COUNT), frame_of(a, frame, COUNT)))
                fail();
            frame++;
        }
    }
}

TEST(test_sinusoids)
{
    for (int mode = RV_UPSAMPLE_HOLD; mode <= RV_UPSAMPLE_HANN; mode++) {
        rv_error err = { 0 };
        float f[FRAMES * COUNT], a[FRAMES * COUNT], want[SAMPLES], got[SAMPLES];
        rv_stream_sinusoids *s = NULL;
        uniform(f, FRAMES * COUNT, 1, -0.5, 0.5);
        uniform(a, FRAMES * COUNT, 2, 0, 1.0 / COUNT);
        want_sinusoids(f, a, (rv_upsample_mode)mode, want);
        const rv_stream_sinusoids_config config = { HOP, COUNT, (rv_upsample_mode)mode };
        CHECK_OK(rv_stream_sinusoids_new(&s, &config, NULL, &err), err);
        for (size_t i = 0; i < N_BLOCKS; i++) {
            const size_t before = allocations;
            rv_stream_sinusoids_reset(s);
            stream_sinusoids(s, f, a, got, BLOCKS[i]);
            compare(got, want, BLOCKS[i], before);
        }
        rv_stream_sinusoids_free(s);
    }
}

TEST(test_frames_that_come_too_early_are_refused)
{
    rv_error err = { 0 };
    rv_stream_harmonic *s = NULL;
    float out[HOP], a = 1;
    CHECK_OK(rv_stream_harmonic_new(&s, &(rv_stream_harmonic_config){ .hop = HOP, .n_harmonic = 1 },
                                    NULL, &err),
             err);
    CHECK(rv_stream_harmonic_process(s, out, HOP) == 0);
    CHECK(rv_stream_harmonic_give(s, 0.01f, &a));
    CHECK(rv_stream_harmonic_process(s, out, HOP) == 0);
    CHECK(rv_stream_harmonic_give(s, 0.01f, &a));
    CHECK(!rv_stream_harmonic_give(s, 0.01f, &a));
    CHECK(rv_stream_harmonic_process(s, out, HOP) == HOP);
    CHECK(rv_stream_harmonic_give(s, 0.01f, &a));
    rv_stream_harmonic_free(s);
}

/* Responses shorter than a partition, of whole partitions, and long; results within full scale. */
static void check_convolution(size_t n_taps, size_t partition)
{
    rv_error err = { 0 };
    float taps[700], x[SAMPLES], want[SAMPLES], got[SAMPLES];
    rv_stream_convolution *s = NULL;
    uniform(taps, n_taps, 3, -0.05, 0.05);
    uniform(x, SAMPLES, 4, -1, 1);
    for (size_t t = 0; t < SAMPLES; t++) {
        double sum = 0;
        for (size_t i = 0; i < n_taps && i <= t; i++)
            sum += (double)taps[i] * (double)x[t - i];
        want[t] = (float)sum;
    }
    const rv_stream_convolution_config config = { taps, n_taps, partition };
    CHECK_OK(rv_stream_convolution_new(&s, &config, NULL, &err), err);
    for (size_t i = 0; i < N_BLOCKS; i++) {
        const size_t before = allocations;
        rv_stream_convolution_reset(s);
        memcpy(got, x, sizeof x);
        for (size_t t = 0; t < SAMPLES; t += BLOCKS[i])
            rv_stream_convolution_process(s, got + t, got + t,
                                          SAMPLES - t < BLOCKS[i] ? SAMPLES - t : BLOCKS[i]);
        compare(got, want, BLOCKS[i], before);
    }
    rv_stream_convolution_free(s);
}

TEST(test_convolution)
{
    check_convolution(1, 2);
    check_convolution(50, 64);
    check_convolution(64, 64);
    check_convolution(65, 64);
    check_convolution(128, 64);
    check_convolution(700, 64);
    check_convolution(700, 16);
    check_convolution(700, 0);
}

TEST(test_what_cannot_be_is_refused)
{
    rv_error err = { 0 };
    const float tap = 1;
    rv_stream_harmonic *h = NULL;
    rv_stream_sinusoids *s = NULL;
    rv_stream_convolution *c = NULL;
    CHECK(rv_stream_harmonic_new(&h, &(rv_stream_harmonic_config){ .hop = 4 }, NULL, &err) ==
          RV_ERR_ARG);
    CHECK(rv_stream_sinusoids_new(&s, &(rv_stream_sinusoids_config){ .n_sinusoid = 4 }, NULL,
                                  &err) == RV_ERR_ARG);
    CHECK(rv_stream_convolution_new(&c, &(rv_stream_convolution_config){ &tap, 0, 0 }, NULL,
                                    &err) == RV_ERR_ARG);
    CHECK(rv_stream_convolution_new(&c, &(rv_stream_convolution_config){ &tap, 1, 48 }, NULL,
                                    &err) == RV_ERR_ARG);
    CHECK(!h && !s && !c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_harmonic),
        cmocka_unit_test(test_sinusoids),
        cmocka_unit_test(test_frames_that_come_too_early_are_refused),
        cmocka_unit_test(test_convolution),
        cmocka_unit_test(test_what_cannot_be_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
