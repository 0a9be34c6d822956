/* test_prefetch.c - steps come in order from any number of threads, few of them at a time. */
#include "base/status.h"
#include "check.h"
#include "train/prefetch.h"

#include <string.h>
#include <time.h>

enum { STEPS = 40 };

/* What the producer saw. */
typedef struct record {
    atomic_int made[STEPS + 16]; /* begun */
    atomic_int done[STEPS + 16];
    atomic_int in_flight; /* made or being made, and not given back */
    atomic_int most_in_flight;
    atomic_bool hang; /* the producer waits until it is told to stop */
    atomic_int hanging;
    int bad_step; /* this one fails */
} record;

static void nap(void)
{
    nanosleep(&(struct timespec){ 0, 200000 }, NULL);
}

static rv_status produce(void *user, uint64_t step, void *data, int worker, const atomic_bool *stop,
                         rv_error *err)
{
    record *r = user;
    (void)worker;
    const int now = atomic_fetch_add(&r->in_flight, 1) + 1;
    for (int most = atomic_load(&r->most_in_flight);
         now > most && !atomic_compare_exchange_weak(&r->most_in_flight, &most, now);)
        ;
    if (step < STEPS + 16)
        atomic_fetch_add(&r->made[step], 1);
    if (atomic_load(&r->hang)) {
        atomic_fetch_add(&r->hanging, 1);
        while (!atomic_load(stop))
            nap();
        return RV_FAIL(err, RV_ERR_CANCELLED, "stopped");
    }
    if ((int)step == r->bad_step)
        return RV_FAIL(err, RV_ERR_IO, "step %d is bad", r->bad_step);
    *(uint64_t *)data = 1000 + step;
    if (step < STEPS + 16)
        atomic_fetch_add(&r->done[step], 1);
    return RV_OK;
}

static rv_prefetch *new_prefetch(record *r, int threads, size_t slots)
{
    rv_prefetch *p = NULL;
    rv_error err = { 0 };
    const rv_prefetch_options opt = { threads, slots, sizeof(uint64_t), produce, r };
    CHECK_OK(rv_prefetch_new(&p, &opt, &err), err);
    return p;
}

static void check_step(rv_prefetch *p, record *r, uint64_t step)
{
    const void *data = NULL;
    rv_error err = { 0 };
    CHECK_OK(rv_prefetch_take(p, step, &data, &err), err);
    CHECK(*(const uint64_t *)data == 1000 + step);
    atomic_fetch_sub(&r->in_flight, 1);
    rv_prefetch_give_back(p);
}

TEST(test_order_and_bound)
{
    for (int threads = 0; threads <= 3; threads++)
        for (size_t slots = 1; slots <= 4; slots++) {
            record r = { .bad_step = -1 };
            rv_prefetch *p = new_prefetch(&r, threads, slots);
            for (uint64_t step = 0; step < STEPS; step++)
                check_step(p, &r, step);
            rv_prefetch_free(p);
            CHECK(r.most_in_flight <= (int)slots && r.most_in_flight >= 1);
            for (int i = 0; i < STEPS; i++)
                CHECK(r.made[i] == 1);
        }
}

/* With nobody taking steps, exactly the slots are filled. */
TEST(test_reads_ahead)
{
    record r = { .bad_step = -1 };
    rv_prefetch *p = new_prefetch(&r, 2, 3);
    check_step(p, &r, 0);
    while (r.made[3] == 0)
        nap();
    for (int i = 0; i < 20; i++)
        nap();
    CHECK(r.made[1] == 1 && r.made[2] == 1 && r.made[3] == 1 && r.made[4] == 0);
    rv_prefetch_free(p);
}

TEST(test_any_order)
{
    static const uint64_t steps[] = { 5, 6, 2, 3, 20, 22, 22, 0, 1, 2, 30, 29, 10, 8 };
    for (int threads = 0; threads <= 3; threads++) {
        record r = { .bad_step = -1 };
        rv_prefetch *p = new_prefetch(&r, threads, 3);
        for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
            check_step(p, &r, steps[i]);
        rv_prefetch_free(p);
    }
}

TEST(test_failing_step)
{
    for (int threads = 0; threads <= 2; threads++) {
        record r = { .bad_step = 2 };
        rv_prefetch *p = new_prefetch(&r, threads, 2);
        const void *data = NULL;
        check_step(p, &r, 0);
        check_step(p, &r, 1);
        for (int again = 0; again < 2; again++) {
            rv_error err = { 0 };
            CHECK(rv_prefetch_take(p, 2, &data, &err) == RV_ERR_IO && err.status == RV_ERR_IO);
            CHECK(strcmp(err.text, "step 2 is bad") == 0 && data == NULL);
        }
        check_step(p, &r, 3);
        rv_prefetch_free(p);
    }
}

/* Freeing, and moving far away, tell a producer that would never end to stop. */
TEST(test_stops_what_is_not_needed)
{
    record r = { .bad_step = -1 };
    rv_prefetch *p = new_prefetch(&r, 2, 3);
    check_step(p, &r, 0);
    check_step(p, &r, 1);
    while (r.done[2] == 0 || r.done[3] == 0 || r.done[4] == 0)
        nap();
    r.hang = true;
    check_step(p, &r, 2); /* 5 hangs now */
    while (r.hanging == 0)
        nap();
    r.hang = false;
    check_step(p, &r, 30);
    while (r.done[31] == 0)
        nap();
    r.hang = true;
    check_step(p, &r, 31);
    rv_prefetch_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order_and_bound),
        cmocka_unit_test(test_reads_ahead),
        cmocka_unit_test(test_any_order),
        cmocka_unit_test(test_failing_step),
        cmocka_unit_test(test_stops_what_is_not_needed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
