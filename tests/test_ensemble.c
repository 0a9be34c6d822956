/* test_ensemble.c - several models as one: means, weights, stems matched by name, mismatches. */
#include "base/rng.h"
#include "check.h"
#include "ravel/separate.h"

#include <stdlib.h>
#include <string.h>

enum { FRAMES = 9000, MOST_PLANES = 16 };
static const char *const stems4[] = { "drums", "bass", "other", "vocals" };

static char folder[64];
static char demucs[300], hybrid[300], mono[300]; /* 4 stems; accompaniment, vocals; 1 channel */
static float mix[2 * FRAMES];

typedef struct {
    rv_model *model;
    const rv_model_card *card;
    float *stems; /* [stem][channel][frames] */
    size_t numbers;
} result;

static float *stem_of(const result *r, const char *name)
{
    for (size_t k = 0; k < r->card->n_stems; k++)
        if (strcmp(r->card->stems[k], name) == 0)
            return r->stems + k * 2 * FRAMES;
    fail_msg("%s has no %s", r->card->name, name);
    return NULL;
}

static void run(result *r, int threads, int wiener)
{
    rv_error err = { 0 };
    rv_separate_options o;
    const float *in[] = { mix, mix + FRAMES };
    float *to[MOST_PLANES];
    r->card = rv_model_about(r->model);
    CHECK(r->card->n_stems * 2 <= MOST_PLANES);
    r->numbers = r->card->n_stems * 2 * FRAMES;
    r->stems = calloc(r->numbers, sizeof *r->stems);
    rv_separate_defaults(&o);
    o.threads = threads;
    o.wiener = wiener;
    for (size_t p = 0; p < r->card->n_stems * 2; p++)
        to[p] = r->stems + p * FRAMES;
    CHECK_OK(rv_separate(r->model, in, 2, 8000, FRAMES, to, &o, &err), err);
}

static result separate(const char *name, int threads, int wiener)
{
    rv_error err = { 0 };
    result r = { 0 };
    CHECK_OK(rv_model_open(&r.model, name, &err), err);
    run(&r, threads, wiener);
    return r;
}

static void drop(result *r)
{
    rv_model_free(r->model);
    free(r->stems);
}

static const char *write_bag(const char *name, const char *text)
{
    static char path[400];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "w");
    CHECK(f && fputs(text, f) >= 0 && fclose(f) == 0);
    return path;
}

/* Another length of segments, and one that wants normalised audio, beside one that does not. */
TEST(test_mean)
{
    rv_error err = { 0 };
    const char *const names[] = { "classic", demucs };
    result a = separate("classic", 1, 0), b = separate(demucs, 1, 0), both = { 0 };
    CHECK_OK(rv_model_open_several(&both.model, names, 2, &err), err);
    run(&both, 1, 0);
    assert_string_equal(both.card->name, "classic+htdemucs");
    CHECK(both.card->n_stems == 4 && both.card->channels == 2 && both.card->sample_rate == 8000);
    CHECK(both.card->n_networks == 2 && both.card->parameters == b.card->parameters);
    for (size_t k = 0; k < 4; k++) {
        const float *x = stem_of(&a, stems4[k]), *y = stem_of(&b, stems4[k]);
        const float *mean = stem_of(&both, stems4[k]);
        for (size_t i = 0; i < 2 * FRAMES; i++)
            CHECK_CLOSE(mean[i], 0.5 * ((double)x[i] + (double)y[i]), 1e-6);
    }
    result threads = { .model = both.model };
    run(&threads, 3, 0);
    CHECK(memcmp(both.stems, threads.stems, both.numbers * sizeof *both.stems) == 0);
    free(threads.stems);
    drop(&a);
    drop(&b);
    drop(&both);
}

/* Joined by '+'; vocals come from both, the rest from one. With the filter all add up to the mix.
 */
TEST(test_other_stems)
{
    char name[700];
    snprintf(name, sizeof name, "%s+%s", demucs, hybrid);
    result a = separate(demucs, 2, 0), b = separate(hybrid, 2, 0), both = separate(name, 2, 0);
    CHECK(both.card->n_stems == 5);
    assert_string_equal(both.card->stems[4], "accompaniment");
    CHECK(memcmp(stem_of(&both, "bass"), stem_of(&a, "bass"), 2 * FRAMES * sizeof(float)) == 0);
    CHECK(memcmp(stem_of(&both, "accompaniment"), stem_of(&b, "accompaniment"),
                 2 * FRAMES * sizeof(float)) == 0);
    for (size_t i = 0; i < 2 * FRAMES; i++)
        CHECK_CLOSE(stem_of(&both, "vocals")[i],
                    0.5 * ((double)stem_of(&a, "vocals")[i] + (double)stem_of(&b, "vocals")[i]),
                    1e-6);
    free(both.stems);
    run(&both, 2, 1);
    for (size_t i = 0; i < 2 * FRAMES; i++) {
        double sum = 0;
        for (size_t k = 0; k < 5; k++)
            sum += (double)both.stems[k * 2 * FRAMES + i];
        CHECK_CLOSE(sum, mix[i], 2e-6);
    }
    drop(&a);
    drop(&b);
    drop(&both);
}

