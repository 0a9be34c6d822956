/* test_stream.c - processors for real time: what they make in blocks of any size is what the graph
 * makes of the whole, and nothing is allocated meanwhile. */
#include "base/rng.h"
#include "check.h"
#include "core/ops.h"
#include "core/ops/sinusoids.h"
#include "ddsp/fir_filter.h"
#include "ddsp/reverb.h"
#include "ddsp/stream_filter.h"
#include "ddsp/stream_harmonic.h"
#include "ddsp/stream_mod_delay.h"
#include "ddsp/stream_reverb.h"
#include "ddsp/stream_routing.h"
#include "ddsp/stream_sinusoids.h"
#include "ddsp/stream_wavetable.h"
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

enum { FRAMES = 9, HOP = 80, SAMPLES = FRAMES * HOP, COUNT = 13, RATE = 4000 };
enum { MOST = SAMPLES + 200, MOST_WIDTH = 2 * COUNT, MOST_IN = 2, RESPONSE = 200 };
static const size_t BLOCKS[] = { 1, 7, 64, 80, 129, 1000 };
enum { N_BLOCKS = sizeof BLOCKS / sizeof *BLOCKS };

static void uniform(float *x, size_t n, uint64_t stream, double low, double high)
{
    for (size_t i = 0; i < n; i++)
        x[i] = (float)(low + (high - low) * rv_rng_uniform(5, stream, i));
}

/* An allocator that fails at its `left`-th allocation from now on, and counts what lives. */
typedef struct {
    size_t left, live;
} limited;

static void *limited_alloc(void *ctx, size_t size, size_t align)
{
    limited *l = ctx;
    if (!l->left)
        return NULL;
    l->left--;
    l->live++;
    return rv_alloc_default.alloc(NULL, size, align);
}

static void limited_free(void *ctx, void *p)
{
    if (p)
        ((limited *)ctx)->live--;
    rv_alloc_default.free(NULL, p);
}

/* A kind of stream, and the graph that makes the same of frames [1,F,W] and audio [1,N]. */
typedef struct {
    const char *name;
    rv_status (*open)(rv_stream **out, rv_upsample_mode mode, const rv_alloc *mem, rv_error *err);
    rv_node *(*build)(rv_node *frames, rv_node *const *audio, rv_upsample_mode mode);
    size_t width, inputs, latency;
    double low, high; /* of controls */
    double f0;        /* above 0: the first control goes up to it */
    bool ends;        /* frames after the last are `end`, not the last again */
    double end;
} stream_case;

/* Controls [first, first + n) of all frames: [1,F,n] */
static rv_node *part(rv_node *frames, size_t first, size_t n)
{
    return rv_slice(frames, 2, first, n);
}

static rv_status open_harmonic(rv_stream **out, rv_upsample_mode mode, const rv_alloc *mem,
                               rv_error *err)
{
    const rv_stream_harmonic_config c = { RATE, HOP, COUNT,
                                          mode == RV_UPSAMPLE_HOLD ? mode : RV_UPSAMPLE_LINEAR,
                                          mode };
    return rv_stream_harmonic_new(out, &c, mem, err);
}

static rv_node *build_harmonic(rv_node *frames, rv_node *const *audio, rv_upsample_mode mode)
{
    rv_node *f = rv_upsample(part(frames, 0, 1), SAMPLES,
                             mode == RV_UPSAMPLE_HOLD ? mode : RV_UPSAMPLE_LINEAR);
    (void)audio;
    return rv_harmonic(rv_phase_of(rv_reshape(f, RV_SHAPE(1, SAMPLES)), RATE),
                       part(frames, 1, COUNT), mode);
}

static rv_status open_sinusoids(rv_stream **out, rv_upsample_mode mode, const rv_alloc *mem,
                                rv_error *err)
{
    return rv_stream_sinusoids_new(out, &(rv_stream_sinusoids_config){ 3, HOP, COUNT, mode }, mem,
                                   err);
}

static rv_node *build_sinusoids(rv_node *frames, rv_node *const *audio, rv_upsample_mode mode)
{
    (void)audio;
    return rv_sinusoids_of(part(frames, 0, COUNT), 3, part(frames, COUNT, COUNT), SAMPLES, mode);
}

