/* ast_spectrogram.c - what an Audio Spectrogram Transformer sees of a signal: powers in mel bands,
 * as torchaudio's MelSpectrogram(normalized=True) makes them.
 *
 *   mel        2595 log10(1 + f / 700)              The HTK Book
 *   band       a triangle of height 1 in Hz between the neighbours' middles, evenly spaced in mel
 *   spectrum   periodic Hann window w, divided by sqrt(sum of w^2) = sqrt(3/8 n_fft)
 *
 * Logarithms are brought near the range of -1 to 1: (log(p + 1e-5) + 5) / 5. */
#include "models/ast_spectrogram.h"

#include "base/status.h"

#include <math.h>

enum { MOST_BANDS = 4096, MOST_N_FFT = 1 << 20 };

static const double least_power = 1e-5, middle = -5;

static double mel_of(double hz)
{
    return 2595 * log10(1 + hz / 700);
}

static double hz_of(double mel)
{
    return 700 * (pow(10, mel / 2595) - 1);
}

/* weight [bands,n_fft/2 + 1] */
static void fill_weights(real *weight, const rv_ast_spectrogram_config *c)
{
    const size_t bins = c->n_fft / 2 + 1;
    const double from = mel_of(c->lowest);
    const double step = (mel_of(c->sample_rate / 2) - from) / (double)(c->bands + 1);
    for (size_t b = 0; b < c->bands; b++) {
        const double low = hz_of(from + (double)b * step);
        const double top = hz_of(from + (double)(b + 1) * step);
        const double high = hz_of(from + (double)(b + 2) * step);
        for (size_t k = 0; k < bins; k++) {
            const double hz = (double)k * c->sample_rate / (double)c->n_fft;
            const double rise = (hz - low) / (top - low), fall = (high - hz) / (high - top);
            weight[b * bins + k] = (real)fmax(0, fmin(rise, fall));
        }
    }
}

static bool fits(rv_node *x, const rv_ast_spectrogram_config *c)
{
    if (x->shape.rank == 2 && rv_extent(x, 1) && c->hop && c->n_fft >= 4 &&
        c->n_fft <= MOST_N_FFT && !(c->n_fft & (c->n_fft - 1)) && c->bands &&
        c->bands <= MOST_BANDS && c->lowest >= 0 && c->lowest < c->sample_rate / 2)
        return true;
    rv_poison(
        x->graph, RV_ERR_ARG, __func__,
        "mel: %zu bands from %g Hz, frames of %zu samples (a power of two), hop %zu, at %g Hz",
        c->bands, c->lowest, c->n_fft, c->hop, c->sample_rate);
    return false;
}

/* x [B,N], all of which is in frames -> [B,frames,bands] */
static rv_node *mel_powers(const rv_ast_spectrogram_config *c, rv_node *x)
{
    rv_node *z = rv_stft(x, c->n_fft, c->hop, 1 / sqrt(0.375 * (double)c->n_fft));
    const size_t batch = rv_extent(z, 0), frames = rv_extent(z, 1), bins = rv_extent(z, 2);
    rv_node *weight = rv_constant(x->graph, RV_SHAPE(c->bands, c->n_fft / 2 + 1));
    if (weight->constant)
        fill_weights(weight->constant, c);
    rv_node *power = rv_sum_to(rv_mul(z, z), RV_SHAPE(batch, frames, bins, 1));
    power = rv_linear(rv_reshape(power, RV_SHAPE(batch, frames, bins)), weight, NULL);
    if (!c->logarithm)
        return power;
    return rv_scale(rv_log(rv_scale(power, 1, least_power)), -1 / middle, 1);
}

rv_node *rv_ast_spectrogram(const rv_ast_spectrogram_config *c, rv_node *x)
{
    if (!fits(x, c))
        return x;
    return mel_powers(c, rv_pad(x, 1, c->n_fft / 2, c->n_fft / 2, RV_PAD_REFLECT));
}

rv_node *rv_ast_spectrogram_padded(const rv_ast_spectrogram_config *c, rv_node *x, size_t lead,
                                   size_t frames)
{
    if (!fits(x, c) || frames == 0)
        return x;
    const size_t before = c->n_fft / 2 + lead, n = rv_extent(x, 1);
    const size_t whole = (frames - 1) * c->hop + c->n_fft;
    x = rv_pad(x, 1, before, whole > before + n ? whole - before - n : 0, RV_PAD_ZERO);
    return mel_powers(c, rv_slice(x, 1, 0, whole));
}
