/* ddsp_inverse_config.c - the arguments of pitch detection by inverse synthesis:
 *
 *   sample_rate      Hz (16000)
 *   hop, n_fft       of the spectrum; a frame of controls each hop (512, 2048)
 *   centred          frames of the spectrum are centred at multiples of the hop, where controls are
 *                    known, rather than begin there (false)
 *   mel_bands        (229)
 *   size             of the residual network: "small" (default), "medium", "large"
 *   first, channels, blocks   instead of it: channels of the first convolution and of the narrow
 *                    layers, and blocks in each of the four stacks (64, 32; as `size`)
 *   sinusoids, depth (100, 64)
 *   n_bands          of the noise (65)
 *   hidden_size, layers, gru   of the harmonic encoder (256, 2, 512)
 *   n_harmonic, f0_depth       (100, 64)
 *   f0_min, f0_max   Hz (20, 1200)
 *   through          whether what is learned of the harmonic sound reaches the sinusoids (false) */
#include "models/ddsp_inverse.h"

#include <string.h>

static void read_resnet(rv_arg_reader *r, rv_resnet_config *c)
{
    const char *size = rv_arg_text(r, "size", "small");
    *c = rv_resnet_sized(size);
    if (!c->channels)
        rv_arg_fail(r, RV_ERR_ARG, "size", "is %s, one of small, medium, large is expected", size);
    c->first = rv_arg_size(r, "first", c->first, 1, 1024);
    c->channels = rv_arg_size(r, "channels", c->channels ? c->channels : 1, 1, 1024);
    const size_t blocks = rv_arg_size(r, "blocks", 0, 0, 64);
    for (int i = 0; blocks && i < RV_RESNET_STACKS; i++)
        c->blocks[i] = blocks;
}

static void read_sinusoidal(rv_arg_reader *r, rv_sinusoidal_encoder_config *c)
{
    c->mel.sample_rate = (double)rv_arg_size(r, "sample_rate", 16000, 100, 192000);
    c->mel.n_fft = rv_arg_size(r, "n_fft", 2048, 16, 1 << 16);
    c->mel.hop = rv_arg_size(r, "hop", c->mel.n_fft / 4, 1, c->mel.n_fft);
    c->mel.bands = rv_arg_size(r, "mel_bands", 229, 1, 4096);
    c->centred = rv_arg_bool(r, "centred", false);
    c->mel.lowest = 0;
    c->mel.highest = c->mel.sample_rate / 2;
    read_resnet(r, &c->resnet);
    c->sinusoids = rv_arg_size(r, "sinusoids", 100, 1, 1000);
    c->depth = rv_arg_size(r, "depth", 64, 2, 1024);
    c->bands = rv_arg_size(r, "n_bands", 65, 2, 4097);
    c->hz_min = 20;
    c->hz_max = c->mel.highest;
}

static void read_harmonic(rv_arg_reader *r, rv_harmonic_encoder_config *c)
{
    c->hidden = rv_arg_size(r, "hidden_size", 256, 1, 4096);
    c->layers = rv_arg_size(r, "layers", 2, 1, 16);
    c->recurrent = rv_arg_size(r, "gru", 512, 1, 4096);
    c->n_harmonic = rv_arg_size(r, "n_harmonic", 100, 1, 1000);
    c->depth = rv_arg_size(r, "f0_depth", 64, 2, 1024);
    c->hz_min = rv_arg_number(r, "f0_min", 20, 1, 20000);
    c->hz_max = rv_arg_number(r, "f0_max", 1200, c->hz_min, 20000);
}

rv_status rv_inverse_configure(rv_inverse_config *c, const rv_args *args, rv_error *err)
{
    rv_arg_reader r = { .model = RV_INVERSE_CLASS, .args = args, .err = err };
    *c = (rv_inverse_config){ .through = rv_arg_bool(&r, "through", false) };
    read_sinusoidal(&r, &c->sinusoidal);
    read_harmonic(&r, &c->harmonic);
    c->harmonic.sample_rate = c->sinusoidal.mel.sample_rate;
    return rv_arg_finish(&r);
}
