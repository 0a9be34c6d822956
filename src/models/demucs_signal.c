/* demucs_signal.c - level, sample rate and length of the signals of the Demucs family.
 *
 * The sample rate is doubled and halved by a windowed sinc that stops at 0.945 of the lower
 * Nyquist frequency: 24 zero crossings on either side, window cos^2, sum 1, edges repeated
 * (J. O. Smith, "Digital Audio Resampling"; numbers of the julius package, with which the
 * checkpoints were trained). */
#include "demucs_signal.h"

#include <math.h>

enum { ZEROS = 24 };
static const double rolloff = 0.945, pi = 3.14159265358979323846;

demucs_level demucs_measure(rv_node *x)
{
    const size_t n = rv_shape_count(&x->shape);
    rv_node *mean = rv_mean(x), *off = rv_sub(x, mean);
    rv_node *variance = rv_scale(rv_sum(rv_mul(off, off)), n > 1 ? 1 / (double)(n - 1) : 1, 0);
    return (demucs_level){ mean, rv_sqrt(variance) };
}

rv_node *demucs_normalise(rv_node *x, const demucs_level *l)
{
    return rv_div(rv_sub(x, l->mean), rv_scale(l->deviation, 1, 1e-5));
}

rv_node *demucs_restore(rv_node *x, const demucs_level *l)
{
    return rv_add(rv_mul(x, l->deviation), l->mean);
}

rv_node *demucs_mono(rv_node *x)
{
    return rv_mean_to(x, RV_SHAPE(1, rv_extent(x, 1), 1));
}

/* h[i], i in [0, taps): taps of a sinc around `centre`, for a cut-off of `rate` times the
 * Nyquist frequency. */
static void fill_sinc(real *h, size_t taps, double centre, double rate)
{
    double sum = 0;
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < taps; i++) {
            const double at = fmax(-ZEROS, fmin(ZEROS, ((double)i - centre) * rate)) * pi;
            const double window = cos(at / ZEROS / 2), value = at == 0 ? 1 : sin(at) / at;
            if (pass)
                h[i] = (real)(value * window * window / sum);
            else
                sum += value * window * window;
        }
}

/* x [1,T,C] -> [C,T,1], padded: the channels are filtered alike. */
static rv_node *as_batches(rv_node *x, size_t before, size_t after)
{
    const rv_shape s = RV_SHAPE(rv_extent(x, 2), rv_extent(x, 1), 1);
    x = rv_reshape(RV_PERMUTE(x, 0, 2, 1), s);
    return rv_pad(x, 1, before, after, RV_PAD_REPLICATE);
}

/* [C,T,n] -> [1,n T,C] */
static rv_node *as_channels(rv_node *x)
{
    const size_t channels = rv_extent(x, 0), length = rv_extent(x, 1) * rv_extent(x, 2);
    return RV_PERMUTE(rv_reshape(x, RV_SHAPE(1, channels, length)), 0, 2, 1);
}

rv_node *demucs_double_rate(rv_node *x)
{
    const size_t half = (size_t)ceil(ZEROS / rolloff), taps = 2 * half + 1;
    rv_node *h = rv_constant(x->graph, RV_SHAPE(2, 1, taps));
    if (h->constant)
        for (int i = 0; i < 2; i++)
            fill_sinc(h->constant + (size_t)i * taps, taps, (double)half + 0.5 * i, rolloff);
    return as_channels(rv_conv_time(as_batches(x, half, half), h, NULL, (rv_conv_axis){ 0 }));
}

rv_node *demucs_halve_rate(rv_node *x)
{
    const size_t half = (size_t)ceil(2 * ZEROS / rolloff), taps = 2 * half + 2;
    rv_node *h = rv_constant(x->graph, RV_SHAPE(1, 1, taps));
    if (h->constant)
        fill_sinc(h->constant, taps, (double)half, rolloff / 2);
    return as_channels(
        rv_conv_time(as_batches(x, half, half), h, NULL, (rv_conv_axis){ .stride = 2 }));
}

rv_node *demucs_centre(rv_node *x, size_t length)
{
    const size_t have = rv_extent(x, 1);
    if (have == length)
        return x;
    if (have > length)
        return rv_slice(x, 1, (have - length) / 2, length);
    const size_t lack = length - have;
    return rv_pad(x, 1, lack / 2, lack - lack / 2, RV_PAD_ZERO);
}
