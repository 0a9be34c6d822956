/* stem_decoder.c - a separated stem made anew from its pitch and loudness: DDSPDecoder and
 * ResidualDDSPDecoder of DDSP-Demucs (github.com/alehg/ddsp-demucs), after
 *
 *   J. Engel, L. Hantrakul, C. Gu and A. Roberts, "DDSP: Differentiable Digital Signal
 *   Processing", ICLR 2020, arXiv:2001.04643
 *
 *   f0 as MIDI notes and loudness in dB, as they are
 *   pre        linear 128, ReLU
 *   gru        rnn_units
 *   post       linear, ReLU for each of mlp_units
 *   amp_head, harm_head, noise_head    linear: amplitude, shares of harmonics, bands of noise
 *   harmonics + filtered noise, reverb (learned response)
 *   gate       g stem + (1 - g) synthesis, g = sigmoid(dry_logit)      with a stem only
 *
 * The reference brings the heads into range twice: here as everywhere, and again in its
 * synthesisers. So its amplitude is never below 0.4, the strongest harmonic is at most 2.4 times
 * the weakest before they are normalised, and bands of noise stay below -54 dB. With `scale_twice`
 * this is done likewise, since weights mean nothing else; without it, all ranges are open.
 *
 * The reference makes 64,000 samples of harmonics and 4 s of noise whatever the input, and cuts
 * both to the shorter: at 22,050 Hz, 4 s of pitch are played in 2.9 s. Here both last as long as
 * the features do.
 *
 * The gate starts at 0.0025, so that the output starts as the synthesis, not as the stem. With
 * `identity_start` it is 1 - wet, without the sigmoid, and wet starts at 0: the output is the stem,
 * bit by bit, and leaves it only where that lowers the loss. */
#include "models/stem_decoder.h"

#include "ddsp/controls.h"
#include "ddsp/reverb.h"
#include "ddsp/synth_harmonic.h"
#include "ddsp/synth_noise.h"

#include <stdio.h>

enum { PRE_UNITS = 128, NOTES = 127 };
static const double least_hz = 1, most_hz = 8000;

/* Arguments ---------------------------------------------------------------------------- */

static double item(rv_arg_reader *r, const char *name, const rv_arg *list, size_t i, double least,
                   double most)
{
    const rv_arg *x = &list->items[i];
    if (x->kind == RV_ARG_NUMBER && x->number >= least && x->number <= most)
        return x->number;
    rv_arg_fail(r, RV_ERR_ARG, name, "has item %zu that is no number from %g to %g", i, least,
                most);
    return least;
}

static void read_layers(rv_arg_reader *r, rv_stem_decoder_config *c)
{
    const rv_arg *list = rv_arg_list(r, "mlp_units");
    c->mlp_units[0] = 256;
    c->mlp_units[1] = 128;
    c->mlp_layers = 2;
    if (!list)
        return;
    c->mlp_layers = (size_t)list->number;
    if (c->mlp_layers > RV_STEM_DECODER_LAYERS) {
        rv_arg_fail(r, RV_ERR_ARG, "mlp_units", "has %zu items, at most %d are possible",
                    c->mlp_layers, RV_STEM_DECODER_LAYERS);
        c->mlp_layers = 0;
    }
    for (size_t i = 0; i < c->mlp_layers; i++) {
        const double units = item(r, "mlp_units", list, i, 1, 4096);
        c->mlp_units[i] = (size_t)units;
        if (units > (double)c->mlp_units[i])
            rv_arg_fail(r, RV_ERR_ARG, "mlp_units", "has item %zu that is no whole number", i);
    }
}

static void read_notes(rv_arg_reader *r, rv_stem_decoder_config *c)
{
    const rv_arg *list = rv_arg_list(r, "f0_midi_range");
    c->lowest_note = 24;
    c->highest_note = 84;
    if (!list)
        return;
    if (list->number != 2) {
        rv_arg_fail(r, RV_ERR_ARG, "f0_midi_range", "has %g items, 2 are expected", list->number);
        return;
    }
    c->lowest_note = item(r, "f0_midi_range", list, 0, 0, NOTES);
    c->highest_note = item(r, "f0_midi_range", list, 1, c->lowest_note, NOTES);
}

rv_status rv_stem_decoder_configure(rv_stem_decoder_config *c, const rv_args *args, rv_error *err)
{
    rv_arg_reader r = { .model = "stem_decoder", .args = args, .err = err };
    *c = (rv_stem_decoder_config){ 0 };
    c->sample_rate = rv_arg_size(&r, "sample_rate", 22050, 100, 192000);
    c->frame_rate = rv_arg_size(&r, "frame_rate", 250, 1, c->sample_rate);
    c->n_harmonics = rv_arg_size(&r, "n_harmonics", 64, 1, 1000);
    c->n_noise_bands = rv_arg_size(&r, "n_noise_bands", 65, 2, 4097);
    c->rnn_units = rv_arg_size(&r, "rnn_units", 256, 1, 4096);
    read_layers(&r, c);
    read_notes(&r, c);
    c->reverb_length = rv_arg_size(&r, "reverb_length", 48000, 2, (size_t)1 << 22);
    c->dry_logit = rv_arg_number(&r, "dry_logit", -6, -30, 30);
    c->scale_twice = rv_arg_bool(&r, "scale_twice", true);
    c->identity_start = rv_arg_bool(&r, "identity_start", false);
    return rv_arg_finish(&r);
}

