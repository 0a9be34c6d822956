/* ddsp_autoencoder_config.c - the arguments of a DDSP autoencoder:
 *
 *   style            "ddsp" (default) or "ddsp_pytorch": synthesisers, and other defaults
 *   sample_rate      Hz (16000); also sampling_rate
 *   hop              samples between frames (1/250 s, 1/100 s in ddsp_pytorch); also block_size
 *   hidden_size      of all layers (512)
 *   layers           of each MLP (3)
 *   n_harmonic       (60; ddsp_pytorch 100)
 *   n_bands          of the noise's filters (65)
 *   activation       "leaky_relu" (default) or "relu"
 *   negative_slope   of the leaky ReLU (0.2; ddsp_pytorch 0.01)
 *   norm_eps         of the layer norms (1e-3; ddsp_pytorch 1e-5)
 *   wide             see rv_decoder_config (true; ddsp_pytorch false)
 *   noise_window     of the noise's filters in samples, 0: as long as they are (0)
 *   reverb           "none", "learned", "decay", "noise", "wet" ("learned"; ddsp_pytorch "wet")
 *   reverb_length    samples (3 s; wet 1 s)
 *   reverb_frames, reverb_bands   of the reverb "noise" (1000, 16)
 *   loudness_scale   "decibels" (dB / 80 + 1) or "standard" (ddsp_pytorch)
 *   loudness_mean, loudness_std   dB, of the training data (unknown; standard: 0 and 1)
 *   pitch_mean       MIDI notes, of the training data, 0: unknown (0)
 *   z_encoder        "none" (default) or "mfcc_rnn"
 *   z                its channels (16)
 *   z_hidden         units of its GRU (512)
 *   f0_encoder       "given" (default) or "learned"
 *   f0_size          of its network: "small", "medium", "large" (default)
 *   f0_first, f0_channels, f0_blocks   in place of f0_size's: channels of the first convolution and
 *                    of the first stack, blocks of each stack (0: as f0_size)
 *   f0_bins          (128)
 *   loudness         "ddsp", "ddsp1", "ddsp-pytorch": see docs/features.md (as style)
 *   loudness_window  samples, 0: the kind's own (0)
 *   f0_method        "yin", "pyin" (default), "crepe"
 *   f0_min, f0_max   Hz (65.406, 2093.005)
 *   align            "centre" (default) or "start"
 *   mfcc_rate, mel_rate   frames a second, 0: as the others (0)
 *   mel_bands        of the logarithmic mel spectrum in which f0_encoder looks for f0 (128)
 *   mel_window       samples of its frames, a power of two (the one nearest to 0.128 s)
 *   mel_min, mel_max   Hz (0, half the sample rate)
 *
 * magenta/ddsp's ae_abs.gin: f0_size small, f0_bins 256, mel_rate 31.25, mel_bands 229. */
#include "models/ddsp_autoencoder.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *const styles[] = { "ddsp", "ddsp_pytorch", NULL };
static const char *const reverbs[] = { "none", "learned", "decay", "noise", "wet", NULL };
static const char *const scales[] = { "decibels", "standard", NULL };
static const char *const activations[] = { "leaky_relu", "relu", NULL };
static const char *const z_encoders[] = { "none", "mfcc_rnn", NULL };
static const char *const f0_encoders[] = { "given", "learned", NULL };
static const char *const f0_sizes[] = { "small", "medium", "large", NULL };
static const char *const loudnesses[] = { "ddsp", "ddsp1", "ddsp-pytorch", NULL };
static const char *const trackers[] = { "yin", "pyin", "crepe", NULL };
static const char *const aligns[] = { "centre", "start", NULL };

/* The place of the argument among the names. */
static int choice(rv_arg_reader *r, const char *name, const char *const *names, int fallback)
{
    char all[120] = "";
    const char *text = rv_arg_text(r, name, names[fallback]);
    for (int i = 0; names[i]; i++) {
        const size_t n = strlen(all);
        if (!strcmp(text, names[i]))
            return i;
        snprintf(all + n, sizeof all - n, "%s%s", i ? ", " : "", names[i]);
    }
    rv_arg_fail(r, RV_ERR_ARG, name, "is %s, one of %s is expected", text, all);
    return fallback;
}

/* Under either name. */
static size_t size_called(rv_arg_reader *r, const char *name, const char *other, size_t fallback,
                          size_t least, size_t most)
{
    fallback = rv_arg_size(r, other, fallback, least, most);
    return rv_arg_size(r, name, fallback, least, most);
}

