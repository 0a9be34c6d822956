/* bsrnn.c - band-split RNN: complex masks from LSTMs along time and along bands of frequencies.
 *
 *   Y. Luo and J. Yu, "Music source separation with band-split RNN", IEEE/ACM Trans. Audio,
 *   Speech, Language Process. 31, 2023. arXiv:2209.15174
 *
 * Each stem has a network of its own, with bands that suit it (section IV-C of the paper):
 *
 *   band split   for each band    h = fc(norm x)            real and imaginary parts -> N
 *   band and     `num_layers`     h += fc(lstm(norm h))     along time, all bands alike
 *   sequence     times            h += fc(lstm(norm h))     along bands, all frames alike
 *   masks        for each band    m = glu(fc tanh(fc norm h))
 *
 * A norm is a group norm of one group: over the frames (or bands) and the features of a sequence.
 * With `residual` the last stem has no network: it is what the others leave of the mix.
 *
 * Tables of bands: v1 to v7 as in the paper, `bass` and `drums`; v7 for vocals and other.
 *
 * Parameters have the names of the implementation by amanteur (github.com, BandSplitRNN-PyTorch),
 * from which this differs where that differs from the paper: its norms have a gain for each frame
 * of a fixed number or one group for each feature, its masks one layer more, and it scales the
 * spectrum before and multiplies masks with the scaled one. */
#include "models/bands.h"
#include "models/spectrum.h"

#include <stdio.h>
#include <string.h>

typedef struct {
    spectrum_config spectrum;
    bands bands[RV_MAX_STEMS];
    size_t features, units, layers, hidden;
    bool both_directions, residual;
} config;

static const struct {
    const char *name;
    bands_step steps[6];
} tables[] = {
    { "v1", { { 21000, 1000 } } },
    { "v2", { { 16000, 1000 }, { 20000, 2000 } } },
    { "v3", { { 8000, 1000 }, { 16000, 2000 } } },
    { "v4", { { 1000, 100 }, { 8000, 1000 }, { 16000, 2000 } } },
    { "v5", { { 1000, 100 }, { 16000, 1000 }, { 20000, 2000 } } },
    { "v6", { { 1000, 100 }, { 4000, 500 }, { 8000, 1000 }, { 16000, 2000 } } },
    { "v7", { { 1000, 100 }, { 4000, 250 }, { 8000, 500 }, { 16000, 1000 }, { 20000, 2000 } } },
    { "bass", { { 500, 50 }, { 1000, 100 }, { 4000, 500 }, { 8000, 1000 }, { 16000, 2000 } } },
    { "drums", { { 1000, 50 }, { 2000, 100 }, { 4000, 250 }, { 8000, 500 }, { 16000, 1000 } } },
};
enum { N_TABLES = sizeof tables / sizeof *tables };

/* NULL if there is none */
static const bands_step *find_table(const char *name)
{
    for (size_t i = 0; i < N_TABLES; i++)
        if (!strcmp(tables[i].name, name))
            return tables[i].steps;
    return NULL;
}

/* The table that is named, or by default that of each stem. */
static void read_bands(rv_arg_reader *r, const rv_model_info *info, config *c)
{
    const char *text = rv_arg_text(r, "bands", "stem");
    const bool by_stem = !strcmp(text, "stem");
    const bands_step *named = find_table(by_stem ? "v7" : text);
    if (!named) {
        rv_arg_fail(r, RV_ERR_ARG, "bands", "is %s, one of stem, v1 to v7, bass, drums is expected",
                    text);
        return;
    }
    for (size_t i = 0; i < info->n_stems; i++) {
        const bands_step *own = by_stem ? find_table(info->stems[i]) : NULL;
        c->bands[i] =
            bands_by_steps(own ? own : named, c->spectrum.n_fft / 2 + 1, (double)info->sample_rate);
    }
}

