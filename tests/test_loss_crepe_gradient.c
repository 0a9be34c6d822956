/* test_loss_crepe_gradient.c - the gradient that the loss `crepe` sends through the network into
 * the audio, in double against finite differences. A ReLU, a maximum or an absolute value that
 * turns within the step makes a difference useless: it is tried with ever smaller steps. */
#include "crepe_files.h"
#include "train/loss.h"

enum { SAMPLES = 600, PARAMS = 38, PROBES = 8 };

static const double steps[] = { 1e-4, 1e-5, 1e-6 };

typedef struct {
    rv_graph *graph;
    rv_plan *plan;
    rv_node *audio, *target, *loss, *gradient;
} subject;

static void fill(const subject *s, rv_node *x, const char *name)
{
    float values[SAMPLES];
    crepe_formula(values, SAMPLES, name, 0.5, 0);
    for (size_t t = 0; t < SAMPLES; t++)
        rv_value(s->plan, x)[t] = (real)values[t];
}

static void close_subject(subject *s)
{
    rv_plan_free(s->plan);
    rv_graph_free(s->graph);
}

/* With or without the gradient. */
static void build(subject *s, size_t layer, rv_distance distance, bool derived)
{
    rv_error err = { 0 };
    rv_graph *network;
    const nn_builder crepe = build_crepe(&network, 1);
    const float *weights[PARAMS];
    size_t n = 0;
    CHECK(crepe.n_params == PARAMS);
    for (const nn_param *p = crepe.params; p; p = p->next)
        weights[n++] = crepe_formula_of(p);
    const rv_crepe_loss_options o = { 1, weights, layer, distance };
    CHECK_OK(rv_graph_new(&s->graph, NULL, &err), err);
    s->audio = rv_input(s->graph, RV_SHAPE(1, SAMPLES, 1));
    s->target = rv_input(s->graph, RV_SHAPE(1, SAMPLES, 1));
    s->loss = rv_output(rv_loss_crepe(s->audio, s->target, 16000, &o));
    if (derived)
        rv_grad(s->loss, &s->audio, &s->gradient, 1);
    CHECK_OK(rv_plan_new(&s->plan, s->graph, NULL, &err), err);
    fill(s, s->audio, "estimate");
    fill(s, s->target, "target");
    while (n > 0)
        free((void *)(uintptr_t)weights[--n]);
    rv_graph_free(network);
}

/* The loss with one sample moved. */
static double at(const subject *s, size_t sample, double by)
{
    real *x = rv_value(s->plan, s->audio) + sample;
    const real was = *x;
    *x = was + (real)by;
    rv_plan_run(s->plan);
    *x = was;
    return (double)*rv_value(s->plan, s->loss);
}

static double difference(const subject *s, size_t t, double h)
{
    return (8 * (at(s, t, h) - at(s, t, -h)) - (at(s, t, 2 * h) - at(s, t, -2 * h))) / (12 * h);
}

static void check(const char *name, size_t layer, rv_distance distance)
{
    subject s;
    static real gradient[SAMPLES];
    double largest = 0, worst = 0;
    build(&s, layer, distance, true);
    rv_plan_run(s.plan);
    memcpy(gradient, rv_value(s.plan, s.gradient), sizeof gradient);
    close_subject(&s);
    build(&s, layer, distance, false);
    for (size_t t = 0; t < SAMPLES; t++)
        largest = fmax(largest, fabs((double)gradient[t]));
    CHECK(largest > 0);
    for (size_t i = 0; i < PROBES; i++) {
        const size_t t = i * (SAMPLES - 1) / (PROBES - 1);
        double off = INFINITY;
        for (size_t k = 0; k < sizeof steps / sizeof *steps && off > 1e-7 * largest; k++)
            off = fmin(off, fabs(difference(&s, t, steps[k]) - (double)gradient[t]));
        worst = fmax(worst, off / largest);
        CHECK_MSG(off <= 1e-7 * largest, "%s: d/d sample %zu is off by %g of %g", name, t, off,
                  largest);
    }
    printf("# %s: %d derivatives within %.1e of the largest\n", name, PROBES, worst);
    close_subject(&s);
}

TEST(test_gradients)
{
    check("classifier", RV_CREPE_LAYERS - 1, RV_DISTANCE_L1);
    check("conv3-maxpool", 5, RV_DISTANCE_L2);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_gradients) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
