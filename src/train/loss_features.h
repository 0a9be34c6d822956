/* loss_features.h - see loss_features.c */
#ifndef TRAIN_LOSS_FEATURES_H
#define TRAIN_LOSS_FEATURES_H

#include "models/mctn.h"

/* What counts as the distance of pitches. */
typedef enum rv_pitch_measure {
    RV_PITCH_HERTZ,     /* published: |difference| in Hz */
    RV_PITCH_SEMITONES, /* |difference| in semitones */
    RV_PITCH_LIKELIHOOD /* -log density of the target under the pitches that the network weighs,
                           each a normal distribution on a scale of semitones */
} rv_pitch_measure;

typedef struct rv_feature_loss {
    double f0_weight; /* a: (1 - a) loudness + a f0 */
    rv_pitch_measure measure;
    double deviation; /* semitones, of the likelihood */
    bool voiced;      /* pitch counts in voiced frames alone */
} rv_feature_loss;

typedef struct rv_feature_targets {
    rv_node *f0;       /* [B,F,S] Hz */
    rv_node *loudness; /* [B,F,S] dB */
    rv_node *voiced;   /* [B,F,S] 1 where there is a pitch, else 0; NULL if all frames count */
} rv_feature_targets;

/* [1], the mean over frames and sources */
rv_node *rv_loss_features(const rv_feature_loss *l, const rv_mctn_config *c,
                          const rv_mctn_features *found, const rv_feature_targets *target);

#endif
