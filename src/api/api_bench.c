/* api_bench.c - rv_bench_run(), of ravel/bench.h. */
#include "api/bench_networks.h"
#include "api/bench_profile.h"
#include "base/pool.h"
#include "base/rng.h"
#include "base/status.h"
#include "core/op.h"

#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

enum { MAX_REPEAT = 1000 };

/* The public part first: rv_bench_free() gets that. */
typedef struct benchmark {
    rv_benchmark result;
    const rv_bench_case *of;
    const rv_bench_options *opt;
    void *config;
    rv_graph *graph;
    nn_builder nn;
    rv_node *mix;
    real *weights;
    rv_pool *pool;
    rv_plan *plan;
    rv_bench_profile profile;
    rv_bench_row *kinds, *layers;
    double *times, *processor; /* [repeat] */
} benchmark;

int rv_bench_network_at(size_t i, rv_bench_network *entry)
{
    const rv_bench_case *at = rv_bench_case_at(i);
    if (!at)
        return 0;
    *entry = (rv_bench_network){ .name = at->name, .seconds = at->seconds };
    return 1;
}

void rv_bench_defaults(rv_bench_options *opt)
{
    *opt = (rv_bench_options){ .repeat = 3 };
}

static double now(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Ceiling ----------------------------------------------------------------------------------- */

typedef struct ceiling_job {
    kern_table kern;
    size_t rounds;
    double *operations; /* [tasks] */
} ceiling_job;

static void multiply_and_add(void *ctx, size_t task, int worker)
{
    ceiling_job *j = ctx;
    kern_real value = (kern_real)task;
    (void)worker;
    j->operations[task] = j->kern.multiply_adds(j->rounds, &value);
    j->operations[task] += value < 0; /* never, but the value is needed for it */
}

/* Operations per second of so many threads: the best of several short runs, for what disturbs only
 * ever slows down. */
static double ceiling(rv_pool *pool, size_t threads, double *operations)
{
    enum { TRIALS = 20, ROUNDS = 1 << 17 };
    ceiling_job job = { .rounds = ROUNDS, .operations = operations };
    double best = 0;
    kern_table_init(&job.kern, KERN_ISA_ALL);
    for (int i = 0; i < TRIALS; i++) {
        double all = 0;
        const double start = now(CLOCK_MONOTONIC);
        rv_pool_run(pool, threads, multiply_and_add, &job);
        const double taken = now(CLOCK_MONOTONIC) - start;
        for (size_t t = 0; t < threads; t++)
            all += operations[t];
        best = all / taken > best ? all / taken : best;
    }
    return best;
}

static rv_status find_ceilings(benchmark *b, rv_error *err)
{
    const size_t threads = (size_t)b->result.threads;
    double *operations = calloc(threads, sizeof *operations);
    if (!operations)
        return RV_FAIL(err, RV_ERR_NOMEM, "%zu threads", threads);
    b->result.ceiling = ceiling(NULL, 1, operations);
    b->result.ceiling_all = ceiling(b->pool, threads, operations);
    free(operations);
    return RV_OK;
}

/* Network ----------------------------------------------------------------------------------- */

static rv_status build(benchmark *b, rv_error *err)
{
    const rv_model_def *def = rv_model_find(b->of->model);
    rv_model_info info = { 0 };
    b->config = calloc(1, def->config_size);
    if (!b->config)
        return RV_FAIL(err, RV_ERR_NOMEM, "%s", b->of->name);
    RV_TRY(def->configure(b->config, &info, &b->of->args, err));
    const double seconds = b->opt->seconds > 0 ? b->opt->seconds : b->of->seconds;
    const size_t wanted = (size_t)(seconds * (double)info.sample_rate);
    const size_t n = wanted ? def->valid_length(b->config, &info, wanted) : 0;
    if (n == 0)
        return RV_FAIL(err, RV_ERR_ARG, "%s does not take %g s at a time", b->of->name, seconds);
    b->result.audio_seconds = (double)wanted / (double)info.sample_rate;
    RV_TRY(rv_graph_new(&b->graph, NULL, err));
    nn_begin(&b->nn, b->graph);
    b->mix = rv_input(b->graph, RV_SHAPE(1, n, info.channels));
    rv_output(def->build(&b->nn, b->config, &info, b->mix));
    return rv_graph_status(b->graph, err);
}

/* Weights of one operation, which are only packed. */
typedef struct {
    const benchmark *of;
    real *value[RV_MAX_IN];
    int n;
} weight_source;

static const real *bring_weight(void *ctx, const rv_node *param, rv_error *err)
{
    weight_source *s = ctx;
    const size_t n = rv_shape_count(&param->shape);
    const nn_param *p = s->of->nn.params;
    while (p->node != param)
        p = p->next;
    real *x = s->value[s->n++] = calloc(n + 1, sizeof *x);
    if (x)
        nn_initialise(p, 1, x);
    else
        (void)RV_FAIL(err, RV_ERR_NOMEM, "%zu weights", n);
    return x;
}

static void drop_weights(void *ctx)
{
    weight_source *s = ctx;
    while (s->n > 0)
        free(s->value[--s->n]);
}

/* The others, in one block. */
static rv_status bind_random(benchmark *b, rv_error *err)
{
    size_t n = 0;
    for (const nn_param *p = b->nn.params; p; p = p->next)
        n += rv_plan_reads(b->plan, p->node) ? rv_shape_count(&p->node->shape) : 0;
    real *at = b->weights = calloc(n + 1, sizeof *at);
    if (!at)
        return RV_FAIL(err, RV_ERR_NOMEM, "%zu weights", n);
    for (const nn_param *p = b->nn.params; p; p = p->next) {
        if (!rv_plan_reads(b->plan, p->node))
            continue;
        nn_initialise(p, 1, at);
        rv_plan_bind(b->plan, p->node, at);
        at += rv_shape_count(&p->node->shape);
    }
    return RV_OK;
}

static rv_status fill_random(benchmark *b, rv_error *err)
{
    weight_source weights = { .of = b };
    const rv_plan_source source = { &weights, bring_weight, drop_weights };
    const size_t samples = rv_shape_count(&b->mix->shape);
    real *mix = rv_value(b->plan, b->mix);
    for (size_t i = 0; i < samples; i++)
        mix[i] = (real)(rv_rng_uniform(1, 0, i) - 0.5);
    RV_TRY(bind_random(b, err));
    return rv_plan_prepare_from(b->plan, &source, err);
}

static rv_status open_network(benchmark *b, rv_error *err)
{
    RV_TRY(build(b, err));
    RV_TRY(rv_pool_new(&b->pool, b->opt->threads, NULL, err));
    const rv_plan_options plan = {
        .isa_mask = KERN_ISA_ALL, .pool = b->pool, .frozen = true, .precision = b->opt->precision
    };
    RV_TRY(rv_plan_new(&b->plan, b->graph, &plan, err));
    b->result.network = b->of->name;
    b->result.threads = rv_pool_threads(b->pool);
    b->result.value_bytes = rv_plan_bytes(b->plan);
    b->result.weight_bytes = rv_plan_prepared_bytes(b->plan);
    return fill_random(b, err);
}

/* Runs -------------------------------------------------------------------------------------- */

static void add_operations(void *ctx, const rv_node *node, double seconds)
{
    benchmark *b = ctx;
    b->result.operations += 2 * rv_bench_products(node);
    rv_bench_count(&b->profile.n, node, seconds);
}

static rv_status take_rows(benchmark *b, rv_error *err)
{
    const size_t n = b->profile.n, runs = (size_t)b->opt->repeat;
    b->times = calloc(runs, sizeof *b->times);
    b->processor = calloc(runs, sizeof *b->processor);
    b->profile.node = calloc(n, sizeof *b->profile.node);
    b->profile.seconds = calloc(n, sizeof *b->profile.seconds);
    b->kinds = calloc(n, sizeof *b->kinds);
    b->layers = calloc(n, sizeof *b->layers);
    if (!b->times || !b->processor || !b->profile.node || !b->profile.seconds || !b->kinds ||
        !b->layers)
        return RV_FAIL(err, RV_ERR_NOMEM, "times of %zu operations", n);
    return RV_OK;
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *x, int n)
{
    qsort(x, (size_t)n, sizeof *x, by_value);
    return x[n / 2];
}

static void add_up(benchmark *b)
{
    const int runs = b->opt->repeat;
    rv_benchmark *r = &b->result;
    struct rusage use = { 0 };
    getrusage(RUSAGE_SELF, &use);
    r->seconds = median(b->times, runs);
    r->processor_seconds = median(b->processor, runs);
    r->peak_bytes = (uint64_t)use.ru_maxrss * 1024;
    if (!b->opt->profile)
        return;
    r->n_kinds = rv_bench_rows(b->kinds, &b->profile, NULL, runs);
    r->n_layers = rv_bench_rows(b->layers, &b->profile, b->nn.params, runs);
    r->kinds = b->kinds;
    r->layers = b->layers;
}

static rv_status time_runs(benchmark *b, rv_error *err)
{
    rv_plan_profile(b->plan, add_operations, b);
    rv_plan_run(b->plan); /* warm up, and count */
    RV_TRY(take_rows(b, err));
    rv_plan_profile(b->plan, b->opt->profile ? rv_bench_add : NULL, &b->profile);
    for (int i = 0; i < b->opt->repeat; i++) {
        const double start = now(CLOCK_MONOTONIC), used = now(CLOCK_PROCESS_CPUTIME_ID);
        b->profile.at = 0;
        rv_plan_run(b->plan);
        b->times[i] = now(CLOCK_MONOTONIC) - start;
        b->processor[i] = now(CLOCK_PROCESS_CPUTIME_ID) - used;
    }
    add_up(b);
    return RV_OK;
}

static rv_status measure(benchmark *b, rv_error *err)
{
    RV_TRY(open_network(b, err));
    RV_TRY(find_ceilings(b, err));
    return time_runs(b, err);
}

static rv_status check_options(const rv_bench_options *o, rv_error *err)
{
    if (o->repeat < 1 || o->repeat > MAX_REPEAT)
        return RV_FAIL(err, RV_ERR_ARG, "repeat is %d, 1 to %d is expected", o->repeat, MAX_REPEAT);
    if (o->threads < 0)
        return RV_FAIL(err, RV_ERR_ARG, "threads is %d, 0 or more is expected", o->threads);
    if (!(o->seconds >= 0 && o->seconds <= 3600))
        return RV_FAIL(err, RV_ERR_ARG, "seconds is %g, 0 to 3600 is expected", o->seconds);
    return RV_OK;
}

rv_status rv_bench_run(rv_benchmark **out, const char *network, const rv_bench_options *opt,
                       rv_error *err)
{
    rv_bench_options defaults;
    rv_bench_defaults(&defaults);
    opt = opt ? opt : &defaults;
    RV_TRY(check_options(opt, err));
    const rv_bench_case *of = rv_bench_case_find(network);
    if (!of)
        return RV_FAIL(err, RV_ERR_ARG, "%s is no network that can be timed", network);
    benchmark *b = calloc(1, sizeof *b);
    if (!b)
        return RV_FAIL(err, RV_ERR_NOMEM, "%s", network);
    b->of = of;
    b->opt = opt;
    const rv_status status = measure(b, err);
    if (status != RV_OK) {
        rv_bench_free(&b->result);
        return status;
    }
    *out = &b->result;
    return RV_OK;
}

void rv_bench_free(rv_benchmark *benchmark_)
{
    benchmark *b = (benchmark *)benchmark_;
    if (!b)
        return;
    rv_plan_free(b->plan);
    rv_pool_free(b->pool);
    rv_graph_free(b->graph);
    void *const parts[] = { b->config,          b->weights,  (void *)b->profile.node,
                            b->profile.seconds, b->kinds,    b->layers,
                            b->times,           b->processor };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        free(parts[i]);
    free(b);
}
