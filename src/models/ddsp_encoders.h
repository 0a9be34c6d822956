/* ddsp_encoders.h - see ddsp_encoders.c */
#ifndef MODELS_DDSP_ENCODERS_H
#define MODELS_DDSP_ENCODERS_H

#include "models/resnet.h"

/* mfcc [B,M,C] -> z [B,frames,z], by a GRU of so many units */
rv_node *rv_encode_timbre(nn_builder *b, rv_node *mfcc, size_t hidden, size_t z, size_t frames);

/* Logarithms of a spectrogram, mel [B,M,N] -> f0 [B,frames,1] Hz, a mean of `bins` pitches from
 * MIDI note 0 to 127. */
rv_node *rv_encode_pitch(nn_builder *b, const rv_resnet_config *c, rv_node *mel, size_t bins,
                         size_t frames);

#endif
