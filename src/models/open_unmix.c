/* open_unmix.c - Open-Unmix: a magnitude for each target from an LSTM, then a Wiener filter.
 *
 *   F.-R. Stoeter, S. Uhlich, A. Liutkus and Y. Mitsufuji, "Open-Unmix - a reference
 *   implementation for music source separation", J. Open Source Software 4(41), 2019.
 *
 * Each target has a network of its own, from magnitudes x [1,T,A,F] of the mix:
 *
 *   h  = (x + input_mean) input_scale           the first `max_bin` frequencies
 *   h  = tanh(bn1(fc1 h))                       A max_bin -> H
 *   h  = [h, lstm h]                            `nb_layers` in both directions, H / 2 units each
 *   h  = bn3(fc3 relu(bn2(fc2 h)))              2H -> H -> A F
 *   y  = x relu(h output_scale + output_mean)
 *
 * All targets together give spectra (core/ops/wiener.c): with the phase of the mix, and after
 * `niter` iterations of expectation maximisation.
 *
 * Differs from the reference: a residual takes part in the filter, but is no stem; dropout between
 * the LSTM's layers, which only matters in training, is left out; input_mean and input_scale start
 * as 0 and 1, not as statistics of the data set. Batch normalisation: nn/batch_norm.c. */
#include "models/spectrum.h"

#include <math.h>

enum { WIENER_FRAMES = 300, WHOLE = 1000000 };

typedef struct {
    spectrum_config spectrum;
    size_t hidden, layers, bins; /* bins: what the network is given of the spectrum */
    size_t iterations, window;
    bool both_directions, soft_mask, residual;
} config;

/* `max_bin` says how many bins, or `bandwidth` up to which frequency in Hz. */
static size_t read_bins(rv_arg_reader *r, const config *c, const rv_model_info *info)
{
    const size_t all = c->spectrum.n_fft / 2 + 1;
    const double width = rv_arg_number(r, "bandwidth", 16000, 1, 1e6);
    const double bin = (double)info->sample_rate / (double)c->spectrum.n_fft;
    const size_t within = (size_t)floor(fmin(width / bin, (double)all - 1)) + 1;
    return rv_arg_size(r, "max_bin", within, 1, all);
}

static void read_filter(rv_arg_reader *r, const rv_model_info *info, config *c)
{
    c->iterations = rv_arg_size(r, "niter", 0, 0, 100);
    c->soft_mask = rv_arg_bool(r, "softmask", false);
    c->residual = rv_arg_bool(r, "residual", false);
    c->window = rv_arg_is_none(r, "wiener_win_len")
                    ? WHOLE
                    : rv_arg_size(r, "wiener_win_len", WIENER_FRAMES, 1, WHOLE);
    if (c->iterations > 0 && info->channels > 2)
        rv_arg_fail(r, RV_ERR_UNSUPPORTED, "niter", "is %zu: only for 1 or 2 channels",
                    c->iterations);
    if (c->iterations > 0 && info->n_stems + c->residual < 2)
        rv_arg_fail(r, RV_ERR_ARG, "niter", "is %zu: two targets, or a residual, are expected",
                    c->iterations);
}

static rv_status configure(void *out, rv_model_info *info, const rv_args *args, rv_error *err)
{
    rv_arg_reader r = { .model = "open_unmix", .args = args, .err = err };
    config *c = out;
    rv_arg_audio(&r, info);
    rv_arg_segment(&r, info, 6);
    c->spectrum = spectrum_configure(&r, "n_fft", 4096, "n_hop", 1024);
    c->hidden = rv_arg_size(&r, "hidden_size", 512, 2, 8192);
    c->layers = rv_arg_size(&r, "nb_layers", 3, 1, 16);
    c->both_directions = !rv_arg_bool(&r, "unidirectional", false);
    c->bins = read_bins(&r, c, info);
    read_filter(&r, info, c);
    if (c->hidden % 2)
        rv_arg_fail(&r, RV_ERR_ARG, "hidden_size", "is %zu, an even number is expected", c->hidden);
    return rv_arg_finish(&r);
}

static size_t valid_length(const void *cfg, const rv_model_info *info, size_t n)
{
    const config *c = cfg;
    (void)info;
    return spectrum_length(&c->spectrum, n);
}

/* x [1,T,A,F'] -> [1,T,A F'], F' the frequencies that the network is given */
static rv_node *scaled_input(nn_builder *b, const config *c, rv_node *x)
{
    const rv_shape bins = RV_SHAPE(c->bins);
    rv_node *mean = nn_param_new(b, "input_mean", bins, (nn_start){ NN_FILL, 0 });
    rv_node *scale = nn_param_new(b, "input_scale", bins, (nn_start){ NN_FILL, 1 });
    x = rv_mul(rv_add(rv_slice(x, 3, 0, c->bins), mean), scale);
    return rv_reshape(x, RV_SHAPE(1, rv_extent(x, 1), rv_extent(x, 2) * c->bins));
}