static rv_wavetable_config wavetable_config(rv_upsample_mode mode)
{
    rv_wavetable_config c = rv_wavetable_defaults(RATE, SAMPLES);
    c.scale = false;
    c.amplitude = mode;
    return c;
}

static rv_status open_wavetable(rv_stream **out, rv_upsample_mode mode, const rv_alloc *mem,
                                rv_error *err)
{
    const rv_stream_wavetable_config c = { HOP, COUNT, wavetable_config(mode) };
    return rv_stream_wavetable_new(out, &c, mem, err);
}

static rv_node *build_wavetable(rv_node *frames, rv_node *const *audio, rv_upsample_mode mode)
{
    const rv_wavetable_config c = wavetable_config(mode);
    const rv_wavetable_controls controls = { part(frames, 1, 1), part(frames, 2, COUNT),
                                             part(frames, 0, 1) };
    (void)audio;
    return rv_synth_wavetable(&c, &controls);
}

/* ddsp's noise for the first two modes: with a window, without; then ddsp_pytorch's. */
static rv_noise_config noise_config(rv_upsample_mode mode)
{
    rv_noise_config c = mode == RV_UPSAMPLE_HANN ? rv_noise_wrapped() : rv_noise_defaults();
    c.bias = 0;
    c.window = mode == RV_UPSAMPLE_HOLD ? 11 : c.window;
    return c;
}

static rv_status open_noise(rv_stream **out, rv_upsample_mode mode, const rv_alloc *mem,
                            rv_error *err)
{
    const rv_stream_noise_config c = { HOP, COUNT, noise_config(mode), 3, 7 };
    return rv_stream_noise_new(out, &c, mem, err);
}

static rv_node *build_noise(rv_node *frames, rv_node *const *audio, rv_upsample_mode mode)
{
    const rv_noise_config c = noise_config(mode);
    rv_node *noise = rv_constant(frames->graph, RV_SHAPE(1, SAMPLES));
    (void)audio;
    rv_noise_fill(noise->constant, SAMPLES, 3, 7);
    return rv_synth_noise(&c, noise, frames);
}

static rv_status open_fir(rv_stream **out, rv_upsample_mode mode, const rv_alloc *mem,
                          rv_error *err)
{
    const rv_stream_fir_config c = { HOP, COUNT, mode == RV_UPSAMPLE_HOLD ? 12 : 0,
                                     mode == RV_UPSAMPLE_HANN };
    return rv_stream_fir_new(out, &c, mem, err);
}

static rv_node *build_fir(rv_node *frames, rv_node *const *audio, rv_upsample_mode mode)
{
    return mode == RV_UPSAMPLE_HANN
               ? rv_fir_filter(audio[0], frames, 0)
               : rv_frequency_filter(audio[0], frames, mode == RV_UPSAMPLE_HOLD ? 12 : 0);
}

static rv_mod_delay_config delay_config(rv_upsample_mode mode)
{
    rv_mod_delay_config c = rv_mod_delay_defaults(RATE);
    c.scale = false;
    c.dry = mode != RV_UPSAMPLE_HANN;
    return c;
}

static rv_status open_delay(rv_stream **out, rv_upsample_mode mode, const rv_alloc *mem,
                            rv_error *err)
{
    const rv_stream_mod_delay_config c = { HOP, mode, delay_config(mode) };
    return rv_stream_mod_delay_new(out, &c, mem, err);
}

static rv_node *build_delay(rv_node *frames, rv_node *const *audio, rv_upsample_mode mode)
{
    const rv_mod_delay_config c = delay_config(mode);
    rv_node *controls = rv_upsample(frames, SAMPLES, mode);
    return rv_mod_delay(&c, audio[0], part(controls, 0, 1), part(controls, 1, 1));
}

/* Responses of RESPONSE samples, of one, and without the audio itself. */
static rv_status open_reverb(rv_stream **out, rv_upsample_mode mode, const rv_alloc *mem,
                             rv_error *err)
{
    float response[RESPONSE];
    uniform(response, RESPONSE, 9, -0.05, 0.05);
    const rv_stream_reverb_config c = { response, mode == RV_UPSAMPLE_LINEAR ? 1 : RESPONSE,
                                        mode != RV_UPSAMPLE_HANN };
    return rv_stream_reverb_new(out, &c, mem, err);
}

