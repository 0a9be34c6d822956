/* mctn.c - "mini Conv-TasNet": pitch and loudness of each source, frame by frame, from a mix, for
 * decoders that make the sources from these.
 *
 *   T. Skverer and A. Zukier, github.com/TalSk/cs236781-project, after
 *   Y. Luo and N. Mesgarani, "Conv-TasNet", IEEE/ACM TASLP 27(8), 2019, arXiv:1809.07454
 *
 *   encoder    w   = relu(frames(x) U + b)          N learned filters of L samples, every `hop`
 *   separator  y   = W norm(w) + c                  to B channels, each frame normalised
 *              y   = y + block(y)                   R repeats of X, dilated by 1, 2, 4, ...
 *              m_s = softmax over the sources of (M_s y + d_s)
 *   heads      of w m_s, the same for all sources: linear, ReLU, layer norm, twice; then
 *              pitches (linear, ReLU, layer norm) and loudness (linear)
 *   pitch      softplus + 0.001, as shares p_k; note = (127 / 128) sum of k p_k
 *
 * A block is: linear to H channels, PReLU with a slope for each, global norm, a dilated depthwise
 * convolution, PReLU, norm, linear. There are no skip paths. The published factor 127 / 128 comes
 * from bins k / 128 times 127; it is kept.
 *
 * Beyond what was published: filters may be longer than the hop (they lie around its middle),
 * which gives the encoder a resolution in frequency; pitches by a softmax over a range; loudness
 * around a mean. The heads' norms take away how loud a frame is, so that loudness has to be guessed
 * from its timbre; with `level`
 *
 *     loudness = what the head says + 10 log10(mean of (w m_s)^2 + 1e-10)
 *
 * and a mix twice as loud is 6 dB louder. Learned filters start as noise that hears all frequencies
 * alike; with `encoder` mel, w are mel bands instead, 3/4 of them in windows of L, the others of
 * L / 4 samples, and norm() and heads see log(w + 1e-5). The reference starts gains and offsets of
 * its norms at random in +-0.2; here they start at 1 and 0. */
#include "models/mctn.h"

#include "ddsp/controls.h"
#include "ddsp/log_mel.h"
#include "models/tasnet_blocks.h"

#include <math.h>
#include <stdio.h>

/* Keras's */
static const double head_norm_eps = 1e-3, least_share = 1e-3;
static const double least_power = 1e-10;                 /* of a code, under `level` */
static const double least_band = 1e-5, lowest_band = 20; /* of mel bands; Hz */

static rv_node *norm(nn_builder *b, size_t index, tasnet_norm_kind kind, rv_node *x)
{
    return tasnet_norm(b, index, kind, x, RV_SHAPE(rv_extent(x, -1)));
}

static rv_node *prelu(nn_builder *b, const char *name, rv_node *x)
{
    const size_t mark = nn_enter(b, "%s", name);
    rv_node *slope =
        nn_param_new(b, "weight", RV_SHAPE(rv_extent(x, -1)), (nn_start){ NN_FILL, 0 });
    nn_leave(b, mark);
    return rv_prelu(x, slope);
}

/* x [B,F,B'] -> [B,F,B'] */
static rv_node *block(nn_builder *b, const rv_mctn_config *c, rv_node *x, size_t dilation)
{
    rv_node *y = nn_linear(b, "0", x, c->hidden, true);
    y = norm(b, 2, TASNET_GLOBAL, prelu(b, "1", y));
    y = nn_depthwise(b, "3", y, c->taps, tasnet_taps(c->taps, dilation, false), false);
    y = norm(b, 5, TASNET_GLOBAL, prelu(b, "4", y));
    return nn_linear(b, "6", y, c->bottleneck, true);
}

/* mix [B,T] -> [B,F,n] in windows around multiples of the hop; a sinusoid has its amplitude. */
static rv_node *mel_bands(const rv_mctn_config *c, rv_node *mix, size_t window, size_t n)
{
    const double rate = (double)c->sample_rate;
    const rv_mel_config mel = { rate, window, c->hop, n, lowest_band, rate / 2 };
    rv_node *x = rv_spectrum_padded(rv_pad(mix, 1, window / 2, 0, RV_PAD_ZERO), window, c->hop);
    x = rv_linear(rv_magnitude(x, 0), rv_mel_weights(mix->graph, &mel), NULL);
    x = rv_slice(x, 1, 0, rv_extent(mix, 1) / c->hop);
    return rv_scale(x, 4 / (double)window, 0);
}

/* mix [B,T] -> [B,F,N] */
static rv_node *encoder(nn_builder *b, const rv_mctn_config *c, rv_node *mix)
{
    const size_t quick = c->filters / 4;
    if (c->encoder == RV_MCTN_MEL)
        return rv_concat(2, 2,
                         (rv_node *[]){ mel_bands(c, mix, c->kernel, c->filters - quick),
                                        mel_bands(c, mix, c->kernel / 4, quick) });
    const size_t more = c->kernel - c->hop;
    const rv_conv_axis time = { .stride = c->hop, .before = more / 2, .after = more - more / 2 };
    mix = rv_reshape(mix, RV_SHAPE(rv_extent(mix, 0), rv_extent(mix, 1), 1));
    return rv_relu(nn_conv_time(b, "encoder", mix, c->filters, c->kernel, time, true));
}

