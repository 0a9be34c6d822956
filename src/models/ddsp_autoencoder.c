/* ddsp_autoencoder.c - a voice or an instrument as a harmonic and a noise synthesiser, played by a
 * network.
 *
 *   J. Engel, L. Hantrakul, C. Gu and A. Roberts, "DDSP: Differentiable Digital Signal
 *   Processing", ICLR 2020, arXiv:2001.04643
 *
 *   f0, loudness, and of the timbre z   given, or from the encoders (ddsp_encoders.c)
 *   decoder (ddsp/decoder.c)            amplitude and shares of harmonics, bands of noise
 *   harmonics + filtered noise          (ddsp/synth_harmonic.c, ddsp/synth_noise.c)
 *   a room                              (ddsp/reverb.c)
 *
 * Parameters of the decoder and of the room `wet` have ddsp_pytorch's names. All items of a batch
 * lie side by side in the graph. */
#include "models/ddsp_autoencoder.h"

#include "ddsp/controls.h"
#include "ddsp/reverb.h"
#include "ddsp/synth_harmonic.h"
#include "ddsp/synth_noise.h"
#include "models/ddsp_encoders.h"

static const double noise_bias = -5; /* both projects': an untrained network makes little noise */

/* Checks ------------------------------------------------------------------------------- */

static bool has_shape(const rv_node *x, size_t a, size_t b, size_t c)
{
    const size_t want[] = { a, b, c };
    if (!x || x->shape.rank != (c ? 3 : 2))
        return false;
    for (int i = 0; i < x->shape.rank; i++)
        if (x->shape.d[i] != want[i])
            return false;
    return true;
}

/* [B,M,channels] */
static bool is_series(const rv_node *x, size_t batch, size_t channels)
{
    return x && has_shape(x, batch, rv_extent(x, 1), channels);
}

/* NULL, or what is expected and does not fit. */
static const char *misfit(const rv_autoencoder_config *c, const rv_autoencoder_inputs *in)
{
    const size_t batch = rv_extent(in->loudness, 0), frames = rv_extent(in->loudness, 1);
    if (!has_shape(in->loudness, batch, frames, 1) || batch == 0 || frames == 0)
        return "loudness [B,F,1]";
    const bool learns_f0 = c->f0_encoder == RV_F0_LEARNED && in->mel;
    if (learns_f0 && !is_series(in->mel, batch, c->features.mel_bands))
        return "mel bands [B,M,N]";
    if (!learns_f0 && !has_shape(in->f0, batch, frames, 1))
        return "f0 [B,F,1]";
    if (in->z && !has_shape(in->z, batch, frames, c->decoder.z))
        return "z [B,F,Z]";
    if (!in->z && c->decoder.z && !is_series(in->mfcc, batch, RV_AUTOENCODER_MFCC))
        return "MFCC [B,M,30]";
    if (in->state && !has_shape(in->state, batch, c->decoder.hidden_size, 0))
        return "state [B,H]";
    if (!has_shape(in->noise, batch, frames * c->hop, 0))
        return "noise [B,F hop]";
    if (in->voice && !has_shape(in->voice, batch, frames, 1))
        return "voice [B,F,1]";
    return in->phase && !has_shape(in->phase, batch, 1, 0) ? "phase [B,1]" : NULL;
}

/* Network ------------------------------------------------------------------------------ */

static rv_node *scaled_loudness(const rv_autoencoder_config *c, rv_node *db)
{
    const double range = 80;
    if (c->loudness_scale == RV_LOUDNESS_DECIBELS)
        return rv_scale(db, 1 / range, 1);
    return rv_scale(db, 1 / c->loudness_std, -c->loudness_mean / c->loudness_std);
}

rv_autoencoder_codes rv_autoencoder_encode(nn_builder *b, const rv_autoencoder_config *c,
                                           const rv_autoencoder_inputs *in, size_t frames)
{
    rv_autoencoder_codes codes = { in->f0, in->z };
    size_t mark = nn_enter(b, "f0_encoder");
    if (c->f0_encoder == RV_F0_LEARNED && in->mel)
        codes.f0 = rv_encode_pitch(b, &c->resnet, in->mel, c->f0_bins, frames);
    nn_leave(b, mark);
    mark = nn_enter(b, "z_encoder");
    if (!codes.z && in->mfcc && c->decoder.z)
        codes.z = rv_encode_timbre(b, in->mfcc, c->z_hidden, c->decoder.z, frames);
    nn_leave(b, mark);
    return codes;
}

/* Synthesis ---------------------------------------------------------------------------- */

static rv_harmonic_config harmonic_config(const rv_autoencoder_config *c, size_t samples)
{
    const double rate = (double)c->sample_rate;
    return c->style == RV_STYLE_DDSP ? rv_harmonic_defaults(rate, samples)
                                     : rv_harmonic_held(rate, samples);
}

