/* test_layers.c - layers make the parameters of their counterparts in torch.nn: names, shapes,
 * and starting values. */
#include "check.h"
#include "nn/nn.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    const char *name;
    rv_shape shape;
} expected;

static void check_params(const nn_builder *b, const expected *want, size_t n)
{
    CHECK(b->n_params == n);
    for (size_t i = 0; i < n; i++) {
        const rv_node *p = nn_find(b, want[i].name);
        CHECK_MSG(p, "no parameter %s", want[i].name);
        CHECK_MSG(rv_shape_equal(&p->shape, &want[i].shape), "%s: its shape", want[i].name);
    }
}

/* Uniform in +-1/sqrt(hidden), all over that range */
static void check_start(const nn_builder *b, size_t hidden)
{
    const double bound = 1 / sqrt((double)hidden);
    double largest = 0;
    for (const nn_param *p = b->params; p; p = p->next) {
        const size_t n = rv_shape_count(&p->node->shape);
        real *data = malloc(n * sizeof *data);
        nn_initialise(p, 5, data);
        for (size_t i = 0; i < n; i++)
            largest = fmax(largest, fabs((double)data[i]));
        free(data);
    }
    CHECK(largest <= bound * (1 + 1e-6) && largest > 0.95 * bound);
}

/* torch.nn.GRU(5, 7, 2, bidirectional=True) */
TEST(gru_has_the_parameters_of_torch)
{
    static const expected want[] = {
        { "rnn.weight_ih_l0", { 2, { 21, 5 } } },
        { "rnn.weight_hh_l0", { 2, { 21, 7 } } },
        { "rnn.bias_ih_l0", { 1, { 21 } } },
        { "rnn.bias_hh_l0", { 1, { 21 } } },
        { "rnn.weight_ih_l0_reverse", { 2, { 21, 5 } } },
        { "rnn.weight_hh_l0_reverse", { 2, { 21, 7 } } },
        { "rnn.bias_ih_l0_reverse", { 1, { 21 } } },
        { "rnn.bias_hh_l0_reverse", { 1, { 21 } } },
        { "rnn.weight_ih_l1", { 2, { 21, 14 } } },
        { "rnn.weight_hh_l1", { 2, { 21, 7 } } },
        { "rnn.bias_ih_l1", { 1, { 21 } } },
        { "rnn.bias_hh_l1", { 1, { 21 } } },
        { "rnn.weight_ih_l1_reverse", { 2, { 21, 14 } } },
        { "rnn.weight_hh_l1_reverse", { 2, { 21, 7 } } },
        { "rnn.bias_ih_l1_reverse", { 1, { 21 } } },
        { "rnn.bias_hh_l1_reverse", { 1, { 21 } } },
    };
    rv_error err = { 0 };
    rv_graph *g;
    nn_builder b;
    CHECK_OK(rv_graph_new(&g, NULL, &err), err);
    nn_begin(&b, g);
    rv_node *y = nn_gru(&b, "rnn", rv_input(g, RV_SHAPE(3, 4, 5)), 7, 2, true);
    CHECK_OK(rv_graph_status(g, &err), err);
    CHECK(rv_shape_equal(&y->shape, &RV_SHAPE(3, 4, 14)));
    check_params(&b, want, sizeof want / sizeof *want);
    check_start(&b, 7);
    rv_graph_free(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(gru_has_the_parameters_of_torch) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
