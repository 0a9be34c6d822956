/* refiner.h - see refiner.c */
#ifndef MODELS_REFINER_H
#define MODELS_REFINER_H

#include "models/mask_eq.h"
#include "models/stem_decoder.h"
#include "ravel/features.h"

typedef enum rv_refiner_kind {
    RV_REFINER_DECODER,  /* DDSPDecoder */
    RV_REFINER_RESIDUAL, /* ResidualDDSPDecoder */
    RV_REFINER_MASK_EQ,  /* SpectralMaskEQ */
    RV_REFINER_KINDS
} rv_refiner_kind;

/* Their names in recipes, their classes in checkpoints, and where they were published. */
typedef struct rv_refiner_def {
    const char *name, *class, *citation;
} rv_refiner_def;
extern const rv_refiner_def rv_refiner_defs[RV_REFINER_KINDS];

/* By name or class; RV_REFINER_KINDS for others. */
rv_refiner_kind rv_refiner_find(const char *name_or_class);

typedef struct rv_refiner_config {
    rv_refiner_kind kind;
    size_t sample_rate;             /* Hz */
    size_t hop;                     /* samples between frames */
    rv_stem_decoder_config decoder; /* but of RV_REFINER_MASK_EQ */
    rv_mask_eq_config equaliser;    /* of that alone */
    rv_f0_method f0_method;         /* how the features it learned from were measured */
    double f0_min, f0_max;          /* Hz */
    rv_loudness_kind loudness;
} rv_refiner_config;

/* Arguments: those of rv_stem_decoder_configure() or rv_mask_eq_configure(); of both:
 *
 *   frame_rate      of the features (250); the hop is sample_rate / frame_rate, rounded down
 *   f0_method       "yin", "pyin" (default), "crepe"
 *   f0_min, f0_max  Hz (65.406, 2093.005)
 *   loudness        "ddsp" (default), "ddsp1", "ddsp-pytorch" */
RV_NODISCARD rv_status rv_refiner_configure(rv_refiner_config *c, rv_refiner_kind kind,
                                            const rv_args *args, rv_error *err);

typedef struct rv_refiner_inputs {
    rv_node *stem;     /* [B,T], T = F hop */
    rv_node *f0;       /* [B,F,1] Hz */
    rv_node *loudness; /* [B,F,1] dB */
    rv_node *noise;    /* [B,T], rv_noise_fill() */
    rv_node *phase;    /* [B,1] or NULL: turns of f0 before the first sample */
} rv_refiner_inputs;

/* -> [B,T] */
rv_node *rv_refiner(nn_builder *b, const rv_refiner_config *c, const rv_refiner_inputs *in);

#endif
