/* test_segments.c - segments, shifts and bags against the formulas, with a small made-up network.
 *
 * The network looks at the frames around each one and wants lengths that are multiples of 8, so
 * that context, padding and trimming all matter. */
#include "base/rng.h"
#include "check.h"
#include "infer/segments.h"

#include <stdlib.h>
#include <string.h>

enum { CHANNELS = 2, STEMS = 2, PLANES = CHANNELS * STEMS, RATE = 100, SEGMENT = 37 };

typedef struct {
    rv_network base;
    float gain;
} fake_network;

typedef struct {
    rv_runner base;
    float gain, *memory;
} fake_runner;

/* With some frames more than needed, as networks with a wide view have. */
static size_t valid_length(const rv_network *n, size_t frames)
{
    (void)n;
    return (frames + 9 + 7) / 8 * 8;
}

/* stem s, channel c: gain (s + 1) (x[t] + 0.5 x[t-3] - 0.25 x[t+2]) + 0.1 x of the other channel */
static void filter(float gain, const float *const *mix, size_t frames, float *const *stems)
{
    for (size_t p = 0; p < PLANES; p++) {
        const float *x = mix[p % CHANNELS], *other = mix[1 - p % CHANNELS];
        for (size_t t = 0; t < frames; t++) {
            const float before = t >= 3 ? x[t - 3] : 0, after = t + 2 < frames ? x[t + 2] : 0;
            stems[p][t] =
                gain * (float)(p / CHANNELS + 1) * (x[t] + 0.5F * before - 0.25F * after) +
                0.1F * other[t];
        }
    }
}

static void run(rv_runner *r)
{
    const float *mix[CHANNELS];
    float *stems[PLANES];
    for (size_t c = 0; c < CHANNELS; c++)
        mix[c] = rv_planes_at(&r->mix, c, 0);
    for (size_t p = 0; p < PLANES; p++)
        stems[p] = rv_planes_at(&r->stems, p, 0);
    filter(((fake_runner *)(void *)r)->gain, mix, r->frames, stems);
}

static void runner_free(rv_runner *r)
{
    free(((fake_runner *)(void *)r)->memory);
    free(r);
}

static rv_status runner_new(rv_runner **out, const rv_network *n, size_t frames,
                            const rv_runner_options *options, rv_error *err)
{
    (void)options, (void)err;
    fake_runner *r = calloc(1, sizeof *r);
    CHECK(r != NULL);
    r->base = (rv_runner){ .frames = frames, .run = run, .free = runner_free };
    r->memory = rv_runner_planes(&r->base, n);
    CHECK(r->memory != NULL);
    r->gain = ((const fake_network *)(const void *)n)->gain;
    *out = &r->base;
    return RV_OK;
}

static void network_free(rv_network *n)
{
    (void)n;
}

static const rv_network_class fake_class = { valid_length, runner_new, network_free };

static fake_network make_network(float gain, size_t segment, size_t fixed)
{
    return (fake_network){ { &fake_class, CHANNELS, STEMS, RATE, segment, fixed, false, false },
                           gain };
}

/* What is asked for, computed with the whole track in memory -------------------------- */

typedef struct {
    size_t frames;
    float *x[CHANNELS];
} signal;

static float sample(const signal *x, size_t c, ptrdiff_t t)
{
    return t >= 0 && t < (ptrdiff_t)x->frames ? x->x[c][t] : 0;
}

/* The network on `length` frames from `at` on, seen with the audio around them. */
static void one_segment(const fake_network *n, const signal *x, ptrdiff_t at, size_t length,
                        double *const *out, const double *weight)
{
    const size_t seen = n->base.fixed ? n->base.fixed : valid_length(&n->base, length);
    const size_t before = (seen - length) / 2;
    float *memory = calloc((CHANNELS + PLANES) * seen, sizeof *memory);
    float *place[CHANNELS + PLANES];
    for (size_t p = 0; p < CHANNELS + PLANES; p++)
        place[p] = memory + p * seen;
    for (size_t c = 0; c < CHANNELS; c++)
        for (size_t t = 0; t < seen; t++)
            place[c][t] = sample(x, c, at - (ptrdiff_t)before + (ptrdiff_t)t);
    filter(n->gain, (const float *const *)place, seen, place + CHANNELS);
    for (size_t p = 0; p < PLANES; p++)
        for (size_t t = 0; t < length; t++)
            out[p][t] += weight[t] * (double)place[CHANNELS + p][before + t];
    free(memory);
}

