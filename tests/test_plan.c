/* test_plan.c - the plan of memory keeps apart what must be apart. */
#include "check.h"
#include "core/ops.h"

#include <stdlib.h>
#include <string.h>

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

typedef struct {
    rv_graph *graph;
    rv_plan *plan;
    rv_node *x, *y, *aside;
    int steps;
} branches;

static void count_step(void *ctx, const rv_node *node, double seconds)
{
    (void)node;
    (void)seconds;
    ++*(int *)ctx;
}

/* y = tanh(2 x) is an output; from the same 2 x comes a branch aside, large and in place. */
static void open_branches(branches *b)
{
    rv_error err = { 0 };
    *b = (branches){ 0 };
    CHECK_OK(rv_graph_new(&b->graph, NULL, &err), err);
    b->x = rv_input(b->graph, RV_SHAPE(3));
    rv_node *twice = rv_scale(b->x, 2, 0);
    rv_node *rows = rv_broadcast_to(rv_reshape(twice, RV_SHAPE(1, 3)), RV_SHAPE(1000, 3));
    b->aside = rv_exp(rv_linear(rows, rv_constant(b->graph, RV_SHAPE(3, 3)), NULL));
    b->y = rv_output(rv_tanh(twice));
}

static void plan_branches(branches *b)
{
    rv_error err = { 0 };
    CHECK_OK(rv_plan_new(&b->plan, b->graph, NULL, &err), err);
    rv_plan_profile(b->plan, count_step, &b->steps);
    for (size_t i = 0; i < 3; i++)
        rv_value(b->plan, b->x)[i] = (real)(i + 1);
    rv_plan_run(b->plan);
    for (size_t i = 0; i < 3; i++)
        CHECK_CLOSE(rv_value(b->plan, b->y)[i], tanh(2.0 * (double)(i + 1)), 1e-6);
}

static void close_branches(branches *b)
{
    rv_plan_free(b->plan);
    rv_graph_free(b->graph);
}

TEST(test_only_what_outputs_need_is_computed)
{
    branches few, all;
    open_branches(&few);
    plan_branches(&few);
    open_branches(&all);
    rv_output(all.aside);
    plan_branches(&all);
    CHECK_MSG(few.steps == 2 && all.steps == 5, "%d and %d steps", few.steps, all.steps);
    CHECK(rv_value(few.plan, few.aside) == NULL && rv_value(all.plan, all.aside) != NULL);
    CHECK(rv_plan_bytes(few.plan) < 1000 && rv_plan_bytes(all.plan) > 12000);
    CHECK(rv_plan_naive_bytes(few.plan) == 2 * 3 * sizeof(real));
    close_branches(&few);
    close_branches(&all);
}

/* The prepared weights of another plan lie in the order of its steps. */
TEST(test_weights_are_shared_by_plans_of_the_same_outputs)
{
    rv_error err = { 0 };
    branches b;
    rv_plan *first, *second;
    open_branches(&b);
    rv_plan_options opt = { .isa_mask = KERN_ISA_ALL, .frozen = true };
    CHECK_OK(rv_plan_new(&first, b.graph, &opt, &err), err);
    opt.share = first;
    CHECK_OK(rv_plan_new(&second, b.graph, &opt, &err), err);
    rv_plan_free(second);
    rv_output(b.aside);
    CHECK_OK(rv_plan_new(&second, b.graph, &opt, &err), err);
    CHECK(rv_plan_prepared_bytes(second) > 0); /* its own: it packs more */
    rv_plan_free(second);
    rv_plan_free(first);
    close_branches(&b);
}

/* y = x w^T for inputs of any number of rows: one network, planned for two lengths. */
static rv_plan *plan_rows(rv_graph **g, rv_node **x, rv_node **y, size_t rows, const rv_plan *share,
                          const real *w)
{
    rv_error err = { 0 };
    rv_plan *p;
    CHECK_OK(rv_graph_new(g, NULL, &err), err);
    rv_node *weight = rv_param(*g, RV_SHAPE(2, 3));
    *x = rv_input(*g, RV_SHAPE(rows, 3));
    *y = rv_output(rv_linear(*x, weight, NULL));
    const rv_plan_options opt = { .isa_mask = KERN_ISA_ALL, .frozen = true, .share = share };
    CHECK_OK(rv_plan_new(&p, *g, &opt, &err), err);
    CHECK(!rv_plan_reads(p, weight));
    if (w) {
        rv_plan_bind(p, weight, w);
        rv_plan_prepare(p);
    }
    return p;
}

