/* test_optimiser.c - steps equal to PyTorch's (tests/golden/optimiser.safetensors), for any number
 * of threads; clipping, freezing, resuming; moving averages. */
#include "checkpoint_files.h"

#include "base/rng.h"
#include "train/average.h"
#include "train/optimiser.h"

enum { N = 37, FIRST = 23, STEPS = 20, LARGE = 100003 };

static const rv_span whole[] = {
    { "encoder.weight", 0, FIRST, { 1, { FIRST } }, .frozen = false },
    { "decoder.weight", FIRST, N - FIRST, { 1, { N - FIRST } }, .frozen = false },
};

static rv_checkpoint *golden(void)
{
    const char *root = getenv("RV_TEST_SOURCE");
    char path[1024];
    rv_error err;
    rv_checkpoint *c = NULL;
    snprintf(path, sizeof path, "%s/tests/golden/optimiser.safetensors", root ? root : ".");
    CHECK_OK(rv_checkpoint_open(&c, path, &err), err);
    return c;
}

static const float *values(const rv_checkpoint *c, const char *name, size_t count)
{
    const rv_tensor *t = rv_checkpoint_find(c, name);
    CHECK_MSG(t && t->count == count && rv_checkpoint_view(c, t), "golden \"%s\"", name);
    return rv_checkpoint_view(c, t);
}

/* The name of a case says its options, as in tools/make_golden_optimiser.py. */
static rv_optimiser_config config_of(const char *name)
{
    rv_optimiser_config c = rv_optimiser_defaults(!strncmp(name, "case.adamw", 10) ? RV_ADAMW
                                                  : !strncmp(name, "case.sgd", 8)  ? RV_SGD
                                                                                   : RV_ADAM);
    c.lr = 1e-2;
    c.weight_decay = strstr(name, "-decay") ? 0.1 : c.weight_decay;
    c.momentum = strstr(name, "-momentum") || strstr(name, "-nesterov") ? 0.9 : 0;
    c.nesterov = strstr(name, "-nesterov");
    c.clip_norm = strstr(name, "-clip") ? 1.5 : 0;
    if (strstr(name, "-betas")) {
        c.beta1 = 0.8;
        c.beta2 = 0.95;
        c.eps = 1e-3;
    }
    return c;
}

static rv_optimiser *make(const rv_optimiser_config *c, const rv_span *spans, size_t n)
{
    rv_error err;
    rv_optimiser *o = NULL;
    CHECK_OK(rv_optimiser_new(&o, c, spans, n, NULL, &err), err);
    return o;
}

static void steps(rv_optimiser *o, const rv_checkpoint *c, float *w, int from, int to)
{
    const float *gradients = values(c, "gradients", STEPS * N);
    for (int i = from; i < to; i++)
        CHECK(rv_optimiser_step(o, w, gradients + i * N, 1e-2 * pow(0.95, i), NULL, NULL));
}

/* Relative to the larger of start and end: a step may end near 0. */
static double check_case(const rv_checkpoint *c, const char *name)
{
    const float *want = values(c, name, N), *start = values(c, "start", N);
    const rv_optimiser_config config = config_of(name);
    float w[N];
    double worst = 0;
    rv_optimiser *o = make(&config, whole, 2);
    memcpy(w, start, sizeof w);
    steps(o, c, w, 0, STEPS);
    CHECK(rv_optimiser_steps(o) == STEPS);
    for (int i = 0; i < N; i++) {
        const double off = fabs((double)w[i] - (double)want[i]) /
                           fmax(fabs((double)start[i]), fabs((double)want[i]));
        worst = off > worst ? off : worst;
        CHECK_MSG(off <= 1e-6, "%s[%d]: %.9g, not %.9g (off by %.2g)", name, i, (double)w[i],
                  (double)want[i], off);
    }
    rv_optimiser_free(o);
    return worst;
}