/* All segments of the track delayed by `lead` frames, added to out[plane][frames]. */
static void all_segments(const fake_network *n, const signal *x, size_t lead, double overlap,
                         double *const *out, double scale)
{
    const size_t segment = n->base.segment, stride = (size_t)((1 - overlap) * (double)segment);
    const size_t total = lead + x->frames;
    double *weight = calloc(segment, sizeof *weight), *sum = calloc(total, sizeof *sum);
    double *memory = calloc(PLANES * total, sizeof *memory), *place[PLANES];
    for (size_t t = 0; t < segment; t++)
        weight[t] = (double)(t < segment / 2 ? t + 1 : segment - t);
    for (size_t at = 0; at < total; at += stride) {
        const size_t length = total - at < segment ? total - at : segment;
        for (size_t p = 0; p < PLANES; p++)
            place[p] = memory + p * total + at;
        one_segment(n, x, (ptrdiff_t)at - (ptrdiff_t)lead, length, place, weight);
        for (size_t t = 0; t < length; t++)
            sum[at + t] += weight[t];
    }
    for (size_t p = 0; p < PLANES; p++)
        for (size_t t = 0; t < x->frames; t++)
            out[p][t] += scale * memory[p * total + lead + t] / sum[lead + t];
    free(weight);
    free(sum);
    free(memory);
}

/* Cases ------------------------------------------------------------------------------- */

static signal make_signal(size_t frames)
{
    signal x = { .frames = frames };
    for (size_t c = 0; c < CHANNELS; c++) {
        x.x[c] = calloc(frames + 1, sizeof *x.x[c]);
        for (size_t t = 0; t < frames; t++)
            x.x[c][t] = (float)rv_rng_normal(1, c, t);
    }
    return x;
}

static void free_signal(signal *x)
{
    for (size_t c = 0; c < CHANNELS; c++)
        free(x->x[c]);
}

static void pull_all(rv_segments *s, float *out, size_t frames, size_t *done, size_t room)
{
    rv_error err = { 0 };
    size_t made;
    do {
        float *to[PLANES];
        for (size_t p = 0; p < PLANES; p++)
            to[p] = out + p * frames + *done;
        const size_t rest = frames - *done;
        CHECK_OK(rv_segments_pull(s, to, rest < room ? rest : room, &made, &err), err);
        *done += made;
    } while (made > 0);
}

/* Push and pull in blocks of up to `block` frames, of random sizes if it is negative. */
static void stream(rv_segments *s, const signal *x, ptrdiff_t block, float *out)
{
    rv_error err = { 0 };
    size_t done = 0;
    for (size_t at = 0, i = 0; at < x->frames; i++) {
        size_t n = block < 0 ? rv_rng_below(7, 0, i, (uint64_t)-block) : (size_t)block;
        n = n < x->frames - at ? n : x->frames - at;
        const float *from[CHANNELS] = { x->x[0] + at, x->x[1] + at };
        CHECK_OK(rv_segments_push(s, from, n, &err), err);
        at += n;
        pull_all(s, out, x->frames, &done, block < 0 ? 5 : 1000);
    }
    rv_segments_finish(s);
    pull_all(s, out, x->frames, &done, 1000);
    CHECK(done == x->frames);
}