static rv_noise_config noise_config(const rv_autoencoder_config *c)
{
    rv_noise_config n = c->style == RV_STYLE_DDSP ? rv_noise_defaults() : rv_noise_wrapped();
    n.window = c->noise_window;
    n.scale = false; /* done here, where the magnitudes are wanted, too */
    return n;
}

static void make_harmonics(const rv_autoencoder_config *c, const rv_autoencoder_inputs *in,
                           rv_node *head, rv_autoencoder_signals *s)
{
    const rv_harmonic_config h = harmonic_config(c, rv_extent(in->noise, 1));
    const rv_harmonic_controls raw = { .amplitude = rv_slice(head, 2, 0, 1),
                                       .distribution = rv_slice(head, 2, 1, c->decoder.n_harmonic),
                                       .f0 = s->f0 };
    rv_harmonic_controls controls = rv_harmonic_get_controls(&h, &raw);
    if (in->voice)
        controls.amplitude = rv_mul(controls.amplitude, in->voice);
    controls.phase = in->phase;
    s->amplitude = controls.amplitude;
    s->distribution = controls.distribution;
    s->harmonic_audio = rv_harmonic_get_signal(&h, &controls);
}

static void make_noise(const rv_autoencoder_config *c, const rv_autoencoder_inputs *in,
                       rv_node *head, rv_autoencoder_signals *s)
{
    const rv_noise_config n = noise_config(c);
    s->magnitudes = rv_scale_amplitude(rv_scale(head, 1, noise_bias));
    s->noise_audio = rv_synth_noise(&n, in->noise, s->magnitudes);
}

rv_autoencoder_signals rv_autoencoder_dry(nn_builder *b, const rv_autoencoder_config *c,
                                          const rv_autoencoder_inputs *in)
{
    rv_autoencoder_signals s = { 0 };
    const char *what = in->loudness ? misfit(c, in) : "loudness [B,F,1]";
    if (what) {
        rv_node *bad =
            rv_poison(b->graph, RV_ERR_SHAPE, __func__, "autoencoder: expected %s", what);
        return (rv_autoencoder_signals){ bad, bad, bad, bad, bad, bad, bad, bad, bad };
    }
    const rv_autoencoder_codes codes = rv_autoencoder_encode(b, c, in, rv_extent(in->loudness, 1));
    s.f0 = codes.f0;
    s.z = codes.z;
    const rv_decoder_heads heads =
        rv_decoder_from(b, &c->decoder, s.f0, scaled_loudness(c, in->loudness), s.z, in->state);
    s.state = heads.state;
    make_harmonics(c, in, heads.harmonic, &s);
    make_noise(c, in, heads.noise, &s);
    s.audio = rv_add(s.harmonic_audio, s.noise_audio);
    return s;
}

/* Room --------------------------------------------------------------------------------- */

static rv_node *response(nn_builder *b, const rv_autoencoder_config *c, rv_node *noise)
{
    const rv_noise_config filters = rv_reverb_noise_defaults();
    switch (c->reverb) {
    case RV_REVERB_NONE:
        break;
    case RV_REVERB_LEARNED:
        return rv_reverb_learned(b, c->reverb_length);
    case RV_REVERB_DECAY:
        return rv_reverb_decay_learned(b, noise);
    case RV_REVERB_NOISE:
        return rv_reverb_noise_learned(b, &filters, noise, c->reverb_frames, c->reverb_bands);
    case RV_REVERB_WET:
        return rv_reverb_wet(b, c->reverb_length, (double)c->sample_rate);
    }
    return NULL;
}

rv_node *rv_autoencoder_response(nn_builder *b, const rv_autoencoder_config *c,
                                 rv_node *reverb_noise)
{
    const bool noisy = c->reverb == RV_REVERB_DECAY || c->reverb == RV_REVERB_NOISE;
    if (noisy && !has_shape(reverb_noise, 1, c->reverb_length, 0))
        return rv_poison(b->graph, RV_ERR_SHAPE, __func__,
                         "autoencoder: expected noise for the reverb [1,%zu]", c->reverb_length);
    const size_t mark = nn_enter(b, "reverb");
    rv_node *h = response(b, c, reverb_noise);
    nn_leave(b, mark);
    return h;
}

rv_autoencoder_signals rv_autoencoder(nn_builder *b, const rv_autoencoder_config *c,
                                      const rv_autoencoder_inputs *in)
{
    rv_autoencoder_signals s = rv_autoencoder_dry(b, c, in);
    rv_node *h = rv_autoencoder_response(b, c, in->reverb_noise);
    if (h)
        s.audio = rv_reverb(s.audio, h, true);
    return s;
}
