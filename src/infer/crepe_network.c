/* crepe_network.c - see crepe_network.h. */
#include "infer/crepe_network.h"

#include "base/status.h"
#include "infer/trained_graph.h"

#include <stdlib.h>

enum { FIRST_FILTERS = 32 };

struct rv_crepe_network {
    rv_crepe_config config;
    rv_trained_graph trained;
    rv_node *in, *out;
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
    rv_trained_graph *t = &n->trained;
    RV_TRY(rv_trained_graph_begin(t, err));
    n->in = rv_input(t->graph, RV_SHAPE(batch, RV_CREPE_WINDOW));
    n->out = rv_output(rv_crepe(&t->nn, &n->config, n->in));
    return rv_graph_status(t->graph, err);
}

static rv_status open_network(rv_crepe_network *n, const char *path, size_t batch, rv_pool *pool,
                              rv_error *err)
{
    RV_TRY(rv_checkpoint_open(&n->trained.checkpoint, path, err));
    RV_TRY(rv_crepe_find_width(&n->config, n->trained.checkpoint, path, err));
    RV_TRY(build(n, batch, err));
    RV_TRY(rv_trained_graph_take(&n->trained, path, err));
    return rv_trained_graph_plan(&n->trained, pool, err);
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
    rv_trained_graph_release(&n->trained);
    free(n);
}

const rv_crepe_config *rv_crepe_network_config(const rv_crepe_network *n)
{
    return &n->config;
}

float *rv_crepe_network_frames(rv_crepe_network *n)
{
    return rv_value(n->trained.plan, n->in);
}

const float *rv_crepe_network_run(rv_crepe_network *n)
{
    rv_plan_run(n->trained.plan);
    return rv_value(n->trained.plan, n->out);
}
