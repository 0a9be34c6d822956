/* spectrum.c - into the time-frequency plane and back: STFT with a periodic Hann window, frames
 * centred on multiples of the hop, ends reflected, no scaling; its least-squares inverse. All as
 * torch.stft and torch.istft do it by default. */
#include "models/spectrum.h"

spectrum_config spectrum_configure(rv_arg_reader *r, const char *n_fft_name, size_t n_fft,
                                   const char *hop_name, size_t hop)
{
    spectrum_config c = { .n_fft = rv_arg_size(r, n_fft_name, n_fft, 16, 65536),
                          .hop = rv_arg_size(r, hop_name, hop, 4, 32768) };
    if (c.n_fft % 2)
        rv_arg_fail(r, RV_ERR_ARG, n_fft_name, "is %zu, an even number is expected", c.n_fft);
    if (c.hop > c.n_fft / 2)
        rv_arg_fail(r, RV_ERR_ARG, hop_name, "is %zu, at most half of %zu is expected", c.hop,
                    c.n_fft);
    return c;
}

size_t spectrum_length(const spectrum_config *c, size_t n)
{
    return n > c->n_fft / 2 ? n : c->n_fft / 2 + 1;
}

rv_node *spectrum_parts(const spectrum_config *c, rv_node *x)
{
    x = rv_reshape(RV_PERMUTE(x, 0, 2, 1), RV_SHAPE(rv_extent(x, 2), rv_extent(x, 1)));
    x = rv_pad(x, 1, c->n_fft / 2, c->n_fft / 2, RV_PAD_REFLECT);
    return rv_stft(x, c->n_fft, c->hop, 1);
}

rv_node *spectrum_of(const spectrum_config *c, rv_node *x)
{
    rv_node *z = spectrum_parts(c, x);
    const rv_shape s =
        RV_SHAPE(1, rv_extent(z, 1), rv_extent(z, 2), rv_extent(z, 0) * rv_extent(z, 3));
    return rv_reshape(RV_PERMUTE(z, 1, 2, 0, 3), s);
}

rv_node *spectrum_join(const spectrum_config *c, rv_node *z, size_t n)
{
    rv_node *x = rv_slice(rv_istft(z, c->n_fft, c->hop, 1), 1, c->n_fft / 2, n);
    return rv_reshape(RV_PERMUTE(x, 1, 0), RV_SHAPE(1, n, rv_extent(x, 0)));
}

rv_node *spectrum_back(const spectrum_config *c, rv_node *z, size_t n)
{
    const size_t frames = rv_extent(z, 1), bins = rv_extent(z, 2), rows = rv_extent(z, 3) / 2;
    z = rv_reshape(z, RV_SHAPE(frames, bins, rows, 2));
    return spectrum_join(c, RV_PERMUTE(z, 2, 0, 1, 3), n);
}

rv_node *spectrum_magnitude(rv_node *z)
{
    const size_t frames = rv_extent(z, 1), bins = rv_extent(z, 2), audio = rv_extent(z, 3) / 2;
    return rv_magnitude(rv_reshape(z, RV_SHAPE(1, frames, bins, audio, 2)), 0);
}
