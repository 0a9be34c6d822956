/* test_precision.c - networks whose products are of 16-bit integers: close to those of floats, the
 * same bits for any number of threads, less memory; the choice belongs to a plan and a session. */
#include "api/bench_networks.h"
#include "base/rng.h"
#include "check.h"
#include "core/ops.h"
#include "infer/engine.h"
#include "ravel/separate.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    rv_graph *graph;
    nn_builder nn;
    rv_node *mix, *out;
    void *config;
    float *weights;
} network;

/* The network of `ravel bench`, smaller where `args` say otherwise. */
static void configure(network *n, const rv_model_def *def, const rv_bench_case *of,
                      const rv_args *args, rv_model_info *info)
{
    rv_arg all[32] = { 0 };
    rv_error err = { 0 };
    memcpy(all, of->args.arg, of->args.n * sizeof *all);
    for (size_t i = 0; i < args->n; i++)
        for (size_t j = 0; j < of->args.n; j++)
            if (all[j].name && strcmp(all[j].name, args->arg[i].name) == 0)
                all[j] = args->arg[i];
    n->config = calloc(1, def->config_size);
    CHECK_OK(def->configure(n->config, info, &(rv_args){ all, of->args.n }, &err), err);
}

static void open_network(network *n, const char *name, double seconds, const rv_args *args)
{
    rv_error err = { 0 };
    rv_model_info info = { 0 };
    const rv_bench_case *of = rv_bench_case_find(name);
    const rv_model_def *def = rv_model_find(of->model);
    configure(n, def, of, args, &info);
    const size_t frames =
        def->valid_length(n->config, &info, (size_t)(seconds * (double)info.sample_rate));
    CHECK_OK(rv_graph_new(&n->graph, NULL, &err), err);
    nn_begin(&n->nn, n->graph);
    n->mix = rv_input(n->graph, RV_SHAPE(1, frames, info.channels));
    n->out = rv_output(def->build(&n->nn, n->config, &info, n->mix));
    CHECK_OK(rv_graph_status(n->graph, &err), err);
    float *at = n->weights = malloc(nn_count(&n->nn) * sizeof *at);
    for (const nn_param *p = n->nn.params; p; p = p->next) {
        nn_initialise(p, 1, at);
        at += rv_shape_count(&p->node->shape);
    }
}

static void close_network(network *n)
{
    rv_graph_free(n->graph);
    free(n->config);
    free(n->weights);
}

/* Noise through it; the memory that packed weights take in *bytes. */
static float *run_network(const network *n, rv_precision precision, int threads, size_t *bytes)
{
    rv_error err = { 0 };
    rv_plan *plan;
    rv_pool *pool;
    CHECK_OK(rv_pool_new(&pool, threads, NULL, &err), err);
    const rv_plan_options options = {
        .pool = pool, .isa_mask = KERN_ISA_ALL, .frozen = true, .precision = precision
    };
    CHECK_OK(rv_plan_new(&plan, n->graph, &options, &err), err);
    const float *at = n->weights;
    for (const nn_param *p = n->nn.params; p; p = p->next) {
        rv_plan_bind(plan, p->node, at);
        at += rv_shape_count(&p->node->shape);
    }
    rv_plan_prepare(plan);
    for (size_t i = 0; i < rv_shape_count(&n->mix->shape); i++)
        rv_value(plan, n->mix)[i] = (float)rv_rng_uniform(1, 0, i) - 0.5F;
    rv_plan_run(plan);
    const size_t size = rv_shape_count(&n->out->shape) * sizeof(float);
    float *y = malloc(size);
    memcpy(y, rv_value(plan, n->out), size);
    *bytes = rv_plan_prepared_bytes(plan);
    rv_plan_free(plan);
    rv_pool_free(pool);
    return y;
}

static double snr(const float *want, const float *y, size_t n)
{
    double signal = 0, error = 0;
    for (size_t i = 0; i < n; i++) {
        signal += pow((double)want[i], 2);
        error += pow((double)y[i] - (double)want[i], 2);
    }
    return 10 * log10(signal / error);
}

