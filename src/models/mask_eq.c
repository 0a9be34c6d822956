/* mask_eq.c - an equaliser that changes a separated stem by at most a little: SpectralMaskEQ of
 * DDSP-Demucs (github.com/alehg/ddsp-demucs).
 *
 *   mel_enc      log mel bands: linear 64, ReLU, linear 32, ReLU
 *   pre          of that and the loudness in dB: linear 64, ReLU
 *   gru          enc_units
 *   post         linear 64, ReLU
 *   mask_head    linear n_bands
 *   mask         1 + alpha tanh, the mean of three frames (two at the ends)
 *   a filter for each window_size / 2 samples (Engel et al. 2020, arXiv 2001.04643, 3.4)
 *
 * The reference clips the mask to 0.85 .. 1.15 and then to 0.001 .. 8; with alpha up to 0.15
 * neither ever does anything.
 *
 * Its filters are late: with a mask of 1 the stem comes out two samples later than it went in (see
 * ddsp/fir_filter.c), which costs a stem with energy at 1 kHz more than the mask can mend. With
 * `identity_start`, mask_head starts at 0, and
 *
 *     output = stem + filter(stem, mask - 1)     with filters that are as late as they are advanced
 *
 * is the stem, bit by bit, until it is trained. What the network sees lies far from zero (log mel
 * bands around -4, loudness of -80 to 0 dB), which the first layers have to learn away; with
 * `scaled`
 *
 *     (mel + 4) / 3     (loudness + 40) / 20 */
#include "models/mask_eq.h"

#include "ddsp/fir_filter.h"
#include "ddsp/log_mel.h"

enum { N_FFT = 1024 };
static const double lowest = 50, highest_share = 0.45; /* Hz; of the sample rate */
static const double mel_floor = 1e-5;                  /* added before the logarithm */

rv_status rv_mask_eq_configure(rv_mask_eq_config *c, const rv_args *args, rv_error *err)
{
    rv_arg_reader r = { .model = "mask_eq", .args = args, .err = err };
    *c = (rv_mask_eq_config){ 0 };
    c->mel_bins = rv_arg_size(&r, "mel_bins", 64, 1, 1024);
    c->n_bands = rv_arg_size(&r, "n_bands", 65, 2, 4097);
    c->identity_start = rv_arg_bool(&r, "identity_start", false);
    c->scaled = rv_arg_bool(&r, "scaled", false);
    c->alpha = rv_arg_number(&r, "alpha", 0.15, 0, c->identity_start ? 1 : 0.15);
    c->enc_units = rv_arg_size(&r, "enc_units", 64, 1, 4096);
    c->sample_rate = rv_arg_size(&r, "sample_rate", 22050, 200, 192000);
    c->window_size = rv_arg_size(&r, "window_size", 176, 2, 1 << 16);
    if (c->window_size % 2)
        rv_arg_fail(&r, RV_ERR_ARG, "window_size", "is %zu, an even number is expected",
                    c->window_size);
    return rv_arg_finish(&r);
}

static rv_node *dense(nn_builder *b, const char *name, rv_node *x, size_t units)
{
    return rv_relu(nn_linear(b, name, x, units, true));
}

/* x [B,F,C]: each frame the mean of itself and its neighbours */
static rv_node *smoothed(rv_node *x)
{
    const size_t frames = rv_extent(x, 1);
    rv_node *wide = rv_pad(x, 1, 1, 1, RV_PAD_ZERO);
    rv_node *sum = rv_add(rv_add(x, rv_slice(wide, 1, 0, frames)), rv_slice(wide, 1, 2, frames));
    rv_node *share = rv_constant(x->graph, RV_SHAPE(1, frames, 1));
    for (size_t i = 0; share->constant && i < frames; i++)
        share->constant[i] = (real)(1.0 / (1 + (i > 0) + (i + 1 < frames)));
    return rv_mul(sum, share);
}

static rv_node *mask_head(nn_builder *b, const rv_mask_eq_config *c, rv_node *x)
{
    if (!c->identity_start)
        return nn_linear(b, "mask_head", x, c->n_bands, true);
    const nn_start zero = { NN_FILL, 0 };
    const size_t mark = nn_enter(b, "mask_head");
    rv_node *weight = nn_param_new(b, "weight", RV_SHAPE(c->n_bands, rv_extent(x, -1)), zero);
    rv_node *bias = nn_param_new(b, "bias", RV_SHAPE(c->n_bands), zero);
    nn_leave(b, mark);
    return rv_linear(x, weight, bias);
}

/* -> [B,F,n_bands], around 1, or around 0 with identity_start */
static rv_node *mask(nn_builder *b, const rv_mask_eq_config *c, rv_node *mel, rv_node *loudness)
{
    if (c->scaled) {
        mel = rv_scale(mel, 1.0 / 3, 4.0 / 3);
        loudness = rv_scale(loudness, 1.0 / 20, 2);
    }
    rv_node *x = dense(b, "mel_enc.1", dense(b, "mel_enc.0", mel, 64), 32);
    x = dense(b, "pre", rv_concat(2, 2, (rv_node *[]){ x, loudness }), 64);
    x = nn_gru(b, "gru", x, c->enc_units, 1, false);
    x = mask_head(b, c, dense(b, "post", x, 64));
    return smoothed(rv_scale(rv_tanh(x), c->alpha, c->identity_start ? 0 : 1));
}

/* NULL, or what is expected and does not fit. */
static const char *misfit(const rv_mask_eq_config *c, const rv_node *stem, const rv_node *mel,
                          const rv_node *loudness)
{
    if (stem->shape.rank != 2 || stem->shape.d[0] == 0 || stem->shape.d[1] == 0)
        return "a stem [B,T]";
    if (mel->shape.rank != 3 || mel->shape.d[0] != stem->shape.d[0] || mel->shape.d[1] == 0 ||
        mel->shape.d[2] != c->mel_bins)
        return "mel bands [B,F,mel_bins]";
    if (loudness->shape.rank != 3 || loudness->shape.d[0] != mel->shape.d[0] ||
        loudness->shape.d[1] != mel->shape.d[1] || loudness->shape.d[2] != 1)
        return "loudness [B,F,1]";
    return NULL;
}

rv_node *rv_mask_eq(nn_builder *b, const rv_mask_eq_config *c, rv_node *stem, rv_node *mel,
                    rv_node *loudness)
{
    const char *what = misfit(c, stem, mel, loudness);
    if (what)
        return rv_poison(b->graph, RV_ERR_SHAPE, __func__, "mask EQ: expected %s", what);
    const size_t hop = c->window_size / 2, frames = (rv_extent(stem, 1) + hop - 1) / hop;
    rv_node *filters = rv_upsample(mask(b, c, mel, loudness), frames, RV_UPSAMPLE_LINEAR);
    if (!c->identity_start)
        return rv_frequency_filter(stem, filters, c->window_size);
    rv_node *change = rv_filter_frames(stem, rv_impulse_response(filters, 0), c->n_bands - 1, true);
    return rv_add(stem, change);
}

rv_node *rv_mask_eq_mel(rv_node *stem, const rv_mask_eq_config *c, size_t hop)
{
    const double rate = (double)c->sample_rate;
    const rv_mel_config mel = {
        rate, N_FFT, hop, c->mel_bins, lowest, highest_share * rate,
    };
    rv_node *weights = rv_mel_weights(stem->graph, &mel);
    rv_node *magnitude = rv_magnitude(rv_spectrum_padded(stem, N_FFT, hop), 0);
    return rv_log(rv_scale(rv_linear(magnitude, weights, NULL), 1, mel_floor));
}
