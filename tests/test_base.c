/* test_base.c - thread pool, random numbers, arena. */
#include "base/arena.h"
#include "base/pool.h"
#include "base/rng.h"
#include "check.h"

#include <stdatomic.h>

static void count(void *job, size_t task, int worker)
{
    (void)worker;
    atomic_fetch_add((atomic_int *)job + task, 1);
}

TEST(test_pool_runs_every_task_once)
{
    for (int threads = 1; threads <= 5; threads++) {
        static atomic_int done[1000];
        rv_error err = { 0 };
        rv_pool *p = NULL;
        CHECK_OK(rv_pool_new(&p, threads, NULL, &err), err);
        CHECK(rv_pool_threads(p) == threads);
        for (size_t i = 0; i < 1000; i++)
            atomic_store(&done[i], 0);
        for (int repeat = 0; repeat < 50; repeat++)
            rv_pool_run(p, (size_t)(repeat * 20), count, done);
        for (size_t i = 0; i < 1000; i++)
            CHECK(atomic_load(&done[i]) == 49 - (int)i / 20);
        rv_pool_free(p);
    }
}

TEST(test_pool_of_none)
{
    atomic_int done[3] = { 0, 0, 0 };
    CHECK(rv_pool_threads(NULL) == 1);
    rv_pool_run(NULL, 3, count, done);
    CHECK(done[0] == 1 && done[1] == 1 && done[2] == 1);
    rv_pool_free(NULL);
}

TEST(test_rng_moments)
{
    enum { N = 200000 };
    double mean = 0, square = 0, uniform = 0;
    for (uint64_t i = 0; i < N; i++) {
        const double z = rv_rng_normal(3, 1, i);
        mean += z / N;
        square += z * z / N;
        uniform += rv_rng_uniform(3, 2, i) / N;
        CHECK(rv_rng_below(1, 2, i, 7) < 7);
    }
    CHECK_CLOSE(mean, 0, 0.01);
    CHECK_CLOSE(square, 1, 0.02);
    CHECK_CLOSE(uniform, 0.5, 0.005);
    CHECK(rv_rng_bits(1, 2, 3) == rv_rng_bits(1, 2, 3));
    CHECK(rv_rng_bits(1, 2, 3) != rv_rng_bits(1, 3, 2));
}

TEST(test_arena_gives_zeroed_memory)
{
    rv_arena a;
    rv_arena_init(&a, NULL);
    for (size_t size = 1; size < 100000; size = size * 3 + 1) {
        const unsigned char *p = rv_arena_take(&a, size);
        CHECK(p && (uintptr_t)p % 16 == 0);
        for (size_t i = 0; i < size; i++)
            CHECK(p[i] == 0);
    }
    CHECK(!rv_arena_take(&a, SIZE_MAX - 3));
    rv_arena_fini(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pool_runs_every_task_once),
        cmocka_unit_test(test_pool_of_none),
        cmocka_unit_test(test_rng_moments),
        cmocka_unit_test(test_arena_gives_zeroed_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
