/* learner.c - one graph, a plan of it for each thread. */
#include "train/learner.h"

#include "base/status.h"

#include <stdlib.h>
#include <string.h>

/* The memory in which one example runs. */
typedef struct {
    rv_plan *plan;
    double loss;
} lane;

/* The graph of one example or a few, with or without gradients. */
typedef struct {
    rv_graph *graph;
    nn_builder nn;
    rv_node *in[RV_LEARNER_INPUTS], *estimate, *loss;
} example;

struct rv_learner {
    example train, test;
    rv_plan *test_plan;
    rv_node **gradient; /* [n_params], in the graph for training */
    size_t *offset;     /* [n_params] */
    real *values, *gradients;
    size_t count;
    rv_pool *pool;
    lane *lanes;
    size_t n_lanes, groups, together, n_inputs; /* groups of examples that are together */
    bool shared[RV_LEARNER_INPUTS];
    const float *data[RV_LEARNER_INPUTS]; /* of the examples that are running */
};

static rv_status build(example *e, const rv_learner_options *o, size_t together, bool training,
                       rv_error *err)
{
    RV_TRY(rv_graph_new(&e->graph, NULL, err));
    nn_begin(&e->nn, e->graph);
    e->nn.training = training;
    for (size_t i = 0; i < o->n_inputs; i++) {
        rv_shape shape = o->inputs[i];
        shape.d[0] = o->shared[i] ? 1 : together;
        e->in[i] = rv_input(e->graph, shape);
    }
    e->loss = rv_output(o->build(o->ctx, &e->nn, e->in, &e->estimate));
    return rv_graph_status(e->graph, err);
}

static rv_status differentiate(rv_learner *l, bool recompute, rv_error *err)
{
    const size_t n = l->train.nn.n_params;
    rv_node **wrt = rv_graph_take(l->train.graph, (n + 1) * sizeof *wrt);
    l->gradient = rv_graph_take(l->train.graph, (n + 1) * sizeof(rv_node *));
    l->offset = rv_graph_take(l->train.graph, (n + 1) * sizeof *l->offset);
    RV_TRY(rv_graph_status(l->train.graph, err));
    size_t i = 0;
    for (const nn_param *p = l->train.nn.params; p; p = p->next) {
        wrt[i] = p->node;
        l->offset[i++] = l->count;
        l->count += rv_shape_count(&p->node->shape);
    }
    rv_grad(l->train.loss, wrt, l->gradient, n);
    i = 0;
    for (const nn_param *p = l->train.nn.params; p; p = p->next, i++)
        if (p->shown)
            l->gradient[i] = p->shown;
    if (recompute)
        rv_recompute(l->train.loss);
    return rv_graph_status(l->train.graph, err);
}

static rv_status make_plan(rv_learner *l, rv_plan **plan, const example *e, rv_pool *pool,
                           rv_error *err)
{
    const rv_plan_options options = { .pool = pool, .isa_mask = KERN_ISA_ALL };
    RV_TRY(rv_plan_new(plan, e->graph, &options, err));
    size_t i = 0;
    for (const nn_param *p = e->nn.params; p; p = p->next)
        rv_plan_bind(*plan, p->node, l->values + l->offset[i++]);
    return RV_OK;
}

static rv_status init(rv_learner *l, const rv_learner_options *o, rv_error *err)
{
    RV_TRY(build(&l->train, o, l->together, true, err));
    RV_TRY(differentiate(l, o->recompute, err));
    RV_TRY(build(&l->test, o, 1, false, err));
    rv_output(l->test.estimate);
    l->values = calloc(l->count + 1, sizeof *l->values);
    l->gradients = calloc(l->count + 1, sizeof *l->gradients);
    l->lanes = calloc(l->n_lanes, sizeof *l->lanes);
    if (!l->values || !l->gradients || !l->lanes)
        return RV_FAIL(err, RV_ERR_NOMEM, "%zu parameters", l->count);
    for (size_t i = 0; i < l->n_lanes; i++)
        RV_TRY(make_plan(l, &l->lanes[i].plan, &l->train, l->n_lanes == 1 ? l->pool : NULL, err));
    return make_plan(l, &l->test_plan, &l->test, l->pool, err);
}

rv_status rv_learner_new(rv_learner **out, const rv_learner_options *opt, rv_error *err)
{
    rv_learner *l = calloc(1, sizeof *l);
    if (!l)
        return RV_FAIL(err, RV_ERR_NOMEM, "a learner");
    const size_t threads = (size_t)rv_pool_threads(opt->pool);
    l->pool = opt->pool;
    l->together = opt->together ? opt->together : 1;
    l->groups = opt->batch / l->together;
    l->n_inputs = opt->n_inputs;
    memcpy(l->shared, opt->shared, sizeof l->shared);
    l->n_lanes = l->groups < threads ? l->groups : threads;
    const rv_status st =
        opt->batch % l->together == 0
            ? init(l, opt, err)
            : RV_FAIL(err, RV_ERR_ARG, "a batch of %zu in graphs of %zu", opt->batch, l->together);
    if (st != RV_OK) {
        rv_learner_free(l);
        return st;
    }
    *out = l;
    return RV_OK;
}