static float *separate(rv_segments_options o, int threads, const signal *x, ptrdiff_t block)
{
    rv_error err = { 0 };
    rv_segments *s = NULL;
    float *out = calloc(PLANES * x->frames + 1, sizeof *out);
    CHECK_OK(rv_engine_new(&o.engine, &(rv_engine_options){ .threads = threads }, &err), err);
    CHECK_OK(rv_segments_new(&s, &o, &err), err);
    stream(s, x, block, out);
    float *again = calloc(PLANES * x->frames + 1, sizeof *again);
    rv_segments_reset(s);
    stream(s, x, 11, again);
    CHECK(memcmp(out, again, PLANES * x->frames * sizeof *out) == 0);
    free(again);
    rv_segments_free(s);
    rv_engine_free(o.engine);
    return out;
}

/* Compare with the formula, and bits for other blocks, threads and segments side by side. */
static void check_case(const rv_segments_options *o, size_t frames)
{
    signal x = make_signal(frames);
    const size_t shifts = o->shifts ? o->shifts : 1, size = PLANES * frames;
    double *memory = calloc(size + 1, sizeof *memory), *want[PLANES], total[STEMS] = { 0 };
    for (size_t i = 0; i < o->n_networks; i++)
        for (size_t k = 0; k < STEMS; k++)
            total[k] += o->weights ? o->weights[i * STEMS + k] : 1;
    for (size_t i = 0; i < o->n_networks; i++) {
        double *one = calloc(size + 1, sizeof *one), *place[PLANES];
        for (size_t p = 0; p < PLANES; p++)
            place[p] = one + p * frames;
        for (size_t k = 0; k < shifts; k++)
            all_segments((const fake_network *)(const void *)o->networks[i], &x,
                         o->shifts ? RATE / 2 - o->offsets[i * shifts + k] : 0, o->overlap, place,
                         1 / (double)shifts);
        for (size_t p = 0; p < PLANES; p++)
            for (size_t t = 0; t < frames; t++)
                memory[p * frames + t] += place[p][t] *
                                          (o->weights ? o->weights[i * STEMS + p / CHANNELS] : 1) /
                                          total[p / CHANNELS];
        free(one);
    }
    for (size_t p = 0; p < PLANES; p++)
        want[p] = memory + p * frames;
    float *out = separate(*o, 1, &x, (ptrdiff_t)frames + 1);
    for (size_t i = 0; i < size; i++)
        CHECK_CLOSE(out[i], want[i / frames][i % frames], 2e-6);
    rv_segments_options beside = *o;
    beside.side_by_side = 3;
    float *random = separate(*o, 2, &x, -50), *side = separate(beside, 3, &x, -90);
    CHECK(memcmp(out, random, size * sizeof *out) == 0);
    CHECK(memcmp(out, side, size * sizeof *out) == 0);
    free(out);
    free(random);
    free(side);
    free(memory);
    free_signal(&x);
}

static void check_lengths(const rv_segments_options *o)
{
    static const size_t lengths[] = { 1, 2, 27, 36, 37, 38, 55, 100, 231, 1000 };
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
        check_case(o, lengths[i]);
}

TEST(test_one_network)
{
    const fake_network n = make_network(0.7F, SEGMENT, 0);
    const rv_network *const networks[] = { &n.base };
    rv_segments_options o = { .networks = networks, .n_networks = 1, .overlap = 0.25 };
    check_lengths(&o);
    o.overlap = 0;
    check_lengths(&o);
    o.overlap = 0.9;
    check_lengths(&o);
}

TEST(test_fixed_length)
{
    const fake_network n = make_network(-0.3F, 40, 40);
    const rv_network *const networks[] = { &n.base };
    const rv_segments_options o = { .networks = networks, .n_networks = 1, .overlap = 0.25 };
    check_lengths(&o);
}

TEST(test_shifts)
{
    static const size_t offsets[] = { 0, 50, 17 };
    const fake_network n = make_network(0.7F, SEGMENT, 0);
    const rv_network *const networks[] = { &n.base };
    const rv_segments_options o = {
        .networks = networks, .n_networks = 1, .overlap = 0.3, .shifts = 3, .offsets = offsets
    };
    check_lengths(&o);
}