static void read_decoder(rv_arg_reader *r, rv_autoencoder_config *c)
{
    const bool ddsp = c->style == RV_STYLE_DDSP;
    rv_decoder_config *d = &c->decoder;
    d->hidden_size = rv_arg_size(r, "hidden_size", 512, 1, 4096);
    d->layers = rv_arg_size(r, "layers", 3, 1, 16);
    d->n_harmonic = rv_arg_size(r, "n_harmonic", ddsp ? 60 : 100, 1, 1000);
    d->n_bands = rv_arg_size(r, "n_bands", 65, 2, 4097);
    d->slope = rv_arg_number(r, "negative_slope", ddsp ? 0.2 : 0.01, 0, 1);
    d->slope = choice(r, "activation", activations, 0) == 0 ? d->slope : 0;
    d->norm_eps = rv_arg_number(r, "norm_eps", ddsp ? 1e-3 : 1e-5, 1e-12, 1);
    d->wide = rv_arg_bool(r, "wide", ddsp);
    d->pitch = ddsp ? RV_DECODER_MIDI : RV_DECODER_HERTZ;
    c->noise_window = rv_arg_size(r, "noise_window", 0, 0, 1 << 16);
}

static void read_reverb(rv_arg_reader *r, rv_autoencoder_config *c)
{
    const bool ddsp = c->style == RV_STYLE_DDSP;
    c->reverb = (rv_autoencoder_reverb)choice(r, "reverb", reverbs,
                                              ddsp ? RV_REVERB_LEARNED : RV_REVERB_WET);
    const size_t seconds = c->reverb == RV_REVERB_WET ? 1 : 3;
    c->reverb_length =
        rv_arg_size(r, "reverb_length", seconds * c->sample_rate, 2, (size_t)1 << 22);
    c->reverb_frames = rv_arg_size(r, "reverb_frames", 1000, 1, 100000);
    c->reverb_bands = rv_arg_size(r, "reverb_bands", 16, 2, 4097);
    const size_t hop = (c->reverb_length + c->reverb_frames - 1) / c->reverb_frames;
    if (c->reverb == RV_REVERB_NOISE && (c->reverb_length + hop - 1) / hop != c->reverb_frames)
        rv_arg_fail(
            r, RV_ERR_ARG, "reverb_frames",
            "is %zu, into which reverb_length %zu cannot be cut: frames of equal length but "
            "for the last are expected",
            c->reverb_frames, c->reverb_length);
}

static void read_loudness(rv_arg_reader *r, rv_autoencoder_config *c)
{
    const bool ddsp = c->style == RV_STYLE_DDSP;
    c->loudness_scale = (rv_loudness_scale)choice(
        r, "loudness_scale", scales, ddsp ? RV_LOUDNESS_DECIBELS : RV_LOUDNESS_STANDARD);
    c->loudness_mean = rv_arg_number(r, "loudness_mean", NAN, -1000, 1000);
    c->loudness_std = rv_arg_number(r, "loudness_std", NAN, 1e-3, 1000);
    c->loudness_known = !isnan(c->loudness_mean) && !isnan(c->loudness_std);
    c->loudness_mean = isnan(c->loudness_mean) ? 0 : c->loudness_mean;
    c->loudness_std = isnan(c->loudness_std) ? 1 : c->loudness_std;
    c->pitch_mean = rv_arg_number(r, "pitch_mean", 0, 0, 150);
}

static void read_resnet(rv_arg_reader *r, rv_resnet_config *c)
{
    *c = rv_resnet_sized(f0_sizes[choice(r, "f0_size", f0_sizes, 2)]);
    const size_t first = rv_arg_size(r, "f0_first", 0, 0, 1024);
    const size_t channels = rv_arg_size(r, "f0_channels", 0, 0, 1024);
    const size_t blocks = rv_arg_size(r, "f0_blocks", 0, 0, 64);
    c->first = first ? first : c->first;
    c->channels = channels ? channels : c->channels;
    for (int i = 0; blocks && i < RV_RESNET_STACKS; i++)
        c->blocks[i] = blocks;
}

