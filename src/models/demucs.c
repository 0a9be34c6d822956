/* demucs.c - Demucs 3's class for waveforms: the U-Net of demucs_v2.c with residual branches.
 *
 *   A. Defossez, "Hybrid spectrogram and waveform source separation", 2021.
 *   arXiv:2111.03600 (the time branch alone)
 *
 * What differs from version 2: GELU, group norm in the inner layers, DConv branches with
 * local attention and small LSTMs in place of the large one, and convolutions that pad, so
 * that a signal of valid length keeps its length. Checkpoints of version 2 that were
 * trained again are of this class too. */
#include "demucs_blocks.h"
#include "demucs_signal.h"
#include "models/model.h"

#include <stdio.h>
#include <string.h>

enum { MOST_DEPTH = 16 };

typedef struct {
    size_t channels, depth, kernel, stride, lstm_layers, context;
    size_t norm_starts, norm_groups;
    size_t dconv_mode, dconv_attention, dconv_lstm; /* mode: 1 encoder, 2 decoder, 3 both */
    dconv_config dconv;
    double growth, rescale;
    bool rewrite, gelu, glu, resample, normalize;
} config;

static void read_dconv(rv_arg_reader *r, config *c)
{
    c->dconv_mode = rv_arg_size(r, "dconv_mode", 1, 0, 3);
    const double depth = rv_arg_number(r, "dconv_depth", 2, -8, 8);
    c->dconv.dilate = depth > 0;
    c->dconv.depth = (size_t)(depth < 0 ? -depth : depth);
    c->dconv.compress = rv_arg_number(r, "dconv_comp", 4, 0.25, 4096);
    c->dconv_attention = rv_arg_size(r, "dconv_attn", 4, 0, 1000000);
    c->dconv_lstm = rv_arg_size(r, "dconv_lstm", 4, 0, 1000000);
    c->dconv.init = rv_arg_number(r, "dconv_init", 1e-4, -1e6, 1e6);
}

static rv_status configure(void *out, rv_model_info *info, const rv_args *args, rv_error *err)
{
    rv_arg_reader r = { .model = "demucs", .args = args, .err = err };
    config *c = out;
    rv_arg_audio(&r, info);
    rv_arg_segment(&r, info, 40);
    c->channels = rv_arg_size(&r, "channels", 64, 1, 4096);
    c->growth = rv_arg_number(&r, "growth", 2, 0.1, 8);
    c->depth = rv_arg_size(&r, "depth", 6, 1, MOST_DEPTH);
    c->rewrite = rv_arg_bool(&r, "rewrite", true);
    c->lstm_layers = rv_arg_size(&r, "lstm_layers", 0, 0, 16);
    c->kernel = rv_arg_size(&r, "kernel_size", 8, 1, 256);
    c->stride = rv_arg_size(&r, "stride", 4, 1, 64);
    c->context = rv_arg_size(&r, "context", 1, 0, 31);
    c->gelu = rv_arg_bool(&r, "gelu", true);
    c->glu = rv_arg_bool(&r, "glu", true);
    c->norm_starts = rv_arg_size(&r, "norm_starts", 4, 0, 1000000);
    c->norm_groups = rv_arg_size(&r, "norm_groups", 4, 1, 4096);
    read_dconv(&r, c);
    c->normalize = rv_arg_bool(&r, "normalize", true);
    c->resample = rv_arg_bool(&r, "resample", true);
    c->rescale = rv_arg_number(&r, "rescale", 0.1, 0, 1e6);
    rv_arg_check_width(&r, c->channels, c->growth, c->depth);
    if (c->kernel < c->stride)
        rv_arg_fail(&r, RV_ERR_ARG, "kernel_size", "is %zu, at least the stride %zu is expected",
                    c->kernel, c->stride);
    return rv_arg_finish(&r);
}

/* Long enough that every convolution uses its input up. */
static size_t valid_length(const void *cfg, const rv_model_info *info, size_t n)
{
    const config *c = cfg;
    (void)info;
    size_t length = c->resample ? 2 * n : n;
    for (size_t i = 0; i < c->depth; i++)
        length = length > c->kernel ? (length - c->kernel + c->stride - 1) / c->stride + 1 : 1;
    for (size_t i = 0; i < c->depth; i++)
        length = (length - 1) * c->stride + c->kernel;
    return c->resample ? (length + 1) / 2 : length;
}

/* The place in the reference's sequence of modules, which names parameters. */
static const char *place(char name[8], size_t index)
{
    snprintf(name, 8, "%zu", index);
    return name;
}

static rv_node *activate(const config *c, rv_node *x)
{
    return c->gelu ? rv_gelu(x) : rv_relu(x);
}

static size_t norm_groups(const config *c, size_t level)
{
    return level >= c->norm_starts ? c->norm_groups : 0;
}

static rv_node *residual_branch(nn_builder *b, const config *c, size_t level, size_t index,
                                rv_node *x)
{
    char name[8];
    dconv_config d = c->dconv;
    d.attention = level >= c->dconv_attention;
    d.lstm = level >= c->dconv_lstm;
    return demucs_dconv(b, place(name, index), x, &d);
}

