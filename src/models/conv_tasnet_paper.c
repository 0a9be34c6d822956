/* conv_tasnet_paper.c - Conv-TasNet with the skip paths of the paper, as Asteroid trains it.
 *
 *   Y. Luo and N. Mesgarani, "Conv-TasNet: Surpassing ideal time-frequency magnitude
 *   masking for speech separation", IEEE/ACM Trans. Audio, Speech, Language Process.
 *   27(8), 2019. arXiv:1809.07454
 *   M. Pariente et al., "Asteroid: the PyTorch-based audio source separation toolkit for
 *   researchers", Interspeech 2020. arXiv:2005.04132
 *
 *   encoder  w   = activation(frames(x) U)      N learned filters, one audio channel
 *   masker   x_j = x_(j-1) + residual_j         through R repeats of X blocks; the masks are made
 *            m_i = activation(sum of skip_j)    from all blocks, not from the last one's output
 *   decoder  s_i = overlap_add((w m_i) V)
 *
 * K is the number of frames: K = 1 + (samples - kernel) / stride. Samples behind the last frame
 * are zero.
 *
 * Differs from the paper as the checkpoints do: no activation behind the encoder unless asked
 * for, the first norm is of the same kind as the others, and skip_chan = 0 leaves the skip paths
 * out. The defaults are the paper's best configuration: N=512, L=16, B=128, H=512, Sc=128, P=3,
 * X=8, R=3. */
#include "models/model.h"
#include "models/tasnet_blocks.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef rv_node *activation(rv_node *x);

typedef struct {
    size_t filters, kernel, stride;        /* of encoder and decoder */
    size_t bottleneck, hidden, skip, taps; /* B, H, Sc and P of Table I */
    size_t blocks, repeats;                /* X and R */
    tasnet_norm_kind norm;
    activation *encoder_activation, *mask_activation;
    bool causal;
} config;

/* Configuration ------------------------------------------------------------------- */

static rv_node *linear(rv_node *x)
{
    return x;
}

static rv_node *swish(rv_node *x)
{
    return rv_mul(x, rv_sigmoid(x));
}

static activation *read_activation(rv_arg_reader *r, const char *name, const char *fallback)
{
    static const struct {
        const char *name;
        activation *apply;
    } known[] = {
        { "linear", linear },          { "relu", rv_relu }, { "sigmoid", rv_sigmoid },
        { "tanh", rv_tanh },           { "gelu", rv_gelu }, { "swish", swish },
        { "softmax", tasnet_softmax }, /* over the sources, which the encoder has not: see below */
    };
    const char *text = rv_arg_text(r, name, fallback);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (!strcmp(text, known[i].name))
            return known[i].apply;
    rv_arg_fail(r, RV_ERR_UNSUPPORTED, name,
                "is %s, one of linear, relu, sigmoid, tanh, gelu, swish, softmax is expected",
                text);
    return linear;
}

static void read_activations(rv_arg_reader *r, config *c)
{
    c->mask_activation = read_activation(r, "mask_act", "sigmoid");
    c->encoder_activation = read_activation(r, "encoder_activation", "linear");
    if (c->encoder_activation == tasnet_softmax)
        rv_arg_fail(r, RV_ERR_UNSUPPORTED, "encoder_activation", "is softmax, which needs sources");
}

static tasnet_norm_kind read_norm(rv_arg_reader *r, bool causal)
{
    static const struct {
        const char *name;
        tasnet_norm_kind kind;
    } known[] = {
        { "gLN", TASNET_GLOBAL },     { "GlobLN", TASNET_GLOBAL },   { "cLN", TASNET_CHANNEL },
        { "ChanLN", TASNET_CHANNEL }, { "cgLN", TASNET_CUMULATIVE }, { "CumLN", TASNET_CUMULATIVE },
        { "bN", TASNET_BATCH },       { "BatchNorm", TASNET_BATCH },
    };
    const char *text = rv_arg_text(r, "norm_type", "gLN");
    if (causal && strcmp(text, "cgLN")) /* the reference replaces all others */
        return TASNET_CHANNEL;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (!strcmp(text, known[i].name))
            return known[i].kind;
    rv_arg_fail(r, RV_ERR_UNSUPPORTED, "norm_type", "is %s, one of gLN, cLN, cgLN, bN is expected",
                text);
    return TASNET_GLOBAL;
}

/* A size for which None and 0 mean the same. */
static size_t size_or_none(rv_arg_reader *r, const char *name, size_t fallback)
{
    return rv_arg_is_none(r, name) ? 0 : rv_arg_size(r, name, fallback, 0, 4096);
}