static rv_node *build_reverb(rv_node *frames, rv_node *const *audio, rv_upsample_mode mode)
{
    const size_t length = mode == RV_UPSAMPLE_LINEAR ? 1 : RESPONSE;
    rv_node *response = rv_constant(audio[0]->graph, RV_SHAPE(1, length));
    (void)frames;
    uniform(response->constant, length, 9, -0.05, 0.05);
    return rv_reverb(audio[0], response, mode != RV_UPSAMPLE_HANN);
}

static rv_status open_add(rv_stream **out, rv_upsample_mode mode, const rv_alloc *mem,
                          rv_error *err)
{
    (void)mode;
    return rv_stream_add_new(out, 2, mem, err);
}

static rv_node *build_add(rv_node *frames, rv_node *const *audio, rv_upsample_mode mode)
{
    (void)frames;
    (void)mode;
    return rv_add(audio[0], audio[1]);
}

static rv_status open_multiply(rv_stream **out, rv_upsample_mode mode, const rv_alloc *mem,
                               rv_error *err)
{
    (void)mode;
    return rv_stream_multiply_new(out, 2, mem, err);
}

static rv_node *build_multiply(rv_node *frames, rv_node *const *audio, rv_upsample_mode mode)
{
    (void)frames;
    (void)mode;
    return rv_mul(audio[0], audio[1]);
}

static rv_status open_mix(rv_stream **out, rv_upsample_mode mode, const rv_alloc *mem,
                          rv_error *err)
{
    (void)mode;
    return rv_stream_mix_new(out, HOP, mem, err);
}

static rv_node *build_mix(rv_node *frames, rv_node *const *audio, rv_upsample_mode mode)
{
    (void)mode;
    return rv_mix(audio[0], audio[1], frames, false);
}

static rv_status open_crop(rv_stream **out, rv_upsample_mode mode, const rv_alloc *mem,
                           rv_error *err)
{
    (void)mode;
    return rv_stream_crop_new(out, 41, RV_CROP_FRONT, mem, err);
}

static rv_node *build_crop(rv_node *frames, rv_node *const *audio, rv_upsample_mode mode)
{
    (void)frames;
    (void)mode;
    return rv_crop(audio[0], 41, RV_CROP_FRONT);
}

#define CASE(kind) .name = #kind, .open = open_##kind, .build = build_##kind
static const stream_case CASES[] = {
    { CASE(harmonic), .width = 1 + COUNT, .high = 1.0 / COUNT, .f0 = 120 },
    { CASE(sinusoids), .width = 2 * COUNT, .high = 1.0 / COUNT },
    { CASE(wavetable), .width = 2 + COUNT, .low = -1, .high = 1, .f0 = 700 },
    { CASE(noise), .width = COUNT, .low = -3, .ends = true, .end = -100 },
    { CASE(fir), .width = COUNT, .inputs = 1, .high = 0.5, .ends = true },
    { CASE(delay), .width = 2, .inputs = 1, .low = -0.2, .high = 1.2 },
    { CASE(reverb), .inputs = 1 },
    { CASE(add), .inputs = 2 },
    { CASE(multiply), .inputs = 2 },
    { CASE(mix), .width = 1, .inputs = 2, .high = 1 },
    { CASE(crop), .inputs = 1, .latency = 40 },
};
enum { N_CASES = sizeof CASES / sizeof *CASES };

typedef struct {
    float frames[(FRAMES + 4) * MOST_WIDTH];
    float audio[MOST_IN][MOST];
    float want[SAMPLES];
    size_t wanted; /* samples */
} stream_data;

static void fill_data(stream_data *d, const stream_case *c)
{
    memset(d, 0, sizeof *d);
    uniform(d->frames, FRAMES * c->width, 1, c->low, c->high);
    for (size_t f = 0; c->f0 > 0 && f < FRAMES; f++)
        d->frames[f * c->width] = (float)(c->f0 * (0.2 + 0.8 * rv_rng_uniform(5, 2, f)));
    for (size_t f = FRAMES; f < FRAMES + 4; f++)
        for (size_t i = 0; i < c->width; i++)
            d->frames[f * c->width + i] =
                c->ends ? (float)c->end : d->frames[(FRAMES - 1) * c->width + i];
    for (size_t i = 0; i < c->inputs; i++)
        uniform(d->audio[i], SAMPLES, 3 + i, -0.5, 0.5);
}

