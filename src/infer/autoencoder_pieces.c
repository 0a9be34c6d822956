/* autoencoder_pieces.c - graphs of parts of an autoencoder, planned with frozen weights. */
#include "base/rng.h"
#include "base/status.h"
#include "infer/autoencoder_network_impl.h"

#include <stdlib.h>
#include <string.h>

struct rv_autoencoder_piece {
    rv_graph *graph;
    nn_builder nn;
    rv_plan *plan;
};

typedef struct rv_autoencoder_piece piece;

static rv_status piece_new(piece **out, rv_error *err)
{
    piece *p = *out = calloc(1, sizeof *p);
    if (!p)
        return RV_FAIL(err, RV_ERR_NOMEM, "a piece of a network");
    RV_TRY(rv_graph_new(&p->graph, NULL, err));
    nn_begin(&p->nn, p->graph);
    return RV_OK;
}

void rv_autoencoder_piece_run(piece *p)
{
    rv_plan_run(p->plan);
}

void rv_autoencoder_piece_free(piece *p)
{
    if (!p)
        return;
    rv_plan_free(p->plan);
    rv_graph_free(p->graph);
    free(p);
}

static const float *weight_of(const rv_autoencoder_network *n, const char *name)
{
    size_t i = 0;
    for (const nn_param *p = n->all.params; p; p = p->next, i++)
        if (!strcmp(p->name, name))
            return n->weights.value[i];
    return NULL;
}

static rv_status plan(piece *p, const rv_autoencoder_network *n, rv_pool *pool, rv_error *err)
{
    const rv_plan_options options = { .pool = pool, .isa_mask = KERN_ISA_ALL, .frozen = true };
    RV_TRY(rv_graph_status(p->graph, err));
    RV_TRY(rv_plan_new(&p->plan, p->graph, &options, err));
    for (const nn_param *i = p->nn.params; i; i = i->next)
        rv_plan_bind(p->plan, i->node, weight_of(n, i->name));
    rv_plan_prepare(p->plan);
    return RV_OK;
}

static rv_autoencoder_inputs new_inputs(rv_graph *g, const rv_autoencoder_config *c, size_t frames)
{
    return (rv_autoencoder_inputs){
        .f0 = rv_input(g, RV_SHAPE(1, frames, 1)),
        .loudness = rv_input(g, RV_SHAPE(1, frames, 1)),
        .noise = rv_input(g, RV_SHAPE(1, frames * c->hop)),
        .voice = rv_input(g, RV_SHAPE(1, frames, 1)),
        .phase = rv_input(g, RV_SHAPE(1, 1)),
        .state = rv_input(g, RV_SHAPE(1, c->decoder.hidden_size)),
        .z = c->decoder.z ? rv_input(g, RV_SHAPE(1, frames, c->decoder.z)) : NULL,
    };
}

/* The whole ------------------------------------------------------------------------------- */

rv_status rv_autoencoder_list(rv_autoencoder_network *n, rv_error *err)
{
    const rv_autoencoder_config *c = &n->config;
    RV_TRY(rv_graph_new(&n->graph, NULL, err));
    nn_begin(&n->all, n->graph);
    rv_autoencoder_inputs in = new_inputs(n->graph, c, 1);
    in.z = NULL;
    in.mfcc = rv_input(n->graph, RV_SHAPE(1, 1, RV_AUTOENCODER_MFCC));
    in.mel = rv_input(n->graph, RV_SHAPE(1, 1, c->features.mel_bands));
    in.reverb_noise = rv_input(n->graph, RV_SHAPE(1, c->reverb_length));
    rv_autoencoder(&n->all, c, &in);
    return rv_graph_status(n->graph, err);
}

/* Decoder and synthesisers ----------------------------------------------------------------- */

static rv_status build_block(rv_autoencoder_block *b, const rv_autoencoder_network *n,
                             rv_pool *pool, rv_error *err)
{
    RV_TRY(piece_new(&b->piece, err));
    const rv_autoencoder_inputs in = new_inputs(b->piece->graph, &n->config, b->frames);
    const rv_autoencoder_signals s = rv_autoencoder_dry(&b->piece->nn, &n->config, &in);
    rv_node *const out[] = { s.harmonic_audio, s.noise_audio, s.amplitude,
                             s.distribution,   s.magnitudes,  s.state };
    for (size_t i = 0; i < sizeof out / sizeof *out; i++)
        rv_output(out[i]);
    RV_TRY(plan(b->piece, n, pool, err));
    const rv_plan *p = b->piece->plan;
    float **const inputs[] = { &b->f0, &b->loudness, &b->voice, &b->noise, &b->phase, &b->state };
    rv_node *const nodes[] = { in.f0, in.loudness, in.voice, in.noise, in.phase, in.state };
    for (size_t i = 0; i < sizeof nodes / sizeof *nodes; i++)
        *inputs[i] = rv_value(p, nodes[i]);
    b->z = in.z ? rv_value(p, in.z) : NULL;
    const float **const outputs[] = { &b->harmonic_audio, &b->noise_audio, &b->amplitude,
                                      &b->distribution,   &b->magnitudes,  &b->states };
    for (size_t i = 0; i < sizeof out / sizeof *out; i++)
        *outputs[i] = rv_value(p, out[i]);
    return RV_OK;
}

