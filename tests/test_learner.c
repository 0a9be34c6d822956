/* test_learner.c - examples side by side in one graph are the examples one by one. */
#include "base/rng.h"
#include "check.h"
#include "train/learner.h"

#include <string.h>

enum { BATCH = 6, FRAMES = 7, IN = 3, OUT = 2 };

static const float shift[OUT] = { 0.25f, -0.5f };

typedef struct {
    float x[BATCH * FRAMES * IN], y[BATCH * FRAMES * OUT];
    double loss;
    real gradient[200];
    size_t count;
} case_result;

/* A GRU and a shift that all examples share; the mean squared error is the loss. */
static rv_node *build(const void *ctx, nn_builder *b, rv_node *const *in, rv_node **estimate)
{
    (void)ctx;
    *estimate = rv_add(nn_gru(b, "gru", in[0], OUT, 1, false), in[2]);
    rv_node *off = rv_sub(*estimate, in[1]);
    return rv_mean(rv_mul(off, off));
}

static rv_status learner_new(rv_learner **l, size_t together, rv_pool *pool, rv_error *err)
{
    const rv_learner_options options = {
        .build = build,
        .inputs = { RV_SHAPE(1, FRAMES, IN), RV_SHAPE(1, FRAMES, OUT), RV_SHAPE(1, 1, OUT) },
        .n_inputs = 3,
        .shared = { [2] = true },
        .batch = BATCH,
        .together = together,
        .pool = pool,
    };
    return rv_learner_new(l, &options, err);
}

static void take_step(case_result *r, size_t together, int threads)
{
    rv_error err = { 0 };
    rv_pool *pool = NULL;
    rv_learner *l = NULL;
    CHECK_OK(rv_pool_new(&pool, threads, NULL, &err), err);
    CHECK_OK(learner_new(&l, together, pool, &err), err);
    rv_learner_initialise(l, 1);
    for (size_t i = 0; i < BATCH * FRAMES * IN; i++)
        r->x[i] = (float)(rv_rng_uniform(2, 0, i) - 0.5);
    for (size_t i = 0; i < BATCH * FRAMES * OUT; i++)
        r->y[i] = (float)(rv_rng_uniform(2, 1, i) - 0.5);
    r->loss = rv_learner_step(l, (const float *[]){ r->x, r->y, shift }, true, 1);
    r->count = rv_learner_count(l);
    memcpy(r->gradient, rv_learner_gradients(l), r->count * sizeof(real));
    rv_learner_free(l);
    rv_pool_free(pool);
}

TEST(test_examples_side_by_side)
{
    static case_result one, some;
    take_step(&one, 1, 1);
    for (size_t together = 2; together <= BATCH; together += together == 3 ? 3 : 1) {
        take_step(&some, together, 1);
        CHECK_CLOSE(some.loss, one.loss, 1e-6);
        CHECK(some.count == one.count && one.count > 0);
        for (size_t i = 0; i < one.count; i++)
            CHECK_CLOSE(some.gradient[i], one.gradient[i], 1e-6);
    }
}

TEST(test_side_by_side_for_any_number_of_threads)
{
    static case_result one, more;
    for (size_t together = 3; together <= BATCH; together += 3) {
        take_step(&one, together, 1);
        take_step(&more, together, 3);
        CHECK(one.loss == more.loss &&
              !memcmp(one.gradient, more.gradient, one.count * sizeof(real)));
    }
}

/* A validation looks at one example, however many a step has side by side. */
TEST(test_estimate_of_one_example)
{
    static case_result r;
    double mean = 0;
    rv_error err = { 0 };
    rv_learner *l = NULL;
    const float *estimate;
    take_step(&r, BATCH, 1);
    CHECK_OK(learner_new(&l, BATCH, NULL, &err), err);
    rv_learner_initialise(l, 1);
    for (size_t b = 0; b < BATCH; b++)
        mean += rv_learner_estimate(
                    l, (const float *[]){ r.x + b * FRAMES * IN, r.y + b * FRAMES * OUT, shift },
                    &estimate) /
                BATCH;
    CHECK_CLOSE(mean, r.loss, 1e-6);
    rv_learner_free(l);
}

TEST(test_graphs_divide_the_batch)
{
    rv_error err = { 0 };
    rv_learner *l = NULL;
    CHECK(learner_new(&l, 4, NULL, &err) == RV_ERR_ARG && strstr(err.text, "6 in graphs of 4"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_examples_side_by_side),
        cmocka_unit_test(test_side_by_side_for_any_number_of_threads),
        cmocka_unit_test(test_estimate_of_one_example),
        cmocka_unit_test(test_graphs_divide_the_batch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