/* What the graph makes. */
static void run_graph(stream_data *d, const stream_case *c, rv_upsample_mode mode)
{
    rv_error err = { 0 };
    rv_graph *g = NULL;
    rv_plan *plan = NULL;
    CHECK_OK(rv_graph_new(&g, NULL, &err), err);
    rv_node *frames = rv_param(g, RV_SHAPE(1, FRAMES, c->width + !c->width));
    rv_node *audio[MOST_IN];
    for (size_t i = 0; i < MOST_IN; i++)
        audio[i] = rv_param(g, RV_SHAPE(1, SAMPLES));
    rv_node *y = rv_output(c->build(frames, audio, mode));
    CHECK_OK(rv_plan_new(&plan, g, NULL, &err), err);
    rv_plan_bind(plan, frames, d->frames);
    for (size_t i = 0; i < MOST_IN; i++)
        rv_plan_bind(plan, audio[i], d->audio[i]);
    rv_plan_run(plan);
    d->wanted = rv_shape_count(&y->shape);
    memcpy(d->want, rv_value(plan, y), d->wanted * sizeof *d->want);
    rv_plan_free(plan);
    rv_graph_free(g);
}

/* n samples in blocks; in place where there is audio. */
static void run_stream(rv_stream *s, const stream_data *d, float *out, size_t n, size_t block)
{
    size_t f = 0;
    if (rv_stream_inputs(s))
        memcpy(out, d->audio[0], n * sizeof *out);
    for (size_t t = 0; t < n;) {
        const size_t some = n - t < block ? n - t : block;
        const float *const in[] = { out + t, d->audio[1] + t };
        const size_t made = rv_stream_process(s, in, out + t, some);
        t += made;
        if (made < some) {
            CHECK(f < FRAMES + 4);
            CHECK(rv_stream_give(s, d->frames + f++ * rv_stream_width(s)));
        }
    }
}

static void compare(const float *got, const float *want, size_t n, const char *name, size_t block)
{
    for (size_t t = 0; t < n; t++)
        CHECK_MSG(fabsf(got[t] - want[t]) <= 1e-6f, "%s, blocks of %zu: sample %zu is %g, not %g",
                  name, block, t, (double)got[t], (double)want[t]);
}

static void check_case(const stream_case *c, rv_upsample_mode mode)
{
    static stream_data d;
    limited limit = { .left = 1000 };
    const rv_alloc mem = { limited_alloc, limited_free, &limit };
    rv_error err = { 0 };
    rv_stream *s = NULL;
    float got[MOST];
    fill_data(&d, c);
    run_graph(&d, c, mode);
    CHECK_OK(c->open(&s, mode, &mem, &err), err);
    limit.left = 0;
    const size_t latency = rv_stream_latency(s), n = d.wanted + latency;
    CHECK(n <= MOST && rv_stream_width(s) == c->width && rv_stream_inputs(s) == c->inputs);
    CHECK_MSG(!c->latency || latency == c->latency, "%s: latency of %zu", c->name, latency);
    for (size_t i = 0; i < N_BLOCKS; i++) {
        const size_t before = allocations;
        run_stream(s, &d, got, n, BLOCKS[i]);
        CHECK_MSG(allocations == before, "%zu allocations", allocations - before);
        compare(got + latency, d.want, d.wanted, c->name, BLOCKS[i]);
        rv_stream_reset(s);
    }
    rv_stream_free(s);
    CHECK(limit.live == 0);
}

TEST(test_streams)
{
    for (size_t i = 0; i < N_CASES; i++)
        for (int mode = RV_UPSAMPLE_HOLD; mode <= RV_UPSAMPLE_HANN; mode++)
            check_case(&CASES[i], (rv_upsample_mode)mode);
}

TEST(test_latency_of_filters)
{
    rv_error err = { 0 };
    rv_stream *s = NULL;
    CHECK_OK(rv_stream_fir_new(&s, &(rv_stream_fir_config){ 64, 65, 257, true }, NULL, &err), err);
    CHECK(rv_stream_latency(s) == 62);
    rv_stream_free(s);
}

