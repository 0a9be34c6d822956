/* demucs_v2.c - Demucs 2: a U-Net on the waveform with a bidirectional LSTM in its middle.
 *
 *   A. Defossez, N. Usunier, L. Bottou and F. Bach, "Music source separation in the waveform
 *   domain", 2019. arXiv:1911.13254
 *
 * Encoder: strided convolution, ReLU, 1x1 convolution, GLU. Decoder, mirrored: add the
 * skip, convolution over `context` steps, GLU, transposed convolution, ReLU (not at the
 * end). The signal is at twice its rate inside.
 *
 * The convolutions of the decoder do not pad, so that it returns less than it takes; here
 * zeros around it bring the output to the length of the input. Only callers that asked for
 * a valid length get results of the reference, which cuts them off again. */
#include "demucs_blocks.h"
#include "demucs_signal.h"
#include "models/model.h"

#include "base/status.h"

enum { MOST_DEPTH = 16 };

typedef struct {
    size_t channels, depth, kernel, stride, lstm_layers, context;
    double growth, rescale;
    bool rewrite, glu, resample, normalize;
} config;

static rv_status configure(void *out, rv_model_info *info, const rv_args *args, rv_error *err)
{
    rv_arg_reader r = { .model = "demucs_v2", .args = args, .err = err };
    config *c = out;
    rv_arg_audio(&r, info);
    rv_arg_segment_length(&r, info, 40 * 44100);
    c->channels = rv_arg_size(&r, "channels", 64, 1, 4096);
    c->depth = rv_arg_size(&r, "depth", 6, 1, MOST_DEPTH);
    c->rewrite = rv_arg_bool(&r, "rewrite", true);
    c->glu = rv_arg_bool(&r, "glu", true);
    c->rescale = rv_arg_number(&r, "rescale", 0.1, 0, 1e6);
    c->resample = rv_arg_bool(&r, "resample", true);
    c->kernel = rv_arg_size(&r, "kernel_size", 8, 1, 256);
    c->stride = rv_arg_size(&r, "stride", 4, 1, 64);
    c->growth = rv_arg_number(&r, "growth", 2, 0.1, 8);
    c->lstm_layers = rv_arg_size(&r, "lstm_layers", 2, 0, 16);
    c->context = rv_arg_size(&r, "context", 3, 1, 63);
    c->normalize = rv_arg_bool(&r, "normalize", false);
    rv_arg_check_width(&r, c->channels, c->growth, c->depth);
    if (c->kernel < c->stride)
        rv_arg_fail(&r, RV_ERR_ARG, "kernel_size", "is %zu, at least the stride %zu is expected",
                    c->kernel, c->stride);
    return rv_arg_finish(&r);
}

/* Long enough that every convolution uses its input up, and the output covers n. */
static size_t valid_length(const void *cfg, const rv_model_info *info, size_t n)
{
    const config *c = cfg;
    (void)info;
    size_t length = c->resample ? 2 * n : n;
    for (size_t i = 0; i < c->depth; i++) {
        length = length > c->kernel ? (length - c->kernel + c->stride - 1) / c->stride + 1 : 1;
        length += c->context - 1;
    }
    for (size_t i = 0; i < c->depth; i++)
        length = (length - 1) * c->stride + c->kernel;
    return c->resample ? (length + 1) / 2 : length;
}

static rv_node *activate(const config *c, rv_node *x)
{
    return c->glu ? rv_glu(x) : rv_relu(x);
}

/* x [1,T,C] -> [1,T',out] */
static rv_node *encode(nn_builder *b, const config *c, rv_node *x, size_t out)
{
    const rv_conv_axis strided = { .stride = c->stride };
    x = rv_relu(nn_conv_time(b, "0", x, out, c->kernel, strided, true));
    if (!c->rewrite)
        return x;
    return activate(c,
                    nn_conv_time(b, "2", x, c->glu ? 2 * out : out, 1, (rv_conv_axis){ 0 }, true));
}

/* x [1,T,C] -> [1,T',out] */
static rv_node *decode(nn_builder *b, const config *c, rv_node *x, size_t out)
{
    const size_t channels = rv_extent(x, 2);
    if (c->rewrite)
        x = activate(c, nn_conv_time(b, "0", x, c->glu ? 2 * channels : channels, c->context,
                                     (rv_conv_axis){ 0 }, true));
    const size_t length = (rv_extent(x, 1) - 1) * c->stride + c->kernel;
    return nn_conv_transpose_time(b, c->rewrite ? "2" : "0", x, out, c->kernel, c->stride, 0,
                                  length);
}

/* x [1,T,C] -> [1,T'',S C] */
static rv_node *network(nn_builder *b, const config *c, rv_node *x, size_t outputs)
{
    rv_node *saved[MOST_DEPTH];
    nn_param *const *first = b->tail;
    size_t channels = c->channels;
    for (size_t i = 0; i < c->depth; i++, channels = (size_t)(c->growth * (double)channels)) {
        const size_t mark = nn_enter(b, "encoder.%zu", i);
        x = saved[i] = encode(b, c, x, channels);
        nn_leave(b, mark);
    }
    if (c->lstm_layers)
        x = demucs_blstm(b, "lstm", x, c->lstm_layers, 0, false);
    for (size_t i = c->depth; i-- > 0;) {
        if (rv_extent(saved[i], 1) < rv_extent(x, 1))
            return rv_poison(b->graph, RV_ERR_SHAPE, __func__, "the input has no valid length");
        x = rv_add(x, demucs_centre(saved[i], rv_extent(x, 1)));
        const size_t mark = nn_enter(b, "decoder.%zu", c->depth - 1 - i);
        x = decode(b, c, x, i ? rv_extent(saved[i - 1], 2) : outputs);
        nn_leave(b, mark);
        x = i ? rv_relu(x) : x;
    }
    demucs_rescale(first, c->rescale);
    return x;
}

static rv_node *build(nn_builder *b, const void *cfg, const rv_model_info *info, rv_node *mix)
{
    const config *c = cfg;
    demucs_level level = { 0 };
    rv_node *x;
    if (c->normalize) {
        level = demucs_measure(demucs_mono(mix));
        x = demucs_normalise(mix, &level);
    } else
        x = rv_scale(mix, 1 / (1 + 1e-5), 0); /* the reference divides by 1e-5 + 1 here, too */
    if (c->resample)
        x = demucs_double_rate(x);
    x = network(b, c, x, info->n_stems * info->channels);
    if (c->resample)
        x = demucs_halve_rate(x);
    if (c->normalize)
        x = demucs_restore(x, &level);
    return demucs_centre(x, rv_extent(mix, 1));
}

static const char *const classes[] = { "demucs.model.Demucs", NULL };
static const char *const positional[] = {
    "sources", "audio_channels", "channels",    "depth",          "rewrite", "glu",
    "rescale", "resample",       "kernel_size", "stride",         "growth",  "lstm_layers",
    "context", "normalize",      "samplerate",  "segment_length", NULL
};

const rv_model_def rv_model_demucs_v2 = {
    .name = "demucs_v2",
    .classes = classes,
    .citation = "Defossez et al., Music source separation in the waveform domain, 2019, "
                "arXiv:1911.13254",
    .positional = positional,
    .config_size = sizeof(config),
    .configure = configure,
    .valid_length = valid_length,
    .build = build,
};
