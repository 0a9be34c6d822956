/* mmdense.c - multi-scale multi-band dense networks, without and with LSTMs.
 *
 *   MMDenseNet: N. Takahashi and Y. Mitsufuji, "Multi-scale multi-band DenseNets for audio
 *   source separation", WASPAA 2017. arXiv:1706.09588
 *   MMDenseLSTM: N. Takahashi, N. Goswami and Y. Mitsufuji, "MMDenseLSTM: an efficient
 *   combination of convolutional and recurrent neural networks for audio source separation",
 *   IWAENC 2018. arXiv:1805.02410
 *
 * Each stem has a network of its own, from magnitudes [T,F,A] of the mix to those of the stem:
 *
 *   a branch for each band of frequencies, and one for all of them:
 *     conv          to `features` channels
 *     blocks        on the way down, each a dense block, a 1 x 1 convolution, a mean over 2 x 2
 *     block         at the bottom
 *     blocks        on the way up, each a transposed convolution 2 x 2, the block of the way down
 *                   at the same scale beside it, a dense block
 *   the bands one above the other, the branch of all frequencies beside them
 *   a dense block, conv 1 x 2, relu
 *
 *   dense block     h_l = conv3x3 relu norm [x, h_1 .. h_{l-1}], k channels each; h_L is the result
 *   block with LSTM a dense block d, and beside it as one channel more fc lstm(conv1x1 d), along
 *                   time, in both directions together m units
 *
 * Tables of k, L and m: dense_tables.c. Magnitudes become stems in core/ops/wiener.c.
 *
 * Counted so, a network has 277,868 parameters without LSTMs (0.33 million in the paper) and
 * 1,370,684 with them (1.22 million): the tables are complete, details of the layers between are
 * not.
 *
 * What the papers leave open: every branch is filled up with zeros to whole numbers of frames and
 * bins at its coarsest scale; spectra are divided by sqrt(n_fft); a band with fewer channels than
 * another gets them by a 1 x 1 convolution. Batch normalisation: nn/batch_norm.c. */
#include "models/mmdense.h"
#include "models/spectrum.h"

#include <math.h>
#include <stdio.h>

enum { WIENER_FRAMES = 300 };

typedef struct {
    spectrum_config spectrum;
    const dense_table *table;
    double width;
    size_t iterations;
} config;

static rv_status configure(rv_arg_reader *r, const dense_table *t, config *c, rv_model_info *info)
{
    c->table = t;
    rv_arg_audio(r, info);
    rv_arg_segment(r, info, 6);
    c->spectrum = spectrum_configure(r, "n_fft", t->n_fft, "hop", t->hop);
    c->width = rv_arg_number(r, "width", 1, 0.01, 16);
    c->iterations = rv_arg_size(r, "niter", 0, 0, 100);
    if (c->spectrum.n_fft < 32)
        rv_arg_fail(r, RV_ERR_ARG, "n_fft", "is %zu, at least 32 is expected", c->spectrum.n_fft);
    if (c->iterations > 0 && (info->channels > 2 || info->n_stems < 2))
        rv_arg_fail(r, RV_ERR_UNSUPPORTED, "niter",
                    "is %zu: only for 1 or 2 channels and two stems or more", c->iterations);
    return rv_arg_finish(r);
}

static rv_status configure_dense(void *out, rv_model_info *info, const rv_args *args, rv_error *err)
{
    rv_arg_reader r = { .model = "mmdensenet", .args = args, .err = err };
    return configure(&r, &dense_mmdensenet, out, info);
}

static rv_status configure_lstm(void *out, rv_model_info *info, const rv_args *args, rv_error *err)
{
    rv_arg_reader r = { .model = "mmdenselstm", .args = args, .err = err };
    return configure(&r, &dense_mmdenselstm, out, info);
}

static size_t valid_length(const void *cfg, const rv_model_info *info, size_t n)
{
    const config *c = cfg;
    (void)info;
    return spectrum_length(&c->spectrum, n);
}

/* A number of the table, at the width that is asked for. */
static size_t scaled(const config *c, size_t n)
{
    return n == 0 ? 0 : (size_t)fmax(1, round(c->width * (double)n));
}

/* x [1,T,F,C] -> [1,T,F,out], a kernel of `high` frequencies and `wide` frames around each */
static rv_node *conv(nn_builder *b, const char *name, rv_node *x, size_t out, size_t high,
                     size_t wide, bool bias)
{
    const rv_conv_axis frequency = { .before = (high - 1) / 2, .after = high / 2 };
    const rv_conv_axis time = { .before = (wide - 1) / 2, .after = wide / 2 };
    return nn_conv2d(b, name, x, out, high, wide, frequency, time, bias);
}

