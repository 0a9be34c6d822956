/* decoder.h - see decoder.c */
#ifndef DDSP_DECODER_H
#define DDSP_DECODER_H

#include "nn/nn.h"

/* What the network sees of the pitch. */
typedef enum rv_decoder_pitch {
    RV_DECODER_HERTZ, /* as it is; ddsp_pytorch */
    RV_DECODER_MIDI,  /* MIDI note / 127, and 0 for 0 Hz; magenta/ddsp */
} rv_decoder_pitch;

typedef struct rv_decoder_config {
    size_t hidden_size; /* of each layer, and of the GRU */
    size_t layers;      /* of each MLP */
    size_t n_harmonic, n_bands;
    size_t z;        /* channels of the latent; 0: none */
    double slope;    /* of the leaky ReLU below 0; 0: ReLU. ddsp_pytorch 0.01, magenta/ddsp 0.2 */
    double norm_eps; /* ddsp_pytorch 1e-5, magenta/ddsp (Keras) 1e-3 */
    rv_decoder_pitch pitch;
    bool wide; /* the last MLP sees the first ones' results beside the GRU's, as in magenta/ddsp;
                  else the features */
} rv_decoder_config;

/* Linear, before any scaling: the first of `harmonic` is the amplitude of all, the others the
 * shares of the harmonics. */
typedef struct rv_decoder_heads {
    rv_node *harmonic; /* [B,T,1 + n_harmonic] */
    rv_node *noise;    /* [B,T,n_bands] */
    rv_node *state;    /* [B,T,hidden_size] of the GRU after each step */
} rv_decoder_heads;

/* ddsp_pytorch's: 512 units, 3 layers, 100 harmonics, 65 bands, no latent, its slope and eps. */
rv_decoder_config rv_decoder_defaults(void);

/* f0 [B,T,1] in Hz, loudness [B,T,1] brought to about unit size (ddsp_pytorch: mean 0 and
 * deviation 1 over the data set; magenta/ddsp: dB / 80 + 1), z [B,T,z] or NULL. */
rv_decoder_heads rv_decoder(nn_builder *b, const rv_decoder_config *c, rv_node *f0,
                            rv_node *loudness, rv_node *z);
/* The same from a state [B,hidden_size] of the GRU on, as nn_gru_from(); NULL: from zeros. */
rv_decoder_heads rv_decoder_from(nn_builder *b, const rv_decoder_config *c, rv_node *f0,
                                 rv_node *loudness, rv_node *z, rv_node *state);

#endif
