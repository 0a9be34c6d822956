/* transformer.c - the cross-domain transformer encoder of HT Demucs.
 *
 *   S. Rouard, F. Massa and A. Defossez, "Hybrid transformers for music source
 *   separation", ICASSP 2023. arXiv:2211.08553 (section 3.2)
 *   A. Vaswani et al., "Attention is all you need", 2017. arXiv:1706.03762
 *
 * Both branches become sequences of tokens: the frequency branch of T F tokens, the time
 * branch of T'. Layers within a branch (self-attention) and across them (queries from one
 * branch, keys and values from the other) take turns. Positions are told by sines: in two
 * dimensions for the frequency branch, half of the channels each.
 *
 * The phases of the sines are rounded to float step by step, as they were when the
 * checkpoints were trained: at thousands of radians that shows in the fifth digit. */
#include "transformer.h"

#include "base/status.h"
#include "demucs_blocks.h"

#include <math.h>

/* Positions ---------------------------------------------------------------------------- */

/* [T,C]: channel k is cos(t / P^(k / (C/2 - 1))) in the first half, sin in the second. */
static rv_node *sine_positions(nn_builder *b, const transformer_config *c, size_t steps,
                               size_t channels)
{
    rv_node *table = rv_constant(b->graph, RV_SHAPE(steps, channels));
    const size_t half = channels / 2;
    const bool centre = c->positions == TRANSFORMER_CAPE && c->centre_positions;
    const float middle = centre ? (float)((double)(steps - 1) / 2) : 0;
    if (!table->constant)
        return table;
    for (size_t k = 0; k < half; k++) {
        const float power = (float)((double)k / (double)(half - 1));
        const float divisor = (float)pow(c->max_period, (double)power);
        for (size_t t = 0; t < steps; t++) {
            const double phase = (double)(((float)t - middle) / divisor);
            table->constant[t * channels + k] = (real)cos(phase);
            table->constant[t * channels + half + k] = (real)sin(phase);
        }
    }
    return table;
}

/* [n,C], zero but for C/2 channels from `from`: 2k is sin(i P^(-2k / (C/2))), 2k + 1 cos. */
static rv_node *axis_positions(nn_builder *b, const transformer_config *c, rv_shape shape,
                               size_t from)
{
    rv_node *table = rv_constant(b->graph, shape);
    const size_t n = shape.d[0], channels = shape.d[shape.rank - 1], half = channels / 2;
    if (!table->constant)
        return table;
    for (size_t k = 0; k < half; k += 2) {
        const float exponent = (float)k * (float)-(log(c->max_period) / (double)half);
        const float factor = (float)exp((double)exponent);
        for (size_t i = 0; i < n; i++) {
            real *at = table->constant + i * channels + from + k;
            const double phase = (double)((float)i * factor);
            at[0] = (real)sin(phase);
            at[1] = (real)cos(phase);
        }
    }
    return table;
}

/* x [1,T,F,C] */
static rv_node *add_positions_2d(nn_builder *b, const transformer_config *c, rv_node *x)
{
    const size_t steps = rv_extent(x, 1), bands = rv_extent(x, 2), channels = rv_extent(x, 3);
    rv_node *time = axis_positions(b, c, RV_SHAPE(steps, 1, channels), 0);
    rv_node *band = axis_positions(b, c, RV_SHAPE(bands, channels), channels / 2);
    x = rv_add(x, rv_scale(time, c->position_weight, 0));
    return rv_add(x, rv_scale(band, c->position_weight, 0));
}

/* xt [1,T,C] */
static rv_node *add_positions(nn_builder *b, const transformer_config *c, rv_node *xt)
{
    const size_t steps = rv_extent(xt, 1), channels = rv_extent(xt, 2);
    if (c->positions != TRANSFORMER_LEARNED)
        return rv_add(xt, rv_scale(sine_positions(b, c, steps, channels), c->position_weight, 0));
    const double boost = 3, start = 0.2 / boost;
    rv_node *table =
        nn_param_new(b, "position_embeddings.embedding.weight",
                     RV_SHAPE(c->max_positions, channels), (nn_start){ NN_NORMAL, start });
    if (steps > c->max_positions)
        return rv_poison(b->graph, RV_ERR_SHAPE, __func__,
                         "%zu time steps, the model knows %zu positions", steps, c->max_positions);
    return rv_add(xt, rv_scale(rv_slice(table, 0, 0, steps), boost * c->position_weight, 0));
}

/* Layers ------------------------------------------------------------------------------- */

/* x [1,N,C]: layer norm, or group norm over all tokens. */
static rv_node *norm(nn_builder *b, const char *name, rv_node *x, size_t groups)
{
    return groups ? nn_group_norm(b, name, x, groups, false) : nn_layer_norm(b, name, x);
}

/* Multi-head attention of the queries x [1,N,C] over y [1,M,C] -> [1,N,C]. The projections
 * of queries, keys and values lie in one matrix [3C,C]; for x == y they are one product. */