static void read_encoders(rv_arg_reader *r, rv_autoencoder_config *c)
{
    c->z_encoder = (rv_autoencoder_z)choice(r, "z_encoder", z_encoders, RV_Z_NONE);
    const size_t z = rv_arg_size(r, "z", 16, 1, 1024);
    c->decoder.z = c->z_encoder == RV_Z_NONE ? 0 : z;
    c->z_hidden = rv_arg_size(r, "z_hidden", 512, 1, 4096);
    c->f0_encoder = (rv_autoencoder_f0)choice(r, "f0_encoder", f0_encoders, RV_F0_GIVEN);
    read_resnet(r, &c->resnet);
    c->f0_bins = rv_arg_size(r, "f0_bins", 128, 2, 4096);
}

/* The nearest one, in ratio. */
static size_t power_of_two(double x)
{
    return (size_t)1 << (int)fmax(floor(log2(x) + 0.5), 2);
}

static void read_mel(rv_arg_reader *r, const rv_autoencoder_config *c, rv_autoencoder_features *f)
{
    const double half = (double)c->sample_rate / 2, seconds = 0.128;
    f->mel_rate = rv_arg_number(r, "mel_rate", 0, 0, 10000);
    f->mel_bands = rv_arg_size(r, "mel_bands", 128, 1, 4096);
    f->mel_window =
        rv_arg_size(r, "mel_window", power_of_two(seconds * 2 * half), 4, (size_t)1 << 16);
    f->mel_min = rv_arg_number(r, "mel_min", 0, 0, half);
    f->mel_max = rv_arg_number(r, "mel_max", half, f->mel_min, half);
    if (f->mel_window & (f->mel_window - 1))
        rv_arg_fail(r, RV_ERR_ARG, "mel_window", "is %zu, a power of two is expected",
                    f->mel_window);
    const size_t hop = rv_autoencoder_mel_config(c).hop;
    if (c->f0_encoder == RV_F0_LEARNED && (hop < 1 || hop > f->mel_window))
        rv_arg_fail(
            r, RV_ERR_ARG, "mel_rate",
            "is %g: a frame begins every %zu samples, from 1 to mel_window, %zu, is expected",
            f->mel_rate, hop, f->mel_window);
}

static void read_features(rv_arg_reader *r, rv_autoencoder_config *c)
{
    rv_autoencoder_features *f = &c->features;
    const rv_loudness_kind own =
        c->style == RV_STYLE_DDSP ? RV_LOUDNESS_DDSP : RV_LOUDNESS_DDSP_PYTORCH;
    f->loudness = (rv_loudness_kind)choice(r, "loudness", loudnesses, (int)own);
    f->loudness_window = rv_arg_size(r, "loudness_window", 0, 0, 1 << 16);
    f->tracker = (rv_pitch_tracker)choice(r, "f0_method", trackers, RV_TRACKER_PYIN);
    f->f0_min = rv_arg_number(r, "f0_min", 65.406, 1, 20000);
    f->f0_max = rv_arg_number(r, "f0_max", 2093.005, f->f0_min, 20000);
    f->align = (rv_frame_align)choice(r, "align", aligns, RV_FRAMES_CENTRED);
    f->mfcc_rate = rv_arg_number(r, "mfcc_rate", 0, 0, 10000);
    read_mel(r, c, f);
}

rv_mel_config rv_autoencoder_mel_config(const rv_autoencoder_config *c)
{
    const rv_autoencoder_features *f = &c->features;
    const double rate = (double)c->sample_rate;
    return (rv_mel_config){
        .sample_rate = rate,
        .n_fft = f->mel_window,
        .hop = f->mel_rate > 0 ? (size_t)floor(fmin(rate / f->mel_rate, 1e9) + 0.5) : c->hop,
        .bands = f->mel_bands,
        .lowest = f->mel_min,
        .highest = f->mel_max,
    };
}

rv_status rv_autoencoder_configure(rv_autoencoder_config *c, const rv_args *args, rv_error *err)
{
    rv_arg_reader r = { .model = RV_AUTOENCODER_CLASS, .args = args, .err = err };
    *c = (rv_autoencoder_config){ 0 };
    c->style = (rv_autoencoder_style)choice(&r, "style", styles, RV_STYLE_DDSP);
    c->sample_rate = size_called(&r, "sample_rate", "sampling_rate", 16000, 100, 192000);
    const size_t rate = c->style == RV_STYLE_DDSP ? 250 : 100;
    c->hop = size_called(&r, "hop", "block_size", c->sample_rate / rate, 1, 1 << 16);
    read_decoder(&r, c);
    read_reverb(&r, c);
    read_loudness(&r, c);
    read_encoders(&r, c);
    read_features(&r, c);
    return rv_arg_finish(&r);
}
