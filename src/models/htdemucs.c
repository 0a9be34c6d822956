/* htdemucs.c - HT Demucs (Demucs 4): the two branches of Hybrid Demucs with a transformer
 * between encoder and decoder.
 *
 *   S. Rouard, F. Massa and A. Defossez, "Hybrid transformers for music source
 *   separation", ICASSP 2023. arXiv:2211.08553
 *
 * The outer four levels are those of hdemucs.c (hybrid.c); in place of the two inner ones
 * stands the transformer (transformer.c), between 1x1 convolutions where it is wider or
 * narrower than the branches (bottom_channels). Segments are as long as in training:
 * shorter ones are padded with zeros at their end.
 * Not here: sparse attention, which no released checkpoint uses. */
#include "demucs_signal.h"
#include "hybrid.h"
#include "transformer.h"

#include <string.h>

typedef struct {
    hybrid_config hybrid; /* first: hybrid_build() is given it */
    transformer_config transformer;
    size_t bottom_channels; /* 0: those of the branches */
    bool use_train_segment;
} config;

static void read_positions(rv_arg_reader *r, transformer_config *t)
{
    static const char *const names[] = { "sin", "cape", "scaled" };
    const char *text = rv_arg_text(r, "t_emb", "sin");
    size_t i = 0;
    while (i < 3 && strcmp(text, names[i]))
        i++;
    if (i == 3)
        rv_arg_fail(r, RV_ERR_ARG, "t_emb", "is %s, sin, cape or scaled is expected", text);
    t->positions = (transformer_positions)i;
    t->max_positions = rv_arg_size(r, "t_max_positions", 10000, 1, 1000000);
    t->max_period = rv_arg_number(r, "t_max_period", 10000, 1e-6, 1e12);
    t->position_weight = rv_arg_number(r, "t_weight_pos_embed", 1, -1e6, 1e6);
    t->centre_positions = rv_arg_bool(r, "t_cape_mean_normalize", true);
}

static void read_norms(rv_arg_reader *r, transformer_config *t)
{
    t->norm_in = rv_arg_bool(r, "t_norm_in", true);
    t->norm_in_group = rv_arg_size(r, "t_norm_in_group", 0, 0, 4096);
    t->group_norm = rv_arg_size(r, "t_group_norm", 0, 0, 4096);
    t->norm_first = rv_arg_bool(r, "t_norm_first", true);
    t->norm_out = rv_arg_size(r, "t_norm_out", 1, 0, 4096);
    if (t->norm_out % 2 == 0) /* the reference asks for its lowest bit */
        t->norm_out = 0;
}

/* Arguments that would change the attention; the others of theirs do nothing then. */
static void refuse_sparse(rv_arg_reader *r)
{
    static const char *const switches[] = { "t_sparse_self_attn", "t_sparse_cross_attn" };
    static const char *const unused[] = { "t_mask_type",          "t_mask_random_seed",
                                          "t_sparse_attn_window", "t_global_window",
                                          "t_sparsity",           "t_auto_sparsity" };
    for (size_t i = 0; i < sizeof switches / sizeof *switches; i++)
        if (rv_arg_bool(r, switches[i], false))
            rv_arg_fail(r, RV_ERR_UNSUPPORTED, switches[i], "is set, which is not supported");
    for (size_t i = 0; i < sizeof unused / sizeof *unused; i++)
        rv_arg_ignore(r, unused[i]);
}