TEST(test_equals_pytorch)
{
    rv_checkpoint *c = golden();
    int cases = 0;
    double worst = 0;
    for (size_t i = 0; i < rv_checkpoint_count(c); i++) {
        const char *name = rv_checkpoint_tensor(c, i)->name;
        if (strncmp(name, "case.", 5) != 0)
            continue;
        const double off = check_case(c, name);
        worst = off > worst ? off : worst;
        cases++;
    }
    print_message("# %d cases, worst relative difference %.2g\n", cases, worst);
    CHECK(cases == 17);
    rv_checkpoint_free(c);
}

TEST(test_average_equals_demucs)
{
    static const struct {
        const char *name;
        double decay;
    } cases[] = { { "average.0.5", 0.5 }, { "average.0.999", 0.999 } };
    rv_checkpoint *c = golden();
    rv_error err;
    for (size_t i = 0; i < 2; i++) {
        const rv_optimiser_config config = config_of("case.adam");
        rv_optimiser *o = make(&config, whole, 2);
        rv_average *a = NULL;
        float w[N], before[N];
        size_t n = 0;
        memcpy(w, values(c, "start", N), sizeof w);
        CHECK_OK(rv_average_new(&a, cases[i].decay, true, w, N, NULL, &err), err);
        for (int step = 0; step < STEPS; step++) {
            steps(o, c, w, step, step + 1);
            rv_average_update(a, w, NULL);
        }
        const float *got = rv_average_data(a, &n), *want = values(c, cases[i].name, N);
        for (int j = 0; j < N; j++)
            CHECK_CLOSE(got[j] / want[j], 1, 1e-6);
        memcpy(before, w, sizeof w);
        rv_average_swap(a, w, NULL);
        CHECK_CLOSE(w[0] / want[0], 1, 1e-6);
        rv_average_swap(a, w, NULL);
        CHECK(n == N && !memcmp(before, w, sizeof w));
        rv_average_free(a);
        rv_optimiser_free(o);
    }
    rv_checkpoint_free(c);
}

TEST(test_plain_average)
{
    rv_error err;
    rv_average *a = NULL;
    size_t n;
    CHECK_OK(rv_average_new(&a, 0.75, false, (float[]){ 1, 2 }, 2, NULL, &err), err);
    rv_average_update(a, (float[]){ 5, 2 }, NULL);
    CHECK(rv_average_data(a, &n)[0] == 2 && rv_average_data(a, &n)[1] == 2);
    CHECK(rv_average_count(a) == 0 && rv_average_decay(a) == 0.75);
    rv_average_free(a);
    CHECK(rv_average_new(&a, 1, true, (float[]){ 1 }, 1, NULL, &err) == RV_ERR_ARG);
}

/* The norm is that of all gradients that are not frozen, and what is frozen keeps its bits. */
TEST(test_frozen_spans)
{
    rv_span spans[] = { whole[0], whole[1] };
    const char *const patterns[] = { "enc*" };
    rv_checkpoint *c = golden();
    const float *gradients = values(c, "gradients", STEPS * N) + 19 * N;
    const rv_optimiser_config config = config_of("case.adamw-decay-clip");
    float w[N];
    double norm = 0, want = 0;
    rv_error err;
    memcpy(w, values(c, "start", N), sizeof w);
    CHECK_OK(rv_spans_freeze(spans, 2, patterns, 1, &err), err);
    CHECK(spans[0].frozen && !spans[1].frozen);
    rv_optimiser *o = make(&config, spans, 2);
    CHECK(rv_optimiser_step(o, w, gradients, 0.1, NULL, &norm));
    for (int i = FIRST; i < N; i++)
        want += (double)gradients[i] * (double)gradients[i];
    CHECK_CLOSE(norm, sqrt(want), 1e-14);
    CHECK(!memcmp(w, values(c, "start", N), FIRST * sizeof *w));
    for (int i = FIRST; i < N; i++)
        CHECK(w[i] != values(c, "start", N)[i]);
    rv_optimiser_free(o);
    rv_checkpoint_free(c);
}

