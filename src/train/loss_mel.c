/* loss_mel.c - L1 distance of log mel spectra.
 *
 * Mel scale of D. O'Shaughnessy, "Speech communication", 1987: 1127 ln(1 + f / 700 Hz). Bands are
 * triangles on that scale, of height 1, as tf.signal.linear_to_mel_weight_matrix makes them (the
 * bin at 0 Hz belongs to none), over magnitudes, as in DDSP. */
#include "train/loss_spectrum.h"

#include "base/status.h"

#include <math.h>

rv_mel_options rv_mel_defaults(void)
{
    return (rv_mel_options){ .n_fft = 2048, .bands = 64, .lowest = 80, .eps = 1e-5 };
}

static double mel_of(double frequency)
{
    return 1127 * log1p(frequency / 700);
}

/* [bands,bins], highest in Hz */
static rv_node *mel_weights(rv_graph *g, const rv_mel_options *o, double highest,
                            double sample_rate)
{
    const size_t bins = o->n_fft / 2 + 1;
    const double from = mel_of(o->lowest);
    const double step = (mel_of(highest) - from) / (double)(o->bands + 1);
    rv_node *w = rv_constant(g, RV_SHAPE(o->bands, bins));
    for (size_t b = 0; w->constant && b < o->bands; b++)
        for (size_t k = 1; k < bins; k++) {
            const double mel = mel_of((double)k * sample_rate / (double)o->n_fft);
            const double off = fabs((mel - from) / step - (double)(b + 1)); /* from the middle */
            w->constant[b * bins + k] = (real)(off < 1 ? 1 - off : 0);
        }
    return w;
}

static rv_node *log_mel(rv_node *x, rv_node *weights, const rv_mel_options *o)
{
    rv_node *m = rv_magnitude(rv_spectrum_padded(rv_loss_rows(x), o->n_fft, o->n_fft / 4), 0);
    return rv_log(rv_maximum(rv_linear(m, weights, NULL), o->eps));
}

rv_node *rv_loss_mel(rv_node *estimate, rv_node *target, double sample_rate,
                     const rv_mel_options *o)
{
    const double highest = o->highest > 0 ? o->highest : sample_rate / 2;
    rv_graph *g = estimate->graph;
    rv_loss_check(estimate, target);
    if (o->n_fft < 4 || (o->n_fft & (o->n_fft - 1)) || o->bands == 0 || o->bands > 4096)
        return rv_poison(g, RV_ERR_ARG, __func__,
                         "mel: %zu bands of frames of %zu samples (a power of two above 2)",
                         o->bands, o->n_fft);
    if (!(o->eps > 0) || !(o->lowest >= 0) || !(o->lowest < highest) ||
        !(highest <= sample_rate / 2))
        return rv_poison(g, RV_ERR_ARG, __func__, "mel: %g to %g Hz at %g Hz, eps %g", o->lowest,
                         highest, sample_rate, o->eps);
    rv_node *weights = mel_weights(g, o, highest, sample_rate);
    return rv_mean_absolute(rv_sub(log_mel(target, weights, o), log_mel(estimate, weights, o)));
}
