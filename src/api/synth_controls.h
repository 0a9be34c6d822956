/* synth_controls.h - see synth_controls.c */
#ifndef API_SYNTH_CONTROLS_H
#define API_SYNTH_CONTROLS_H

#include "api/synth_features.h"
#include "infer/autoencoder_play.h"

enum { RV_SYNTH_WINDOW = 256 };

typedef struct rv_synth_controls {
    rv_synth_features *features;
    const rv_autoencoder_config *config;
    const rv_synth_options *options;
    size_t frames;                      /* of the model's rate */
    double step, mfcc_step;             /* rows of features for a frame, for a row of MFCC */
    double shift;                       /* factor of f0 */
    double scale, offset;               /* of loudness */
    double mean, deviation;             /* of loudness, measured */
    float held;                         /* f0 of the last frame with harmonics, Hz, shifted */
    double notes;                       /* sum over those frames, MIDI, not shifted */
    uint64_t voiced;                    /* their number */
    rv_raw_frame rows[RV_SYNTH_WINDOW]; /* from `first` on */
    size_t first, n_rows;
} rv_synth_controls;

/* Looks at all features once. */
RV_NODISCARD rv_status rv_synth_controls_init(rv_synth_controls *c, rv_synth_features *features,
                                              const rv_autoencoder_config *config,
                                              const rv_synth_options *options, rv_error *err);

/* What is played, of these controls. */
rv_play_source rv_synth_controls_source(rv_synth_controls *c);

#endif