TEST(test_freezing_by_name)
{
    rv_span spans[] = { whole[0], whole[1] };
    rv_error err;
    CHECK(rv_spans_freeze(spans, 2, (const char *const[]){ "enc*", "lstm.*" }, 2, &err) ==
          RV_ERR_ARG);
    CHECK(strstr(err.text, "\"lstm.*\"") && !spans[0].frozen);
    CHECK_OK(rv_spans_freeze(spans, 2, (const char *const[]){ "*.weight" }, 1, &err), err);
    CHECK(spans[0].frozen && spans[1].frozen);
    const rv_optimiser_config config = rv_optimiser_defaults(RV_ADAM);
    rv_optimiser *o = make(&config, spans, 2);
    float w[N] = { 1 };
    double norm = 1;
    CHECK(rv_optimiser_step(o, w, w, 1, NULL, &norm) && norm == 0 && w[0] == 1);
    rv_optimiser_free(o);
}

/* The scale is clip / (norm + 1e-6), as PyTorch computes it. */
TEST(test_scale_of_small_norms)
{
    rv_optimiser_config config = rv_optimiser_defaults(RV_SGD);
    float w[N] = { 0 }, g[N] = { [3] = 3e-6f };
    config.clip_norm = 1e-6;
    rv_optimiser *o = make(&config, whole, 2);
    CHECK(rv_optimiser_step(o, w, g, 1, NULL, NULL));
    CHECK_CLOSE((double)w[3] / -0.75e-6, 1, 1e-6);
    g[3] = 1e-9f;
    w[3] = 0;
    CHECK(rv_optimiser_step(o, w, g, 1, NULL, NULL)); /* below the limit, but not by 1e-6 */
    CHECK_CLOSE((double)w[3] / (-1e-9 / 1.001), 1, 1e-6);
    g[3] = 0;
    w[3] = 1;
    CHECK(rv_optimiser_step(o, w, g, 1, NULL, NULL) && w[3] == 1);
    rv_optimiser_free(o);
}

TEST(test_no_finite_gradient_no_step)
{
    const rv_optimiser_config config = config_of("case.adam-clip");
    rv_optimiser *o = make(&config, whole, 2);
    float w[N] = { 1, 2, 3 }, g[N] = { 0 };
    double norm = 0;
    g[30] = NAN;
    CHECK(!rv_optimiser_step(o, w, g, 1, NULL, &norm) && isnan(norm));
    g[30] = INFINITY;
    CHECK(!rv_optimiser_step(o, w, g, 1, NULL, &norm) && isinf(norm));
    CHECK(rv_optimiser_steps(o) == 0 && w[0] == 1 && w[2] == 3);
    g[30] = 3e38f; /* its square is too large for a float */
    CHECK(rv_optimiser_step(o, w, g, 1, NULL, &norm) && fabs(norm / 3e38 - 1) < 1e-6);
    rv_optimiser_free(o);
}

TEST(test_same_bits_for_any_number_of_threads)
{
    const rv_span span = { "w", 0, LARGE, { 1, { LARGE } }, .frozen = false };
    float *w = malloc(LARGE * sizeof *w), *g = malloc(LARGE * sizeof *g);
    float *first = malloc(LARGE * sizeof *g);
    const rv_optimiser_config config = config_of("case.adam-decay-clip");
    double first_norm = 0;
    CHECK(w && g && first);
    for (size_t i = 0; i < LARGE; i++)
        g[i] = (float)rv_rng_normal(1, 2, i);
    for (int threads = 1; threads <= 8; threads = threads * 2 + 1) {
        rv_pool *pool = NULL;
        rv_error err;
        double norm = 0;
        CHECK_OK(rv_pool_new(&pool, threads, NULL, &err), err);
        rv_optimiser *o = make(&config, &span, 1);
        memset(w, 0, LARGE * sizeof *w);
        for (int i = 0; i < 3; i++)
            CHECK(rv_optimiser_step(o, w, g, 1e-3, pool, &norm));
        if (threads == 1) {
            memcpy(first, w, LARGE * sizeof *w);
            first_norm = norm;
        }
        CHECK(norm == first_norm && !memcmp(first, w, LARGE * sizeof *w));
        rv_optimiser_free(o);
        rv_pool_free(pool);
    }
    free(w);
    free(g);
    free(first);
}

