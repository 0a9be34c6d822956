/* ddsp_autoencoder.h - see ddsp_autoencoder.c; the arguments are in ddsp_autoencoder_config.c */
#ifndef MODELS_DDSP_AUTOENCODER_H
#define MODELS_DDSP_AUTOENCODER_H

#include "ddsp/decoder.h"
#include "ddsp/log_mel.h"
#include "models/model.h"
#include "models/resnet.h"
#include "ravel/features.h"

#define RV_AUTOENCODER_CLASS "ravel.ddsp.Autoencoder"

enum { RV_AUTOENCODER_MFCC = 30 };

/* Whose conventions the synthesisers follow. */
typedef enum rv_autoencoder_style {
    RV_STYLE_DDSP,        /* magenta/ddsp: controls move smoothly between frames */
    RV_STYLE_DDSP_PYTORCH /* acids-ircam/ddsp_pytorch: they stand still for a frame */
} rv_autoencoder_style;

typedef enum rv_autoencoder_reverb {
    RV_REVERB_NONE,
    RV_REVERB_LEARNED, /* all samples of the response */
    RV_REVERB_DECAY,   /* noise with a learned gain and decay */
    RV_REVERB_NOISE,   /* noise through learned filters */
    RV_REVERB_WET      /* ddsp_pytorch's: learned noise, decay and share */
} rv_autoencoder_reverb;

/* What the network sees of loudness in dB. */
typedef enum rv_loudness_scale {
    RV_LOUDNESS_DECIBELS, /* dB / 80 + 1 */
    RV_LOUDNESS_STANDARD  /* (dB - mean) / std */
} rv_loudness_scale;

typedef enum rv_autoencoder_z { RV_Z_NONE, RV_Z_MFCC_RNN } rv_autoencoder_z;
typedef enum rv_autoencoder_f0 { RV_F0_GIVEN, RV_F0_LEARNED } rv_autoencoder_f0;

/* How f0 was found. */
typedef enum rv_pitch_tracker {
    RV_TRACKER_YIN,
    RV_TRACKER_PYIN,
    RV_TRACKER_CREPE
} rv_pitch_tracker;

/* What the model was trained with, so that other audio is measured in the same way. */
typedef struct rv_autoencoder_features {
    rv_loudness_kind loudness;
    size_t loudness_window; /* samples; 0: the kind's own */
    rv_pitch_tracker tracker;
    double f0_min, f0_max; /* Hz */
    rv_frame_align align;
    double mfcc_rate; /* frames a second; 0: as the others */
    double mel_rate;  /* likewise; of what the encoder of f0 sees */
    size_t mel_bands;
    size_t mel_window;       /* samples */
    double mel_min, mel_max; /* Hz */
} rv_autoencoder_features;

typedef struct rv_autoencoder_config {
    rv_autoencoder_style style;
    size_t sample_rate; /* Hz */
    size_t hop;         /* samples between frames */
    rv_decoder_config decoder;
    size_t noise_window; /* see rv_noise_config; style ddsp */
    rv_autoencoder_reverb reverb;
    size_t reverb_length; /* samples */
    size_t reverb_frames, reverb_bands;
    rv_loudness_scale loudness_scale;
    bool loudness_known;                /* whether the next two were given */
    double loudness_mean, loudness_std; /* of the training data, dB */
    double pitch_mean;                  /* of the training data, MIDI notes; 0: unknown */
    rv_autoencoder_z z_encoder;
    size_t z_hidden; /* units of its GRU */
    rv_autoencoder_f0 f0_encoder;
    rv_resnet_config resnet;
    size_t f0_bins;
    rv_autoencoder_features features;
} rv_autoencoder_config;

/* Fills all; what is absent takes its default. Unknown arguments and values out of range are errors
 * that name the argument. */
RV_NODISCARD rv_status rv_autoencoder_configure(rv_autoencoder_config *c, const rv_args *args,
                                                rv_error *err);

/* What the encoder of f0 sees of audio, by rv_log_mel(). */
rv_mel_config rv_autoencoder_mel_config(const rv_autoencoder_config *c);

/* B items, F frames, T = F hop samples, M frames of MFCC or mel (F of them, or fewer or more in the
 * same time). What the configuration does not use may be NULL. */
typedef struct rv_autoencoder_inputs {
    rv_node *f0;           /* [B,F,1] Hz; NULL where it is learned */
    rv_node *loudness;     /* [B,F,1] dB */
    rv_node *mfcc;         /* [B,M,30], from which z comes */
    rv_node *z;            /* [B,F,z] in place of MFCC, or NULL */
    rv_node *mel;          /* [B,M,mel_bands]: learned f0 */
    rv_node *noise;        /* [B,T], rv_noise_fill() */
    rv_node *reverb_noise; /* [1,reverb_length], likewise: decay and noise */
    rv_node *voice;        /* [B,F,1] or NULL: factor of the harmonics' amplitude */
    rv_node *phase;        /* [B,1] or NULL: turns before the first sample */
    rv_node *state; /* [B,hidden_size] or NULL: of the GRU before the first frame; no gradient */
} rv_autoencoder_inputs;

typedef struct rv_autoencoder_signals {
    rv_node *audio;                        /* [B,T] */
    rv_node *f0;                           /* [B,F,1] Hz */
    rv_node *amplitude;                    /* [B,F,1], from 0 to 2 */
    rv_node *distribution;                 /* [B,F,n_harmonic], adds up to 1 */
    rv_node *magnitudes;                   /* [B,F,n_bands] of the noise's filters */
    rv_node *harmonic_audio, *noise_audio; /* [B,T], before the reverb */
    rv_node *z;                            /* [B,F,z] or NULL */
    rv_node *state;                        /* [B,F,hidden_size] of the GRU after each frame */
} rv_autoencoder_signals;

rv_autoencoder_signals rv_autoencoder(nn_builder *b, const rv_autoencoder_config *c,
                                      const rv_autoencoder_inputs *in);

/* The parts, for a caller who puts pieces together: z and f0 of so many frames, f0 as it is given
 * or learned, NULL for what there is not; all without the reverb; and its response [1,M], NULL for
 * none. */
typedef struct rv_autoencoder_codes {
    rv_node *f0, *z;
} rv_autoencoder_codes;
rv_autoencoder_codes rv_autoencoder_encode(nn_builder *b, const rv_autoencoder_config *c,
                                           const rv_autoencoder_inputs *in, size_t frames);
rv_autoencoder_signals rv_autoencoder_dry(nn_builder *b, const rv_autoencoder_config *c,
                                          const rv_autoencoder_inputs *in);
rv_node *rv_autoencoder_response(nn_builder *b, const rv_autoencoder_config *c,
                                 rv_node *reverb_noise);

#endif
