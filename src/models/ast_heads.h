/* ast_heads.h - see ast_heads.c */
#ifndef MODELS_AST_HEADS_H
#define MODELS_AST_HEADS_H

#include "core/ops.h"

typedef struct rv_ast_head_config {
    double sample_rate;
    size_t sinusoids; /* K */
    size_t depth;     /* D: pitches that a frequency is a mean of */
    size_t bands;     /* M: of the noise */
    double hz_min;    /* of the frequencies; the highest is half the sample rate */
    size_t steps;     /* F: of a clip */
    bool spread;      /* of steps: sinusoids begin at frequencies of their own */
} rv_ast_head_config;

/* Numbers that the network says: for a clip F (K D + K) + 1 + M, for a step K D + K + 1 + M. */
size_t rv_ast_clip_size(const rv_ast_head_config *c);
size_t rv_ast_step_size(const rv_ast_head_config *c);

/* x [B,clip_size], noise [B,N] -> audio [B,N] */
rv_node *rv_ast_clip_audio(const rv_ast_head_config *c, rv_node *x, rv_node *noise);

/* x [B,F,step_size], noise [B,N], steps of N / F samples -> audio [B,N] */
rv_node *rv_ast_steps_audio(const rv_ast_head_config *c, rv_node *x, rv_node *noise);

/* What the numbers of a clip or of steps mean, and its sound. */
typedef struct rv_ast_controls {
    rv_node *hz, *amplitudes; /* [B,F,K] */
    rv_node *total;           /* [B,1] of a clip, [B,F,1] of steps */
    rv_node *magnitudes;      /* [B,1,M] or [B,F,M], of the noise's filter, not yet in range */
} rv_ast_controls;
rv_ast_controls rv_ast_clip_controls(const rv_ast_head_config *c, rv_node *x);
rv_node *rv_ast_clip_signal(const rv_ast_head_config *c, const rv_ast_controls *from,
                            rv_node *noise);
rv_ast_controls rv_ast_steps_controls(const rv_ast_head_config *c, rv_node *x);
rv_node *rv_ast_steps_signal(const rv_ast_head_config *c, const rv_ast_controls *from,
                             rv_node *noise);

/* The sinusoids of steps alone -> [B,samples] */
rv_node *rv_ast_steps_tones(const rv_ast_head_config *c, const rv_ast_controls *from,
                            size_t samples);

#endif
