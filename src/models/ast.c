/* ast.c - the Audio Spectrogram Transformer, as an encoder.
 *
 *   Y. Gong, Y.-A. Chung and J. Glass, "AST: Audio Spectrogram Transformer", Interspeech 2021
 *   arXiv:2104.01778
 *   H. Touvron et al., "Training data-efficient image transformers & distillation through
 *   attention", ICML 2021. arXiv:2012.12877
 *
 *   patches      of 16 x 16 every 10 frames and bands, one vector of D each; lowest bands first
 *   two tokens   for the class and for distillation, in front of them
 *   positions    one learned vector for each place
 *   layers       x + attention(norm x), x + mlp(norm x), mlp: D -> 4 D -> D with GELU
 *   norm         of all tokens
 *
 * Positions learned for another size are cut (from the middle) where the input has fewer patches
 * along an axis, else interpolated, each time the graph runs: so checkpoints of any size fit as
 * they are. Weights of patches learned on images count for the sum of the three colours. */
#include "models/ast.h"

#include "base/status.h"
#include "models/interpolation.h"

#include <string.h>

enum { TOKENS = 2, MLP = 4 };

static const double deviation = 0.02, eps = 1e-6;

rv_ast_config rv_ast_sized(const char *size)
{
    static const struct {
        const char *name;
        size_t width, heads;
    } sizes[] = { { "tiny", 192, 3 }, { "small", 384, 6 }, { "base", 768, 12 } };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        if (!strcmp(size, sizes[i].name))
            return (rv_ast_config){ .width = sizes[i].width,
                                    .layers = 12,
                                    .heads = sizes[i].heads,
                                    .patch = 16,
                                    .stride_frequency = 10,
                                    .stride_time = 10,
                                    .colours = 1 };
    return (rv_ast_config){ 0 };
}

size_t rv_ast_patches(const rv_ast_config *c, size_t stride, size_t n)
{
    return n < c->patch ? 0 : (n - c->patch) / stride + 1;
}

/* Parameters ----------------------------------------------------------------------------- */

static rv_node *random_param(nn_builder *b, const char *name, rv_shape shape)
{
    return nn_param_new(b, name, shape, (nn_start){ NN_NORMAL, deviation });
}

static rv_node *fill_param(nn_builder *b, const char *name, size_t n, double value)
{
    return nn_param_new(b, name, RV_SHAPE(n), (nn_start){ NN_FILL, value });
}

static rv_node *linear(nn_builder *b, const char *name, rv_node *x, size_t out)
{
    const size_t mark = nn_enter(b, "%s", name);
    rv_node *weight = random_param(b, "weight", RV_SHAPE(out, rv_extent(x, -1)));
    rv_node *bias = fill_param(b, "bias", out, 0);
    nn_leave(b, mark);
    return rv_linear(x, weight, bias);
}

/* Vision transformers take another eps than nn_layer_norm(). */
static rv_node *norm(nn_builder *b, const char *name, rv_node *x)
{
    return nn_layer_norm_eps(b, name, x, eps);
}

/* Tokens --------------------------------------------------------------------------------- */

/* x [B,T,F] -> [B,F',T',D] */
static rv_node *patches(nn_builder *b, const rv_ast_config *c, rv_node *x)
{
    const size_t mark = nn_enter(b, "patch_embed.proj");
    const rv_shape all = RV_SHAPE(c->width, c->colours, c->patch, c->patch);
    rv_node *weight = random_param(b, "weight", all), *bias = fill_param(b, "bias", c->width, 0);
    nn_leave(b, mark);
    weight = rv_sum_to(weight, RV_SHAPE(c->width, 1, c->patch, c->patch));
    x = rv_reshape(x, RV_SHAPE(rv_extent(x, 0), rv_extent(x, 1), rv_extent(x, 2), 1));
    x = rv_conv2d(x, weight, bias, (rv_conv_axis){ .stride = c->stride_time },
                  (rv_conv_axis){ .stride = c->stride_frequency });
    return RV_PERMUTE(x, 0, 2, 1, 3);
}

/* x [1,N,C] -> [1,n,C] */
static rv_node *fit(rv_node *x, size_t n)
{
    const size_t known = rv_extent(x, 1);
    return n <= known ? rv_slice(x, 1, known / 2 - n / 2, n) : rv_interpolate(x, n);
}

/* Of F0 x T0 patches [1,F0 T0,D] to those of F x T [1,F T,D] */
static rv_node *fit_grid(const rv_ast_config *c, rv_node *x, size_t bands, size_t steps)
{
    const size_t d = c->width, known = c->grid_frequency;
    x = rv_reshape(x, RV_SHAPE(known, c->grid_time, d));
    x = rv_reshape(RV_PERMUTE(x, 1, 0, 2), RV_SHAPE(1, c->grid_time, known * d));
    x = rv_reshape(fit(x, steps), RV_SHAPE(steps, known, d));
    x = fit(rv_reshape(RV_PERMUTE(x, 1, 0, 2), RV_SHAPE(1, known, steps * d)), bands);
    return rv_reshape(x, RV_SHAPE(1, bands * steps, d));
}