void rv_learner_free(rv_learner *l)
{
    if (!l)
        return;
    for (size_t i = 0; l->lanes && i < l->n_lanes; i++)
        rv_plan_free(l->lanes[i].plan);
    rv_plan_free(l->test_plan);
    rv_graph_free(l->train.graph);
    rv_graph_free(l->test.graph);
    free(l->lanes);
    free(l->values);
    free(l->gradients);
    free(l);
}

size_t rv_learner_count(const rv_learner *l)
{
    return l->count;
}

const nn_param *rv_learner_params(const rv_learner *l)
{
    return l->train.nn.params;
}

real *rv_learner_values(rv_learner *l)
{
    return l->values;
}

real *rv_learner_gradients(rv_learner *l)
{
    return l->gradients;
}

size_t rv_learner_bytes(const rv_learner *l)
{
    return l->n_lanes * rv_plan_bytes(l->lanes[0].plan) + rv_plan_bytes(l->test_plan) +
           2 * l->count * sizeof(real);
}

void rv_learner_initialise(rv_learner *l, uint64_t seed)
{
    size_t i = 0;
    for (const nn_param *p = l->train.nn.params; p; p = p->next)
        nn_initialise(p, seed, l->values + l->offset[i++]);
}

static void copy(real *to, const float *from, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] = (real)from[i];
}

/* The inputs of graph `task` of those that are running. */
static void load(const rv_learner *l, const example *e, rv_plan *plan, size_t task)
{
    for (size_t i = 0; i < l->n_inputs; i++) {
        const size_t n = rv_shape_count(&e->in[i]->shape);
        copy(rv_value(plan, e->in[i]), l->data[i] + (l->shared[i] ? 0 : task * n), n);
    }
}

static void run_example(void *ctx, size_t task, int worker)
{
    const rv_learner *l = ctx;
    lane *at = &l->lanes[task];
    (void)worker;
    load(l, &l->train, at->plan, task);
    rv_plan_run(at->plan);
    at->loss = (double)*rv_value(at->plan, l->train.loss);
}

typedef struct {
    const rv_learner *learner;
    size_t graphs; /* of the wave */
    real share;
} sum_job;

/* gradients += share * the wave's, graph by graph. One task adds some parameters. */
static void add_parameters(void *ctx, size_t i, int worker)
{
    const sum_job *j = ctx;
    const rv_learner *l = j->learner;
    const size_t n = rv_shape_count(&l->gradient[i]->shape);
    real *sum = l->gradients + l->offset[i];
    (void)worker;
    for (size_t k = 0; k < j->graphs; k++) {
        const real *g = rv_value(l->lanes[k].plan, l->gradient[i]);
        for (size_t t = 0; t < n; t++)
            sum[t] += j->share * g[t];
    }
}

static void run_wave(rv_learner *l, size_t graphs)
{
    if (l->n_lanes == 1)
        run_example(l, 0, 0); /* the pool works within it */
    else
        rv_pool_run(l->pool, graphs, run_example, l);
}

/* Running statistics move towards the mean of what the examples showed, which was summed up in the
 * place of their gradients. */
static void move_statistics(rv_learner *l, double share)
{
    size_t i = 0;
    for (const nn_param *p = l->train.nn.params; p; p = p->next, i++) {
        real *value = l->values + l->offset[i], *sum = l->gradients + l->offset[i];
        for (size_t k = 0; p->shown && k < rv_shape_count(&p->node->shape); k++) {
            value[k] += (real)(NN_MOMENTUM * ((double)sum[k] / share - (double)value[k]));
            sum[k] = 0;
        }
    }
}

double rv_learner_step(rv_learner *l, const float *const *in, bool clear, double share)
{
    double loss = 0;
    if (clear)
        memset(l->gradients, 0, l->count * sizeof *l->gradients);
    for (size_t done = 0; done < l->groups;) {
        const size_t rest = l->groups - done, n = rest < l->n_lanes ? rest : l->n_lanes;
        for (size_t i = 0; i < l->n_inputs; i++)
            l->data[i] = in[i] + (l->shared[i] ? 0 : done * rv_shape_count(&l->train.in[i]->shape));
        run_wave(l, n);
        sum_job sum = { l, n, (real)(share / (double)l->groups) };
        rv_pool_run(l->pool, l->train.nn.n_params, add_parameters, &sum);
        for (size_t k = 0; k < n; k++)
            loss += l->lanes[k].loss / (double)l->groups;
        done += n;
    }
    move_statistics(l, share);
    return loss;
}

double rv_learner_estimate(rv_learner *l, const float *const *in, const float **estimate)
{
    const example *e = &l->test;
    for (size_t i = 0; i < l->n_inputs; i++)
        l->data[i] = in[i];
    load(l, e, l->test_plan, 0);
    rv_plan_run(l->test_plan);
    *estimate = (const float *)(const void *)rv_value(l->test_plan, e->estimate);
    return (double)*rv_value(l->test_plan, e->loss);
}
