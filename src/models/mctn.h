/* mctn.h - see mctn.c; the arguments are in mctn_config.c */
#ifndef MODELS_MCTN_H
#define MODELS_MCTN_H

#include "models/model.h"
#include "ravel/features.h"

#define RV_MCTN_CLASS "ravel.mctn.FeatureSeparator"

/* Each has two planes in the table of models, see mctn_model.c. */
enum { RV_MCTN_SOURCES = RV_MAX_STEMS / 2 };

/* How a pitch comes from what a network says of `depth` pitches. */
typedef enum rv_mctn_pitch {
    RV_MCTN_MIDI,   /* published: the mean of MIDI notes, weighted by softplus */
    RV_MCTN_SOFTMAX /* the mean of pitches from f0_min to f0_max, weighted by a softmax */
} rv_mctn_pitch;

/* What the network hears of the mix. */
typedef enum rv_mctn_encoder {
    RV_MCTN_LEARNED, /* published: filters that it learns */
    RV_MCTN_MEL      /* mel bands */
} rv_mctn_encoder;

typedef struct rv_mctn_config {
    char sources[RV_MCTN_SOURCES][RV_STEM_NAME];
    size_t n_sources;
    size_t sample_rate;                    /* Hz */
    size_t hop;                            /* samples between frames */
    rv_mctn_encoder encoder;               /* RV_MCTN_LEARNED */
    size_t filters, kernel;                /* N and L, of the encoder */
    size_t bottleneck, hidden, taps;       /* B, H and P */
    size_t blocks, repeats;                /* X and R */
    rv_mctn_pitch pitch;                   /* RV_MCTN_MIDI */
    size_t depth;                          /* pitches */
    double f0_min, f0_max;                 /* Hz, of the softmax */
    double loudness_mean, loudness_spread; /* dB, of what the network says as 0 and 1 */
    bool level;                            /* loudness follows that of the masked mix */
    size_t segment;                        /* samples it was trained on, whole frames */
    rv_loudness_kind loudness;             /* that it was trained with */
} rv_mctn_config;

/* Fills all; what is absent takes its default. Unknown arguments and values out of range are errors
 * that name the argument. */
RV_NODISCARD rv_status rv_mctn_configure(rv_mctn_config *c, const rv_args *args, rv_error *err);

/* Of them, those of the network: all but sources, rate, segment. The rate must be set. */
void rv_mctn_read_network(rv_arg_reader *r, rv_mctn_config *c);

/* B mixes, F frames, S sources. */
typedef struct rv_mctn_features {
    rv_node *f0;       /* [B,F,S] Hz */
    rv_node *loudness; /* [B,F,S] dB */
    rv_node *pitches;  /* [B,F,S,depth] what the network says of them, any real numbers */
    rv_node *code;     /* [B,F,S,N] the encoded mix, masked for each source */
} rv_mctn_features;

/* mix [B, F hop] */
rv_mctn_features rv_mctn(nn_builder *b, const rv_mctn_config *c, rv_node *mix);

#endif
