/* test_recompute.c - values computed again for the gradient: the same bits, less memory, at most
 * one forward pass more. */
#include "base/rng.h"
#include "check.h"
#include "core/op.h"
#include "core/ops.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_PARAMS = 4, MAX_OUTPUTS = 8, CHANNELS = 6, WIDE = 40 };

/* A network to build: from x to a loss, with parameters and outputs that it adds. */
typedef struct net {
    rv_graph *graph;
    rv_plan *plan;
    rv_node *x, *loss, *param[MAX_PARAMS], *gradient[MAX_PARAMS], *out[MAX_OUTPUTS];
    real *weights[MAX_PARAMS];
    size_t n_params, n_out;
    uint64_t seed;
    int forward, steps; /* operations up to the loss, and those of a run */
} net;

typedef rv_node *build_fn(net *n, rv_node *x);

static rv_node *param(net *n, rv_shape shape)
{
    return n->param[n->n_params++] = rv_param(n->graph, shape);
}

static void output(net *n, rv_node *x)
{
    n->out[n->n_out++] = rv_output(x);
}

static void count_step(void *ctx, const rv_node *node, double seconds)
{
    (void)node;
    (void)seconds;
    ++*(int *)ctx;
}

static void count_forward(net *n)
{
    for (const rv_node *v = n->loss; v; v = v->prev)
        n->forward += v->op && v->op->run;
}

/* False if memory ran out. */
static bool open_net(net *n, build_fn *build, uint64_t seed, bool recompute,
                     const rv_plan_options *opt)
{
    rv_error err = { 0 };
    *n = (net){ .seed = seed };
    if (rv_graph_new(&n->graph, opt->mem, &err) != RV_OK)
        return false;
    n->x = rv_input(n->graph, RV_SHAPE(1, WIDE, CHANNELS));
    n->loss = rv_output(rv_mean(build(n, n->x)));
    if (rv_graph_status(n->graph, &err) == RV_OK)
        count_forward(n);
    rv_grad(n->loss, n->param, n->gradient, n->n_params);
    if (recompute)
        rv_recompute(n->loss);
    const rv_status st = rv_plan_new(&n->plan, n->graph, opt, &err);
    CHECK_MSG(st == RV_OK || st == RV_ERR_NOMEM, "%s", err.text);
    return st == RV_OK;
}

static void close_net(net *n)
{
    const rv_node *overrun = n->plan ? rv_plan_overrun(n->plan) : NULL;
    CHECK_MSG(!overrun, "%s writes past its end", overrun->op->name);
    rv_plan_free(n->plan);
    rv_graph_free(n->graph);
    for (size_t i = 0; i < n->n_params; i++)
        free(n->weights[i]);
}

static void fill(real *x, size_t count, uint64_t stream)
{
    for (size_t i = 0; i < count; i++)
        x[i] = (real)(2 * rv_rng_uniform(1, stream, i) - 1);
}

static void run_net(net *n)
{
    fill(rv_value(n->plan, n->x), rv_shape_count(&n->x->shape), 0);
    for (size_t i = 0; i < n->n_params; i++) {
        const size_t count = rv_shape_count(&n->param[i]->shape);
        n->weights[i] = calloc(count, sizeof(real));
        fill(n->weights[i], count, 1 + i);
        rv_plan_bind(n->plan, n->param[i], n->weights[i]);
    }
    rv_plan_run(n->plan);
    rv_plan_profile(n->plan, count_step, &n->steps);
    rv_plan_run(n->plan); /* a second run must not depend on what the first left behind */
}

static void check_same(const net *a, rv_node *x, const net *b, rv_node *y, const char *what)
{
    const size_t count = rv_shape_count(&x->shape);
    CHECK_MSG(!memcmp(rv_value(a->plan, x), rv_value(b->plan, y), count * sizeof(real)),
              "seed %d: other bits in %s", (int)a->seed, what);
}

