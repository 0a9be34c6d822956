/* hybrid_spectrum.c - into the time-frequency plane and back, for the hybrid models.
 *
 * STFT with n_fft / hop = 4, scaled by 1/sqrt(n_fft), without the Nyquist bin. Hybrid models
 * pad by 3/2 hop, so that n samples give ceil(n / hop) frames, aligned with the time
 * branch; the others pad by n_fft / 2 as usual.
 *
 * The network gives spectra (complex as channels), or magnitudes that take on the phase of
 * the mix or are refined by a Wiener filter (core/ops/wiener.c). */
#include "hybrid.h"

#include "core/ops.h"

#include <math.h>

enum { WIENER_FRAMES = 300 }; /* filtered together */

/* Reflection of x [A,n] at both ends. One that is too short is first padded with zeros, at
 * the end as far as that is padded anyway. */
static rv_node *reflect(rv_node *x, size_t before, size_t after)
{
    const size_t length = rv_extent(x, 1), most = before > after ? before : after;
    if (length <= most) {
        const size_t extra = most - length + 1, right = extra < after ? extra : after;
        x = rv_pad(x, 1, extra - right, right, RV_PAD_ZERO);
        before -= extra - right;
        after -= right;
    }
    return rv_pad(x, 1, before, after, RV_PAD_REFLECT);
}

static size_t frames_of(const hybrid_config *c, size_t length)
{
    return (length + c->hop - 1) / c->hop;
}

/* x [A,n], padded at both ends */
static rv_node *pad_signal(const hybrid_config *c, rv_node *x)
{
    const size_t length = rv_extent(x, 1), pad = c->hop / 2 * 3;
    const size_t after = pad + frames_of(c, length) * c->hop - length;
    if (!c->hybrid)
        return rv_pad(x, 1, c->n_fft / 2, c->n_fft / 2, RV_PAD_REFLECT);
    if (c->hybrid_old)
        return rv_pad(x, 1, pad, after, RV_PAD_ZERO);
    return reflect(x, pad, after);
}

rv_node *hybrid_stft(const hybrid_config *c, rv_node *mix)
{
    rv_node *x = rv_reshape(RV_PERMUTE(mix, 0, 2, 1), RV_SHAPE(c->audio, rv_extent(mix, 1)));
    rv_node *z = rv_stft(pad_signal(c, x), c->n_fft, c->hop, 1 / sqrt((double)c->n_fft));
    const size_t frames = rv_extent(z, 1), bins = c->n_fft / 2;
    z = RV_PERMUTE(rv_slice(z, 2, 0, bins), 1, 2, 0, 3); /* [T,F,A,2] */
    return rv_reshape(z, RV_SHAPE(1, frames, bins, 2 * c->audio));
}

rv_node *hybrid_magnitude(rv_node *z)
{
    const size_t frames = rv_extent(z, 1), bins = rv_extent(z, 2), audio = rv_extent(z, 3) / 2;
    rv_node *power = rv_reshape(rv_mul(z, z), RV_SHAPE(frames, bins, audio, 2));
    power = rv_sum_to(power, RV_SHAPE(frames, bins, audio, 1));
    return rv_reshape(rv_sqrt(power), RV_SHAPE(1, frames, bins, audio));
}

/* Magnitudes y [1,T,F,S A] with the phase of the mix: y z / (|z| + 1e-8) */
static rv_node *with_phase_of_mix(const hybrid_config *c, rv_node *y, rv_node *mix)
{
    const size_t frames = rv_extent(y, 1), bins = rv_extent(y, 2);
    rv_node *size = rv_scale(hybrid_magnitude(mix), 1, 1e-8);
    rv_node *phase = rv_div(rv_reshape(mix, RV_SHAPE(frames, bins, 1, c->audio, 2)),
                            rv_reshape(size, RV_SHAPE(frames, bins, 1, c->audio, 1)));
    y = rv_mul(rv_reshape(y, RV_SHAPE(frames, bins, c->stems, c->audio, 1)), phase);
    return rv_reshape(y, RV_SHAPE(1, frames, bins, c->stems * c->audio * 2));
}

rv_node *hybrid_spectra(const hybrid_config *c, rv_node *y, rv_node *mix)
{
    if (c->complex_as_channels)
        return y;
    if (c->wiener_iterations < 0)
        return with_phase_of_mix(c, y, mix);
    return rv_wiener(y, mix, (size_t)c->wiener_iterations, c->wiener_residual, WIENER_FRAMES);
}

rv_node *hybrid_istft(const hybrid_config *c, rv_node *z, size_t length)
{
    const size_t frames = rv_extent(z, 1), bins = rv_extent(z, 2), rows = c->stems * c->audio;
    const size_t sides = c->hybrid ? 2 : 0; /* frames cut off by the STFT */
    const size_t start = c->n_fft / 2 + (c->hybrid && !c->hybrid_old ? c->hop / 2 * 3 : 0);
    z = RV_PERMUTE(rv_reshape(z, RV_SHAPE(frames, bins, rows, 2)), 2, 0, 1, 3);
    z = rv_pad(rv_pad(z, 2, 0, 1, RV_PAD_ZERO), 1, sides, sides, RV_PAD_ZERO);
    rv_node *x = rv_istft(z, c->n_fft, c->hop, 1 / sqrt((double)c->n_fft));
    x = RV_PERMUTE(rv_slice(x, 1, start, length), 1, 0);
    return rv_reshape(x, RV_SHAPE(1, length, rows));
}
