/* bench_crepe.c - CREPE for seconds of audio at 100 frames a second, random weights.
 *
 *   bench_crepe [--threads N] [--batch N] [--seconds S] [--profile] [WIDTH...]
 *
 * WIDTH is 4 (tiny) to 32 (full); both if none is given. Prints a JSON line for each: processor and
 * wall-clock seconds for a second of audio, GFLOP/s, memory. bench/peer_crepe.py times torchcrepe
 * at the same work. */
#include "core/op.h"
#include "models/crepe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { FRAME_RATE = 100 };

typedef struct {
    int threads;
    size_t batch;
    double seconds;
    bool profile;
} options;

static double now(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void check(rv_status st, const rv_error *err)
{
    if (st != RV_OK) {
        fprintf(stderr, "bench_crepe: %s\n", err->text);
        exit(1);
    }
}

typedef struct {
    rv_graph *graph;
    nn_builder nn;
    rv_node *frames;
    rv_pool *pool;
    rv_plan *plan;
    real *weights;
} network;

static void open_network(network *net, size_t width, const options *opt)
{
    rv_error err = { 0 };
    const rv_crepe_config config = { width };
    check(rv_graph_new(&net->graph, NULL, &err), &err);
    nn_begin(&net->nn, net->graph);
    net->frames = rv_input(net->graph, RV_SHAPE(opt->batch, RV_CREPE_WINDOW));
    rv_output(rv_crepe(&net->nn, &config, net->frames));
    check(rv_pool_new(&net->pool, opt->threads, NULL, &err), &err);
    const rv_plan_options plan = { .isa_mask = KERN_ISA_ALL, .pool = net->pool, .frozen = true };
    check(rv_plan_new(&net->plan, net->graph, &plan, &err), &err);
    real *at = net->weights = malloc(nn_count(&net->nn) * sizeof *at);
    for (const nn_param *p = net->nn.params; p && at; p = p->next) {
        nn_initialise(p, 1, at);
        rv_plan_bind(net->plan, p->node, at);
        at += rv_shape_count(&p->node->shape);
    }
    rv_plan_prepare(net->plan);
    for (size_t i = 0; i < opt->batch * RV_CREPE_WINDOW; i++)
        rv_value(net->plan, net->frames)[i] = (real)(rand() / (double)RAND_MAX - 0.5);
}

static void close_network(network *net)
{
    rv_plan_free(net->plan);
    rv_pool_free(net->pool);
    rv_graph_free(net->graph);
    free(net->weights);
}

/* Multiplications of a frame. */
static double products_of_frame(const nn_builder *nn)
{
    double sum = 0;
    for (const nn_param *p = nn->params; p; p = p->next) {
        const rv_shape *w = &p->node->shape;
        const double steps[] = { 256, 128, 64, 32, 16, 8 }; /* of the six convolutions */
        if (w->rank == 4)
            sum += (double)rv_shape_count(w) * steps[p->name[4] - '1'];
        else if (w->rank == 2)
            sum += (double)rv_shape_count(w);
    }
    return sum;
}

static void print_step(void *ctx, const rv_node *node, double seconds)
{
    (void)ctx;
    fprintf(stderr, "  %-10s", node->op->name);
    for (int i = 0; i < node->shape.rank; i++)
        fprintf(stderr, "%s%zu", i ? "," : "[", node->shape.d[i]);
    fprintf(stderr, "] %.3f ms\n", 1e3 * seconds);
}

static void run_bench(size_t width, const options *opt)
{
    network net = { 0 };
    const rv_crepe_config config = { width };
    open_network(&net, width, opt);
    rv_plan_run(net.plan); /* warm up */
    const size_t runs = (size_t)(opt->seconds * FRAME_RATE / (double)opt->batch) + 1;
    const double audio = (double)(runs * opt->batch) / FRAME_RATE;
    const double start = now(CLOCK_MONOTONIC), used = now(CLOCK_PROCESS_CPUTIME_ID);
    for (size_t i = 0; i < runs; i++)
        rv_plan_run(net.plan);
    const double wall = now(CLOCK_MONOTONIC) - start;
    const double processor = now(CLOCK_PROCESS_CPUTIME_ID) - used;
    const double products = products_of_frame(&net.nn) * FRAME_RATE * audio;
    printf(
        "{\"model\": \"%s\", \"threads\": %d, \"batch\": %zu, \"processor_per_second\": %.4f, "
        "\"wall_per_second\": %.4f, \"gflops\": %.1f, \"values_mb\": %.0f, \"weights_mb\": %.0f}\n",
        rv_crepe_capacity(&config), rv_pool_threads(net.pool), opt->batch, processor / audio,
        wall / audio, 2e-9 * products / wall, 1e-6 * (double)rv_plan_bytes(net.plan),
        1e-6 * (double)rv_plan_prepared_bytes(net.plan));
    fflush(stdout);
    if (opt->profile) {
        rv_plan_profile(net.plan, print_step, NULL);
        rv_plan_run(net.plan);
    }
    close_network(&net);
}

int main(int argc, char **argv)
{
    options opt = { .threads = 1, .batch = 32, .seconds = 5 };
    bool any = false;
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--profile"))
            opt.profile = true;
        else if (!strcmp(argv[i], "--threads") && i + 1 < argc)
            opt.threads = atoi(argv[++i]);
        else if (!strcmp(argv[i], "--batch") && i + 1 < argc)
            opt.batch = (size_t)atoi(argv[++i]);
        else if (!strcmp(argv[i], "--seconds") && i + 1 < argc)
            opt.seconds = atof(argv[++i]);
        else {
            any = true;
            run_bench((size_t)atoi(argv[i]), &opt);
        }
    }
    if (!any) {
        run_bench(4, &opt);
        run_bench(32, &opt);
    }
    return 0;
}
