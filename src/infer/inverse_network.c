/* inverse_network.c - see inverse_network.h. */
#include "infer/inverse_network.h"

#include "base/status.h"
#include "infer/trained_graph.h"

#include <stdlib.h>
#include <string.h>

struct rv_inverse_network {
    rv_inverse_config config;
    rv_trained_graph trained;
    rv_node *audio;
    rv_inverse out;
};

static rv_status configure(void *to, const rv_args *args, rv_error *err)
{
    return rv_inverse_configure(to, args, err);
}

static rv_status read_config(rv_inverse_network *n, const char *path, rv_error *err)
{
    const char *class = rv_trained_graph_class(&n->trained);
    if (strcmp(class, RV_INVERSE_CLASS) != 0)
        return RV_FAIL(err, RV_ERR_UNSUPPORTED,
                       "%s: holds a model of the class '%.100s'; one that finds pitch (%s), as "
                       "`ravel train` makes of ddsp_inv, is expected",
                       path, class, RV_INVERSE_CLASS);
    return rv_trained_graph_configure(&n->trained, path, configure, &n->config, err);
}

static rv_status build(rv_inverse_network *n, size_t frames, rv_error *err)
{
    rv_trained_graph *t = &n->trained;
    RV_TRY(rv_trained_graph_begin(t, err));
    n->audio = rv_input(t->graph, RV_SHAPE(1, frames * n->config.sinusoidal.mel.hop));
    n->out = rv_inverse_encode(&t->nn, &n->config, n->audio);
    rv_node *const outputs[] = { n->out.harmonic.f0, n->out.harmonic.amplitude,
                                 n->out.harmonic.distribution, n->out.heard.magnitudes };
    for (size_t i = 0; i < sizeof outputs / sizeof *outputs; i++)
        rv_output(outputs[i]);
    return rv_graph_status(t->graph, err);
}

static rv_status open_network(rv_inverse_network *n, const char *path, rv_error *err)
{
    RV_TRY(rv_checkpoint_open(&n->trained.checkpoint, path, err));
    RV_TRY(read_config(n, path, err));
    RV_TRY(build(n, 1, err));
    return rv_trained_graph_take(&n->trained, path, err);
}

rv_status rv_inverse_network_open(rv_inverse_network **out, const char *path, rv_error *err)
{
    rv_inverse_network *n = calloc(1, sizeof *n);
    if (!n)
        return RV_FAIL(err, RV_ERR_NOMEM, "a network");
    const rv_status st = open_network(n, path, err);
    if (st != RV_OK) {
        rv_inverse_network_free(n);
        return st;
    }
    *out = n;
    return RV_OK;
}

void rv_inverse_network_free(rv_inverse_network *n)
{
    if (!n)
        return;
    rv_trained_graph_release(&n->trained);
    free(n);
}

const rv_inverse_config *rv_inverse_network_config(const rv_inverse_network *n)
{
    return &n->config;
}

rv_status rv_inverse_network_plan(rv_inverse_network *n, size_t frames, rv_pool *pool,
                                  rv_error *err)
{
    RV_TRY(build(n, frames, err));
    return rv_trained_graph_plan(&n->trained, pool, err);
}

float *rv_inverse_network_audio(rv_inverse_network *n)
{
    return rv_value(n->trained.plan, n->audio);
}

rv_inverse_heard rv_inverse_network_run(rv_inverse_network *n)
{
    rv_plan_run(n->trained.plan);
    return (rv_inverse_heard){ .f0 = rv_value(n->trained.plan, n->out.harmonic.f0),
                               .amplitude = rv_value(n->trained.plan, n->out.harmonic.amplitude),
                               .distribution =
                                   rv_value(n->trained.plan, n->out.harmonic.distribution),
                               .magnitudes = rv_value(n->trained.plan, n->out.heard.magnitudes) };
}