/* x [1,T,F,C] -> [1,T,F,k] */
static rv_node *dense_block(nn_builder *b, rv_node *x, size_t k, size_t layers)
{
    rv_node *all[DENSE_MOST_LAYERS + 1] = { x };
    for (size_t i = 0; i < layers; i++) {
        const size_t mark = nn_enter(b, "layers.%zu", i);
        rv_node *h = i ? rv_concat(3, i + 1, all) : x;
        h = rv_relu(nn_batch_norm(b, "norm", h, 1e-5));
        all[i + 1] = conv(b, "conv", h, k, 3, 3, false);
        nn_leave(b, mark);
    }
    return all[layers];
}

/* x [1,T,F,C] -> [1,T,F,1] */
static rv_node *recurrent(nn_builder *b, rv_node *x, size_t units)
{
    const size_t frames = rv_extent(x, 1), bins = rv_extent(x, 2), mark = nn_enter(b, "lstm");
    x = rv_reshape(nn_linear(b, "conv", x, 1, true), RV_SHAPE(1, frames, bins));
    x = nn_lstm(b, "rnn", x, (units + 1) / 2, 1, true);
    x = nn_linear(b, "fc", x, bins, true);
    nn_leave(b, mark);
    return rv_reshape(x, RV_SHAPE(1, frames, bins, 1));
}

/* Block i of a branch; one without layers is its LSTM alone. */
static rv_node *block(nn_builder *b, const config *c, const dense_branch *branch, size_t i,
                      rv_node *x)
{
    const dense_size *s = &branch->block[i];
    const size_t mark = nn_enter(b, "blocks.%zu", i);
    if (s->layers > 0)
        x = dense_block(b, x, scaled(c, s->growth), s->layers);
    if (s->units > 0) {
        rv_node *extra = recurrent(b, x, scaled(c, s->units));
        x = s->layers > 0 ? rv_concat(3, 2, (rv_node *[]){ x, extra }) : extra;
    }
    nn_leave(b, mark);
    return x;
}

/* x [1,T,F,C] -> [1,T/2,F/2,C] */
static rv_node *halve(nn_builder *b, size_t i, rv_node *x)
{
    const size_t frames = rv_extent(x, 1) / 2, bins = rv_extent(x, 2) / 2;
    const size_t channels = rv_extent(x, 3), mark = nn_enter(b, "down");
    char name[24];
    snprintf(name, sizeof name, "%zu", i);
    x = nn_linear(b, name, x, channels, true);
    nn_leave(b, mark);
    x = rv_reshape(x, RV_SHAPE(frames, 2, bins, 2, channels));
    x = rv_mean_to(x, RV_SHAPE(frames, 1, bins, 1, channels));
    return rv_reshape(x, RV_SHAPE(1, frames, bins, channels));
}

/* x [1,T,F,C] -> [1,2T,2F,C]: each value becomes 2 x 2 by weights [C,C,2,2] (frequency before time,
 * as in PyTorch), a product of [T F,C] with [C,4C]. */
static rv_node *twice(nn_builder *b, size_t i, rv_node *x)
{
    const size_t frames = rv_extent(x, 1), bins = rv_extent(x, 2), channels = rv_extent(x, 3);
    const size_t mark = nn_enter(b, "up.%zu", i);
    const nn_start start = { NN_UNIFORM, 1 / sqrt(4 * (double)channels) };
    rv_node *w = nn_param_new(b, "weight", RV_SHAPE(channels, channels, 2, 2), start);
    rv_node *bias = nn_param_new(b, "bias", RV_SHAPE(channels), start);
    nn_leave(b, mark);
    w = rv_reshape(RV_PERMUTE(w, 3, 2, 1, 0), RV_SHAPE(4 * channels, channels));
    x = rv_linear(x, w, NULL); /* channel (time, frequency, c) */
    x = rv_reshape(x, RV_SHAPE(frames, bins, 2, 2, channels));
    x = RV_PERMUTE(x, 0, 2, 1, 3, 4);
    return rv_add(rv_reshape(x, RV_SHAPE(1, 2 * frames, 2 * bins, channels)), bias);
}

static size_t whole(size_t n, size_t unit)
{
    return (n + unit - 1) / unit * unit;
}

