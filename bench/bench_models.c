/* bench_models.c - one segment through each model at its published size, random weights.
 *
 *   bench_models [--threads N] [--repeat N] [--seconds S] [--profile] [MODEL...]
 *
 * Prints a JSON line for each model: median seconds, GFLOP/s (two for each multiplication
 * of a matrix product), memory of values and weights, peak of the process. --profile adds
 * time and GFLOP/s by operation. bench/compare.py puts the peer's figures beside them. */
#include "core/op.h"
#include "models/model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#define NUMBER(key, value)                                  \
    {                                                       \
        .name = key, .kind = RV_ARG_NUMBER, .number = value \
    }
#define BOOL(key, value)                                  \
    {                                                     \
        .name = key, .kind = RV_ARG_BOOL, .number = value \
    }
#define STEM(value)                        \
    {                                      \
        .kind = RV_ARG_TEXT, .text = value \
    }
#define SOURCES                                                             \
    {                                                                       \
        .name = "sources", .kind = RV_ARG_LIST, .number = 4, .items = stems \
    }

static const rv_arg stems[] = { STEM("drums"), STEM("bass"), STEM("other"), STEM("vocals") };
static const rv_arg htdemucs[] = { SOURCES,
                                   NUMBER("channels", 48),
                                   NUMBER("depth", 4),
                                   NUMBER("bottom_channels", 512),
                                   NUMBER("t_layers", 5),
                                   NUMBER("dconv_mode", 3),
                                   NUMBER("segment", 7.8) };
static const rv_arg hdemucs[] = { SOURCES };
static const rv_arg demucs[] = { SOURCES, BOOL("rewrite", 0) };
static const rv_arg demucs_v2[] = { SOURCES };
static const rv_arg plain[] = { SOURCES };
static const rv_arg conv_tasnet[] = { SOURCES, NUMBER("X", 10) };
static const rv_arg speech_stems[] = { STEM("speaker1"), STEM("speaker2") };
static const rv_arg conv_tasnet_speech[] = {
    { .name = "sources", .kind = RV_ARG_LIST, .number = 2, .items = speech_stems },
    NUMBER("N", 512),
    NUMBER("L", 16),
    NUMBER("B", 128),
    NUMBER("H", 512),
    NUMBER("R", 3),
    NUMBER("audio_channels", 1),
    NUMBER("samplerate", 8000),
};

#define ARGS(list)                       \
    {                                    \
        list, sizeof list / sizeof *list \
    }
static const struct {
    const char *name, *model;
    rv_args args;
    double seconds; /* of input */
} benches[] = {
    { "htdemucs", "htdemucs", ARGS(htdemucs), 7.8 },
    { "hdemucs", "hdemucs", ARGS(hdemucs), 10 },
    { "demucs", "demucs", ARGS(demucs), 10 },
    { "demucs_v2", "demucs_v2", ARGS(demucs_v2), 10 },
    { "conv_tasnet", "conv_tasnet", ARGS(conv_tasnet), 8 },
    { "conv_tasnet_speech", "conv_tasnet", ARGS(conv_tasnet_speech), 4 },
    { "ravel_s", "ravel_s", ARGS(plain), 8 },
    { "open_unmix", "open_unmix", ARGS(plain), 6 },
};

typedef struct {
    int threads, repeat;
    bool profile;
    double seconds;
} options;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void check(rv_status st, const rv_error *err)
{
    if (st != RV_OK) {
        fprintf(stderr, "bench_models: %s\n", err->text);
        exit(1);
    }
}

/* Multiplications of a node's matrix products. */
static double products_of(const rv_node *v)
{
    const double out = (double)rv_shape_count(&v->shape);
    const rv_shape *w = v->n_in > 1 && v->in[1] ? &v->in[1]->shape : NULL;
    if (v->op == &rv_op_linear)
        return out * (double)w->d[1];
    if (v->op == &rv_op_conv)
        return out * (double)rv_shape_count(w) / (double)w->d[0];
    if (v->op == &rv_op_conv_transpose)
        return (double)rv_shape_count(&v->in[0]->shape) * (double)rv_shape_count(w) /
               (double)w->d[0];
    if (v->op == &rv_op_attention)
        return 2 * out * (double)v->in[1]->shape.d[1];
    if (v->op == &rv_op_lstm)
        return (double)(v->shape.d[0] * v->shape.d[1] * w->d[0]) * (double)(w->d[1] + w->d[0] / 4) *
               (v->n_in > 5 ? 2 : 1);
    return 0;
}

typedef struct {
    const char *name;
    double seconds, products;
} profile_row;

enum { MAX_ROWS = 64 };
typedef struct {
    profile_row row[MAX_ROWS];
    int n;
} profile;

static void add_profile(void *ctx, const rv_node *node, double seconds)
{
    profile *p = ctx;
    int i = 0;
    while (i < p->n && strcmp(p->row[i].name, node->op->name) != 0)
        i++;
    if (i == MAX_ROWS)
        return;
    if (i == p->n)
        p->row[p->n++].name = node->op->name;
    p->row[i].seconds += seconds;
    p->row[i].products += products_of(node);
}

static int slower_first(const void *a, const void *b)
{
    const profile_row *x = a, *y = b;
    return (x->seconds < y->seconds) - (x->seconds > y->seconds);
}

