/* stem_decoder.h - see stem_decoder.c */
#ifndef MODELS_STEM_DECODER_H
#define MODELS_STEM_DECODER_H

#include "models/model.h"

enum { RV_STEM_DECODER_LAYERS = 8 };

typedef struct rv_stem_decoder_config {
    size_t sample_rate, frame_rate; /* Hz; frames a second of f0 and loudness */
    size_t n_harmonics, n_noise_bands;
    size_t rnn_units;
    size_t mlp_units[RV_STEM_DECODER_LAYERS], mlp_layers;
    double lowest_note, highest_note; /* MIDI: f0 is seen within these */
    size_t reverb_length;             /* samples */
    double dry_logit;                 /* where the gate starts */
    bool scale_twice;
    bool identity_start; /* with a stem: what comes out is the stem, until training finds better */
} rv_stem_decoder_config;

/* Arguments of the reference's constructor, with its defaults:
 *
 *   sample_rate     Hz (22050)
 *   frame_rate      (250)
 *   n_harmonics     (64)
 *   n_noise_bands   (65)
 *   rnn_units       (256)
 *   mlp_units       list of sizes ([256, 128])
 *   f0_midi_range   two MIDI notes ([24, 84])
 *
 * and what it has as constants: reverb_length, samples (48000); dry_logit (-6); scale_twice (true).
 * identity_start (false) is our own.
 * Unknown arguments and values out of range are errors that name the argument. */
RV_NODISCARD rv_status rv_stem_decoder_configure(rv_stem_decoder_config *c, const rv_args *args,
                                                 rv_error *err);

typedef struct rv_stem_decoder_inputs {
    rv_node *f0;       /* [B,F,1] Hz, 0 where unvoiced */
    rv_node *loudness; /* [B,F,1] dB */
    rv_node *noise;    /* [B,T], rv_noise_fill() */
    rv_node *stem;     /* [B,T]: the separated stem, let through by the gate; NULL: no gate */
    rv_node *phase;    /* [B,1] or NULL: turns of f0 before the first sample */
} rv_stem_decoder_inputs;

/* -> [B,T] */
rv_node *rv_stem_decoder(nn_builder *b, const rv_stem_decoder_config *c,
                         const rv_stem_decoder_inputs *in);

#endif