static rv_status configure(void *out, rv_model_info *info, const rv_args *args, rv_error *err)
{
    rv_arg_reader r = { .model = "bsrnn", .args = args, .err = err };
    config *c = out;
    rv_arg_audio(&r, info);
    rv_arg_segment(&r, info, 3);
    c->spectrum = spectrum_configure(&r, "n_fft", 2048, "hop", 512);
    read_bands(&r, info, c);
    c->features = rv_arg_size(&r, "fc_dim", 128, 1, 4096);
    c->units = rv_arg_size(&r, "rnn_dim", 2 * c->features, 1, 8192);
    c->layers = rv_arg_size(&r, "num_layers", 12, 1, 64);
    c->hidden = rv_arg_size(&r, "mlp_dim", 4 * c->features, 1, 16384);
    c->both_directions = rv_arg_bool(&r, "bidirectional", true);
    c->residual = rv_arg_bool(&r, "residual", false);
    if (c->residual && info->n_stems < 2)
        rv_arg_fail(&r, RV_ERR_ARG, "residual", "is set, two stems at least are expected");
    return rv_arg_finish(&r);
}

static size_t valid_length(const void *cfg, const rv_model_info *info, size_t n)
{
    const config *c = cfg;
    (void)info;
    return spectrum_length(&c->spectrum, n);
}

/* A layer of a list: "fcs.3" */
typedef struct {
    char text[32];
} item_name;

static item_name item(const char *list, size_t i)
{
    item_name name;
    snprintf(name.text, sizeof name.text, "%s.%zu", list, i);
    return name;
}

/* z [1,T,2A,F] -> [K,T,N] */
static rv_node *split(nn_builder *b, const config *c, const bands *cut, rv_node *z)
{
    rv_node *h[BANDS_MOST];
    const size_t mark = nn_enter(b, "bandsplit"), rows = rv_extent(z, 2);
    for (size_t i = 0; i < cut->n; i++) {
        const size_t width = cut->edge[i + 1] - cut->edge[i];
        rv_node *x = rv_slice(z, 3, cut->edge[i], width);
        x = rv_reshape(x, RV_SHAPE(1, rv_extent(z, 1), rows * width));
        x = nn_group_norm(b, item("layernorms", i).text, x, 1, false);
        h[i] = nn_linear(b, item("fcs", i).text, x, c->features, true);
    }
    nn_leave(b, mark);
    return bands_concat(0, cut->n, h);
}

/* h [B,L,N] -> [B,L,N], along L */
static rv_node *recurrent(nn_builder *b, const config *c, size_t index, rv_node *h, bool both)
{
    const size_t mark = nn_enter(b, "%zu", index);
    rv_node *y = nn_group_norm(b, "groupnorm", h, 1, false);
    y = nn_lstm(b, "rnn", y, c->units, 1, both);
    y = rv_add(h, nn_linear(b, "fc", y, c->features, true));
    nn_leave(b, mark);
    return y;
}

/* h [K,T,N] -> [K,T,N] */
static rv_node *model_sequences(nn_builder *b, const config *c, rv_node *h)
{
    for (size_t i = 0; i < c->layers; i++) {
        const size_t mark = nn_enter(b, "bandsequence.bsrnn.%zu", i);
        h = recurrent(b, c, 0, h, c->both_directions);
        h = recurrent(b, c, 1, RV_PERMUTE(h, 1, 0, 2), true);
        h = RV_PERMUTE(h, 1, 0, 2);
        nn_leave(b, mark);
    }
    return h;
}

/* One band h [1,T,N] -> [1,T,out] */
static rv_node *perceptron(nn_builder *b, const config *c, size_t i, rv_node *h, size_t out)
{
    h = nn_group_norm(b, item("layernorms", i).text, h, 1, false);
    const size_t mark = nn_enter(b, "mlp.%zu.mlp", i);
    h = rv_tanh(nn_linear(b, "0", h, c->hidden, true));
    h = rv_glu(nn_linear(b, "2", h, 2 * out, true));
    nn_leave(b, mark);
    return h;
}

