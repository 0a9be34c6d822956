/* ravel_s.c - a small network for all stems at once: recurrent along time and along bands.
 *
 * After the band-split RNN,
 *   Y. Luo and J. Yu, "Music source separation with band-split RNN", IEEE/ACM Trans. Audio,
 *   Speech, Language Process. 31, 2023. arXiv:2209.15174
 * but made to be quick on a processor: one trunk for all stems, GRUs, masks of low rank.
 *
 *   spectrum  z [T,F,A]                           n_fft 4096, hop 1024; with `mid_side`, of
 *             (L + R) / sqrt 2 and (L - R) / sqrt 2, to which stems return at the end
 *   input     |z|^(1/4) and z |z|^(-3/4), cut into K bands of equal width in Bark,
 *             one linear layer for each: h [K,T,N]
 *   trunk     `blocks` times  h += fc gru_time(norm h)    all bands side by side
 *                             h += fc gru_bands(norm h)   all frames side by side
 *   masks     for each band   c = fc gelu(fc norm h)      S stems of r coefficients
 *                             c -= mean of c over the stems
 *                             m = c B                     with a basis B [r,bins A (2)] for all
 *   stems     complex         (m_j + 1 / S) z
 *             real            softmax of m over the stems, times z
 *
 * The masks of a bin have the sum 1, so that the stems have the sum of the mix, and silence gives
 * zeros exactly. With `bidirectional: false` no frame depends on later ones. */
#include "models/bands.h"
#include "models/spectrum.h"

#include <math.h>
#include <string.h>

typedef struct {
    spectrum_config spectrum;
    bands bands;
    size_t features, blocks, time_units, band_units, hidden, rank;
    bool mid_side, both_directions, complex_masks;
} config;

static bool read_mask(rv_arg_reader *r)
{
    const char *text = rv_arg_text(r, "mask", "complex");
    if (strcmp(text, "complex") && strcmp(text, "real"))
        rv_arg_fail(r, RV_ERR_ARG, "mask", "is %s, complex or real is expected", text);
    return !strcmp(text, "complex");
}

static bool read_mid_side(rv_arg_reader *r, const rv_model_info *info)
{
    const bool on = rv_arg_bool(r, "mid_side", false);
    if (on && info->channels != 2)
        rv_arg_fail(r, RV_ERR_ARG, "mid_side", "is true; it needs two channels, not %zu",
                    info->channels);
    return on;
}

static void read_bands(rv_arg_reader *r, const rv_model_info *info, config *c)
{
    const size_t bins = c->spectrum.n_fft / 2 + 1;
    const size_t n = rv_arg_size(r, "bands", bins < 36 ? bins : 36, 1, BANDS_MOST);
    if (n > bins)
        rv_arg_fail(r, RV_ERR_ARG, "bands", "is %zu, more than the %zu bins", n, bins);
    else
        c->bands = bands_by_bark(n, bins, (double)info->sample_rate);
}

static rv_status configure(void *out, rv_model_info *info, const rv_args *args, rv_error *err)
{
    rv_arg_reader r = { .model = "ravel_s", .args = args, .err = err };
    config *c = out;
    rv_arg_audio(&r, info);
    rv_arg_segment(&r, info, 8);
    c->spectrum = spectrum_configure(&r, "n_fft", 4096, "hop", 1024);
    c->mid_side = read_mid_side(&r, info);
    read_bands(&r, info, c);
    c->features = rv_arg_size(&r, "features", 64, 1, 4096);
    c->blocks = rv_arg_size(&r, "blocks", 5, 1, 64);
    c->time_units = rv_arg_size(&r, "time_units", 64, 1, 4096);
    c->band_units = rv_arg_size(&r, "band_units", 48, 1, 4096);
    c->hidden = rv_arg_size(&r, "hidden", 128, 1, 4096);
    c->rank = rv_arg_size(&r, "rank", 24, 1, 1024);
    c->both_directions = rv_arg_bool(&r, "bidirectional", true);
    c->complex_masks = read_mask(&r);
    return rv_arg_finish(&r);
}

static size_t valid_length(const void *cfg, const rv_model_info *info, size_t n)
{
    const config *c = cfg;
    (void)info;
    return spectrum_length(&c->spectrum, n);
}