/* x [1,T,F,A] -> [1,T,F,k of its last block] */
static rv_node *run_branch(nn_builder *b, const config *c, const dense_branch *branch, rv_node *x)
{
    const size_t depth = (branch->blocks - 1) / 2, unit = (size_t)1 << depth;
    const size_t frames = rv_extent(x, 1), bins = rv_extent(x, 2);
    rv_node *skip[DENSE_MOST_BLOCKS];
    x = rv_pad(x, 1, 0, whole(frames, unit) - frames, RV_PAD_ZERO);
    x = rv_pad(x, 2, 0, whole(bins, unit) - bins, RV_PAD_ZERO);
    x = conv(b, "conv", x, scaled(c, branch->features), branch->kernel, 3, true);
    for (size_t i = 0; i < depth; i++) {
        skip[i] = block(b, c, branch, i, x);
        x = halve(b, i, skip[i]);
    }
    x = block(b, c, branch, depth, x);
    for (size_t i = 0; i < depth; i++) {
        x = rv_concat(3, 2, (rv_node *[]){ twice(b, i, x), skip[depth - 1 - i] });
        x = block(b, c, branch, depth + 1 + i, x);
    }
    return rv_slice(rv_slice(x, 1, 0, frames), 2, 0, bins);
}

static size_t last_channels(const config *c, const dense_branch *branch)
{
    return scaled(c, branch->block[branch->blocks - 1].growth);
}

/* x [1,T,F,A] -> [1,T,F,most channels of a band] */
static rv_node *run_bands(nn_builder *b, const config *c, rv_node *x)
{
    const dense_table *t = c->table;
    const size_t bins = rv_extent(x, 2);
    rv_node *y[DENSE_MOST_BANDS];
    size_t most = 0, from = 0;
    for (size_t i = 0; i < t->bands; i++)
        most = last_channels(c, &t->band[i]) > most ? last_channels(c, &t->band[i]) : most;
    for (size_t i = 0; i < t->bands; i++) {
        const size_t to = dense_edge(t, i, bins), mark = nn_enter(b, "bands.%zu", i);
        y[i] = run_branch(b, c, &t->band[i], rv_slice(x, 2, from, to - from));
        if (last_channels(c, &t->band[i]) < most)
            y[i] = nn_linear(b, "widen", y[i], most, true);
        nn_leave(b, mark);
        from = to;
    }
    return rv_concat(2, t->bands, y);
}

/* The bias made last starts above 0: where relu gives 0 everywhere nothing is learnt. */
static void start_above_zero(nn_param *p)
{
    for (; p; p = p->next)
        if (!p->next)
            p->start = (nn_start){ NN_FILL, 0.1 };
}

/* Magnitudes x [1,T,F,A] of the mix -> of a stem */
static rv_node *network(nn_builder *b, const config *c, rv_node *x)
{
    rv_node *parts[2] = { run_bands(b, c, x) };
    size_t mark = nn_enter(b, "full");
    parts[1] = run_branch(b, c, &c->table->full, x);
    nn_leave(b, mark);
    mark = nn_enter(b, "final");
    rv_node *y = dense_block(b, rv_concat(3, 2, parts), scaled(c, c->table->last.growth),
                             c->table->last.layers);
    nn_param *const *first = b->tail;
    y = conv(b, "conv", y, rv_extent(x, 3), 2, 1, true);
    start_above_zero(*first);
    nn_leave(b, mark);
    return rv_relu(y);
}

static rv_node *build(nn_builder *b, const void *cfg, const rv_model_info *info, rv_node *mix)
{
    const config *c = cfg;
    const double scale = sqrt((double)c->spectrum.n_fft);
    rv_node *z = spectrum_of(&c->spectrum, mix), *y[RV_MAX_STEMS];
    rv_node *x = rv_scale(spectrum_magnitude(z), 1 / scale, 0), *all = NULL;
    for (size_t i = 0; i < info->n_stems; i++) {
        const size_t mark = nn_enter(b, "%s", info->stems[i]);
        y[i] = network(b, c, x);
        nn_leave(b, mark);
        all = i ? rv_concat(3, 2, (rv_node *[]){ all, y[i] }) : y[i];
    }
    z = rv_wiener(rv_scale(all, scale, 0), z, c->iterations, false, WIENER_FRAMES);
    return spectrum_back(&c->spectrum, z, rv_extent(mix, 1));
}

static const char *const classes_dense[] = { "mmdensenet", NULL };
static const char *const classes_lstm[] = { "mmdenselstm", NULL };
static const char *const positional[] = { "sources", "segment", NULL };

const rv_model_def rv_model_mmdensenet = {
    .name = "mmdensenet",
    .classes = classes_dense,
    .citation = "Takahashi and Mitsufuji, Multi-scale multi-band DenseNets, WASPAA 2017, "
                "arXiv:1706.09588",
    .positional = positional,
    .config_size = sizeof(config),
    .configure = configure_dense,
    .valid_length = valid_length,
    .build = build,
};

const rv_model_def rv_model_mmdenselstm = {
    .name = "mmdenselstm",
    .classes = classes_lstm,
    .citation = "Takahashi, Goswami and Mitsufuji, MMDenseLSTM, IWAENC 2018, arXiv:1805.02410",
    .positional = positional,
    .config_size = sizeof(config),
    .configure = configure_lstm,
    .valid_length = valid_length,
    .build = build,
};
