/* test_schedule.c - rates equal to torch.optim.lr_scheduler's (tests/golden/optimiser.safetensors,
 * "lr.*"), warm-up, early stopping, mistakes in the configuration. */
#include "checkpoint_files.h"

#include "train/schedule.h"

enum { LOSSES = 25 };

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

static void check_rates(const rv_schedule_config *config, const char *name, size_t n)
{
    rv_checkpoint *c = golden();
    rv_error err;
    CHECK_OK(rv_schedule_check(config, &err), err);
    for (size_t i = 0; i < n; i++)
        CHECK_CLOSE(rv_schedule_lr(config, NULL, i) / (double)values(c, name, n)[i], 1, 1e-6);
    rv_checkpoint_free(c);
}

TEST(test_exponential)
{
    rv_schedule_config c = rv_schedule_defaults(RV_RATE_EXPONENTIAL, 1);
    CHECK_CLOSE(rv_schedule_lr(&c, NULL, 5000), sqrt(0.98), 1e-12);
    CHECK_CLOSE(rv_schedule_lr(&c, NULL, 20000), 0.98 * 0.98, 1e-12);
    c.staircase = true;
    CHECK(rv_schedule_lr(&c, NULL, 9999) == 1);
    CHECK_CLOSE(rv_schedule_lr(&c, NULL, 19999), 0.98, 1e-12);
    c.every = 1;
    check_rates(&c, "lr.exponential", 30);
}

TEST(test_cosine)
{
    rv_schedule_config c = rv_schedule_defaults(RV_RATE_COSINE, 1);
    c.total_steps = 25;
    c.min_lr = 0.1;
    check_rates(&c, "lr.cosine", 25);
    CHECK(rv_schedule_lr(&c, NULL, 25) == 0.1 && rv_schedule_lr(&c, NULL, UINT64_MAX) == 0.1);
    c.warmup_steps = 4;
    CHECK_CLOSE(rv_schedule_lr(&c, NULL, 0), 0.25, 1e-12);
    CHECK_CLOSE(rv_schedule_lr(&c, NULL, 3), 1, 1e-12);
    CHECK_CLOSE(rv_schedule_lr(&c, NULL, 4), 1, 1e-12);
    CHECK(rv_schedule_lr(&c, NULL, 5) < 1);
}

TEST(test_multi_step)
{
    rv_schedule_config c = rv_schedule_defaults(RV_RATE_MULTI_STEP, 1);
    c.factor = 0.3;
    c.n_milestones = 3;
    memcpy(c.milestones, (uint64_t[]){ 3, 10, 11 }, 3 * sizeof(uint64_t));
    check_rates(&c, "lr.multi_step", 20);
}

TEST(test_constant_with_warmup)
{
    rv_schedule_config c = rv_schedule_defaults(RV_RATE_CONSTANT, 2);
    CHECK(rv_schedule_lr(&c, NULL, 0) == 2);
    c.warmup_steps = 8;
    CHECK(rv_schedule_lr(&c, NULL, 0) == 0.25 && rv_schedule_lr(&c, NULL, 6) == 1.75);
    CHECK(rv_schedule_lr(&c, NULL, 7) == 2 && rv_schedule_lr(&c, NULL, 100) == 2);
}

static rv_schedule_config plateau(void)
{
    rv_schedule_config c = rv_schedule_defaults(RV_RATE_PLATEAU, 1);
    c.factor = 0.5;
    c.patience = 2;
    c.min_lr = 0.05;
    c.cooldown = 1;
    return c;
}

TEST(test_plateau)
{
    const rv_schedule_config config = plateau();
    rv_checkpoint *c = golden();
    const float *losses = values(c, "losses", LOSSES), *rates = values(c, "lr.plateau", LOSSES);
    rv_plateau p = rv_plateau_start(&config);
    for (size_t i = 0; i < LOSSES; i++) {
        CHECK_CLOSE(rv_schedule_lr(&config, &p, i) / (double)rates[i], 1, 1e-6);
        rv_plateau_update(&config, &p, (double)losses[i]);
    }
    CHECK(p.lr < 0.13); /* three reductions at least have been seen */
    rv_checkpoint_free(c);
}

/* Losses below 0: a slightly worse one is no progress, and NaN never is. */
TEST(test_negative_losses)
{
    const rv_schedule_config config = plateau();
    rv_plateau p = rv_plateau_start(&config);
    rv_plateau_update(&config, &p, -10);
    CHECK(p.best == -10 && p.bad == 0);
    rv_plateau_update(&config, &p, -9.9999);
    rv_plateau_update(&config, &p, -10.0001);
    CHECK(p.best == -10 && p.bad == 2);
    rv_plateau_update(&config, &p, (double)NAN);
    CHECK(p.best == -10 && p.lr == 0.5);
    rv_plateau_update(&config, &p, -10.01);
    CHECK(p.best == -10.01);
}

TEST(test_early_stopping)
{
    const rv_stopping_config c = { .patience = 2 };
    rv_stopping s = rv_stopping_start();
    CHECK(!rv_stopping_update(&c, &s, 3) && !rv_stopping_update(&c, &s, 4));
    CHECK(s.bad == 1 && !rv_stopping_update(&c, &s, 2) && s.bad == 0);
    CHECK(!rv_stopping_update(&c, &s, 2) && !rv_stopping_update(&c, &s, (double)NAN));
    CHECK(rv_stopping_update(&c, &s, 5) && s.best == 2);
}

TEST(test_mistakes)
{
    rv_error err;
    rv_schedule_config c = rv_schedule_defaults(RV_RATE_COSINE, 1);
    c.total_steps = c.warmup_steps = 5;
    CHECK(rv_schedule_check(&c, &err) == RV_ERR_ARG && strstr(err.text, "total_steps 5"));
    c = rv_schedule_defaults(RV_RATE_MULTI_STEP, 1);
    c.n_milestones = 2;
    CHECK(rv_schedule_check(&c, &err) == RV_ERR_ARG && strstr(err.text, "milestone"));
    c.n_milestones = RV_MAX_MILESTONES + 1;
    CHECK(rv_schedule_check(&c, &err) == RV_ERR_ARG);
    c = rv_schedule_defaults(RV_RATE_EXPONENTIAL, 1);
    c.every = 0;
    CHECK(rv_schedule_check(&c, &err) == RV_ERR_ARG && strstr(err.text, "every"));
    c = rv_schedule_defaults(RV_RATE_CONSTANT, (double)NAN);
    CHECK(rv_schedule_check(&c, &err) == RV_ERR_ARG && strstr(err.text, "lr"));
    c = rv_schedule_defaults(RV_RATE_PLATEAU, 1);
    c.factor = 0;
    CHECK(rv_schedule_check(&c, &err) == RV_ERR_ARG && strstr(err.text, "factor"));
    c = rv_schedule_defaults(RV_RATE_PLATEAU, 1);
    c.min_lr = 2;
    CHECK(rv_schedule_check(&c, &err) == RV_ERR_ARG && strstr(err.text, "min_lr"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exponential),    cmocka_unit_test(test_cosine),
        cmocka_unit_test(test_multi_step),     cmocka_unit_test(test_constant_with_warmup),
        cmocka_unit_test(test_plateau),        cmocka_unit_test(test_negative_losses),
        cmocka_unit_test(test_early_stopping), cmocka_unit_test(test_mistakes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