/* Network ------------------------------------------------------------------------------ */

static rv_node *clip(rv_node *x, double least, double most)
{
    rv_node *above = rv_maximum(x, least);
    return rv_scale(rv_maximum(rv_scale(above, -1, 0), -most), -1, 0); /* -max(-x, -most) */
}

static rv_node *dense(nn_builder *b, const char *name, rv_node *x, size_t units)
{
    return rv_relu(nn_linear(b, name, x, units, true));
}

/* f0, loudness [B,F,1] -> [B,F,last of mlp_units] */
static rv_node *hidden(nn_builder *b, const rv_stem_decoder_config *c, rv_node *f0,
                       rv_node *loudness)
{
    char name[24];
    rv_node *note =
        clip(rv_hz_to_midi(clip(f0, least_hz, most_hz)), c->lowest_note, c->highest_note);
    rv_node *x = dense(b, "pre", rv_concat(2, 2, (rv_node *[]){ note, loudness }), PRE_UNITS);
    x = nn_gru(b, "gru", x, c->rnn_units, 1, false);
    for (size_t i = 0; i < c->mlp_layers; i++) {
        snprintf(name, sizeof name, "post.%zu", i);
        x = dense(b, name, x, c->mlp_units[i]);
    }
    return x;
}

/* Synthesis ---------------------------------------------------------------------------- */

static rv_node *harmonics(nn_builder *b, const rv_stem_decoder_config *c, rv_node *x,
                          const rv_stem_decoder_inputs *in)
{
    rv_harmonic_config h = rv_harmonic_defaults((double)c->sample_rate, rv_extent(in->noise, 1));
    h.amplitude = RV_UPSAMPLE_LINEAR;
    h.scale = c->scale_twice;
    const rv_harmonic_controls once = {
        .amplitude = rv_scale_amplitude(nn_linear(b, "amp_head", x, 1, true)),
        .distribution = rv_softmax(nn_linear(b, "harm_head", x, c->n_harmonics, true)),
        .f0 = in->f0,
        .phase = in->phase,
    };
    return rv_synth_harmonic(&h, &once);
}

static rv_node *noise(nn_builder *b, const rv_stem_decoder_config *c, rv_node *x, rv_node *from)
{
    rv_noise_config n = rv_noise_defaults();
    rv_node *magnitudes = nn_linear(b, "noise_head", x, c->n_noise_bands, true);
    if (c->scale_twice)
        magnitudes = rv_scale_amplitude(magnitudes);
    return rv_synth_noise(&n, from, magnitudes);
}

static rv_node *gated(nn_builder *b, const rv_stem_decoder_config *c, rv_node *stem, rv_node *made)
{
    if (c->identity_start) {
        rv_node *wet = nn_param_new(b, "wet", RV_SHAPE(1), (nn_start){ NN_FILL, 0 });
        return rv_add(stem, rv_mul(rv_reshape(wet, RV_SHAPE(1, 1)), rv_sub(made, stem)));
    }
    rv_node *logit = nn_param_new(b, "dry_logit", RV_SHAPE(1), (nn_start){ NN_FILL, c->dry_logit });
    rv_node *gate = rv_reshape(rv_sigmoid(logit), RV_SHAPE(1, 1));
    return rv_add(made, rv_mul(gate, rv_sub(stem, made)));
}

/* Whole -------------------------------------------------------------------------------- */

static bool is_frames(const rv_node *x, size_t batch, size_t frames)
{
    return x && x->shape.rank == 3 && x->shape.d[0] == batch && x->shape.d[1] == frames &&
           x->shape.d[2] == 1;
}

static bool is_audio(const rv_node *x, size_t batch)
{
    return x && x->shape.rank == 2 && x->shape.d[0] == batch && x->shape.d[1] > 0;
}

/* NULL, or what is expected and does not fit. */
static const char *misfit(const rv_stem_decoder_inputs *in)
{
    const size_t batch = in->f0 ? rv_extent(in->f0, 0) : 0;
    const size_t frames = in->f0 ? rv_extent(in->f0, 1) : 0;
    if (batch == 0 || frames == 0 || !is_frames(in->f0, batch, frames))
        return "f0 [B,F,1]";
    if (!is_frames(in->loudness, batch, frames))
        return "loudness [B,F,1]";
    if (!is_audio(in->noise, batch) || rv_extent(in->noise, 1) < frames)
        return "noise [B,T], T >= F";
    if (in->stem &&
        (!is_audio(in->stem, batch) || rv_extent(in->stem, 1) != rv_extent(in->noise, 1)))
        return "stem [B,T] as long as the noise";
    return NULL;
}

rv_node *rv_stem_decoder(nn_builder *b, const rv_stem_decoder_config *c,
                         const rv_stem_decoder_inputs *in)
{
    const char *what = misfit(in);
    if (what)
        return rv_poison(b->graph, RV_ERR_SHAPE, __func__, "stem decoder: expected %s", what);
    rv_node *x = hidden(b, c, in->f0, in->loudness);
    rv_node *tones = harmonics(b, c, x, in);
    rv_node *dry = rv_add(tones, noise(b, c, x, in->noise));
    const size_t mark = nn_enter(b, "reverb");
    rv_node *made = rv_reverb(dry, rv_reverb_learned(b, c->reverb_length), true);
    nn_leave(b, mark);
    return in->stem ? gated(b, c, in->stem, made) : made;
}