static rv_node *attention(nn_builder *b, const transformer_config *c, const char *name, rv_node *x,
                          rv_node *y)
{
    const size_t width = rv_extent(x, 2), mark = nn_enter(b, "%s", name);
    const nn_start start = { NN_UNIFORM, sqrt(6.0 / (double)(4 * width)) };
    rv_node *weight = nn_param_new(b, "in_proj_weight", RV_SHAPE(3 * width, width), start);
    rv_node *bias = nn_param_new(b, "in_proj_bias", RV_SHAPE(3 * width), (nn_start){ NN_FILL, 0 });
    rv_node *q, *kv;
    if (x == y) {
        rv_node *all = rv_linear(x, weight, bias);
        q = rv_slice(all, 2, 0, width);
        kv = rv_slice(all, 2, width, 2 * width);
    } else {
        q = rv_linear(x, rv_slice(weight, 0, 0, width), rv_slice(bias, 0, 0, width));
        kv = rv_linear(y, rv_slice(weight, 0, width, 2 * width),
                       rv_slice(bias, 0, width, 2 * width));
    }
    rv_node *k = rv_slice(kv, 2, 0, width), *v = rv_slice(kv, 2, width, width);
    rv_node *out = rv_attention(q, k, v, NULL, c->heads, false);
    nn_param *const *first = b->tail;
    out = nn_linear(b, "out_proj", out, width, true);
    if (*first && (*first)->next)
        (*first)->next->start = (nn_start){ NN_FILL, 0 };
    nn_leave(b, mark);
    return out;
}

static rv_node *feed_forward(nn_builder *b, const transformer_config *c, rv_node *x)
{
    const size_t width = rv_extent(x, 2);
    rv_node *h = nn_linear(b, "linear1", x, (size_t)((double)width * c->hidden_scale), true);
    return nn_linear(b, "linear2", c->gelu ? rv_gelu(h) : rv_relu(h), width, true);
}

static rv_node *scaled(nn_builder *b, const transformer_config *c, const char *name, rv_node *x)
{
    return c->layer_scale ? demucs_layer_scale(b, name, x, 1e-4) : x;
}

/* Queries from x [1,N,C]; keys and values from y [1,M,C], or from x itself where y is NULL.
 * Across branches the norms are numbered 1 for x, 2 for y, 3 for the feed-forward part; with
 * norms at the end (norm_first false) the third has weights, but no use. */
static rv_node *layer_norm_first(nn_builder *b, const transformer_config *c, rv_node *x, rv_node *y)
{
    rv_node *query = norm(b, "norm1", x, c->group_norm);
    rv_node *key = y ? norm(b, "norm2", y, c->group_norm) : query;
    x = rv_add(
        x, scaled(b, c, "gamma_1", attention(b, c, y ? "cross_attn" : "self_attn", query, key)));
    rv_node *h = norm(b, y ? "norm3" : "norm2", x, c->group_norm);
    x = rv_add(x, scaled(b, c, "gamma_2", feed_forward(b, c, h)));
    return c->norm_out ? nn_group_norm(b, "norm_out", x, c->norm_out, false) : x;
}

static rv_node *layer_norm_last(nn_builder *b, const transformer_config *c, rv_node *x, rv_node *y)
{
    rv_node *h = attention(b, c, y ? "cross_attn" : "self_attn", x, y ? y : x);
    x = norm(b, "norm1", rv_add(x, scaled(b, c, "gamma_1", h)), c->group_norm);
    h = scaled(b, c, "gamma_2", feed_forward(b, c, x));
    if (y)
        norm(b, "norm3", x, c->group_norm);
    return norm(b, "norm2", rv_add(x, h), c->group_norm);
}

static rv_node *layer(nn_builder *b, const transformer_config *c, const char *list, size_t i,
                      rv_node *x, rv_node *y)
{
    const size_t mark = nn_enter(b, "%s.%zu", list, i);
    x = c->norm_first ? layer_norm_first(b, c, x, y) : layer_norm_last(b, c, x, y);
    nn_leave(b, mark);
    return x;
}

static rv_node *norm_in(nn_builder *b, const transformer_config *c, const char *name, rv_node *x)
{
    if (c->norm_in)
        return nn_layer_norm(b, name, x);
    return c->norm_in_group ? nn_group_norm(b, name, x, c->norm_in_group, false) : x;
}

void cross_transformer(nn_builder *b, const transformer_config *c, rv_node **x, rv_node **xt)
{
    const rv_shape shape = (*x)->shape;
    const size_t mark = nn_enter(b, "crosstransformer"), width = rv_extent(*x, 3);
    if (width % c->heads || width % 4 || width < 4 || rv_extent(*xt, 2) != width) {
        *x = *xt = rv_poison(b->graph, RV_ERR_SHAPE, __func__, "%zu and %zu channels for %zu heads",
                             width, rv_extent(*xt, 2), c->heads);
        return;
    }
    const rv_shape tokens = RV_SHAPE(1, rv_extent(*x, 1) * rv_extent(*x, 2), width);
    rv_node *z = add_positions_2d(b, c, norm_in(b, c, "norm_in", *x));
    rv_node *zt = add_positions(b, c, norm_in(b, c, "norm_in_t", *xt));
    z = rv_reshape(z, tokens);
    for (size_t i = 0; i < c->layers; i++) {
        const bool across = (i % 2 == 0) == c->cross_first;
        rv_node *old = z;
        z = layer(b, c, "layers", i, z, across ? zt : NULL);
        zt = layer(b, c, "layers_t", i, zt, across ? old : NULL);
    }
    nn_leave(b, mark);
    *x = rv_reshape(z, shape);
    *xt = zt;
}