static void check_same_net(const net *a, const net *b)
{
    check_same(a, a->loss, b, b->loss, "the loss");
    for (size_t i = 0; i < a->n_params; i++)
        check_same(a, a->gradient[i], b, b->gradient[i], "a gradient");
    for (size_t i = 0; i < a->n_out; i++)
        check_same(a, a->out[i], b, b->out[i], "an output");
}

typedef struct {
    double memory; /* by so much less */
    double again;  /* of the operations up to the loss, the share that ran twice */
} effect;

/* The same network with and without. */
static effect compare(build_fn *build, uint64_t seed, int threads)
{
    rv_pool *pool;
    net plain, again;
    CHECK(rv_pool_new(&pool, threads, NULL, NULL) == RV_OK);
    CHECK(open_net(&plain, build, seed, false, &(rv_plan_options){ .isa_mask = KERN_ISA_ALL }));
    CHECK(open_net(&again, build, seed, true,
                   &(rv_plan_options){ .isa_mask = KERN_ISA_ALL, .pool = pool }));
    run_net(&plain);
    run_net(&again);
    check_same_net(&plain, &again);
    const effect g = { (double)rv_plan_bytes(plain.plan) / (double)rv_plan_bytes(again.plan),
                       (double)(again.steps - plain.steps) / plain.forward };
    CHECK_MSG(g.again < 1, "seed %d: %d operations, %d without, %d forward", (int)seed, again.steps,
              plain.steps, plain.forward);
    close_net(&plain);
    close_net(&again);
    rv_pool_free(pool);
    return g;
}

/* Networks -------------------------------------------------------------------------------- */

/* One weight for all of the layers: its gradient is one sum of as many terms. */
static rv_node *chain(net *n, rv_node *x)
{
    rv_node *w = param(n, RV_SHAPE(CHANNELS, CHANNELS)), *c = param(n, RV_SHAPE(CHANNELS));
    for (int i = 0; i < 144; i++)
        x = rv_tanh(rv_linear(x, w, c));
    return x;
}

/* A residual stream and a sum over all blocks, with views and an output in the middle. */
static rv_node *blocks(net *n, rv_node *x)
{
    rv_node *w = param(n, RV_SHAPE(CHANNELS, CHANNELS)), *gain = param(n, RV_SHAPE(CHANNELS)), *sum;
    sum = x;
    for (int i = 0; i < 24; i++) {
        rv_node *y = rv_layer_norm(x, gain, NULL, 1e-5);
        y = rv_gelu(rv_linear(rv_reshape(y, RV_SHAPE(WIDE, CHANNELS)), w, NULL));
        y = rv_reshape(y, RV_SHAPE(1, WIDE, CHANNELS));
        x = rv_add(x, y);
        sum = rv_add(sum, rv_sigmoid(y));
        if (i == 9)
            output(n, y);
    }
    return rv_mul(sum, x);
}

/* Halves of the length down and up again; each level's value goes over to the way up. */
static rv_node *levels(net *n, rv_node *x)
{
    rv_node *w = param(n, RV_SHAPE(CHANNELS, CHANNELS)), *skip[3];
    for (int i = 0; i < 3; i++) {
        for (int k = 0; k < 4; k++)
            x = rv_tanh(rv_linear(x, w, NULL));
        skip[i] = x;
        x = rv_slice(x, 1, 0, rv_extent(x, 1) / 2);
    }
    for (int i = 3; i-- > 0;) {
        x = rv_add(rv_concat(1, 2, (rv_node *[]){ x, rv_scale(x, 0.5, 0) }), skip[i]);
        for (int k = 0; k < 4; k++)
            x = rv_tanh(rv_linear(x, w, NULL));
    }
    return x;
}

static rv_node *random_step(net *n, rv_node *a, rv_node *b, uint64_t draw)
{
    switch (draw % 9) {
    case 0:
        return rv_add(a, b);
    case 1:
        return rv_mul(a, rv_tanh(b));
    case 2:
        return rv_sigmoid(a);
    case 3:
        return rv_linear(a, n->param[draw / 9 % n->n_params], NULL);
    case 4:
        return rv_reshape(rv_relu(rv_reshape(a, RV_SHAPE(WIDE, CHANNELS))), a->shape);
    case 5:
        return rv_layer_norm(a, NULL, NULL, 1e-5);
    case 6:
        return rv_scale(a, 0.5, 0.1);
    case 7:
        return rv_reshape(a, a->shape);
    default:
        return rv_sub(rv_gelu(a), b);
    }
}