TEST(test_weights_are_shared_by_plans_for_other_lengths)
{
    const real w[] = { 1, 2, 3, 4, 5, 6 };
    rv_graph *g[3];
    rv_node *x[3], *y[3];
    rv_plan *first = plan_rows(&g[0], &x[0], &y[0], 7, NULL, w);
    rv_plan *second = plan_rows(&g[1], &x[1], &y[1], 2, first, NULL);
    rv_plan *third = plan_rows(&g[2], &x[2], &y[2], 1, second, NULL);
    CHECK(rv_plan_prepared_bytes(first) > 0 && rv_plan_prepared_bytes(third) == 0);
    for (size_t i = 0; i < 3; i++)
        rv_value(third, x[2])[i] = (real)(i + 1);
    rv_plan_run(third);
    CHECK(rv_value(third, y[2])[0] == 14 && rv_value(third, y[2])[1] == 32);
    rv_plan_free(third);
    rv_plan_free(second);
    rv_plan_free(first);
    for (int i = 0; i < 3; i++)
        rv_graph_free(g[i]);
}

/* y = x c^T with a constant that a length of input may decide, as embeddings brought to it do. */
TEST(test_constants_are_shared_only_if_they_are_equal)
{
    const real c[] = { 1, 2, 3, 4, 5, 6, 7 };
    rv_error err = { 0 };
    rv_graph *g[3];
    rv_plan *p[3];
    for (int i = 0; i < 3; i++) {
        CHECK_OK(rv_graph_new(&g[i], NULL, &err), err);
        rv_node *constant = rv_constant(g[i], RV_SHAPE(2, 3));
        memcpy(constant->constant, i == 2 ? c + 1 : c, 6 * sizeof *c);
        rv_output(rv_linear(rv_input(g[i], RV_SHAPE(1 + i, 3)), constant, NULL));
        const rv_plan_options opt = { .isa_mask = KERN_ISA_ALL,
                                      .frozen = true,
                                      .share = i ? p[0] : NULL };
        CHECK_OK(rv_plan_new(&p[i], g[i], &opt, &err), err);
    }
    CHECK(rv_plan_prepared_bytes(p[1]) == 0 && rv_plan_prepared_bytes(p[2]) > 0);
    for (int i = 2; i >= 0; i--)
        rv_plan_free(p[i]);
    for (int i = 0; i < 3; i++)
        rv_graph_free(g[i]);
}

enum { GLU_ROWS = 20000, GLU_WIDTH = 8 };

/* glu(2 x) + glu(3 x) of x [rows, 2 width]. */
static real *add_gates(int threads, size_t *bytes)
{
    rv_error err = { 0 };
    rv_graph *g;
    rv_plan *p;
    rv_pool *pool;
    CHECK_OK(rv_graph_new(&g, NULL, &err), err);
    CHECK_OK(rv_pool_new(&pool, threads, NULL, &err), err);
    rv_node *x = rv_input(g, RV_SHAPE(GLU_ROWS, 2 * GLU_WIDTH));
    rv_node *first = rv_glu(rv_scale(x, 2, 0)), *second = rv_glu(rv_scale(x, 3, 0));
    rv_node *y = rv_output(rv_add(first, second));
    CHECK_OK(rv_plan_new(&p, g, &(rv_plan_options){ .pool = pool }, &err), err);
    for (size_t i = 0; i < 2 * GLU_ROWS * GLU_WIDTH; i++)
        rv_value(p, x)[i] = (real)(i % 101) / 50 - 1;
    rv_plan_run(p);
    *bytes = rv_plan_bytes(p);
    real *values = malloc(GLU_ROWS * GLU_WIDTH * sizeof *values);
    memcpy(values, rv_value(p, y), GLU_ROWS * GLU_WIDTH * sizeof *values);
    rv_plan_free(p);
    rv_pool_free(pool);
    rv_graph_free(g);
    return values;
}

static double gate(double a, double b)
{
    return a / (1 + exp(-b));
}

/* A gated value is half of its input: it lies in its first half and the other half is free. */
TEST(test_gates_give_half_of_their_memory_back)
{
    size_t bytes = 0;
    real *one = add_gates(1, &bytes), *three = add_gates(3, &bytes);
    CHECK_MSG(bytes == 5 * GLU_ROWS * GLU_WIDTH * sizeof(real), "%zu bytes", bytes);
    CHECK(!memcmp(one, three, GLU_ROWS * GLU_WIDTH * sizeof(real)));
    for (size_t i = 0; i < GLU_ROWS * GLU_WIDTH; i++) {
        const size_t at = i / GLU_WIDTH * 2 * GLU_WIDTH + i % GLU_WIDTH;
        const double a = (double)(at % 101) / 50 - 1;
        const double b = (double)((at + GLU_WIDTH) % 101) / 50 - 1;
        CHECK_CLOSE(one[i], gate(2 * a, 2 * b) + gate(3 * a, 3 * b), 1e-6);
    }
    free(one);
    free(three);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_repeated_input_is_not_overwritten),
        cmocka_unit_test(test_only_what_outputs_need_is_computed),
        cmocka_unit_test(test_weights_are_shared_by_plans_of_the_same_outputs),
        cmocka_unit_test(test_weights_are_shared_by_plans_for_other_lengths),
        cmocka_unit_test(test_constants_are_shared_only_if_they_are_equal),
        cmocka_unit_test(test_gates_give_half_of_their_memory_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
