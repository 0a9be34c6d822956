/* refinement.c - see refinement.h. The examples of a step lie side by side in one graph, as the GRU
 * wants them. */
#include "train/refinement.h"

static rv_shape shape_of(const rv_refinement *r, rv_refinement_input input)
{
    const bool frames = input == RV_REFINEMENT_LOUDNESS || input == RV_REFINEMENT_F0;
    return frames ? RV_SHAPE(1, r->frames, 1) : RV_SHAPE(1, r->frames * r->config->hop);
}

size_t rv_refinement_size(const rv_refinement *r, rv_refinement_input input)
{
    const rv_shape shape = shape_of(r, input);
    return rv_shape_count(&shape);
}

static rv_node *build(const void *ctx, nn_builder *b, rv_node *const *in, rv_node **estimate)
{
    const rv_refinement *r = ctx;
    rv_node *target = in[RV_REFINEMENT_TARGET];
    const rv_refiner_inputs inputs = { .stem = in[RV_REFINEMENT_STEM],
                                       .f0 = in[RV_REFINEMENT_F0],
                                       .loudness = in[RV_REFINEMENT_LOUDNESS],
                                       .noise = in[RV_REFINEMENT_NOISE] };
    const rv_shape signals = RV_SHAPE(rv_extent(target, 0), rv_extent(target, 1), 1);
    *estimate = rv_refiner(b, r->config, &inputs);
    return rv_loss_build(r->loss, rv_reshape(*estimate, signals), rv_reshape(target, signals), 1,
                         (double)r->config->sample_rate);
}

rv_status rv_refinement_learner(rv_learner **out, const rv_refinement *r, size_t batch,
                                bool recompute, rv_pool *pool, rv_error *err)
{
    rv_learner_options options = { .build = build,
                                   .ctx = r,
                                   .n_inputs = RV_REFINEMENT_INPUTS,
                                   .batch = batch,
                                   .together = batch,
                                   .recompute = recompute,
                                   .pool = pool };
    for (int i = 0; i < RV_REFINEMENT_INPUTS; i++)
        options.inputs[i] = shape_of(r, i);
    return rv_learner_new(out, &options, err);
}
