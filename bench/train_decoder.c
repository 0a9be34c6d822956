/* train_decoder.c - see train_decoder.h. The GRU wants the sequences of a batch side by side: its
 * weights are read once for all of them at each step. */
#include "train_decoder.h"

#include "base/rng.h"
#include "base/status.h"
#include "train/loss.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_PARAMS = 64 };

struct decoder_work {
    rv_graph *graph;
    nn_builder nn;
    rv_plan *plan;
    rv_pool *pool;
    rv_optimiser *optimiser;
    rv_node *in[3], *loss, *gradient[MOST_PARAMS];
    real *values, *gradients;
    size_t count;
};

static rv_status build(decoder_work *w, size_t batch, size_t frames, rv_error *err)
{
    const rv_decoder_config config = rv_decoder_defaults();
    rv_node *wrt[MOST_PARAMS];
    size_t i = 0;
    RV_TRY(rv_graph_new(&w->graph, NULL, err));
    nn_begin(&w->nn, w->graph);
    w->in[0] = rv_input(w->graph, RV_SHAPE(batch, frames, 1));
    w->in[1] = rv_input(w->graph, RV_SHAPE(batch, frames, 1));
    const rv_decoder_heads heads = rv_decoder(&w->nn, &config, w->in[0], w->in[1], NULL);
    rv_node *out = rv_concat(2, 2, (rv_node *[]){ heads.harmonic, heads.noise });
    w->in[2] = rv_input(w->graph, out->shape);
    w->loss = rv_output(rv_loss_l1(out, w->in[2]));
    if (w->nn.n_params > MOST_PARAMS)
        return RV_FAIL(err, RV_ERR_ARG, "%zu parameters", w->nn.n_params);
    for (const nn_param *p = w->nn.params; p; p = p->next)
        wrt[i++] = p->node;
    rv_grad(w->loss, wrt, w->gradient, i);
    w->count = nn_count(&w->nn);
    return rv_graph_status(w->graph, err);
}

static void fill(decoder_work *w)
{
    real *at = w->values;
    for (const nn_param *p = w->nn.params; p; p = p->next) {
        nn_initialise(p, 1, at);
        rv_plan_bind(w->plan, p->node, at);
        at += rv_shape_count(&p->node->shape);
    }
    for (size_t k = 0; k < 3; k++)
        for (size_t i = 0; i < rv_shape_count(&w->in[k]->shape); i++)
            rv_value(w->plan, w->in[k])[i] = (real)(rv_rng_uniform(2, k, i) - 0.5);
}

static rv_status init(decoder_work *w, size_t batch, size_t frames, rv_error *err)
{
    RV_TRY(build(w, batch, frames, err));
    const rv_plan_options options = { .pool = w->pool, .isa_mask = KERN_ISA_ALL };
    RV_TRY(rv_plan_new(&w->plan, w->graph, &options, err));
    w->values = calloc(w->count, sizeof *w->values);
    w->gradients = calloc(w->count, sizeof *w->gradients);
    if (!w->values || !w->gradients)
        return RV_FAIL(err, RV_ERR_NOMEM, "%zu parameters", w->count);
    fill(w);
    const rv_optimiser_config adam = rv_optimiser_defaults(RV_ADAM);
    const rv_span all = { .name = "all", .count = w->count };
    return rv_optimiser_new(&w->optimiser, &adam, &all, 1, NULL, err);
}

rv_status decoder_work_new(decoder_work **out, size_t batch, size_t frames, rv_pool *pool,
                           rv_error *err)
{
    decoder_work *w = calloc(1, sizeof *w);
    if (!w)
        return RV_FAIL(err, RV_ERR_NOMEM, "a decoder");
    w->pool = pool;
    const rv_status st = init(w, batch, frames, err);
    if (st != RV_OK)
        decoder_work_free(w);
    *out = st == RV_OK ? w : NULL;
    return st;
}

void decoder_work_free(decoder_work *w)
{
    if (!w)
        return;
    rv_optimiser_free(w->optimiser);
    rv_plan_free(w->plan);
    rv_graph_free(w->graph);
    free(w->values);
    free(w->gradients);
    free(w);
}

bool decoder_work_step(decoder_work *w, double *loss)
{
    real *at = w->gradients;
    rv_plan_run(w->plan);
    for (size_t i = 0; i < w->nn.n_params; i++) {
        const size_t n = rv_shape_count(&w->gradient[i]->shape);
        memcpy(at, rv_value(w->plan, w->gradient[i]), n * sizeof *at);
        at += n;
    }
    *loss = (double)*rv_value(w->plan, w->loss);
    return rv_optimiser_step(w->optimiser, w->values, w->gradients, 1e-3, w->pool, NULL);
}

size_t decoder_work_count(const decoder_work *w)
{
    return w->count;
}

size_t decoder_work_bytes(const decoder_work *w)
{
    return rv_plan_bytes(w->plan) + 2 * w->count * sizeof(real);
}