/* h [K,T,N] -> masks [1,T,2A,F] */
static rv_node *masks(nn_builder *b, const config *c, const bands *cut, rv_node *h, size_t rows)
{
    rv_node *m[BANDS_MOST];
    const size_t mark = nn_enter(b, "maskest"), frames = rv_extent(h, 1);
    for (size_t i = 0; i < cut->n; i++) {
        const size_t width = cut->edge[i + 1] - cut->edge[i];
        m[i] = perceptron(b, c, i, rv_slice(h, 0, i, 1), rows * width);
        m[i] = rv_reshape(m[i], RV_SHAPE(1, frames, rows, width));
    }
    nn_leave(b, mark);
    return bands_concat(3, cut->n, m);
}

/* m z, both [1,T,2A,F], real parts of a channel before its imaginary ones -> [A,T,F,2] */
static rv_node *masked(rv_node *m, rv_node *z)
{
    const size_t frames = rv_extent(z, 1), bins = rv_extent(z, 3);
    const rv_shape s = RV_SHAPE(frames, rv_extent(z, 2) / 2, 2, bins);
    m = rv_reshape(m, s);
    z = rv_reshape(z, s);
    rv_node *u = rv_slice(m, 2, 0, 1), *v = rv_slice(m, 2, 1, 1);
    rv_node *x = rv_slice(z, 2, 0, 1), *y = rv_slice(z, 2, 1, 1);
    rv_node *parts[] = { rv_sub(rv_mul(u, x), rv_mul(v, y)), rv_add(rv_mul(u, y), rv_mul(v, x)) };
    return RV_PERMUTE(rv_concat(2, 2, parts), 1, 0, 3, 2);
}

/* Spectrum z [1,T,2A,F] -> that of a stem [A,T,F,2] */
static rv_node *network(nn_builder *b, const config *c, size_t stem, rv_node *z)
{
    const bands *cut = &c->bands[stem];
    rv_node *h = model_sequences(b, c, split(b, c, cut, z));
    return masked(masks(b, c, cut, h, rv_extent(z, 2)), z);
}

/* y [1,n,S A] of the other stems, mix [1,n,A] -> [1,n,(S + 1) A] */
static rv_node *with_residual(rv_node *y, rv_node *mix)
{
    const size_t n = rv_extent(mix, 1), audio = rv_extent(mix, 2);
    rv_node *sum = rv_reshape(y, RV_SHAPE(1, n, rv_extent(y, 2) / audio, audio));
    sum = rv_reshape(rv_sum_to(sum, RV_SHAPE(1, n, 1, audio)), mix->shape);
    return rv_concat(2, 2, (rv_node *[]){ y, rv_sub(mix, sum) });
}

/* The parameters of one network have no prefix, those of several the stem's name. */
static rv_node *build(nn_builder *b, const void *cfg, const rv_model_info *info, rv_node *mix)
{
    const config *c = cfg;
    const size_t networks = info->n_stems - c->residual, n = rv_extent(mix, 1);
    rv_node *z = RV_PERMUTE(spectrum_parts(&c->spectrum, mix), 1, 0, 3, 2); /* [T,A,2,F] */
    rv_node *stems[RV_MAX_STEMS];
    z = rv_reshape(z, RV_SHAPE(1, rv_extent(z, 0), 2 * info->channels, rv_extent(z, 3)));
    for (size_t i = 0; i < networks; i++) {
        size_t mark = strlen(b->scope);
        if (networks > 1)
            mark = nn_enter(b, "%s", info->stems[i]);
        stems[i] = network(b, c, i, z);
        nn_leave(b, mark);
    }
    rv_node *y = spectrum_join(&c->spectrum, bands_concat(0, networks, stems), n);
    return c->residual ? with_residual(y, mix) : y;
}

static const char *const classes[] = { "bsrnn", NULL };
static const char *const positional[] = { "sources", "segment", NULL };

const rv_model_def rv_model_bsrnn = {
    .name = "bsrnn",
    .classes = classes,
    .citation = "Luo and Yu, Band-split RNN, IEEE/ACM TASLP 31, 2023, arXiv:2209.15174",
    .positional = positional,
    .config_size = sizeof(config),
    .configure = configure,
    .valid_length = valid_length,
    .build = build,
};
