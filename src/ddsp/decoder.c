/* decoder.c - from pitch and loudness to the controls of a harmonic and a noise synthesiser.
 *
 *   J. Engel, L. Hantrakul, C. Gu and A. Roberts, "DDSP: Differentiable Digital Signal
 *   Processing", ICLR 2020, arXiv:2001.04643 (appendix B.2)
 *
 *   an MLP for each of f0, loudness, z     layers times linear, layer norm, activation
 *   a GRU over their results side by side
 *   an MLP over its result beside the features themselves
 *   two linear heads: harmonics, bands of noise
 *
 * Parameters are named as in ddsp_pytorch, whose structure this is. magenta/ddsp (RnnFcDecoder)
 * puts the first MLPs' results beside the GRU's and not the features (`wide`), and has loudness
 * before f0 and one head for both, which changes no more than the order of weights. In ddsp_pytorch
 * the first two MLPs are one (the list holds the same module twice), and its files have their
 * parameters twice; here each has its own.
 */
#include "ddsp/decoder.h"

#include "ddsp/controls.h"

#include <stdio.h>

/* magenta/ddsp ends its scale of notes here. */
enum { LAST_NOTE = 127 };

rv_decoder_config rv_decoder_defaults(void)
{
    return (rv_decoder_config){ .hidden_size = 512,
                                .layers = 3,
                                .n_harmonic = 100,
                                .n_bands = 65,
                                .slope = 0.01,
                                .norm_eps = 1e-5 };
}

static rv_node *activation(const rv_decoder_config *c, rv_node *x)
{
    if (c->slope == 0)
        return rv_relu(x);
    rv_node *slope = rv_constant(x->graph, RV_SHAPE(1));
    if (slope->constant)
        *slope->constant = (real)c->slope;
    return rv_prelu(x, slope);
}

/* x [B,T,I] -> [B,T,hidden]. A module for each of the three parts, as PyTorch counts them. */
static rv_node *mlp(nn_builder *b, const rv_decoder_config *c, rv_node *x)
{
    char name[24];
    for (size_t i = 0; i < c->layers; i++) {
        snprintf(name, sizeof name, "%zu", 3 * i);
        x = nn_linear(b, name, x, c->hidden_size, true);
        snprintf(name, sizeof name, "%zu", 3 * i + 1);
        x = activation(c, nn_layer_norm_eps(b, name, x, c->norm_eps));
    }
    return x;
}

static rv_node *named_mlp(nn_builder *b, const rv_decoder_config *c, const char *name, rv_node *x)
{
    const size_t mark = nn_enter(b, "%s", name);
    x = mlp(b, c, x);
    nn_leave(b, mark);
    return x;
}

static bool check_features(const rv_decoder_config *c, rv_node *f0, rv_node *loudness, rv_node *z)
{
    const size_t width = z ? rv_extent(z, 2) : 0;
    if (f0->shape.rank == 3 && rv_extent(f0, 2) == 1 && rv_extent(loudness, 2) == 1 &&
        width == c->z && c->layers > 0 && c->hidden_size > 0)
        return true;
    rv_poison(
        f0->graph, RV_ERR_SHAPE, __func__,
        "decoder: features of %zu, %zu and %zu channels, expected 1, 1 and %zu; %zu layers of %zu",
        rv_extent(f0, 2), rv_extent(loudness, 2), width, c->z, c->layers, c->hidden_size);
    return false;
}

rv_decoder_heads rv_decoder(nn_builder *b, const rv_decoder_config *c, rv_node *f0,
                            rv_node *loudness, rv_node *z)
{
    return rv_decoder_from(b, c, f0, loudness, z, NULL);
}

rv_decoder_heads rv_decoder_from(nn_builder *b, const rv_decoder_config *c, rv_node *f0,
                                 rv_node *loudness, rv_node *z, rv_node *state)
{
    static const char *const names[] = { "in_mlps.0", "in_mlps.1", "in_mlps.2" };
    if (!check_features(c, f0, loudness, z))
        return (rv_decoder_heads){ f0, f0, f0 };
    if (c->pitch == RV_DECODER_MIDI)
        f0 = rv_scale(rv_hz_to_midi(f0), 1.0 / LAST_NOTE, 0);
    const size_t n = z ? 3 : 2;
    rv_node *features[] = { NULL, f0, loudness, z }, *seen[4];
    for (size_t i = 0; i < n; i++)
        seen[1 + i] = named_mlp(b, c, names[i], features[1 + i]);
    rv_node **beside = c->wide ? seen : features;
    rv_node *x = rv_concat(2, n, seen + 1);
    beside[0] = state ? nn_gru_from(b, "gru", x, c->hidden_size, state)
                      : nn_gru(b, "gru", x, c->hidden_size, 1, false);
    rv_node *hidden = named_mlp(b, c, "out_mlp", rv_concat(2, 1 + n, beside));
    return (rv_decoder_heads){
        .harmonic = nn_linear(b, "proj_matrices.0", hidden, 1 + c->n_harmonic, true),
        .noise = nn_linear(b, "proj_matrices.1", hidden, c->n_bands, true),
        .state = beside[0],
    };
}