TEST(test_failing_allocations)
{
    for (size_t i = 0; i < N_CASES; i++) {
        rv_error err = { 0 };
        rv_stream *s = NULL;
        limited limit = { 0 };
        const rv_alloc mem = { limited_alloc, limited_free, &limit };
        rv_status status = RV_ERR_NOMEM;
        for (size_t k = 0; status != RV_OK && k < 100; k++) {
            limit.left = k;
            status = CASES[i].open(&s, RV_UPSAMPLE_LINEAR, &mem, &err);
            CHECK_MSG(status == RV_OK || (status == RV_ERR_NOMEM && !s && !limit.live),
                      "%s, allocation %zu: %s", CASES[i].name, k, err.text);
        }
        CHECK(status == RV_OK);
        rv_stream_free(s);
        CHECK(limit.live == 0);
    }
}

TEST(test_frames_that_come_too_early_are_refused)
{
    rv_error err = { 0 };
    rv_stream *s = NULL;
    const float frame[] = { 40, 1 };
    float out[HOP];
    const rv_stream_harmonic_config config = { .sample_rate = RATE, .hop = HOP, .n_harmonic = 1 };
    CHECK_OK(rv_stream_harmonic_new(&s, &config, NULL, &err), err);
    CHECK(rv_stream_process(s, NULL, out, HOP) == 0);
    CHECK(rv_stream_give(s, frame));
    CHECK(rv_stream_process(s, NULL, out, HOP) == 0);
    CHECK(rv_stream_give(s, frame));
    CHECK(!rv_stream_give(s, frame));
    CHECK(rv_stream_process(s, NULL, out, HOP) == HOP);
    CHECK(rv_stream_give(s, frame));
    rv_stream_free(s);
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
        CHECK_MSG(allocations == before, "%zu allocations", allocations - before);
        compare(got, want, SAMPLES, "convolution", BLOCKS[i]);
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

#define REFUSED(call) CHECK((call) == RV_ERR_ARG && !s)
TEST(test_what_cannot_be_is_refused)
{
    rv_error err = { 0 };
    const float tap = 1;
    rv_stream *s = NULL;
    rv_stream_convolution *c = NULL;
    const rv_wavetable_config table = rv_wavetable_defaults(RATE, 0);
    const rv_mod_delay_config endless = { .sample_rate = RATE, .depth_ms = 1e9 };
    REFUSED(rv_stream_harmonic_new(&s, &(rv_stream_harmonic_config){ RATE, 4, 0, 0, 0 }, 0, &err));
    REFUSED(rv_stream_harmonic_new(&s, &(rv_stream_harmonic_config){ 0, 4, 1, 0, 0 }, 0, &err));
    REFUSED(rv_stream_sinusoids_new(&s, &(rv_stream_sinusoids_config){ 1, 0, 4, 0 }, 0, &err));
    REFUSED(rv_stream_sinusoids_new(&s, &(rv_stream_sinusoids_config){ 0, 8, 4, 0 }, 0, &err));
    REFUSED(rv_stream_wavetable_new(&s, &(rv_stream_wavetable_config){ 4, 0, table }, 0, &err));
    REFUSED(rv_stream_wavetable_new(&s, &(rv_stream_wavetable_config){ 0, 4, table }, 0, &err));
    REFUSED(rv_stream_fir_new(&s, &(rv_stream_fir_config){ 4, 1, 0, 0 }, 0, &err));
    REFUSED(rv_stream_fir_new(&s, &(rv_stream_fir_config){ 0, 4, 0, 0 }, 0, &err));
    REFUSED(rv_stream_mod_delay_new(&s, &(rv_stream_mod_delay_config){ 4, 0, endless }, 0, &err));
    REFUSED(rv_stream_reverb_new(&s, &(rv_stream_reverb_config){ &tap, 0, true }, 0, &err));
    REFUSED(rv_stream_add_new(&s, 0, NULL, &err));
    REFUSED(rv_stream_mix_new(&s, 0, NULL, &err));
    CHECK(rv_stream_convolution_new(&c, &(rv_stream_convolution_config){ &tap, 0, 0 }, NULL,
                                    &err) == RV_ERR_ARG);
    CHECK(rv_stream_convolution_new(&c, &(rv_stream_convolution_config){ &tap, 1, 48 }, NULL,
                                    &err) == RV_ERR_ARG);
    CHECK(!c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_streams),
        cmocka_unit_test(test_latency_of_filters),
        cmocka_unit_test(test_failing_allocations),
        cmocka_unit_test(test_frames_that_come_too_early_are_refused),
        cmocka_unit_test(test_convolution),
        cmocka_unit_test(test_what_cannot_be_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