rv_status rv_autoencoder_block_init(rv_autoencoder_block *b, const rv_autoencoder_network *n,
                                    size_t frames, rv_pool *pool, rv_error *err)
{
    *b = (rv_autoencoder_block){ .frames = frames };
    const rv_status st = build_block(b, n, pool, err);
    if (st != RV_OK) {
        rv_autoencoder_piece_free(b->piece);
        b->piece = NULL;
    }
    return st;
}

/* Timbre ----------------------------------------------------------------------------------- */

static rv_status build_timbre(rv_autoencoder_timbre *t, const rv_autoencoder_network *n,
                              rv_pool *pool, rv_error *err)
{
    RV_TRY(piece_new(&t->piece, err));
    rv_autoencoder_inputs in = { 0 };
    in.mfcc = rv_input(t->piece->graph, RV_SHAPE(1, t->rows, RV_AUTOENCODER_MFCC));
    rv_node *z = rv_output(rv_autoencoder_encode(&t->piece->nn, &n->config, &in, t->frames).z);
    RV_TRY(plan(t->piece, n, pool, err));
    t->mfcc = rv_value(t->piece->plan, in.mfcc);
    t->z = rv_value(t->piece->plan, z);
    return RV_OK;
}

rv_status rv_autoencoder_timbre_init(rv_autoencoder_timbre *t, const rv_autoencoder_network *n,
                                     size_t rows, size_t frames, rv_pool *pool, rv_error *err)
{
    *t = (rv_autoencoder_timbre){ .rows = rows, .frames = frames };
    const rv_status st = build_timbre(t, n, pool, err);
    if (st != RV_OK) {
        rv_autoencoder_piece_free(t->piece);
        t->piece = NULL;
    }
    return st;
}

/* Pitch ------------------------------------------------------------------------------------ */

static rv_status build_pitch(rv_autoencoder_pitch *f, const rv_autoencoder_network *n,
                             rv_pool *pool, rv_error *err)
{
    RV_TRY(piece_new(&f->piece, err));
    const rv_mel_config mel = rv_autoencoder_mel_config(&n->config);
    rv_node *audio = rv_input(f->piece->graph, RV_SHAPE(1, f->frames * n->config.hop));
    const rv_autoencoder_inputs in = { .mel = rv_log_mel(audio, &mel) };
    rv_node *f0 = rv_autoencoder_encode(&f->piece->nn, &n->config, &in, f->frames).f0;
    rv_output(f0);
    RV_TRY(plan(f->piece, n, pool, err));
    f->audio = rv_value(f->piece->plan, audio);
    f->f0 = rv_value(f->piece->plan, f0);
    return RV_OK;
}

rv_status rv_autoencoder_pitch_init(rv_autoencoder_pitch *f, const rv_autoencoder_network *n,
                                    size_t frames, rv_pool *pool, rv_error *err)
{
    *f = (rv_autoencoder_pitch){ .frames = frames };
    const rv_status st = build_pitch(f, n, pool, err);
    if (st != RV_OK) {
        rv_autoencoder_piece_free(f->piece);
        f->piece = NULL;
    }
    return st;
}

/* Room ------------------------------------------------------------------------------------- */

static rv_status run_room(piece *p, const rv_autoencoder_network *n, uint64_t seed, float **taps,
                          size_t *n_taps, rv_error *err)
{
    rv_node *noise = rv_input(p->graph, RV_SHAPE(1, n->config.reverb_length));
    rv_node *response = rv_autoencoder_response(&p->nn, &n->config, noise);
    if (!response)
        return RV_OK;
    rv_output(response);
    RV_TRY(plan(p, n, NULL, err));
    float *from = rv_value(p->plan, noise);
    for (size_t i = 0; from && i < n->config.reverb_length; i++)
        from[i] = (float)(2 * rv_rng_uniform(seed, 1, i) - 1);
    rv_plan_run(p->plan);
    const size_t length = rv_extent(response, 1);
    *taps = malloc(length * sizeof **taps);
    if (!*taps)
        return RV_FAIL(err, RV_ERR_NOMEM, "a room of %zu samples", length);
    memcpy(*taps, rv_value(p->plan, response), length * sizeof **taps);
    (*taps)[0] = 1;
    *n_taps = length;
    return RV_OK;
}

rv_status rv_autoencoder_room(const rv_autoencoder_network *n, uint64_t seed, float **taps,
                              size_t *n_taps, rv_error *err)
{
    piece *p = NULL;
    *taps = NULL;
    *n_taps = 0;
    rv_status st = piece_new(&p, err);
    if (st == RV_OK)
        st = run_room(p, n, seed, taps, n_taps, err);
    rv_autoencoder_piece_free(p);
    return st;
}
