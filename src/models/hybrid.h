/* hybrid.h - see hybrid.c and hybrid_config.c */
#ifndef MODELS_HYBRID_H
#define MODELS_HYBRID_H

#include "models/hybrid_layers.h"
#include "models/model.h"

enum { HYBRID_MOST_DEPTH = 16 };

/* What Hybrid Demucs and HT Demucs share. */
typedef struct hybrid_config {
    size_t stems, audio; /* audio: channels of the mix */
    size_t channels, channels_time, depth;
    double growth, rescale;
    size_t n_fft, hop;
    int wiener_iterations; /* < 0: magnitudes with the phase of the mix */
    bool wiener_residual, complex_as_channels;
    bool rewrite, hybrid, hybrid_old;
    double embedding, embedding_scale; /* embedding 0: none */
    size_t kernel, stride, time_stride, context, context_encoder;
    size_t norm_starts, norm_groups;
    size_t dconv_mode, dconv_attention, dconv_lstm; /* first level that has them */
    dconv_config dconv;
    size_t band_levels; /* outermost levels that are split into bands */
    hybrid_bands bands;
    size_t time_depth; /* levels of the time branch */
    bool merges;       /* the last of them feeds the frequency branch */
    hybrid_layer encoder[HYBRID_MOST_DEPTH], decoder[HYBRID_MOST_DEPTH];
    hybrid_layer time_encoder[HYBRID_MOST_DEPTH], time_decoder[HYBRID_MOST_DEPTH];
} hybrid_config;

/* Defaults that differ between the two. */
typedef struct hybrid_defaults {
    double depth, dconv_compress, dconv_init;
    bool has_lstm; /* knows hybrid, hybrid_old, dconv_attn, dconv_lstm */
} hybrid_defaults;

/* Everything but `segment`. */
void hybrid_configure(rv_arg_reader *r, const hybrid_defaults *d, rv_model_info *info,
                      hybrid_config *c);

/* Between the halves: replaces *x [1,T,F,C] and *xt [1,T',C], or sets them to NULL for zeros. */
typedef void hybrid_middle(nn_builder *b, const void *ctx, rv_node **x, rv_node **xt);

/* mix [1,n,audio] -> [1,n,stems audio] */
rv_node *hybrid_build(nn_builder *b, const hybrid_config *c, rv_node *mix, hybrid_middle *middle,
                      const void *ctx);

/* hybrid_spectrum.c: mix [1,n,A] -> spectrum [1,T,F,2A], channel 2a + (re, im) */
rv_node *hybrid_stft(const hybrid_config *c, rv_node *mix);
/* magnitude [1,T,F,A] of a spectrum [1,T,F,2A] */
rv_node *hybrid_magnitude(rv_node *z);
/* y [1,T,F,S A (2)] with the spectrum of the mix -> spectra of the stems [1,T,F,2 S A] */
rv_node *hybrid_spectra(const hybrid_config *c, rv_node *y, rv_node *mix);
/* spectra [1,T,F,2 S A] -> [1,length,S A] */
rv_node *hybrid_istft(const hybrid_config *c, rv_node *z, size_t length);

#endif