/* w as layers see it */
static rv_node *seen(const rv_mctn_config *c, rv_node *w)
{
    return c->encoder == RV_MCTN_MEL ? rv_log(rv_scale(w, 1, least_band)) : w;
}

/* w [B,F,N] -> masks [B,F,S,N], which add up to 1 over the sources */
static rv_node *masks(nn_builder *b, const rv_mctn_config *c, rv_node *w)
{
    const size_t mark = nn_enter(b, "bottleneck");
    rv_node *y = nn_linear(b, "1", norm(b, 0, TASNET_CHANNEL, seen(c, w)), c->bottleneck, true);
    nn_leave(b, mark);
    for (size_t i = 0; i < c->repeats * c->blocks; i++) {
        const size_t at = nn_enter(b, "blocks.%zu", i);
        y = rv_add(y, block(b, c, y, (size_t)1 << (i % c->blocks)));
        nn_leave(b, at);
    }
    y = nn_linear(b, "mask", y, c->n_sources * c->filters, true);
    return tasnet_softmax(
        rv_reshape(y, RV_SHAPE(rv_extent(w, 0), rv_extent(w, 1), c->n_sources, c->filters)));
}

/* Linear, ReLU, layer norm, as name.i and name.(i + 1) */
static rv_node *layer(nn_builder *b, const char *name, size_t i, rv_node *x, size_t out)
{
    const size_t mark = nn_enter(b, "%s", name);
    char linear[16], norm[16];
    snprintf(linear, sizeof linear, "%zu", i);
    snprintf(norm, sizeof norm, "%zu", i + 1);
    x = rv_relu(nn_linear(b, linear, x, out, false));
    x = nn_layer_norm_eps(b, norm, x, head_norm_eps);
    nn_leave(b, mark);
    return x;
}

/* code [B,F,S,N] -> [B,F,S,2N] */
static rv_node *head(nn_builder *b, const rv_mctn_config *c, const char *name, rv_node *code)
{
    const size_t wide = 2 * c->filters;
    return layer(b, name, 2, layer(b, name, 0, seen(c, code), wide), wide);
}

/* x [B,F,S,depth] -> Hz [B,F,S] */
static rv_node *midi_mean(const rv_mctn_config *c, rv_node *x)
{
    const double depth = (double)c->depth;
    rv_node *share = rv_scale(rv_softplus(x), 1, least_share);
    rv_node *bin = rv_constant(x->graph, RV_SHAPE(c->depth));
    for (size_t k = 0; bin->constant && k < c->depth; k++)
        bin->constant[k] = (real)((depth - 1) * (double)k / depth);
    const rv_shape one = RV_SHAPE(rv_extent(x, 0), rv_extent(x, 1), rv_extent(x, 2), 1);
    rv_node *note = rv_div(rv_sum_to(rv_mul(share, bin), one), rv_sum_to(share, one));
    return rv_midi_to_hz(rv_reshape(note, RV_SHAPE(one.d[0], one.d[1], one.d[2])));
}

static rv_node *softmax_mean(const rv_mctn_config *c, rv_node *x)
{
    const rv_shape flat = RV_SHAPE(rv_extent(x, 0), rv_extent(x, 1), c->n_sources * c->depth);
    return rv_frequencies_softmax(rv_reshape(x, flat), c->depth, c->f0_min, c->f0_max);
}

/* code -> what the network says of pitches: published behind a ReLU and a norm, which keep a
 * softmax from being sure of anything */
static rv_node *pitches(nn_builder *b, const rv_mctn_config *c, rv_node *code)
{
    rv_node *x = head(b, c, "f0", code);
    if (c->pitch == RV_MCTN_MIDI)
        return layer(b, "f0", 4, x, c->depth);
    return nn_linear(b, "f0.4", x, c->depth, true);
}

/* code [B,F,S,N] -> [B,F,S,1] dB */
static rv_node *level(rv_node *code)
{
    const rv_shape one = RV_SHAPE(rv_extent(code, 0), rv_extent(code, 1), rv_extent(code, 2), 1);
    rv_node *power = rv_mean_to(rv_mul(code, code), one);
    return rv_scale(rv_log(rv_scale(power, 1, least_power)), 10 / log(10), 0);
}

static rv_node *loudness(nn_builder *b, const rv_mctn_config *c, rv_node *code)
{
    rv_node *x = nn_linear(b, "loudness.4", head(b, c, "loudness", code), 1, false);
    x = rv_scale(x, c->loudness_spread, c->loudness_mean);
    if (c->level)
        x = rv_add(x, level(code));
    return rv_reshape(x, RV_SHAPE(rv_extent(x, 0), rv_extent(x, 1), rv_extent(x, 2)));
}

rv_mctn_features rv_mctn(nn_builder *b, const rv_mctn_config *c, rv_node *mix)
{
    rv_mctn_features f;
    rv_node *w = encoder(b, c, mix);
    rv_node *mask = masks(b, c, w);
    w = rv_reshape(w, RV_SHAPE(rv_extent(w, 0), rv_extent(w, 1), 1, c->filters));
    f.code = rv_mul(w, mask);
    f.pitches = pitches(b, c, f.code);
    f.f0 = c->pitch == RV_MCTN_MIDI ? midi_mean(c, f.pitches) : softmax_mean(c, f.pitches);
    f.loudness = loudness(b, c, f.code);
    return f;
}
