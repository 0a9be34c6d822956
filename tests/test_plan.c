/* test_plan.c - the plan of memory keeps apart what must be apart. */
#include "check.h"
#include "core/ops.h"

/* An operation that may write over its first input must not where that repeats: the result is
 * larger. x [1,2] doubled, times w [3,2]. */
TEST(test_repeated_input_is_not_overwritten)
{
    rv_error err = { 0 };
    rv_graph *g;
    rv_plan *p;
    CHECK_OK(rv_graph_new(&g, NULL, &err), err);
    rv_node *x = rv_input(g, RV_SHAPE(1, 2)), *w = rv_input(g, RV_SHAPE(3, 2));
    rv_node *small = rv_scale(x, 2, 0), *y = rv_output(rv_mul(small, w));
    CHECK_OK(rv_plan_new(&p, g, NULL, &err), err);
    CHECK(rv_value(p, small) != rv_value(p, y));
    for (size_t i = 0; i < 2; i++)
        rv_value(p, x)[i] = (real)(i + 1);
    for (size_t i = 0; i < 6; i++)
        rv_value(p, w)[i] = (real)i;
    rv_plan_run(p);
    for (size_t i = 0; i < 6; i++)
        CHECK_CLOSE(rv_value(p, y)[i], 2 * (i % 2 + 1) * i, 0);
    rv_plan_free(p);
    rv_graph_free(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_repeated_input_is_not_overwritten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
