/* test_batch_norm.c - batch normalisation as torch.nn.BatchNorm1d: by the example's statistics in
 * training, which the running ones follow, and by those otherwise. */
#include "check.h"
#include "train/learner.h"

#include <string.h>

enum { CHANNELS = 2, FRAMES = 3, BATCH = 2 };

/* Two examples x [T,C]; their means are (2, 0) and (4, 1), their variances (1, 9) and (4, 3). */
static const float batch[BATCH][FRAMES * CHANNELS] = { { 1, -3, 2, 0, 3, 3 },
                                                       { 2, 0, 4, 3, 6, 0 } };

static rv_node *build(const void *ctx, nn_builder *b, rv_node *const *in, rv_node **estimate)
{
    (void)ctx;
    *estimate = nn_batch_norm(b, "bn", in[0], 1e-5);
    return rv_mean(rv_mul(*estimate, *estimate));
}

static rv_learner *open_learner(rv_pool *pool)
{
    rv_error err = { 0 };
    rv_learner *l = NULL;
    const rv_learner_options options = { .build = build,
                                         .inputs = { RV_SHAPE(1, FRAMES, CHANNELS) },
                                         .n_inputs = 1,
                                         .batch = BATCH,
                                         .pool = pool };
    CHECK_OK(rv_learner_new(&l, &options, &err), err);
    rv_learner_initialise(l, 0);
    return l;
}

static real *statistics(rv_learner *l, const char *name)
{
    real *at = rv_learner_values(l);
    for (const nn_param *p = rv_learner_params(l); p; p = p->next) {
        if (!strcmp(p->name, name))
            return at;
        at += rv_shape_count(&p->node->shape);
    }
    return NULL;
}

TEST(test_running_statistics_follow)
{
    for (int accumulated = 1; accumulated <= 2; accumulated++) {
        rv_pool *pool = NULL;
        rv_error err = { 0 };
        CHECK_OK(rv_pool_new(&pool, accumulated, NULL, &err), err);
        rv_learner *l = open_learner(pool);
        const float *in[] = { batch[0] };
        double mean[CHANNELS] = { 0, 0 }, variance[CHANNELS] = { 1, 1 };
        const double shown_mean[] = { 3, 0.5 }, shown_variance[] = { 2.5, 6 };
        for (int i = 0; i < accumulated; i++) {
            rv_learner_step(l, in, i == 0, 1.0 / accumulated);
            for (int c = 0; c < CHANNELS; c++) {
                mean[c] += 0.1 * (shown_mean[c] - mean[c]);
                variance[c] += 0.1 * (shown_variance[c] - variance[c]);
            }
        }
        for (int c = 0; c < CHANNELS; c++) {
            CHECK_CLOSE(statistics(l, "bn.running_mean")[c], mean[c], 1e-6);
            CHECK_CLOSE(statistics(l, "bn.running_var")[c], variance[c], 1e-6);
        }
        const size_t at = (size_t)(statistics(l, "bn.running_mean") - rv_learner_values(l));
        for (size_t i = 0; i < 2 * CHANNELS; i++)
            CHECK(rv_learner_gradients(l)[at + i] == 0);
        rv_learner_free(l);
        rv_pool_free(pool);
    }
}

TEST(test_forms)
{
    rv_learner *l = open_learner(NULL);
    const float *in[] = { batch[0] }, *y;
    /* Of both examples, normalised by itself, each channel's mean square is 1. */
    CHECK_CLOSE(rv_learner_step(l, in, true, 1), 1, 1e-4);
    const real values[] = { 2, 3, 0.5f, -1, 1, -2, 4, 9 };
    memcpy(statistics(l, "bn.weight"), values, sizeof values);
    rv_learner_estimate(l, in, &y);
    const double want[] = { 0.5, -2, 1.5, 1, 2.5, 4 }; /* (x - mean) / deviation weight + bias */
    for (int i = 0; i < FRAMES * CHANNELS; i++)
        CHECK_CLOSE(y[i], want[i], 1e-4);
    rv_learner_free(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_running_statistics_follow),
        cmocka_unit_test(test_forms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