TEST(test_bag)
{
    static const size_t offsets[] = { 3, 44, 21, 50 };
    static const double weights[] = { 1, 0, 0.5, 2 };
    const fake_network a = make_network(1, SEGMENT, 0), b = make_network(-2, 64, 64);
    const rv_network *const networks[] = { &a.base, &b.base };
    rv_segments_options o = {
        .networks = networks, .n_networks = 2, .overlap = 0.25, .weights = weights
    };
    check_lengths(&o);
    o.shifts = 2;
    o.offsets = offsets;
    check_lengths(&o);
    o.weights = NULL;
    check_lengths(&o);
}

TEST(test_random_offsets_follow_the_seed)
{
    const fake_network n = make_network(0.7F, SEGMENT, 0);
    const rv_network *const networks[] = { &n.base };
    rv_segments_options o = { .networks = networks, .n_networks = 1, .shifts = 2, .seed = 5 };
    signal x = make_signal(300);
    const size_t bytes = PLANES * x.frames * sizeof(float);
    float *one = separate(o, 1, &x, 100), *same = separate(o, 2, &x, 33);
    o.seed = 6;
    float *other = separate(o, 1, &x, 100);
    CHECK(memcmp(one, same, bytes) == 0);
    CHECK(memcmp(one, other, bytes) != 0);
    free(one);
    free(same);
    free(other);
    free_signal(&x);
}

TEST(test_empty_track)
{
    const fake_network n = make_network(1, SEGMENT, 0);
    const rv_network *const networks[] = { &n.base };
    const rv_segments_options o = { .networks = networks, .n_networks = 1, .shifts = 1 };
    signal x = make_signal(0);
    free(separate(o, 1, &x, 10));
    free_signal(&x);
}

static int stop_at_second(void *ctx, double frames)
{
    (void)frames;
    return ++*(int *)ctx == 2;
}

TEST(test_cancel)
{
    rv_error err = { 0 };
    int calls = 0;
    size_t made = 0;
    const fake_network n = make_network(1, SEGMENT, 0);
    const rv_network *const networks[] = { &n.base };
    rv_segments_options o = {
        .networks = networks, .n_networks = 1, .watch = stop_at_second, .watch_ctx = &calls
    };
    signal x = make_signal(300);
    float memory[PLANES][100], *to[PLANES] = { memory[0], memory[1], memory[2], memory[3] };
    rv_segments *s = NULL;
    CHECK_OK(rv_engine_new(&o.engine, &(rv_engine_options){ .threads = 1 }, &err), err);
    CHECK_OK(rv_segments_new(&s, &o, &err), err);
    CHECK_OK(rv_segments_push(s, (const float *const *)x.x, 300, &err), err);
    CHECK_OK(rv_segments_pull(s, to, 100, &made, &err), err);
    CHECK(made == SEGMENT);
    CHECK(rv_segments_pull(s, to, 100, &made, &err) == RV_ERR_CANCELLED);
    rv_segments_free(s);
    rv_engine_free(o.engine);
    free_signal(&x);
}

TEST(test_bad_options)
{
    rv_error err = { 0 };
    rv_segments *s = NULL;
    const fake_network n = make_network(1, 40, 40);
    const rv_network *const networks[] = { &n.base };
    rv_segments_options o = { .networks = networks, .n_networks = 1, .overlap = 1 };
    CHECK(rv_segments_new(&s, &o, &err) == RV_ERR_ARG);
    o.overlap = 0.25;
    o.segment = 0.5;
    CHECK(rv_segments_new(&s, &o, &err) == RV_ERR_ARG);
    CHECK(strstr(err.text, "0.4 s") != NULL);
    o.segment = 1e-3;
    CHECK(rv_segments_new(&s, &o, &err) == RV_ERR_ARG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_network),
        cmocka_unit_test(test_fixed_length),
        cmocka_unit_test(test_shifts),
        cmocka_unit_test(test_bag),
        cmocka_unit_test(test_random_offsets_follow_the_seed),
        cmocka_unit_test(test_empty_track),
        cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_bad_options),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
