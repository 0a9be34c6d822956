/* check.h - what the tests use: cmocka, and comparisons that print their numbers.
 *
 *     TEST(test_one) { CHECK_CLOSE(f(2), 4, 1e-6); }
 *     int main(void) { const struct CMUnitTest t[] = { cmocka_unit_test(test_one) };
 *                      return cmocka_run_group_tests(t, NULL, NULL); } */
#ifndef TESTS_CHECK_H
#define TESTS_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdbool.h>
#include <stdio.h>

#define TEST(name) static void name(void **state __attribute__((unused)))

/* Fails with a message of the caller's making. */
#define CHECK_MSG(cond, ...)       \
    do {                           \
        if (!(cond))               \
            fail_msg(__VA_ARGS__); \
    } while (0)

#define CHECK(cond) CHECK_MSG(cond, "failed: %s", #cond)

/* A call that returns rv_status succeeded; prints the error's text otherwise. */
#define CHECK_OK(call, err) CHECK_MSG((call) == RV_OK, "%s: %s", #call, (err).text)

/* |got - want| <= tol max(1, |want|); NaN fails */
#define CHECK_CLOSE(got, want, tol)                                                              \
    do {                                                                                         \
        const double got_ = (double)(got), want_ = (double)(want);                               \
        const double off_ = fabs(got_ - want_) / (fabs(want_) > 1 ? fabs(want_) : 1);            \
        CHECK_MSG(off_ <= (tol), "%s is %.9g, not %.9g (off by %.2g, allowed %.2g)", #got, got_, \
                  want_, off_, (double)(tol));                                                   \
    } while (0)

#endif