static void ignore_training(rv_arg_reader *r)
{
    static const char *const names[] = { "t_dropout",      "t_weight_decay",
                                         "t_lr",           "t_sin_random_shift",
                                         "t_cape_augment", "t_cape_glob_loc_scale" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        rv_arg_ignore(r, names[i]);
}

static rv_status configure(void *out, rv_model_info *info, const rv_args *args, rv_error *err)
{
    static const hybrid_defaults defaults = {
        .depth = 4, .dconv_compress = 8, .dconv_init = 1e-3, .has_lstm = false
    };
    rv_arg_reader r = { .model = "htdemucs", .args = args, .err = err };
    config *c = out;
    transformer_config *t = &c->transformer;
    hybrid_configure(&r, &defaults, info, &c->hybrid);
    rv_arg_segment(&r, info, 10);
    c->use_train_segment = rv_arg_bool(&r, "use_train_segment", true);
    c->bottom_channels = rv_arg_size(&r, "bottom_channels", 0, 0, 4096);
    t->layers = rv_arg_size(&r, "t_layers", 5, 0, 64);
    t->heads = rv_arg_size(&r, "t_heads", 8, 1, 256);
    t->hidden_scale = rv_arg_number(&r, "t_hidden_scale", 4, 0.01, 16);
    t->cross_first = rv_arg_bool(&r, "t_cross_first", false);
    t->layer_scale = rv_arg_bool(&r, "t_layer_scale", true);
    t->gelu = rv_arg_bool(&r, "t_gelu", true);
    read_positions(&r, t);
    read_norms(&r, t);
    refuse_sparse(&r);
    ignore_training(&r);
    if (r.status == RV_OK && c->hybrid.time_depth < c->hybrid.depth)
        rv_arg_fail(&r, RV_ERR_UNSUPPORTED, "depth", "is %zu, at most %zu is expected",
                    c->hybrid.depth, c->hybrid.time_depth);
    return rv_arg_finish(&r);
}

static size_t valid_length(const void *cfg, const rv_model_info *info, size_t n)
{
    const config *c = cfg;
    if (!c->use_train_segment)
        return n;
    return n <= info->n_audio ? info->n_audio : 0;
}

/* x [...,I] -> [...,channels] */
static rv_node *change_width(nn_builder *b, const char *name, rv_node *x, size_t channels)
{
    return nn_conv_time(b, name, x, channels, 1, (rv_conv_axis){ 0 }, true);
}

static void transform(nn_builder *b, const void *ctx, rv_node **x, rv_node **xt)
{
    const config *c = ctx;
    const size_t width = rv_extent(*x, -1), width_time = rv_extent(*xt, -1);
    if (c->transformer.layers == 0)
        return;
    if (c->bottom_channels) {
        *x = change_width(b, "channel_upsampler", *x, c->bottom_channels);
        *xt = change_width(b, "channel_upsampler_t", *xt, c->bottom_channels);
    }
    cross_transformer(b, &c->transformer, x, xt);
    if (c->bottom_channels) {
        *x = change_width(b, "channel_downsampler", *x, width);
        *xt = change_width(b, "channel_downsampler_t", *xt, width_time);
    }
}

static rv_node *build(nn_builder *b, const void *cfg, const rv_model_info *info, rv_node *mix)
{
    const config *c = cfg;
    const size_t length = rv_extent(mix, 1);
    if (c->use_train_segment && length < info->n_audio)
        mix = rv_pad(mix, 1, 0, info->n_audio - length, RV_PAD_ZERO);
    rv_node *y = hybrid_build(b, &c->hybrid, mix, transform, c);
    return rv_slice(y, 1, 0, length);
}

static const char *const classes[] = { "demucs.htdemucs.HTDemucs", NULL };
static const char *const positional[] = { "sources",
                                          "audio_channels",
                                          "channels",
                                          "channels_time",
                                          "growth",
                                          "nfft",
                                          "wiener_iters",
                                          "end_iters",
                                          "wiener_residual",
                                          "cac",
                                          "depth",
                                          "rewrite",
                                          "multi_freqs",
                                          "multi_freqs_depth",
                                          "freq_emb",
                                          "emb_scale",
                                          "emb_smooth",
                                          "kernel_size",
                                          "time_stride",
                                          "stride",
                                          "context",
                                          "context_enc",
                                          "norm_starts",
                                          "norm_groups",
                                          "dconv_mode",
                                          "dconv_depth",
                                          "dconv_comp",
                                          "dconv_init",
                                          "bottom_channels",
                                          "t_layers",
                                          "t_emb",
                                          "t_hidden_scale",
                                          "t_heads",
                                          "t_dropout",
                                          "t_max_positions",
                                          "t_norm_in",
                                          "t_norm_in_group",
                                          "t_group_norm",
                                          "t_norm_first",
                                          "t_norm_out",
                                          "t_max_period",
                                          "t_weight_decay",
                                          "t_lr",
                                          "t_layer_scale",
                                          "t_gelu",
                                          "t_weight_pos_embed",
                                          "t_sin_random_shift",
                                          "t_cape_mean_normalize",
                                          "t_cape_augment",
                                          "t_cape_glob_loc_scale",
                                          "t_sparse_self_attn",
                                          "t_sparse_cross_attn",
                                          "t_mask_type",
                                          "t_mask_random_seed",
                                          "t_sparse_attn_window",
                                          "t_global_window",
                                          "t_sparsity",
                                          "t_auto_sparsity",
                                          "t_cross_first",
                                          "rescale",
                                          "samplerate",
                                          "segment",
                                          "use_train_segment",
                                          NULL };

const rv_model_def rv_model_htdemucs = {
    .name = "htdemucs",
    .classes = classes,
    .citation = "Rouard et al., Hybrid transformers for music source separation, ICASSP 2023, "
                "arXiv:2211.08553",
    .positional = positional,
    .config_size = sizeof(config),
    .configure = configure,
    .valid_length = valid_length,
    .build = build,
};