static void print_profile(profile *p)
{
    qsort(p->row, (size_t)p->n, sizeof *p->row, slower_first);
    for (int i = 0; i < p->n; i++)
        fprintf(stderr, "  %-16s %8.3f s %8.1f GFLOP/s\n", p->row[i].name, p->row[i].seconds,
                2e-9 * p->row[i].products / p->row[i].seconds);
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* A model with random weights, ready to run. */
typedef struct {
    rv_graph *graph;
    nn_builder nn;
    rv_pool *pool;
    rv_plan *plan;
    double products;
} network;

static void add_products(void *ctx, const rv_node *node, double seconds)
{
    (void)seconds;
    ((network *)ctx)->products += products_of(node);
}

static void bind_random(network *net)
{
    real *weights = malloc(nn_count(&net->nn) * sizeof *weights), *at = weights;
    for (const nn_param *p = net->nn.params; p && weights; p = p->next) {
        nn_initialise(p, 1, at);
        rv_plan_bind(net->plan, p->node, at);
        at += rv_shape_count(&p->node->shape);
    }
    rv_plan_prepare(net->plan);
}

static void open_network(network *net, size_t bench, const options *opt)
{
    rv_error err = { 0 };
    rv_model_info info = { 0 };
    const rv_model_def *def = rv_model_find(benches[bench].model);
    void *config = calloc(1, def->config_size);
    check(def->configure(config, &info, &benches[bench].args, &err), &err);
    const double seconds = opt->seconds > 0 ? opt->seconds : benches[bench].seconds;
    const size_t n = def->valid_length(config, &info, (size_t)(seconds * (double)info.sample_rate));
    check(rv_graph_new(&net->graph, NULL, &err), &err);
    nn_begin(&net->nn, net->graph);
    rv_node *mix = rv_input(net->graph, RV_SHAPE(1, n, info.channels));
    rv_output(def->build(&net->nn, config, &info, mix));
    check(rv_pool_new(&net->pool, opt->threads, NULL, &err), &err);
    const rv_plan_options plan = { .isa_mask = KERN_ISA_ALL, .pool = net->pool, .frozen = true };
    check(rv_plan_new(&net->plan, net->graph, &plan, &err), &err);
    for (size_t i = 0; i < n * info.channels; i++)
        rv_value(net->plan, mix)[i] = (real)(rand() / (double)RAND_MAX - 0.5);
    bind_random(net);
    free(config);
}

static void run_bench(size_t bench, const options *opt)
{
    network net = { 0 };
    profile p = { 0 };
    double times[64], processor[64];
    open_network(&net, bench, opt);
    rv_plan_profile(net.plan, add_products, &net);
    rv_plan_run(net.plan); /* warm up, and count */
    rv_plan_profile(net.plan, opt->profile ? add_profile : NULL, &p);
    for (int i = 0; i < opt->repeat; i++) {
        const double start = now();
        const clock_t clock_start = clock();
        rv_plan_run(net.plan);
        times[i] = now() - start;
        processor[i] = (double)(clock() - clock_start) / CLOCKS_PER_SEC;
    }
    qsort(times, (size_t)opt->repeat, sizeof *times, by_value);
    qsort(processor, (size_t)opt->repeat, sizeof *processor, by_value);
    struct rusage use;
    getrusage(RUSAGE_SELF, &use);
    const double median = times[opt->repeat / 2];
    printf("{\"model\": \"%s\", \"threads\": %d, \"seconds\": %.4f, \"processor_seconds\": %.4f, "
           "\"gflops\": %.1f, \"gmac\": %.1f, "
           "\"values_mb\": %.0f, \"weights_mb\": %.0f, \"peak_rss_mb\": %.0f}\n",
           benches[bench].name, rv_pool_threads(net.pool), median, processor[opt->repeat / 2],
           2e-9 * net.products / median, 1e-9 * net.products,
           1e-6 * (double)rv_plan_bytes(net.plan), 1e-6 * (double)rv_plan_prepared_bytes(net.plan),
           (double)use.ru_maxrss / 1024);
    fflush(stdout);
    if (opt->profile)
        print_profile(&p);
    rv_plan_free(net.plan);
    rv_pool_free(net.pool);
    rv_graph_free(net.graph);
}

static bool wanted(const char *name, int argc, char **argv)
{
    bool any = false;
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], name))
            return true;
        if (argv[i][0] == '-')
            i += strcmp(argv[i], "--profile") != 0;
        else
            any = true;
    }
    return !any;
}

int main(int argc, char **argv)
{
    options opt = { .threads = 1, .repeat = 3 };
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--profile"))
            opt.profile = true;
        else if (!strcmp(argv[i], "--threads") && i + 1 < argc)
            opt.threads = atoi(argv[++i]);
        else if (!strcmp(argv[i], "--repeat") && i + 1 < argc)
            opt.repeat = atoi(argv[++i]);
        else if (!strcmp(argv[i], "--seconds") && i + 1 < argc)
            opt.seconds = atof(argv[++i]);
    }
    opt.repeat = opt.repeat < 1 ? 1 : opt.repeat > 64 ? 64 : opt.repeat;
    for (size_t i = 0; i < sizeof benches / sizeof *benches; i++)
        if (wanted(benches[i].name, argc, argv))
            run_bench(i, &opt);
    return 0;
}