static void check_network(const char *name, double seconds, const rv_args *args)
{
    network n = { 0 };
    size_t bytes[3];
    open_network(&n, name, seconds, args);
    const size_t count = rv_shape_count(&n.out->shape);
    float *y[3] = { run_network(&n, RV_FLOAT32, 2, &bytes[0]),
                    run_network(&n, RV_INT16, 2, &bytes[1]),
                    run_network(&n, RV_INT16, 1, &bytes[2]) };
    const double found = snr(y[0], y[1], count);
    print_message("# %s: SNR %.1f dB, weights %.1f MB and %.1f MB\n", name, found,
                  (double)bytes[0] / 1e6, (double)bytes[1] / 1e6);
    CHECK_MSG(found > 50 && found < 90, "%s: SNR %.1f dB", name, found);
    CHECK(memcmp(y[1], y[2], count * sizeof(float)) == 0);
    CHECK((double)bytes[1] < 0.65 * (double)bytes[0]);
    for (size_t i = 0; i < 3; i++)
        free(y[i]);
    close_network(&n);
}

TEST(test_networks)
{
    static const rv_arg small[] = {
        { .name = "segment", .kind = RV_ARG_NUMBER, .number = 1 },
        { .name = "t_layers", .kind = RV_ARG_NUMBER, .number = 2 },
        { .name = "bottom_channels", .kind = RV_ARG_NUMBER, .number = 0 },
    };
    check_network("conv_tasnet_speech", 0.5, &(rv_args){ 0 });
    check_network("htdemucs", 1, &(rv_args){ small, 3 });
    check_network("open_unmix", 1, &(rv_args){ 0 });
}

TEST(test_plans)
{
    rv_error err = { 0 };
    rv_graph *g;
    rv_plan *first, *second = NULL;
    CHECK_OK(rv_graph_new(&g, NULL, &err), err);
    rv_output(rv_linear(rv_input(g, RV_SHAPE(2, 60)), rv_param(g, RV_SHAPE(60, 60)), NULL));
    rv_plan_options opt = { .isa_mask = KERN_ISA_ALL, .frozen = true, .precision = RV_INT16 };
    CHECK_OK(rv_plan_new(&first, g, &opt, &err), err);
    opt.share = first;
    CHECK_OK(rv_plan_new(&second, g, &opt, &err), err);
    CHECK(rv_plan_prepared_bytes(second) == 0);
    rv_plan_free(second);
    opt.precision = RV_FLOAT32;
    CHECK_OK(rv_plan_new(&second, g, &opt, &err), err);
    CHECK(rv_plan_prepared_bytes(second) > 0); /* its own: those of another precision differ */
    rv_plan_free(second);
    opt.share = NULL;
    opt.precision = (rv_precision)7;
    CHECK(rv_plan_new(&second, g, &opt, &err) == RV_ERR_ARG && strstr(err.text, "precision 7"));
    rv_plan_free(first);
    rv_graph_free(g);
}

TEST(test_unknown_precision)
{
    rv_error err = { 0 };
    rv_model *m;
    rv_separator *s = NULL;
    rv_separate_options opt;
    rv_separate_defaults(&opt);
    CHECK(opt.precision == RV_FLOAT32);
    CHECK_OK(rv_model_open(&m, "classic", &err), err);
    opt.precision = (rv_precision)2;
    CHECK(rv_separator_new(&s, m, 2, 44100, &opt, &err) == RV_ERR_ARG);
    CHECK(strstr(err.text, "precision 2; expected 0 (float32) or 1 (int16)"));
    opt.precision = RV_INT16;
    CHECK_OK(rv_separator_new(&s, m, 2, 44100, &opt, &err), err);
    rv_separator_free(s);
    rv_model_free(m);
}

/* One model, now in this precision and then in that: engines are kept, but not mixed up. */
TEST(test_engines_are_told_apart)
{
    rv_error err = { 0 };
    rv_engine *e;
    CHECK_OK(rv_engine_new(&e, &(rv_engine_options){ 1, RV_INT16 }, &err), err);
    CHECK(rv_engine_is(e, &(rv_engine_options){ 1, RV_INT16 }));
    CHECK(!rv_engine_is(e, &(rv_engine_options){ 1, RV_FLOAT32 }));
    CHECK(!rv_engine_is(e, &(rv_engine_options){ 2, RV_INT16 }));
    rv_engine_free(e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_networks),
        cmocka_unit_test(test_plans),
        cmocka_unit_test(test_unknown_precision),
        cmocka_unit_test(test_engines_are_told_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
