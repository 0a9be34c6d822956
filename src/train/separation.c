/* separation.c - see separation.h. */
#include "train/separation.h"

size_t rv_separation_scored(const rv_separation *s)
{
    return s->scored ? s->scored : s->frames;
}

/* The frames in the middle of x [1,T,C] that are scored. */
static rv_node *middle(rv_node *x, const rv_separation *s)
{
    const size_t scored = rv_separation_scored(s);
    return scored == s->frames ? x : rv_slice(x, 1, (s->frames - scored) / 2, scored);
}

static rv_node *build(const void *ctx, nn_builder *b, rv_node *const *in, rv_node **estimate)
{
    const rv_separation *s = ctx;
    *estimate = s->def->build(b, s->config, s->info, in[0]);
    return s->loss(s->loss_ctx, middle(*estimate, s), middle(in[1], s));
}

rv_status rv_separation_learner(rv_learner **out, const rv_separation *s, size_t batch,
                                bool recompute, rv_pool *pool, rv_error *err)
{
    const size_t channels = s->info->channels;
    const rv_learner_options options = {
        .build = build,
        .ctx = s,
        .inputs = { RV_SHAPE(1, s->frames, channels),
                    RV_SHAPE(1, s->frames, s->info->n_stems * channels) },
        .n_inputs = 2,
        .batch = batch,
        .recompute = recompute,
        .pool = pool,
    };
    return rv_learner_new(out, &options, err);
}