static void read_filterbank(rv_arg_reader *r, config *c)
{
    const char *family = rv_arg_text(r, "fb_name", "free");
    if (strcmp(family, "free") && strcmp(family, "FreeFB"))
        rv_arg_fail(r, RV_ERR_UNSUPPORTED, "fb_name", "is %s, free is expected", family);
    c->filters = rv_arg_size(r, "n_filters", 512, 1, 4096);
    c->kernel = rv_arg_size(r, "kernel_size", 16, 2, 4096);
    c->stride = size_or_none(r, "stride", 8);
    if (c->stride == 0)
        c->stride = c->kernel / 2;
    if (c->stride > c->kernel)
        rv_arg_fail(r, RV_ERR_UNSUPPORTED, "stride", "is %zu, at most kernel_size is expected",
                    c->stride);
}

/* The masks have as many channels as the encoder. */
static void check_width(rv_arg_reader *r, const char *name, size_t filters)
{
    const size_t given = size_or_none(r, name, filters);
    if (given != 0 && given != filters)
        rv_arg_fail(r, RV_ERR_UNSUPPORTED, name, "is %zu, n_filters is expected", given);
}

static void read_masker(rv_arg_reader *r, config *c)
{
    check_width(r, "in_chan", c->filters);
    check_width(r, "out_chan", c->filters);
    c->bottleneck = rv_arg_size(r, "bn_chan", 128, 1, 4096);
    c->hidden = rv_arg_size(r, "hid_chan", 512, 1, 4096);
    c->skip = size_or_none(r, "skip_chan", 128);
    c->taps = rv_arg_size(r, "conv_kernel_size", 3, 1, 63);
    c->blocks = rv_arg_size(r, "n_blocks", 8, 1, 16);
    c->repeats = rv_arg_size(r, "n_repeats", 3, 1, 64);
    c->causal = rv_arg_bool(r, "causal", false);
    c->norm = read_norm(r, c->causal);
    read_activations(r, c);
    if (!c->causal && c->taps % 2 == 0)
        rv_arg_fail(r, RV_ERR_ARG, "conv_kernel_size", "is %zu, an odd number is expected",
                    c->taps);
}

/* Checkpoints do not name their sources: source1, source2, ... */
static void read_sources(rv_arg_reader *r, rv_model_info *info)
{
    info->n_stems = rv_arg_size(r, "n_src", 0, 1, RV_MAX_STEMS);
    if (info->n_stems == 0)
        rv_arg_fail(r, RV_ERR_ARG, "n_src", "must be given");
    for (size_t i = 0; i < info->n_stems; i++)
        snprintf(info->stems[i], RV_STEM_NAME, "source%zu", i + 1);
}

static rv_status configure(void *out, rv_model_info *info, const rv_args *args, rv_error *err)
{
    rv_arg_reader r = { .model = "conv_tasnet_asteroid", .args = args, .err = err };
    config *c = out;
    read_sources(&r, info);
    info->channels = 1;
    info->sample_rate = rv_arg_size(&r, "sample_rate", 8000, 100, 1000000);
    rv_arg_segment(&r, info,
                   30); /* the reference takes a whole file; so long ones are rarely cut */
    read_filterbank(&r, c);
    read_masker(&r, c);
    return rv_arg_finish(&r);
}

static size_t valid_length(const void *cfg, const rv_model_info *info, size_t n)
{
    const config *c = cfg;
    (void)info;
    return n < c->kernel ? c->kernel : n;
}

/* Building ------------------------------------------------------------------------- */

/* name.filterbank._filters [N,1,L], from N(0, 2 / (inputs + outputs)) at the start of training */
static rv_node *filters(nn_builder *b, const config *c, const char *name)
{
    const double ends = (double)c->kernel * (double)(1 + c->filters);
    const size_t mark = nn_enter(b, "%s.filterbank", name);
    rv_node *w = nn_param_new(b, "_filters", RV_SHAPE(c->filters, 1, c->kernel),
                              (nn_start){ NN_NORMAL, sqrt(2 / ends) });
    nn_leave(b, mark);
    return w;
}

static rv_node *norm(nn_builder *b, const config *c, size_t index, rv_node *x)
{
    return tasnet_norm(b, index, c->norm, x, RV_SHAPE(rv_extent(x, -1)));
}

static rv_node *pointwise(nn_builder *b, const char *name, rv_node *x, size_t out)
{
    return nn_conv_time(b, name, x, out, 1, (rv_conv_axis){ 0 }, true);
}