/* z [2,T,F,A] -> |z| [1,T,F,A] */
static rv_node *size_of(rv_node *z)
{
    rv_node *re = rv_slice(z, 0, 0, 1), *im = rv_slice(z, 0, 1, 1);
    return rv_sqrt(rv_scale(rv_add(rv_mul(re, re), rv_mul(im, im)), 1, 1e-6));
}

/* Left and right, the last axis of x [...,2], to mid and side, or back. Orthogonal, so that errors
 * weigh alike. */
static rv_node *turned(rv_node *x)
{
    rv_node *a = rv_slice(x, -1, 0, 1), *b = rv_slice(x, -1, 1, 1);
    rv_node *parts[] = { rv_add(a, b), rv_sub(a, b) };
    return rv_scale(rv_concat(-1, 2, parts), sqrt(0.5), 0);
}

/* z [A,T,F,2] -> [3,T,F,A]: z |z|^(-3/4) and |z|^(1/4); of mid and side [4,T,F,2], with |z|^(1/4)
 * of left and right. The scale is that at which noise keeps its deviation. Real parts first, then
 * imaginary ones, so that what follows reads memory in order. */
static rv_node *compressed(const config *c, rv_node *z)
{
    z = rv_scale(RV_PERMUTE(z, 3, 1, 2, 0), 1 / sqrt((double)c->spectrum.n_fft), 0);
    rv_node *size = size_of(z), *quarter = rv_sqrt(rv_sqrt(size));
    rv_node *parts[] = { rv_mul(z, rv_div(quarter, size)), quarter, NULL };
    if (c->mid_side)
        parts[2] = rv_sqrt(rv_sqrt(size_of(turned(z))));
    return rv_concat(0, c->mid_side ? 3 : 2, parts);
}

/* x [P,T,F,A] -> [K,T,N] */
static rv_node *split(nn_builder *b, const config *c, rv_node *x)
{
    rv_node *h[BANDS_MOST];
    x = RV_PERMUTE(x, 1, 0, 2, 3);
    for (size_t i = 0; i < c->bands.n; i++) {
        const size_t mark = nn_enter(b, "split.%zu", i);
        rv_node *y = bands_take(&c->bands, x, i);
        const size_t inputs = rv_extent(y, 1) * rv_extent(y, 2) * rv_extent(y, 3);
        y = rv_reshape(y, RV_SHAPE(1, rv_extent(y, 0), inputs));
        h[i] = nn_linear(b, "fc", y, c->features, true);
        nn_leave(b, mark);
    }
    return bands_concat(0, c->bands.n, h);
}

/* h [B,L,N] -> [B,L,N], along L */
static rv_node *recurrent(nn_builder *b, const char *name, rv_node *h, size_t units, bool both)
{
    const size_t mark = nn_enter(b, "%s", name);
    rv_node *y = nn_gru(b, "gru", nn_layer_norm(b, "norm", h), units, 1, both);
    y = rv_add(h, nn_linear(b, "fc", y, rv_extent(h, 2), true));
    nn_leave(b, mark);
    return y;
}

/* h [K,T,N] -> [K,T,N] */
static rv_node *trunk(nn_builder *b, const config *c, rv_node *h)
{
    for (size_t i = 0; i < c->blocks; i++) {
        const size_t mark = nn_enter(b, "blocks.%zu", i);
        h = recurrent(b, "time", h, c->time_units, c->both_directions);
        h = recurrent(b, "bands", RV_PERMUTE(h, 1, 0, 2), c->band_units, true);
        h = RV_PERMUTE(h, 1, 0, 2);
        nn_leave(b, mark);
    }
    return h;
}

/* Of band i, h [K,T,N] -> [1,T,S,r] */
static rv_node *coefficients(nn_builder *b, const config *c, rv_node *h, size_t i, size_t stems)
{
    h = rv_slice(h, 0, i, 1);
    h = rv_gelu(nn_linear(b, "fc1", nn_layer_norm(b, "norm", h), c->hidden, true));
    h = nn_linear(b, "fc2", h, stems * c->rank, true);
    return rv_reshape(h, RV_SHAPE(1, rv_extent(h, 1), stems, c->rank));
}