/* The best of each: the very stems of the models, in the order of the first. */
TEST(test_weights)
{
    char text[900];
    snprintf(text, sizeof text,
             "models: ['%s', classic]\nweights: [[0, 1, 0, 1], [1, 0, 3, 3]]\nsegment: 0.1\n",
             demucs);
    result a = separate(demucs, 1, 0), b = separate("classic", 1, 0);
    result both = separate(write_bag("best.yaml", text), 2, 0);
    assert_string_equal(both.card->name, "best");
    CHECK(memcmp(stem_of(&both, "drums"), stem_of(&b, "drums"), 2 * FRAMES * sizeof(float)) == 0);
    CHECK(memcmp(stem_of(&both, "bass"), stem_of(&a, "bass"), 2 * FRAMES * sizeof(float)) != 0);
    for (size_t i = 0; i < 2 * FRAMES; i++)
        CHECK_CLOSE(stem_of(&both, "other")[i], stem_of(&b, "other")[i], 1e-6);
    drop(&both);
    snprintf(text, sizeof text, "models: ['%s', classic]\nweights: [[0, 1, 0, 1], [1, 0, 3, 3]]\n",
             demucs);
    both = separate(write_bag("best.yaml", text), 2, 0);
    CHECK(memcmp(stem_of(&both, "bass"), stem_of(&a, "bass"), 2 * FRAMES * sizeof(float)) == 0);
    for (size_t i = 0; i < 2 * FRAMES; i++)
        CHECK_CLOSE(stem_of(&both, "vocals")[i],
                    0.25 * (double)stem_of(&a, "vocals")[i] +
                        0.75 * (double)stem_of(&b, "vocals")[i],
                    1e-6);
    drop(&a);
    drop(&b);
    drop(&both);
}

/* A bag in a bag, by its path from there; a bag that holds itself. */
TEST(test_nested)
{
    rv_error err = { 0 };
    rv_model *m = NULL;
    write_bag("inner.yaml", "models: [classic, classic]\n");
    result plain = separate("classic", 1, 0);
    result outer = separate(write_bag("outer.yaml", "models: [inner.yaml]\n"), 1, 0);
    CHECK(outer.card->n_networks == 2);
    for (size_t i = 0; i < plain.numbers; i++)
        CHECK_CLOSE(outer.stems[i], plain.stems[i], 1e-6);
    drop(&plain);
    drop(&outer);
    CHECK(rv_model_open(&m, write_bag("self.yaml", "models: [self.yaml]\n"), &err) ==
          RV_ERR_FORMAT);
    CHECK_MSG(strstr(err.text, "self.yaml") && strstr(err.text, "own part"), "%s", err.text);
}

static void check_refused(const char *name, const char *part, const char *other)
{
    rv_error err = { 0 };
    rv_model *m = NULL;
    CHECK(rv_model_open(&m, name, &err) != RV_OK);
    CHECK_MSG(strstr(err.text, part) && strstr(err.text, other), "%s", err.text);
}

TEST(test_refused)
{
    char text[900];
    snprintf(text, sizeof text, "classic+%s+%s", demucs, mono);
    check_refused(text, "htdemucs takes 2 channels at 8000 Hz", "conv_tasnet_mono 1 at 8000");
    check_refused("classic+nothing-like-it", "nothing-like-it", "no such model");
    check_refused("+", "no models", "ensemble");
    snprintf(text, sizeof text,
             "models: [classic, '%s']\nweights: [[1, 1, 1, 1, 0], [0, 0, 1, 0, 1]]", hybrid);
    check_refused(write_bag("a.yaml", text), "a.yaml: model 2 (hdemucs)", "'other'");
    snprintf(text, sizeof text, "models: [classic, '%s']\nweights: [[1, 1], [0, 1]]", hybrid);
    check_refused(write_bag("b.yaml", text), "b.yaml: has weights for 2 stems, its models have 5",
                  "drums, bass, other, vocals, accompaniment");
    check_refused(write_bag("c.yaml", "models: [classic, missing]"), "c.yaml", "missing");
}

static int stop_late(void *ctx, const rv_progress *p)
{
    double *last = ctx;
    CHECK(p->fraction >= *last);
    *last = p->fraction;
    return p->fraction > 0.4;
}

TEST(test_progress_and_stop)
{
    rv_error err = { 0 };
    rv_model *m = NULL;
    rv_separate_options o;
    double last = 0;
    float *memory = calloc(8 * FRAMES, sizeof *memory), *to[8];
    const float *in[] = { mix, mix + FRAMES };
    char name[400];
    snprintf(name, sizeof name, "%s+classic", demucs);
    for (size_t p = 0; p < 8; p++)
        to[p] = memory + p * FRAMES;
    rv_separate_defaults(&o);
    o.progress = stop_late;
    o.progress_ctx = &last;
    CHECK_OK(rv_model_open(&m, name, &err), err);
    CHECK(rv_separate(m, in, 2, 8000, FRAMES, to, &o, &err) == RV_ERR_CANCELLED);
    CHECK(last > 0.4 && last <= 1);
    rv_model_free(m);
    free(memory);
}

static int set_up(void **state)
{
    const char *source = getenv("RV_TEST_SOURCE");
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/ravel-ensemble-XXXXXX");
    snprintf(demucs, sizeof demucs, "%.200s/tests/golden/htdemucs.th", source);
    snprintf(hybrid, sizeof hybrid, "%.200s/tests/golden/hdemucs.th", source);
    snprintf(mono, sizeof mono, "%.200s/tests/golden/conv_tasnet_mono.th", source);
    for (size_t i = 0; i < 2 * FRAMES; i++)
        mix[i] = (float)(0.1 + 0.4 * sin(0.05 * (double)(i % FRAMES)) +
                         0.3 * (rv_rng_uniform(2, 0, i) - 0.5));
    return !mkdtemp(folder) || setenv("RAVEL_MODELS", folder, 1) ||
           setenv("XDG_CACHE_HOME", folder, 1);
}

static int tear_down(void **state)
{
    char command[100];
    (void)state;
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mean),    cmocka_unit_test(test_other_stems),
        cmocka_unit_test(test_weights), cmocka_unit_test(test_nested),
        cmocka_unit_test(test_refused), cmocka_unit_test(test_progress_and_stop),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
