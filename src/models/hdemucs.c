/* hdemucs.c - Hybrid Demucs (Demucs 3): spectrogram and waveform, two branches of a U-Net.
 *
 *   A. Defossez, "Hybrid spectrogram and waveform source separation", ISMIR 2021 workshop
 *   on music source separation. arXiv:2111.03600
 *
 * The structure is in hybrid.c; this model's two branches merge, its inner levels hold
 * LSTMs and local attention, and its decoder starts from zeros: all goes over the skips. */
#include "hybrid.h"

static rv_status configure(void *out, rv_model_info *info, const rv_args *args, rv_error *err)
{
    static const hybrid_defaults defaults = {
        .depth = 6, .dconv_compress = 4, .dconv_init = 1e-4, .has_lstm = true
    };
    rv_arg_reader r = { .model = "hdemucs", .args = args, .err = err };
    hybrid_config *c = out;
    hybrid_configure(&r, &defaults, info, c);
    rv_arg_segment(&r, info, 40);
    if (r.status == RV_OK && c->hybrid && !c->merges)
        rv_arg_fail(&r, RV_ERR_ARG, "depth",
                    "is %zu, with which the branches do not meet: more levels are expected",
                    c->depth);
    return rv_arg_finish(&r);
}

static size_t valid_length(const void *cfg, const rv_model_info *info, size_t n)
{
    const hybrid_config *c = cfg;
    (void)info;
    const size_t least = c->hybrid ? 1 : c->n_fft / 2 + 1; /* for the reflection at the ends */
    return n < least ? least : n;
}

static void start_from_zeros(nn_builder *b, const void *ctx, rv_node **x, rv_node **xt)
{
    (void)b, (void)ctx;
    *x = *xt = NULL;
}

static rv_node *build(nn_builder *b, const void *cfg, const rv_model_info *info, rv_node *mix)
{
    (void)info;
    return hybrid_build(b, cfg, mix, start_from_zeros, NULL);
}

static const char *const classes[] = { "demucs.hdemucs.HDemucs", NULL };
static const char *const positional[] = { "sources",         "audio_channels",
                                          "channels",        "channels_time",
                                          "growth",          "nfft",
                                          "wiener_iters",    "end_iters",
                                          "wiener_residual", "cac",
                                          "depth",           "rewrite",
                                          "hybrid",          "hybrid_old",
                                          "multi_freqs",     "multi_freqs_depth",
                                          "freq_emb",        "emb_scale",
                                          "emb_smooth",      "kernel_size",
                                          "time_stride",     "stride",
                                          "context",         "context_enc",
                                          "norm_starts",     "norm_groups",
                                          "dconv_mode",      "dconv_depth",
                                          "dconv_comp",      "dconv_attn",
                                          "dconv_lstm",      "dconv_init",
                                          "rescale",         "samplerate",
                                          "segment",         NULL };

const rv_model_def rv_model_hdemucs = {
    .name = "hdemucs",
    .classes = classes,
    .citation = "Defossez, Hybrid spectrogram and waveform source separation, 2021, "
                "arXiv:2111.03600",
    .positional = positional,
    .config_size = sizeof(hybrid_config),
    .configure = configure,
    .valid_length = valid_length,
    .build = build,
};