/* h [K,T,S,r] without its mean over the stems */
static rv_node *centred(rv_node *h)
{
    return rv_sub(h, rv_mean_to(h, RV_SHAPE(rv_extent(h, 0), rv_extent(h, 1), 1, rv_extent(h, 3))));
}

/* h [K,T,N], z [A,T,F,2] -> (m + 1/S) z [S A,T,F,2] */
static rv_node *complex_stems(nn_builder *b, const config *c, rv_node *h, rv_node *z, size_t stems)
{
    rv_node *coefficient[BANDS_MOST], *basis[BANDS_MOST];
    for (size_t i = 0; i < c->bands.n; i++) {
        const size_t mark = nn_enter(b, "masks.%zu", i);
        const size_t width = (c->bands.edge[i + 1] - c->bands.edge[i]) * rv_extent(z, 0);
        coefficient[i] = coefficients(b, c, h, i, stems);
        basis[i] = nn_linear_weight(b, "basis", c->rank, 2 * width);
        nn_leave(b, mark);
    }
    return rv_band_masks(centred(bands_concat(0, c->bands.n, coefficient)),
                         bands_concat(0, c->bands.n, basis), z, c->bands.n, c->bands.edge);
}

/* h [K,T,N] -> [T,S,F,A] */
static rv_node *real_masks(nn_builder *b, const config *c, rv_node *h, size_t stems, size_t audio)
{
    const size_t frames = rv_extent(h, 1);
    rv_node *m[BANDS_MOST];
    for (size_t i = 0; i < c->bands.n; i++) {
        const size_t mark = nn_enter(b, "masks.%zu", i);
        const size_t width = c->bands.edge[i + 1] - c->bands.edge[i];
        m[i] = centred(coefficients(b, c, h, i, stems));
        m[i] = nn_linear(b, "basis", m[i], width * audio, false);
        m[i] = rv_reshape(m[i], RV_SHAPE(frames, stems, width, audio));
        nn_leave(b, mark);
    }
    return bands_concat(2, c->bands.n, m);
}

/* h [K,T,N], z [A,T,F,2] -> softmax(m) z [S A,T,F,2] */
static rv_node *real_stems(nn_builder *b, const config *c, rv_node *h, rv_node *z, size_t stems)
{
    const size_t audio = rv_extent(z, 0), frames = rv_extent(z, 1), bins = rv_extent(z, 2);
    rv_node *m = rv_softmax(RV_PERMUTE(real_masks(b, c, h, stems, audio), 0, 2, 3, 1));
    m = rv_reshape(RV_PERMUTE(m, 3, 2, 0, 1), RV_SHAPE(stems, audio, frames, bins, 1));
    z = rv_reshape(z, RV_SHAPE(1, audio, frames, bins, 2));
    return rv_reshape(rv_mul(m, z), RV_SHAPE(stems * audio, frames, bins, 2));
}

static rv_node *build(nn_builder *b, const void *cfg, const rv_model_info *info, rv_node *mix)
{
    const config *c = cfg;
    const size_t n = rv_extent(mix, 1), stems = info->n_stems;
    rv_node *z = spectrum_parts(&c->spectrum, c->mid_side ? turned(mix) : mix);
    rv_node *h = trunk(b, c, split(b, c, compressed(c, z)));
    z = (c->complex_masks ? complex_stems : real_stems)(b, c, h, z, stems);
    rv_node *y = spectrum_join(&c->spectrum, z, n);
    if (!c->mid_side)
        return y;
    y = turned(rv_reshape(y, RV_SHAPE(n, stems, 2)));
    return rv_reshape(y, RV_SHAPE(1, n, 2 * stems));
}

static const char *const classes[] = { "ravel_s", NULL };
static const char *const positional[] = { "sources", "segment", NULL };

const rv_model_def rv_model_ravel_s = {
    .name = "ravel_s",
    .classes = classes,
    .citation = "after Luo and Yu, Band-split RNN, IEEE/ACM TASLP 31, 2023, arXiv:2209.15174",
    .positional = positional,
    .config_size = sizeof(config),
    .adds_up = true,
    .configure = configure,
    .valid_length = valid_length,
    .build = build,
};
