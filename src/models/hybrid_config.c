/* hybrid_config.c - read the arguments of Hybrid Demucs and HT Demucs, and lay out the layers.
 *
 * The frequency branch divides the frequencies by the stride at each level, down to 1; the
 * level that gets there has no padding (`last`), and there the time branch, which has
 * divided the samples by the same factors, ends and is added. Deeper levels go along time. */
#include "hybrid.h"

#include "base/status.h"

enum { NEVER = 1000000 };

static void read_spectrum(rv_arg_reader *r, const hybrid_defaults *d, hybrid_config *c)
{
    c->n_fft = rv_arg_size(r, "nfft", 4096, 64, 65536);
    c->hop = c->n_fft / 4;
    if (c->n_fft & (c->n_fft - 1))
        rv_arg_fail(r, RV_ERR_ARG, "nfft", "is %zu, a power of two is expected", c->n_fft);
    c->wiener_iterations = (int)rv_arg_number(r, "wiener_iters", 0, -1, 100);
    const int end = (int)rv_arg_number(r, "end_iters", 0, -1, 100);
    c->wiener_residual = rv_arg_bool(r, "wiener_residual", false);
    c->complex_as_channels = rv_arg_bool(r, "cac", true);
    c->hybrid = d->has_lstm ? rv_arg_bool(r, "hybrid", true) : true;
    c->hybrid_old = d->has_lstm ? rv_arg_bool(r, "hybrid_old", false) : false;
    if (c->hybrid_old && !c->hybrid)
        rv_arg_fail(r, RV_ERR_ARG, "hybrid_old", "is set, but not hybrid");
    if (c->hybrid && end != c->wiener_iterations)
        rv_arg_fail(r, RV_ERR_ARG, "end_iters", "is %d, %d as wiener_iters is expected", end,
                    c->wiener_iterations);
    if (!c->complex_as_channels && c->wiener_iterations > 0 && c->audio > 2)
        rv_arg_fail(r, RV_ERR_UNSUPPORTED, "wiener_iters", "is %d: only for 1 or 2 channels",
                    c->wiener_iterations);
}

static void read_dconv(rv_arg_reader *r, const hybrid_defaults *d, hybrid_config *c)
{
    c->dconv_mode = rv_arg_size(r, "dconv_mode", 1, 0, 3);
    const double depth = rv_arg_number(r, "dconv_depth", 2, -8, 8);
    c->dconv.dilate = depth > 0;
    c->dconv.depth = (size_t)(depth < 0 ? -depth : depth);
    c->dconv.compress = rv_arg_number(r, "dconv_comp", d->dconv_compress, 0.25, 4096);
    c->dconv.init = rv_arg_number(r, "dconv_init", d->dconv_init, -1e6, 1e6);
    c->dconv_attention = d->has_lstm ? rv_arg_size(r, "dconv_attn", 4, 0, NEVER) : NEVER;
    c->dconv_lstm = d->has_lstm ? rv_arg_size(r, "dconv_lstm", 4, 0, NEVER) : NEVER;
}

static void read_layers(rv_arg_reader *r, const hybrid_defaults *d, hybrid_config *c)
{
    c->channels = rv_arg_size(r, "channels", 48, 1, 4096);
    c->channels_time = rv_arg_size(r, "channels_time", c->channels, 1, 4096);
    c->growth = rv_arg_number(r, "growth", 2, 0.1, 8);
    c->depth = rv_arg_size(r, "depth", (size_t)d->depth, 1, HYBRID_MOST_DEPTH);
    c->rewrite = rv_arg_bool(r, "rewrite", true);
    c->embedding = rv_arg_number(r, "freq_emb", 0.2, -1e6, 1e6);
    c->embedding_scale = rv_arg_number(r, "emb_scale", 10, -1e6, 1e6);
    c->kernel = rv_arg_size(r, "kernel_size", 8, 1, 256);
    c->stride = rv_arg_size(r, "stride", 4, 1, 64);
    c->time_stride = rv_arg_size(r, "time_stride", 2, 1, 64);
    c->context = rv_arg_size(r, "context", 1, 0, 31);
    c->context_encoder = rv_arg_size(r, "context_enc", 0, 0, 31);
    c->norm_starts = rv_arg_size(r, "norm_starts", 4, 0, NEVER);
    c->norm_groups = rv_arg_size(r, "norm_groups", 4, 1, 4096);
    rv_arg_check_width(r, c->channels, c->growth, c->depth);
    rv_arg_check_width(r, c->channels_time, c->growth, c->depth);
    if (c->kernel < c->stride)
        rv_arg_fail(r, RV_ERR_ARG, "kernel_size", "is %zu, at least the stride %zu is expected",
                    c->kernel, c->stride);
}