/* x [1,K,B] -> [1,K,H] */
static rv_node *shared_block(nn_builder *b, const config *c, rv_node *x, size_t dilation)
{
    const rv_conv_axis time = tasnet_taps(c->taps, dilation, c->causal);
    const size_t mark = nn_enter(b, "shared_block");
    x = pointwise(b, "0", x, c->hidden);
    x = norm(b, c, 2, tasnet_prelu(b, "1", x));
    x = nn_depthwise(b, c->causal ? "3.0" : "3", x, c->taps, time, true);
    x = norm(b, c, 5, tasnet_prelu(b, "4", x));
    nn_leave(b, mark);
    return x;
}

/* x [1,K,B] -> [1,K,Sc], the sum of the skip paths; without these [1,K,B], the residual path.
 * With them the last block's res_conv has weights, and no effect. */
static rv_node *temporal_network(nn_builder *b, const config *c, rv_node *x)
{
    rv_node *sum = NULL;
    for (size_t i = 0; i < c->repeats * c->blocks; i++) {
        const size_t mark = nn_enter(b, "TCN.%zu", i);
        rv_node *h = shared_block(b, c, x, (size_t)1 << (i % c->blocks));
        x = rv_add(x, pointwise(b, "res_conv", h, c->bottleneck));
        if (c->skip) {
            rv_node *skip = pointwise(b, "skip_conv", h, c->skip);
            sum = sum ? rv_add(sum, skip) : skip;
        }
        nn_leave(b, mark);
    }
    return sum ? sum : x;
}

/* w [1,K,N] -> masks [1,K,S,N] */
static rv_node *masker(nn_builder *b, const config *c, size_t sources, rv_node *w)
{
    const size_t mark = nn_enter(b, "masker"), inner = nn_enter(b, "bottleneck");
    rv_node *x = pointwise(b, "1", norm(b, c, 0, w), c->bottleneck);
    nn_leave(b, inner);
    x = tasnet_prelu(b, "mask_net.0", temporal_network(b, c, x));
    x = pointwise(b, "mask_net.1", x, sources * c->filters);
    nn_leave(b, mark);
    return c->mask_activation(rv_reshape(x, RV_SHAPE(1, rv_extent(x, 1), sources, c->filters)));
}

/* d [1,K,S,N] -> [1,samples,S] */
static rv_node *decoder(nn_builder *b, const config *c, rv_node *d, size_t samples)
{
    const size_t frames = rv_extent(d, 1), sources = rv_extent(d, 2);
    rv_node *basis = rv_reshape(filters(b, c, "decoder"), RV_SHAPE(c->filters, c->kernel));
    rv_node *y = rv_matmul(rv_reshape(d, RV_SHAPE(frames * sources, c->filters)), basis);
    y = rv_reshape(y, RV_SHAPE(1, frames, sources, c->kernel));
    return tasnet_overlap_add(y, c->stride, samples);
}

static rv_node *build(nn_builder *b, const void *cfg, const rv_model_info *info, rv_node *mix)
{
    const config *c = cfg;
    const rv_conv_axis frames = { .stride = c->stride };
    rv_node *w = rv_conv_time(mix, filters(b, c, "encoder"), NULL, frames);
    w = c->encoder_activation(w);
    rv_node *mask = masker(b, c, info->n_stems, w);
    return decoder(b, c, tasnet_masked(w, mask), rv_extent(mix, 1));
}

static const char *const classes[] = { "ConvTasNet", "asteroid.models.ConvTasNet",
                                       "asteroid.models.conv_tasnet.ConvTasNet", NULL };
static const char *const positional[] = { "n_src",
                                          "out_chan",
                                          "n_blocks",
                                          "n_repeats",
                                          "bn_chan",
                                          "hid_chan",
                                          "skip_chan",
                                          "conv_kernel_size",
                                          "norm_type",
                                          "mask_act",
                                          "in_chan",
                                          "causal",
                                          "fb_name",
                                          "kernel_size",
                                          "n_filters",
                                          "stride",
                                          "encoder_activation",
                                          "sample_rate",
                                          NULL };

const rv_model_def rv_model_conv_tasnet_asteroid = {
    .name = "conv_tasnet_asteroid",
    .classes = classes,
    .citation = "Luo and Mesgarani, Conv-TasNet, IEEE/ACM TASLP 27(8), 2019, arXiv:1809.07454",
    .positional = positional,
    .config_size = sizeof(config),
    .configure = configure,
    .valid_length = valid_length,
    .build = build,
};