/* Each value comes from two of those before, mostly late ones; some are outputs. */
static rv_node *any(net *n, rv_node *x)
{
    enum { VALUES = 60 };
    rv_node *v[VALUES] = { x };
    for (int i = 0; i < 3; i++)
        param(n, RV_SHAPE(CHANNELS, CHANNELS));
    for (size_t i = 1; i < VALUES; i++) {
        const uint64_t draw = rv_rng_bits(n->seed, 7, i), near = i < 5 ? i : 5;
        rv_node *a = v[i - 1 - (draw >> 20) % near], *b = v[(draw >> 30) % i];
        v[i] = random_step(n, a, b, draw % 1000);
        if (draw >> 40 & 15 ? 0 : n->n_out < MAX_OUTPUTS)
            output(n, v[i]);
    }
    return v[VALUES - 1];
}

/* Claims ----------------------------------------------------------------------------------- */

TEST(test_same_bits_in_less_memory)
{
    static const struct {
        const char *name;
        build_fn *build;
        effect bound;
    } rows[] = { { "chain", chain, { 5, 0.88 } },
                 { "blocks", blocks, { 3, 0.7 } },
                 { "levels", levels, { 1.8, 0.75 } } };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const effect g = compare(rows[i].build, 0, 1);
        printf("# %-6s memory less by a factor of %.2f, %.0f %% computed again\n", rows[i].name,
               g.memory, 100 * g.again);
        CHECK(g.memory >= rows[i].bound.memory && g.again <= rows[i].bound.again);
    }
}

TEST(test_same_bits_for_any_graph)
{
    for (uint64_t seed = 0; seed < 300; seed++)
        compare(any, seed, 1);
}

TEST(test_same_bits_for_any_threads)
{
    for (int threads = 2; threads <= 8; threads += 3) {
        compare(blocks, 0, threads);
        compare(levels, 0, threads);
    }
}

TEST(test_a_graph_without_gradient_stays_as_it_is)
{
    rv_error err = { 0 };
    net n = { 0 };
    CHECK_OK(rv_graph_new(&n.graph, NULL, &err), err);
    n.loss = rv_output(rv_mean(levels(&n, rv_input(n.graph, RV_SHAPE(1, WIDE, CHANNELS)))));
    const int order = n.loss->order;
    rv_recompute(n.loss);
    CHECK_OK(rv_graph_status(n.graph, &err), err);
    CHECK(n.loss->order == order && n.loss->next == NULL);
    close_net(&n);
}

/* Fails the n-th allocation and all after it. */
typedef struct {
    int left, live;
} budget;

static void *budget_alloc(void *ctx, size_t size, size_t align)
{
    budget *b = ctx;
    if (b->left-- <= 0)
        return NULL;
    b->live++;
    return rv_alloc_default.alloc(NULL, size, align);
}

static void budget_free(void *ctx, void *ptr)
{
    ((budget *)ctx)->live -= ptr != NULL;
    rv_alloc_default.free(NULL, ptr);
}

TEST(test_out_of_memory)
{
    bool done = false;
    int failures = 0;
    for (; !done; failures++) {
        budget b = { .left = failures };
        const rv_alloc mem = { budget_alloc, budget_free, &b };
        net n;
        done = open_net(&n, blocks, 0, true, &(rv_plan_options){ .mem = &mem });
        close_net(&n);
        CHECK(b.live == 0);
    }
    CHECK(failures > 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_bits_in_less_memory),
        cmocka_unit_test(test_same_bits_for_any_graph),
        cmocka_unit_test(test_same_bits_for_any_threads),
        cmocka_unit_test(test_a_graph_without_gradient_stays_as_it_is),
        cmocka_unit_test(test_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