/* The outer levels may have weights for each band of frequencies. */
static void read_bands(rv_arg_reader *r, const hybrid_defaults *d, hybrid_config *c)
{
    const rv_arg *list = rv_arg_list(r, "multi_freqs");
    const size_t n = list ? (size_t)list->number : 0;
    c->band_levels = rv_arg_size(r, "multi_freqs_depth", d->has_lstm ? 2 : 3, 0, HYBRID_MOST_DEPTH);
    if (n == 0)
        c->band_levels = 0;
    if (n > sizeof c->bands.ratio / sizeof *c->bands.ratio) {
        rv_arg_fail(r, RV_ERR_UNSUPPORTED, "multi_freqs", "has %zu values, at most 4 are expected",
                    n);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        const rv_arg *a = &list->items[i];
        c->bands.ratio[i] = a->kind == RV_ARG_NUMBER ? a->number : 0;
        if (!(c->bands.ratio[i] > (i ? c->bands.ratio[i - 1] : 0) && c->bands.ratio[i] < 1))
            rv_arg_fail(r, RV_ERR_ARG, "multi_freqs", "must rise from above 0 to below 1");
    }
    c->bands.n = n ? n + 1 : 0;
    if (n && (c->norm_starts < c->band_levels || c->kernel != 2 * c->stride))
        rv_arg_fail(r, RV_ERR_UNSUPPORTED, "multi_freqs",
                    "needs levels without norm, and kernels of twice the stride");
}

/* What the layers of level i have in common; `frequencies` are those it is given. */
static hybrid_layer common_layer(const hybrid_config *c, size_t i, size_t frequencies)
{
    hybrid_layer l = { .kernel = c->kernel,
                       .stride = c->stride,
                       .pad = c->kernel / 4,
                       .rewrite = c->rewrite,
                       .norm_groups = i >= c->norm_starts ? c->norm_groups : 0,
                       .frequency = frequencies > 1,
                       .branch = c->dconv };
    l.branch.attention = i >= c->dconv_attention;
    l.branch.lstm = i >= c->dconv_lstm;
    if (!l.frequency) {
        l.kernel = 2 * c->time_stride;
        l.stride = c->time_stride;
        l.pad = l.kernel / 4;
    } else if (frequencies <= c->kernel) {
        l.kernel = frequencies;
        l.pad = 0;
    }
    return l;
}

/* The time branch's layer beside `l`. */
static hybrid_layer time_layer(const hybrid_config *c, const hybrid_layer *l, bool merges)
{
    hybrid_layer t = *l;
    t.frequency = false;
    t.kernel = c->kernel;
    t.stride = c->stride;
    t.pad = c->kernel / 4;
    t.empty = merges;
    return t;
}

static void set_encoder(const hybrid_config *c, hybrid_layer *l, size_t out)
{
    l->out = out;
    l->context = l->context_bins = c->context_encoder;
    l->dconv = c->dconv_mode & 1;
}

static void set_decoder(const hybrid_config *c, hybrid_layer *l, size_t level, size_t out)
{
    l->out = out;
    l->context = c->context;
    l->context_bins = level < c->band_levels ? 0 : c->context;
    l->dconv = c->dconv_mode & 2;
    l->last = level == 0;
}

static size_t grow(const hybrid_config *c, size_t channels)
{
    return (size_t)(c->growth * (double)channels);
}

static void lay_out(hybrid_config *c)
{
    size_t out = c->channels, out_time = c->channels_time, frequencies = c->n_fft / 2;
    size_t in_time = c->stems * c->audio, in = in_time * (c->complex_as_channels ? 2 : 1);
    for (size_t i = 0; i < c->depth; i++) {
        const hybrid_layer l = common_layer(c, i, frequencies);
        const bool last = l.frequency && frequencies <= c->kernel;
        if (last)
            out_time = out = out > out_time ? out : out_time;
        c->encoder[i] = c->decoder[i] = l;
        set_encoder(c, &c->encoder[i], out);
        set_decoder(c, &c->decoder[i], i, in);
        if (c->hybrid && l.frequency) {
            c->time_encoder[i] = c->time_decoder[i] = time_layer(c, &l, last);
            set_encoder(c, &c->time_encoder[i], out_time);
            set_decoder(c, &c->time_decoder[i], i, in_time);
            c->time_depth = i + 1;
            c->merges = last;
        }
        in = out;
        in_time = out_time;
        out = grow(c, out);
        out_time = grow(c, out_time);
        frequencies = frequencies <= c->kernel ? 1 : frequencies / c->stride;
    }
}

/* Levels whose frequencies can be split: those along frequency, but not down to the last. */
static size_t split_levels(const hybrid_config *c)
{
    size_t n = 0;
    while (n < c->depth && c->encoder[n].frequency && c->encoder[n].pad)
        n++;
    return n;
}

void hybrid_configure(rv_arg_reader *r, const hybrid_defaults *d, rv_model_info *info,
                      hybrid_config *c)
{
    rv_arg_audio(r, info);
    c->stems = info->n_stems;
    c->audio = info->channels;
    read_spectrum(r, d, c);
    read_layers(r, d, c);
    read_dconv(r, d, c);
    read_bands(r, d, c);
    rv_arg_ignore(r, "emb_smooth");
    c->rescale = rv_arg_number(r, "rescale", 0.1, 0, 1e6);
    if (r->status == RV_OK)
        lay_out(c);
    if (r->status == RV_OK && c->band_levels > split_levels(c))
        rv_arg_fail(r, RV_ERR_UNSUPPORTED, "multi_freqs_depth", "is %zu, at most %zu is expected",
                    c->band_levels, split_levels(c));
}
