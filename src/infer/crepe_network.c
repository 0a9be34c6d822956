/* crepe_network.c - checkpoint, graph and frozen plan of CREPE. Weights are used where they lie in
 * the file if they are floats, and are converted to one block otherwise. */
#include "infer/crepe_network.h"

#include "base/status.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_FILTERS = 32 };

struct rv_crepe_network {
    rv_crepe_config config;
    rv_checkpoint *checkpoint;
    rv_graph *graph;
    nn_builder nn;
    rv_node *in, *out;
    rv_plan *plan;
    float *converted;
};

rv_status rv_crepe_find_width(rv_crepe_config *c, const rv_checkpoint *checkpoint, const char *path,
                              rv_error *err)
{
    const rv_tensor *first = rv_checkpoint_find(checkpoint, "conv1.weight");
    const size_t filters = first && first->rank > 0 ? first->shape[0] : 0;
    c->width = filters / FIRST_FILTERS;
    if (filters == 0 || filters % FIRST_FILTERS || c->width > RV_CREPE_MOST_WIDTH)
        return RV_FAIL(err, RV_ERR_SHAPE,
                       "%s: not CREPE's weights; expected conv1.weight with 128 (tiny), 256, 512, "
                       "768 or 1024 (full) filters",
                       path);
    return RV_OK;
}

static rv_status build(rv_crepe_network *n, size_t batch, rv_error *err)
{
    RV_TRY(rv_graph_new(&n->graph, NULL, err));
    nn_begin(&n->nn, n->graph);
    n->in = rv_input(n->graph, RV_SHAPE(batch, RV_CREPE_WINDOW));
    n->out = rv_output(rv_crepe(&n->nn, &n->config, n->in));
    return rv_graph_status(n->graph, err);
}

static rv_status match(const rv_crepe_network *n, const char *path, rv_error *err)
{
    rv_expected *want = calloc(n->nn.n_params, sizeof *want);
    if (!want)
        return RV_FAIL(err, RV_ERR_NOMEM, "%zu parameters", n->nn.n_params);
    size_t i = 0;
    for (const nn_param *p = n->nn.params; p; p = p->next, i++) {
        want[i] = (rv_expected){ .name = p->name, .rank = p->node->shape.rank };
        memcpy(want[i].shape, p->node->shape.d, sizeof p->node->shape.d);
    }
    rv_error why = { 0 };
    const rv_status st = rv_checkpoint_match(n->checkpoint, want, i, &why);
    free(want);
    return st == RV_OK ? RV_OK
                       : RV_FAIL(err, st, "%s: CREPE's capacity '%s': %s", path,
                                 rv_crepe_capacity(&n->config), why.text);
}

static rv_status bind(rv_crepe_network *n, rv_error *err)
{
    n->converted = malloc((nn_count(&n->nn) + 1) * sizeof *n->converted);
    if (!n->converted)
        return RV_FAIL(err, RV_ERR_NOMEM, "%zu parameters", nn_count(&n->nn));
    float *next = n->converted;
    for (const nn_param *p = n->nn.params; p; p = p->next) {
        const rv_tensor *t = rv_checkpoint_find(n->checkpoint, p->name);
        const float *in_file = rv_checkpoint_view(n->checkpoint, t);
        if (!in_file)
            RV_TRY(rv_checkpoint_read(n->checkpoint, t, next, err));
        rv_plan_bind(n->plan, p->node, in_file ? in_file : next);
        next += in_file ? 0 : t->count;
    }
    return RV_OK;
}

static rv_status open_network(rv_crepe_network *n, const char *path, size_t batch, rv_pool *pool,
                              rv_error *err)
{
    RV_TRY(rv_checkpoint_open(&n->checkpoint, path, err));
    RV_TRY(rv_crepe_find_width(&n->config, n->checkpoint, path, err));
    RV_TRY(build(n, batch, err));
    RV_TRY(match(n, path, err));
    const rv_plan_options options = { .pool = pool, .isa_mask = KERN_ISA_ALL, .frozen = true };
    RV_TRY(rv_plan_new(&n->plan, n->graph, &options, err));
    RV_TRY(bind(n, err));
    rv_plan_prepare(n->plan);
    return RV_OK;
}

rv_status rv_crepe_network_open(rv_crepe_network **out, const char *path, size_t batch,
                                rv_pool *pool, rv_error *err)
{
    rv_crepe_network *n = calloc(1, sizeof *n);
    if (!n)
        return RV_FAIL(err, RV_ERR_NOMEM, "a network");
    const rv_status st = open_network(n, path, batch, pool, err);
    if (st != RV_OK) {
        rv_crepe_network_free(n);
        return st;
    }
    *out = n;
    return RV_OK;
}

void rv_crepe_network_free(rv_crepe_network *n)
{
    if (!n)
        return;
    rv_plan_free(n->plan);
    rv_graph_free(n->graph);
    rv_checkpoint_free(n->checkpoint);
    free(n->converted);
    free(n);
}

const rv_crepe_config *rv_crepe_network_config(const rv_crepe_network *n)
{
    return &n->config;
}

float *rv_crepe_network_frames(rv_crepe_network *n)
{
    return rv_value(n->plan, n->in);
}

const float *rv_crepe_network_run(rv_crepe_network *n)
{
    rv_plan_run(n->plan);
    return rv_value(n->plan, n->out);
}
