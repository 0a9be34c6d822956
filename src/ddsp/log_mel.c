/* log_mel.c - what networks and losses see of a signal.
 *
 * Mel scale of D. O'Shaughnessy, "Speech communication", 1987: 1127 ln(1 + f / 700 Hz). Bands are
 * triangles on that scale, of height 1, as tf.signal.linear_to_mel_weight_matrix makes them (the
 * bin at 0 Hz belongs to none), over magnitudes, as in DDSP. */
#include "ddsp/log_mel.h"

#include "base/status.h"

#include <math.h>

static const double least_mel = 1e-5;

rv_node *rv_spectrum_padded(rv_node *x, size_t n_fft, size_t hop)
{
    const size_t n = rv_extent(x, 1);
    if (n == 0 || hop == 0 || hop > n_fft || n_fft > (1 << 24))
        return rv_poison(x->graph, RV_ERR_SHAPE, __func__, "%zu samples, frames of %zu, hop %zu", n,
                         n_fft, hop);
    const size_t whole = (n - 1) / hop * hop + n_fft; /* to the end of the last frame */
    rv_node *y = whole < n ? rv_slice(x, 1, 0, whole) : rv_pad(x, 1, 0, whole - n, RV_PAD_ZERO);
    return rv_stft(y, n_fft, hop, 1);
}

static double mel_of(double frequency)
{
    return 1127 * log1p(frequency / 700);
}

static void fill_mel_weights(real *weights, const rv_mel_config *c)
{
    const size_t bins = c->n_fft / 2 + 1;
    const double from = mel_of(c->lowest);
    const double step = (mel_of(c->highest) - from) / (double)(c->bands + 1);
    for (size_t b = 0; b < c->bands; b++)
        for (size_t k = 1; k < bins; k++) {
            const double mel = mel_of((double)k * c->sample_rate / (double)c->n_fft);
            const double off = fabs((mel - from) / step - (double)(b + 1)); /* from the middle */
            weights[b * bins + k] = (real)(off < 1 ? 1 - off : 0);
        }
}

rv_node *rv_mel_weights(rv_graph *g, const rv_mel_config *c)
{
    if (c->n_fft < 4 || (c->n_fft & (c->n_fft - 1)) || c->bands == 0 || c->bands > 4096)
        return rv_poison(g, RV_ERR_ARG, __func__,
                         "mel: %zu bands of frames of %zu samples (a power of two above 2)",
                         c->bands, c->n_fft);
    if (!(c->lowest >= 0) || !(c->lowest < c->highest) || !(c->highest <= c->sample_rate / 2))
        return rv_poison(g, RV_ERR_ARG, __func__, "mel: %g to %g Hz at %g Hz", c->lowest,
                         c->highest, c->sample_rate);
    rv_node *w = rv_constant(g, RV_SHAPE(c->bands, c->n_fft / 2 + 1));
    if (w->constant)
        fill_mel_weights(w->constant, c);
    return w;
}

rv_node *rv_log_mel(rv_node *x, const rv_mel_config *c)
{
    rv_node *weights = rv_mel_weights(x->graph, c);
    rv_node *m = rv_magnitude(rv_spectrum_padded(x, c->n_fft, c->hop), 0);
    return rv_log_above(rv_linear(m, weights, NULL), least_mel);
}

rv_node *rv_log_mel_centred(rv_node *x, const rv_mel_config *c)
{
    const size_t n = rv_extent(x, 1), frames = c->hop ? (n + c->hop - 1) / c->hop : 0;
    return rv_slice(rv_log_mel(rv_pad(x, 1, c->n_fft / 2, 0, RV_PAD_ZERO), c), 1, 0, frames);
}
