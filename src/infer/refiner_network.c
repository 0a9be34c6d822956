/* refiner_network.c - see refiner_network.h. */
#include "infer/refiner_network.h"

#include "base/status.h"
#include "infer/trained_graph.h"

#include <stdlib.h>

struct rv_refiner_network {
    rv_refiner_config config;
    rv_trained_graph trained;
    rv_refiner_inputs in;
    rv_node *out;
};

/* Configuration ---------------------------------------------------------------------------- */

static rv_status configure(void *to, const rv_args *args, rv_error *err)
{
    rv_refiner_config *c = to;
    return rv_refiner_configure(c, c->kind, args, err);
}

static rv_status read_config(rv_refiner_network *n, const char *path, rv_error *err)
{
    const char *class = rv_trained_graph_class(&n->trained);
    n->config.kind = rv_refiner_find(class);
    if (n->config.kind == RV_REFINER_KINDS)
        return RV_FAIL(err, RV_ERR_UNSUPPORTED,
                       "%s: holds a model of the class '%.100s'; one that refines stems is "
                       "expected, such as %s",
                       path, class, rv_refiner_defs[RV_REFINER_MASK_EQ].class);
    return rv_trained_graph_configure(&n->trained, path, configure, &n->config, err);
}

/* Network ---------------------------------------------------------------------------------- */

static rv_status build(rv_refiner_network *n, size_t frames, rv_error *err)
{
    rv_trained_graph *t = &n->trained;
    const size_t samples = frames * n->config.hop;
    RV_TRY(rv_trained_graph_begin(t, err));
    n->in = (rv_refiner_inputs){ .stem = rv_input(t->graph, RV_SHAPE(1, samples)),
                                 .f0 = rv_input(t->graph, RV_SHAPE(1, frames, 1)),
                                 .loudness = rv_input(t->graph, RV_SHAPE(1, frames, 1)),
                                 .noise = rv_input(t->graph, RV_SHAPE(1, samples)),
                                 .phase = rv_input(t->graph, RV_SHAPE(1, 1)) };
    n->out = rv_output(rv_refiner(&t->nn, &n->config, &n->in));
    return rv_graph_status(t->graph, err);
}

static rv_status open_network(rv_refiner_network *n, const char *path, rv_error *err)
{
    RV_TRY(rv_checkpoint_open(&n->trained.checkpoint, path, err));
    RV_TRY(read_config(n, path, err));
    RV_TRY(build(n, 1, err));
    return rv_trained_graph_take(&n->trained, path, err);
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
    rv_trained_graph_release(&n->trained);
    free(n);
}

const rv_refiner_config *rv_refiner_network_config(const rv_refiner_network *n)
{
    return &n->config;
}

size_t rv_refiner_network_parameters(const rv_refiner_network *n)
{
    return nn_count(&n->trained.nn);
}

/* Windows ---------------------------------------------------------------------------------- */

rv_status rv_refiner_network_plan(rv_refiner_network *n, size_t frames, rv_pool *pool,
                                  rv_error *err)
{
    RV_TRY(build(n, frames, err));
    return rv_trained_graph_plan(&n->trained, pool, err);
}

rv_refiner_window rv_refiner_network_window(rv_refiner_network *n)
{
    return (rv_refiner_window){ .stem = rv_value(n->trained.plan, n->in.stem),
                                .noise = rv_value(n->trained.plan, n->in.noise),
                                .f0 = rv_value(n->trained.plan, n->in.f0),
                                .loudness = rv_value(n->trained.plan, n->in.loudness),
                                .phase = rv_value(n->trained.plan, n->in.phase) };
}

const float *rv_refiner_network_run(rv_refiner_network *n)
{
    rv_plan_run(n->trained.plan);
    return rv_value(n->trained.plan, n->out);
}
