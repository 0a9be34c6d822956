/* bench_products.c - all matrix products of a network's segment, and nothing else, by OpenBLAS:
 * what a network that spends no time on anything else would take with it.
 *
 *     bench_products [--threads N] [--short] [NETWORK]      HT Demucs by default
 *
 * Convolutions are products with rows of all taps, as if gathering these cost nothing; attention is
 * one product of scores and one with the values for each head. Each shape is timed by itself, the
 * best of three, and counted as often as it occurs. Recurrent layers are left out. */
#include "api/bench_networks.h"
#include "api/bench_profile.h"
#include "core/graph_impl.h"
#include "core/op.h"

#include <cblas.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct {
    size_t m, n, k, count;
    bool transposed; /* the right-hand side: [n,k] */
} product;

enum { MAX_PRODUCTS = 512 };
typedef struct {
    product at[MAX_PRODUCTS];
    size_t n;
} products;

static void check(rv_status st, const rv_error *err)
{
    if (st != RV_OK) {
        fprintf(stderr, "bench_products: %s\n", err->text);
        exit(1);
    }
}

static void add(products *all, size_t count, size_t m, size_t n, size_t k, bool transposed)
{
    size_t i = 0;
    for (; i < all->n; i++) {
        const product *p = &all->at[i];
        if (p->m == m && p->n == n && p->k == k && p->transposed == transposed)
            break;
    }
    if (i == MAX_PRODUCTS)
        return;
    if (i == all->n)
        all->at[all->n++] = (product){ m, n, k, 0, transposed };
    all->at[i].count += count;
}

/* The heads are the only attribute of attention that counts here, its first. */
static void add_attention(products *all, const rv_node *v)
{
    const rv_shape *q = &v->shape;
    const size_t heads = *(const size_t *)v->attr, keys = v->in[1]->shape.d[1];
    add(all, q->d[0] * heads, q->d[1], keys, q->d[2] / heads, true);
    add(all, q->d[0] * heads, q->d[1], q->d[2] / heads, keys, false);
}

static void add_node(products *all, const rv_node *v)
{
    const double multiplications = rv_bench_products(v);
    if (v->op == &rv_op_attention) {
        add_attention(all, v);
    } else if (v->op == &rv_op_linear || v->op == &rv_op_conv) {
        const size_t n = v->in[1]->shape.d[0], m = rv_shape_count(&v->shape) / n;
        add(all, 1, m, n, (size_t)(multiplications / (double)m / (double)n), true);
    } else if (v->op == &rv_op_conv_transpose) {
        const size_t k = v->in[1]->shape.d[0], m = rv_shape_count(&v->in[0]->shape) / k;
        add(all, 1, m, (size_t)(multiplications / (double)m / (double)k), k, false);
    }
}

static rv_graph *build(const rv_bench_case *of)
{
    rv_error err = { 0 };
    rv_model_info info = { 0 };
    rv_graph *graph;
    nn_builder nn;
    const rv_model_def *def = rv_model_find(of->model);
    void *config = calloc(1, def->config_size);
    check(def->configure(config, &info, &of->args, &err), &err);
    check(rv_graph_new(&graph, NULL, &err), &err);
    nn_begin(&nn, graph);
    const size_t wanted = (size_t)(of->seconds * (double)info.sample_rate);
    const size_t n = def->valid_length(config, &info, wanted);
    rv_output(def->build(&nn, config, &info, rv_input(graph, RV_SHAPE(1, n, info.channels))));
    check(rv_graph_status(graph, &err), &err);
    free(config);
    return graph;
}

static double now(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static float *values(size_t n)
{
    float *x = malloc(n * sizeof *x);
    if (!x)
        exit(1);
    for (size_t i = 0; i < n; i++)
        x[i] = (float)(i * 2654435761u % 1000) / 500 - 1;
    return x;
}

static double time_product(const product *p, clockid_t clock, int runs)
{
    float *a = values(p->m * p->k), *b = values(p->k * p->n), *y = values(p->m * p->n);
    double best = 1e30;
    for (int i = 0; i < runs; i++) {
        const double start = now(clock);
        cblas_sgemm(CblasRowMajor, CblasNoTrans, p->transposed ? CblasTrans : CblasNoTrans,
                    (int)p->m, (int)p->n, (int)p->k, 1, a, (int)p->k, b,
                    (int)(p->transposed ? p->k : p->n), 0, y, (int)p->n);
        const double taken = now(clock) - start;
        best = taken < best ? taken : best;
    }
    free(a);
    free(b);
    free(y);
    return best;
}

int main(int count, char **args)
{
    const char *name = "htdemucs";
    int threads = 1, runs = 3;
    for (int i = 1; i < count; i++)
        if (!strcmp(args[i], "--threads") && i + 1 < count)
            threads = atoi(args[++i]);
        else if (!strcmp(args[i], "--short"))
            runs = 0;
        else
            name = args[i];
    const rv_bench_case *of = rv_bench_case_find(name);
    if (!of) {
        fprintf(stderr, "bench_products: unknown network %s\n", name);
        return 1;
    }
    static products all;
    rv_graph *graph = build(of);
    for (const rv_node *v = graph->first; v; v = v->next)
        add_node(&all, v);
    openblas_set_num_threads(threads);
    const clockid_t clock = threads == 1 ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC;
    double seconds = 0, multiplications = 0;
    for (size_t i = 0; i < all.n; i++) {
        const product *p = &all.at[i];
        const double work = (double)p->m * (double)p->n * (double)p->k, each = (double)p->count;
        const double taken = runs ? time_product(p, clock, runs) : 0;
        printf("%4zu times %7zu %5zu %5zu %8.4f s %7.1f GFLOP/s\n", p->count, p->m, p->n, p->k,
               taken * each, runs ? 2e-9 * work / taken : 0);
        seconds += taken * each;
        multiplications += work * each;
    }
    printf("%s: %.3f s, %.1f billion multiplications, %d thread%s\n", of->name, seconds,
           1e-9 * multiplications, threads, threads == 1 ? "" : "s");
    rv_graph_free(graph);
    return 0;
}