/* Convolution that keeps the length, norm and gate; modules index, index + 1, (index + 2). */
static rv_node *rewrite(nn_builder *b, const config *c, size_t level, size_t index, rv_node *x,
                        size_t context)
{
    char name[8];
    const size_t channels = rv_extent(x, 2);
    const rv_conv_axis same = { .before = context, .after = context };
    x = nn_conv_time(b, place(name, index), x, c->glu ? 2 * channels : channels, 2 * context + 1,
                     same, true);
    x = demucs_norm(b, place(name, index + 1), x, norm_groups(c, level));
    return c->glu ? rv_glu(x) : rv_relu(x);
}

/* x [1,T,C] -> [1,T',out] */
static rv_node *encode(nn_builder *b, const config *c, size_t level, rv_node *x, size_t out)
{
    const size_t branch = c->dconv_mode & 1;
    x = nn_conv_time(b, "0", x, out, c->kernel, (rv_conv_axis){ .stride = c->stride }, true);
    x = activate(c, demucs_norm(b, "1", x, norm_groups(c, level)));
    if (branch)
        x = residual_branch(b, c, level, 3, x);
    return c->rewrite ? rewrite(b, c, level, 3 + branch, x, 0) : x;
}

/* x [1,T,C] -> [1,T',out] */
static rv_node *decode(nn_builder *b, const config *c, size_t level, rv_node *x, size_t out)
{
    char name[8];
    size_t index = 0;
    if (c->rewrite) {
        x = rewrite(b, c, level, index, x, c->context);
        index += 3;
    }
    if (c->dconv_mode & 2)
        x = residual_branch(b, c, level, index++, x);
    const size_t length = (rv_extent(x, 1) - 1) * c->stride + c->kernel;
    x = nn_conv_transpose_time(b, place(name, index), x, out, c->kernel, c->stride, 0, length);
    if (level == 0)
        return x;
    return activate(c, demucs_norm(b, place(name, index + 1), x, norm_groups(c, level)));
}

/* x [1,T,C] -> [1,T',S C] */
static rv_node *network(nn_builder *b, const config *c, rv_node *x, size_t outputs)
{
    rv_node *saved[MOST_DEPTH];
    nn_param *const *first = b->tail;
    size_t channels = c->channels;
    for (size_t i = 0; i < c->depth; i++, channels = (size_t)(c->growth * (double)channels)) {
        const size_t mark = nn_enter(b, "encoder.%zu", i);
        x = saved[i] = encode(b, c, i, x, channels);
        nn_leave(b, mark);
    }
    if (c->lstm_layers)
        x = demucs_blstm(b, "lstm", x, c->lstm_layers, 0, false);
    for (size_t i = c->depth; i-- > 0;) {
        const size_t mark = nn_enter(b, "decoder.%zu", c->depth - 1 - i);
        x = rv_add(x, demucs_centre(saved[i], rv_extent(x, 1)));
        x = decode(b, c, i, x, i ? rv_extent(saved[i - 1], 2) : outputs);
        nn_leave(b, mark);
    }
    demucs_rescale(first, c->rescale);
    return x;
}

static rv_node *build(nn_builder *b, const void *cfg, const rv_model_info *info, rv_node *mix)
{
    const config *c = cfg;
    const size_t length = rv_extent(mix, 1);
    demucs_level level = { 0 };
    rv_node *x = mix;
    if (c->normalize) {
        level = demucs_measure(demucs_mono(mix));
        x = demucs_normalise(mix, &level);
    }
    x = demucs_centre(x, valid_length(c, info, length));
    if (c->resample)
        x = demucs_double_rate(x);
    x = network(b, c, x, info->n_stems * info->channels);
    if (c->resample)
        x = demucs_halve_rate(x);
    if (c->normalize)
        x = demucs_restore(x, &level);
    return demucs_centre(x, length);
}

/* Before there were norms, the second convolution of a layer stood at place 2. */
static bool old_name(const char *name, char *old, size_t room)
{
    size_t level;
    char side[8], what[8];
    int end = 0;
    if (sscanf(name, "%7[a-z].%zu.3.%7[a-z]%n", side, &level, what, &end) != 3 || name[end])
        return false;
    return snprintf(old, room, "%s.%zu.2.%s", side, level, what) < (int)room;
}

static const char *const classes[] = { "demucs.demucs.Demucs", NULL };
static const char *const positional[] = { "sources",     "audio_channels",
                                          "channels",    "growth",
                                          "depth",       "rewrite",
                                          "lstm_layers", "kernel_size",
                                          "stride",      "context",
                                          "gelu",        "glu",
                                          "norm_starts", "norm_groups",
                                          "dconv_mode",  "dconv_depth",
                                          "dconv_comp",  "dconv_attn",
                                          "dconv_lstm",  "dconv_init",
                                          "normalize",   "resample",
                                          "rescale",     "samplerate",
                                          "segment",     NULL };

const rv_model_def rv_model_demucs = {
    .name = "demucs",
    .classes = classes,
    .citation = "Defossez, Hybrid spectrogram and waveform source separation, 2021, "
                "arXiv:2111.03600",
    .positional = positional,
    .config_size = sizeof(config),
    .configure = configure,
    .valid_length = valid_length,
    .build = build,
    .old_name = old_name,
};
