/* feature_separation.c - see feature_separation.h. */
#include "train/feature_separation.h"

static rv_shape shape_of(const rv_feature_separation *s, rv_feature_separation_input input)
{
    return input == RV_FEATURE_SEPARATION_MIX ? RV_SHAPE(1, s->frames * s->config->hop)
                                              : RV_SHAPE(1, s->frames, s->config->n_sources);
}

size_t rv_feature_separation_size(const rv_feature_separation *s, rv_feature_separation_input input)
{
    const rv_shape shape = shape_of(s, input);
    return rv_shape_count(&shape);
}

static rv_node *build(const void *ctx, nn_builder *b, rv_node *const *in, rv_node **estimate)
{
    const rv_feature_separation *s = ctx;
    const rv_mctn_features found = rv_mctn(b, s->config, in[RV_FEATURE_SEPARATION_MIX]);
    *estimate = rv_concat(2, 2, (rv_node *[]){ found.f0, found.loudness });
    const rv_feature_targets target = { in[RV_FEATURE_SEPARATION_F0],
                                        in[RV_FEATURE_SEPARATION_LOUDNESS],
                                        in[RV_FEATURE_SEPARATION_VOICED] };
    return rv_loss_features(&s->loss, s->config, &found, &target);
}

rv_status rv_feature_separation_learner(rv_learner **out, const rv_feature_separation *s,
                                        size_t batch, bool recompute, rv_pool *pool, rv_error *err)
{
    rv_learner_options options = {
        .build = build, .ctx = s, .batch = batch, .recompute = recompute, .pool = pool
    };
    for (int i = 0; i < RV_FEATURE_SEPARATION_INPUTS; i++)
        options.inputs[options.n_inputs++] = shape_of(s, i);
    return rv_learner_new(out, &options, err);
}
