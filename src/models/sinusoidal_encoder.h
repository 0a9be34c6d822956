/* sinusoidal_encoder.h - see sinusoidal_encoder.c */
#ifndef MODELS_SINUSOIDAL_ENCODER_H
#define MODELS_SINUSOIDAL_ENCODER_H

#include "ddsp/log_mel.h"
#include "ddsp/synth_sinusoidal.h"
#include "models/resnet.h"

typedef struct rv_sinusoidal_encoder_config {
    rv_mel_config mel;
    bool centred; /* frames of the spectrum are centred where those of controls are */
    rv_resnet_config resnet;
    size_t sinusoids, bands;
    size_t depth; /* pitches that a frequency is a mean of */
    double hz_min, hz_max;
} rv_sinusoidal_encoder_config;

/* Ready for synthesis. Frames are known at multiples of the spectrum's hop, where frames of the
 * spectrum begin unless they are centred there. */
typedef struct rv_sinusoids_and_noise {
    rv_sinusoidal_controls sinusoids; /* [B,F,N], Hz */
    rv_node *magnitudes;              /* [B,F,bands] of the noise */
} rv_sinusoids_and_noise;

/* magenta/ddsp's: 229 mel bands of 2048 samples at 16 kHz, hop 512; the small network; 100
 * sinusoids of depth 64 from 20 to 8000 Hz; 65 bands of noise. */
rv_sinusoidal_encoder_config rv_sinusoidal_encoder_defaults(void);

/* audio [B,T] */
rv_sinusoids_and_noise rv_sinusoidal_encoder(nn_builder *b, const rv_sinusoidal_encoder_config *c,
                                             rv_node *audio);

#endif
