/* resynthesis.c - see resynthesis.h. */
#include "train/resynthesis.h"

static bool has_noise(const rv_autoencoder_config *c)
{
    return c->reverb == RV_REVERB_DECAY || c->reverb == RV_REVERB_NOISE;
}

static rv_shape shape_of(const rv_resynthesis *r, rv_resynthesis_input input)
{
    const rv_autoencoder_config *c = r->config;
    switch (input) {
    case RV_RESYNTHESIS_LOUDNESS:
    case RV_RESYNTHESIS_F0:
        return RV_SHAPE(1, r->frames, 1);
    case RV_RESYNTHESIS_REVERB_NOISE:
        return RV_SHAPE(1, has_noise(c) ? c->reverb_length : 1);
    case RV_RESYNTHESIS_MFCC:
        return RV_SHAPE(1, r->frames, RV_AUTOENCODER_MFCC);
    default:
        return RV_SHAPE(1, r->frames * c->hop);
    }
}

size_t rv_resynthesis_size(const rv_resynthesis *r, rv_resynthesis_input input)
{
    const rv_shape shape = shape_of(r, input);
    const bool there = input != RV_RESYNTHESIS_MFCC || r->config->z_encoder != RV_Z_NONE;
    return there ? rv_shape_count(&shape) : 0;
}

static rv_node *build(const void *ctx, nn_builder *b, rv_node *const *in, rv_node **estimate)
{
    const rv_resynthesis *r = ctx;
    const rv_autoencoder_config *c = r->config;
    const rv_mel_config mel = rv_autoencoder_mel_config(c);
    const bool learned = c->f0_encoder == RV_F0_LEARNED;
    rv_node *target = in[RV_RESYNTHESIS_AUDIO];
    const rv_autoencoder_inputs inputs = {
        .f0 = learned ? NULL : in[RV_RESYNTHESIS_F0],
        .mel = learned ? rv_log_mel(target, &mel) : NULL,
        .loudness = in[RV_RESYNTHESIS_LOUDNESS],
        .mfcc = c->z_encoder != RV_Z_NONE ? in[RV_RESYNTHESIS_MFCC] : NULL,
        .noise = in[RV_RESYNTHESIS_NOISE],
        .reverb_noise = in[RV_RESYNTHESIS_REVERB_NOISE],
    };
    const rv_shape signals = RV_SHAPE(rv_extent(target, 0), rv_extent(target, 1), 1);
    *estimate = rv_autoencoder(b, c, &inputs).audio;
    return rv_loss_build(r->loss, rv_reshape(*estimate, signals), rv_reshape(target, signals), 1,
                         (double)c->sample_rate);
}

rv_status rv_resynthesis_learner(rv_learner **out, const rv_resynthesis *r, size_t batch,
                                 bool recompute, rv_pool *pool, rv_error *err)
{
    rv_learner_options options = {
        .build = build,
        .ctx = r,
        .shared = { [RV_RESYNTHESIS_REVERB_NOISE] = true },
        .batch = batch,
        .together = batch,
        .recompute = recompute,
        .pool = pool,
    };
    for (int i = 0; i < RV_RESYNTHESIS_INPUTS && rv_resynthesis_size(r, i) > 0; i++)
        options.inputs[options.n_inputs++] = shape_of(r, i);
    return rv_learner_new(out, &options, err);
}
