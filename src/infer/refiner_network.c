/* refiner_network.c - see refiner_network.h. */
#include "infer/refiner_network.h"

#include "base/status.h"
#include "infer/arguments.h"
#include "infer/weights.h"

#include <stdlib.h>

struct rv_refiner_network {
    rv_refiner_config config;
    rv_checkpoint *checkpoint;
    rv_weights weights;
    rv_graph *graph;
    nn_builder nn;
    rv_refiner_inputs in;
    rv_node *out;
    rv_plan *plan;
};

/* Configuration ---------------------------------------------------------------------------- */

static rv_status read_config(rv_refiner_network *n, const char *path, rv_error *err)
{
    const json_t *config = rv_checkpoint_config(n->checkpoint);
    const char *class = json_string_value(json_object_get(config, "class"));
    const rv_refiner_kind kind = rv_refiner_find(class ? class : "");
    rv_args args;
    rv_arena arena;
    rv_error why = { 0 };
    if (kind == RV_REFINER_KINDS)
        return RV_FAIL(err, RV_ERR_UNSUPPORTED,
                       "%s: holds a model of the class '%.100s'; one that refines stems is "
                       "expected, such as %s",
                       path, class ? class : "", rv_refiner_defs[RV_REFINER_MASK_EQ].class);
    rv_arena_init(&arena, NULL);
    rv_status st = rv_arguments_read(&args, config, NULL, &arena, &why);
    if (st == RV_OK)
        st = rv_refiner_configure(&n->config, kind, &args, &why);
    rv_arena_fini(&arena);
    return st == RV_OK ? RV_OK : RV_FAIL(err, st, "%s: %s", path, why.text);
}

/* Network ---------------------------------------------------------------------------------- */

static rv_status build(rv_refiner_network *n, size_t frames, rv_error *err)
{
    const size_t samples = frames * n->config.hop;
    RV_TRY(rv_graph_new(&n->graph, NULL, err));
    nn_begin(&n->nn, n->graph);
    n->in = (rv_refiner_inputs){ .stem = rv_input(n->graph, RV_SHAPE(1, samples)),
                                 .f0 = rv_input(n->graph, RV_SHAPE(1, frames, 1)),
                                 .loudness = rv_input(n->graph, RV_SHAPE(1, frames, 1)),
                                 .noise = rv_input(n->graph, RV_SHAPE(1, samples)),
                                 .phase = rv_input(n->graph, RV_SHAPE(1, 1)) };
    n->out = rv_output(rv_refiner(&n->nn, &n->config, &n->in));
    return rv_graph_status(n->graph, err);
}

static rv_status open_network(rv_refiner_network *n, const char *path, rv_error *err)
{
    RV_TRY(rv_checkpoint_open(&n->checkpoint, path, err));
    RV_TRY(read_config(n, path, err));
    RV_TRY(build(n, 1, err));
    return rv_weights_take(&n->weights, n->checkpoint, &n->nn, path, err);
}

rv_status rv_refiner_network_open(rv_refiner_network **out, const char *path, rv_error *err)
{
    rv_refiner_network *n = calloc(1, sizeof *n);
    if (!n)
        return RV_FAIL(err, RV_ERR_NOMEM, "a network");
    const rv_status st = open_network(n, path, err);
    if (st != RV_OK) {
        rv_refiner_network_free(n);
        return st;
    }
    *out = n;
    return RV_OK;
}

void rv_refiner_network_free(rv_refiner_network *n)
{
    if (!n)
        return;
    rv_plan_free(n->plan);
    rv_graph_free(n->graph);
    rv_weights_free(&n->weights);
    rv_checkpoint_free(n->checkpoint);
    free(n);
}

const rv_refiner_config *rv_refiner_network_config(const rv_refiner_network *n)
{
    return &n->config;
}

size_t rv_refiner_network_parameters(const rv_refiner_network *n)
{
    return nn_count(&n->nn);
}

/* Windows ---------------------------------------------------------------------------------- */

rv_status rv_refiner_network_plan(rv_refiner_network *n, size_t frames, rv_pool *pool,
                                  rv_error *err)
{
    const rv_plan_options options = { .pool = pool, .isa_mask = KERN_ISA_ALL, .frozen = true };
    rv_graph_free(n->graph); /* that of one frame, for names and shapes */
    n->graph = NULL;
    RV_TRY(build(n, frames, err));
    RV_TRY(rv_plan_new(&n->plan, n->graph, &options, err));
    size_t i = 0;
    for (const nn_param *p = n->nn.params; p; p = p->next)
        rv_plan_bind(n->plan, p->node, n->weights.value[i++]);
    rv_plan_prepare(n->plan);
    return RV_OK;
}

rv_refiner_window rv_refiner_network_window(rv_refiner_network *n)
{
    return (rv_refiner_window){ .stem = rv_value(n->plan, n->in.stem),
                                .noise = rv_value(n->plan, n->in.noise),
                                .f0 = rv_value(n->plan, n->in.f0),
                                .loudness = rv_value(n->plan, n->in.loudness),
                                .phase = rv_value(n->plan, n->in.phase) };
}

const float *rv_refiner_network_run(rv_refiner_network *n)
{
    rv_plan_run(n->plan);
    return rv_value(n->plan, n->out);
}