/* The state that is exposed is all of it. */
TEST(test_resumed_from_its_state)
{
    static const char *const cases[] = { "case.adamw-decay-clip", "case.sgd-nesterov-decay" };
    rv_checkpoint *c = golden();
    for (size_t i = 0; i < 2; i++) {
        const rv_optimiser_config config = config_of(cases[i]);
        rv_optimiser *a = make(&config, whole, 2), *b = make(&config, whole, 2);
        float w[N], resumed[N], *from, *to;
        const char *name;
        size_t n, k;
        memcpy(w, values(c, "start", N), sizeof w);
        steps(a, c, w, 0, 7);
        for (k = 0; rv_optimiser_state(a, k, &name, &from, &n); k++) {
            CHECK(rv_optimiser_state(b, k, &name, &to, &n) && n == N && name);
            memcpy(to, from, n * sizeof *to);
        }
        CHECK(k == (config.kind == RV_SGD ? 1 : 2));
        rv_optimiser_set_steps(b, rv_optimiser_steps(a));
        memcpy(resumed, w, sizeof w);
        steps(a, c, w, 7, STEPS);
        steps(b, c, resumed, 7, STEPS);
        CHECK(!memcmp(w, resumed, sizeof w));
        rv_optimiser_free(a);
        rv_optimiser_free(b);
    }
    rv_checkpoint_free(c);
}

static void *failing_alloc(void *ctx, size_t size, size_t align)
{
    int *left = ctx;
    return (*left)-- > 0 ? rv_alloc_default.alloc(NULL, size, align) : NULL;
}

static void failing_free(void *ctx, void *ptr)
{
    (void)ctx;
    rv_alloc_default.free(NULL, ptr);
}

TEST(test_failures)
{
    rv_optimiser *o = NULL;
    rv_average *a = NULL;
    rv_error err;
    rv_optimiser_config c = rv_optimiser_defaults(RV_ADAM);
    int left;
    const rv_alloc failing = { failing_alloc, failing_free, &left };
    for (int i = 0; i < 4; i++) {
        left = i;
        CHECK(rv_optimiser_new(&o, &c, whole, 2, &failing, &err) == RV_ERR_NOMEM && !o);
        left = i % 2;
        CHECK(rv_average_new(&a, 0.5, true, (float[]){ 1 }, 1, &failing, &err) == RV_ERR_NOMEM);
    }
    const rv_span swapped[] = { whole[1], whole[0] };
    CHECK(rv_optimiser_new(&o, &c, swapped, 2, NULL, &err) == RV_ERR_ARG);
    c.beta2 = 1;
    CHECK(rv_optimiser_new(&o, &c, whole, 2, NULL, &err) == RV_ERR_ARG);
    CHECK(strstr(err.text, "beta2 is 1"));
    c = rv_optimiser_defaults(RV_SGD);
    c.nesterov = true;
    CHECK(rv_optimiser_new(&o, &c, whole, 2, NULL, &err) == RV_ERR_ARG);
    c = rv_optimiser_defaults(RV_SGD);
    c.lr = (double)NAN;
    CHECK(rv_optimiser_new(&o, &c, whole, 2, NULL, &err) == RV_ERR_ARG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equals_pytorch),
        cmocka_unit_test(test_average_equals_demucs),
        cmocka_unit_test(test_plain_average),
        cmocka_unit_test(test_frozen_spans),
        cmocka_unit_test(test_freezing_by_name),
        cmocka_unit_test(test_scale_of_small_norms),
        cmocka_unit_test(test_no_finite_gradient_no_step),
        cmocka_unit_test(test_same_bits_for_any_number_of_threads),
        cmocka_unit_test(test_resumed_from_its_state),
        cmocka_unit_test(test_failures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
