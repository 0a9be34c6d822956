/* mask_eq.h - see mask_eq.c */
#ifndef MODELS_MASK_EQ_H
#define MODELS_MASK_EQ_H

#include "models/model.h"

typedef struct rv_mask_eq_config {
    size_t sample_rate; /* Hz */
    size_t mel_bins, n_bands, enc_units;
    double alpha;        /* the mask lies within 1 - alpha and 1 + alpha */
    size_t window_size;  /* samples, even: of the filters; they change every half of it */
    bool identity_start; /* what comes out is the stem, until training finds better */
    bool scaled;         /* what it sees is brought near zero first */
} rv_mask_eq_config;

/* Arguments of the reference's constructor, with its defaults: mel_bins (64), n_bands (65),
 * alpha (0.15, the most that its clipping leaves), enc_units (64), sample_rate (22050),
 * window_size (176). identity_start (false) is our own, and lets alpha be up to 1; so is scaled
 * (false). Unknown arguments and values out of range are errors that name the argument. */
RV_NODISCARD rv_status rv_mask_eq_configure(rv_mask_eq_config *c, const rv_args *args,
                                            rv_error *err);

/* stem [B,T], mel [B,F,mel_bins] and loudness [B,F,1] in dB of it -> [B,T] */
rv_node *rv_mask_eq(nn_builder *b, const rv_mask_eq_config *c, rv_node *stem, rv_node *mel,
                    rv_node *loudness);

/* What it sees: stem [B,T] -> [B,ceil(T / hop),mel_bins] */
rv_node *rv_mask_eq_mel(rv_node *stem, const rv_mask_eq_config *c, size_t hop);

#endif