/* [1,2 + F T,D] */
static rv_node *positions(nn_builder *b, const rv_ast_config *c, size_t bands, size_t steps)
{
    const bool given = c->grid_frequency && c->grid_time;
    const size_t known = given ? c->grid_frequency * c->grid_time : bands * steps;
    rv_node *all = random_param(b, "pos_embed", RV_SHAPE(1, TOKENS + known, c->width));
    if (!given || (c->grid_frequency == bands && c->grid_time == steps))
        return all;
    rv_node *grid = fit_grid(c, rv_slice(all, 1, TOKENS, known), bands, steps);
    return rv_concat(1, 2, (rv_node *[]){ rv_slice(all, 1, 0, TOKENS), grid });
}

/* x [B,F',T',D] -> [B,2 + F' T',D] */
static rv_node *tokens(nn_builder *b, const rv_ast_config *c, rv_node *x)
{
    const size_t batch = rv_extent(x, 0), bands = rv_extent(x, 1), steps = rv_extent(x, 2);
    const rv_shape one = RV_SHAPE(1, 1, c->width), each = RV_SHAPE(batch, 1, c->width);
    rv_node *class = rv_broadcast_to(random_param(b, "cls_token", one), each);
    rv_node *distilled = rv_broadcast_to(random_param(b, "dist_token", one), each);
    x = rv_reshape(x, RV_SHAPE(batch, bands * steps, c->width));
    x = rv_concat(1, 3, (rv_node *[]){ class, distilled, x });
    return rv_add(x, positions(b, c, bands, steps));
}

/* Layers --------------------------------------------------------------------------------- */

/* x [B,N,D] -> [B,N,D] */
static rv_node *attention(nn_builder *b, const rv_ast_config *c, rv_node *x)
{
    const size_t mark = nn_enter(b, "attn"), d = c->width;
    rv_node *all = linear(b, "qkv", x, 3 * d);
    rv_node *q = rv_slice(all, 2, 0, d), *k = rv_slice(all, 2, d, d);
    x = rv_attention(q, k, rv_slice(all, 2, 2 * d, d), NULL, c->heads, false);
    x = linear(b, "proj", x, d);
    nn_leave(b, mark);
    return x;
}

static rv_node *layer(nn_builder *b, const rv_ast_config *c, rv_node *x)
{
    x = rv_add(x, attention(b, c, norm(b, "norm1", x)));
    rv_node *h = linear(b, "mlp.fc1", norm(b, "norm2", x), MLP * c->width);
    return rv_add(x, linear(b, "mlp.fc2", rv_gelu(h), c->width));
}

static rv_node *check(rv_node *x, const rv_ast_config *c)
{
    if (c->width == 0 || c->heads == 0 || c->width % c->heads || c->patch == 0 ||
        c->stride_frequency == 0 || c->stride_time == 0)
        return rv_poison(x->graph, RV_ERR_ARG, __func__, "AST: %zu channels for %zu heads",
                         c->width, c->heads);
    if (x->shape.rank != 3 || rv_extent(x, 1) < c->patch || rv_extent(x, 2) < c->patch)
        return rv_poison(x->graph, RV_ERR_SHAPE, __func__,
                         "AST: %zu frames of %zu bands, at least %zu of both are expected",
                         rv_extent(x, 1), rv_extent(x, 2), c->patch);
    return x;
}

rv_ast_tokens rv_ast(nn_builder *b, const rv_ast_config *c, rv_node *x)
{
    x = check(x, c);
    if (rv_graph_status(b->graph, NULL) != RV_OK)
        return (rv_ast_tokens){ x, x };
    const size_t mark = nn_enter(b, "v");
    x = patches(b, c, x);
    const size_t batch = rv_extent(x, 0), bands = rv_extent(x, 1), steps = rv_extent(x, 2);
    x = tokens(b, c, x);
    for (size_t i = 0; i < c->layers; i++) {
        const size_t inside = nn_enter(b, "blocks.%zu", i);
        x = layer(b, c, x);
        nn_leave(b, inside);
    }
    x = norm(b, "norm", x);
    nn_leave(b, mark);
    rv_node *pooled = rv_mean_to(rv_slice(x, 1, 0, TOKENS), RV_SHAPE(batch, 1, c->width));
    rv_node *rest = rv_slice(x, 1, TOKENS, bands * steps);
    return (rv_ast_tokens){ .pooled = rv_reshape(pooled, RV_SHAPE(batch, c->width)),
                            .patches = rv_reshape(rest, RV_SHAPE(batch, bands, steps, c->width)) };
}
