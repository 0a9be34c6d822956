/* inverse_network.c - see inverse_network.h. */
#include "infer/inverse_network.h"

#include "base/status.h"
#include "infer/arguments.h"
#include "infer/weights.h"

#include <stdlib.h>
#include <string.h>

struct rv_inverse_network {
    rv_inverse_config config;
    rv_checkpoint *checkpoint;
    rv_weights weights;
    rv_graph *graph;
    nn_builder nn;
    rv_node *audio;
    rv_inverse out;
    rv_plan *plan;
};

static rv_status read_config(rv_inverse_network *n, const char *path, rv_error *err)
{
    const json_t *config = rv_checkpoint_config(n->checkpoint);
    const char *class = json_string_value(json_object_get(config, "class"));
    rv_args args;
    rv_arena arena;
    rv_error why = { 0 };
    if (!class || strcmp(class, RV_INVERSE_CLASS) != 0)
        return RV_FAIL(err, RV_ERR_UNSUPPORTED,
                       "%s: holds a model of the class '%.100s'; one that finds pitch (%s), as "
                       "`ravel train` makes of ddsp_inv, is expected",
                       path, class ? class : "", RV_INVERSE_CLASS);
    rv_arena_init(&arena, NULL);
    rv_status st = rv_arguments_read(&args, config, NULL, &arena, &why);
    if (st == RV_OK)
        st = rv_inverse_configure(&n->config, &args, &why);
    rv_arena_fini(&arena);
    return st == RV_OK ? RV_OK : RV_FAIL(err, st, "%s: %s", path, why.text);
}

static rv_status build(rv_inverse_network *n, size_t frames, rv_error *err)
{
    RV_TRY(rv_graph_new(&n->graph, NULL, err));
    nn_begin(&n->nn, n->graph);
    n->audio = rv_input(n->graph, RV_SHAPE(1, frames * n->config.sinusoidal.mel.hop));
    n->out = rv_inverse_encode(&n->nn, &n->config, n->audio);
    rv_node *const outputs[] = { n->out.harmonic.f0, n->out.harmonic.amplitude,
                                 n->out.harmonic.distribution, n->out.heard.magnitudes };
    for (size_t i = 0; i < sizeof outputs / sizeof *outputs; i++)
        rv_output(outputs[i]);
    return rv_graph_status(n->graph, err);
}

static rv_status open_network(rv_inverse_network *n, const char *path, rv_error *err)
{
    RV_TRY(rv_checkpoint_open(&n->checkpoint, path, err));
    RV_TRY(read_config(n, path, err));
    RV_TRY(build(n, 1, err));
    return rv_weights_take(&n->weights, n->checkpoint, &n->nn, path, err);
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
    rv_plan_free(n->plan);
    rv_graph_free(n->graph);
    rv_weights_free(&n->weights);
    rv_checkpoint_free(n->checkpoint);
    free(n);
}

const rv_inverse_config *rv_inverse_network_config(const rv_inverse_network *n)
{
    return &n->config;
}

rv_status rv_inverse_network_plan(rv_inverse_network *n, size_t frames, rv_pool *pool,
                                  rv_error *err)
{
    const rv_plan_options options = { .pool = pool, .isa_mask = KERN_ISA_ALL, .frozen = true };
    rv_plan_free(n->plan);
    n->plan = NULL;
    rv_graph_free(n->graph);
    n->graph = NULL;
    RV_TRY(build(n, frames, err));
    RV_TRY(rv_plan_new(&n->plan, n->graph, &options, err));
    size_t i = 0;
    for (const nn_param *p = n->nn.params; p; p = p->next)
        rv_plan_bind(n->plan, p->node, n->weights.value[i++]);
    rv_plan_prepare(n->plan);
    return RV_OK;
}

float *rv_inverse_network_audio(rv_inverse_network *n)
{
    return rv_value(n->plan, n->audio);
}

rv_inverse_heard rv_inverse_network_run(rv_inverse_network *n)
{
    rv_plan_run(n->plan);
    return (rv_inverse_heard){ .f0 = rv_value(n->plan, n->out.harmonic.f0),
                               .amplitude = rv_value(n->plan, n->out.harmonic.amplitude),
                               .distribution = rv_value(n->plan, n->out.harmonic.distribution),
                               .magnitudes = rv_value(n->plan, n->out.heard.magnitudes) };
}