/* h [1,T,A F] -> [1,T,A,F] */
static rv_node *scaled_output(nn_builder *b, rv_node *h, size_t audio)
{
    const size_t bins = rv_extent(h, -1) / audio;
    rv_node *scale = nn_param_new(b, "output_scale", RV_SHAPE(bins), (nn_start){ NN_FILL, 1 });
    rv_node *mean = nn_param_new(b, "output_mean", RV_SHAPE(bins), (nn_start){ NN_FILL, 1 });
    h = rv_reshape(h, RV_SHAPE(1, rv_extent(h, 1), audio, bins));
    return rv_relu(rv_add(rv_mul(h, scale), mean));
}

/* x [1,T,A,F] -> the target's magnitudes [1,T,A,F] */
static rv_node *target(nn_builder *b, const config *c, rv_node *x)
{
    const size_t audio = rv_extent(x, 2), units = c->both_directions ? c->hidden / 2 : c->hidden;
    rv_node *h = nn_linear(b, "fc1", scaled_input(b, c, x), c->hidden, false);
    h = rv_tanh(nn_batch_norm(b, "bn1", h, 1e-5));
    rv_node *skip[] = { h, nn_lstm(b, "lstm", h, units, c->layers, c->both_directions) };
    h = nn_linear(b, "fc2", rv_concat(2, 2, skip), c->hidden, false);
    h = rv_relu(nn_batch_norm(b, "bn2", h, 1e-5));
    h = nn_linear(b, "fc3", h, audio * rv_extent(x, 3), false);
    h = nn_batch_norm(b, "bn3", h, 1e-5);
    return rv_mul(scaled_output(b, h, audio), x);
}

/* Magnitudes y [1,T,F,S,A] as shares of the mix's [1,T,F,A]: x y_j / (eps + sum_i y_i) */
static rv_node *shares(rv_node *y, rv_node *x)
{
    const size_t frames = rv_extent(y, 1), bins = rv_extent(y, 2), audio = rv_extent(y, 4);
    const rv_shape one = RV_SHAPE(1, frames, bins, 1, audio);
    rv_node *sum = rv_scale(rv_sum_to(y, one), 1, 1e-10);
    return rv_mul(y, rv_div(rv_reshape(x, one), sum));
}

/* x [1,T,F,A] -> [1,T,F,S,A] */
static rv_node *targets(nn_builder *b, const config *c, const rv_model_info *info, rv_node *x)
{
    const size_t frames = rv_extent(x, 1), bins = rv_extent(x, 2), audio = rv_extent(x, 3);
    rv_node *y = NULL, *input = RV_PERMUTE(x, 0, 1, 3, 2);
    for (size_t i = 0; i < info->n_stems; i++) {
        const size_t mark = nn_enter(b, "target_models.%s", info->stems[i]);
        rv_node *one = RV_PERMUTE(target(b, c, input), 0, 1, 3, 2);
        nn_leave(b, mark);
        one = rv_reshape(one, RV_SHAPE(1, frames, bins, 1, audio));
        y = y ? rv_concat(3, 2, (rv_node *[]){ y, one }) : one;
    }
    return y;
}

static rv_node *build(nn_builder *b, const void *cfg, const rv_model_info *info, rv_node *mix)
{
    const config *c = cfg;
    rv_node *z = spectrum_of(&c->spectrum, mix), *x = spectrum_magnitude(z);
    rv_node *y = targets(b, c, info, x);
    if (c->soft_mask)
        y = shares(y, x);
    const rv_shape rows =
        RV_SHAPE(1, rv_extent(y, 1), rv_extent(y, 2), info->n_stems * info->channels);
    z = rv_wiener(rv_reshape(y, rows), z, c->iterations, c->residual, c->window);
    return spectrum_back(&c->spectrum, z, rv_extent(mix, 1));
}

static const char *const classes[] = { "openunmix.model.Separator", NULL };
static const char *const positional[] = { "sources", "segment", NULL };

const rv_model_def rv_model_open_unmix = {
    .name = "open_unmix",
    .classes = classes,
    .citation = "Stoeter, Uhlich, Liutkus and Mitsufuji, Open-Unmix, JOSS 4(41), 2019",
    .positional = positional,
    .config_size = sizeof(config),
    .configure = configure,
    .valid_length = valid_length,
    .build = build,
};
