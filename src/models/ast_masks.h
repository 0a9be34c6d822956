/* ast_masks.h - see ast_masks.c */
#ifndef MODELS_AST_MASKS_H
#define MODELS_AST_MASKS_H

#include "models/ast_heads.h"
#include "models/spectrum.h"

/* What the noise of steps has at the bins on average: magnitudes [S,F,M], not yet in range, of
 * steps of `step` samples -> powers [S,frames,n_fft/2 + 1] */
rv_node *rv_ast_noise_power(const spectrum_config *c, rv_node *magnitudes, size_t step,
                            size_t frames);

/* mix [1,N,1], controls of the steps of S stems -> stems [1,N,S], which add up to the mix */
rv_node *rv_ast_masked(const spectrum_config *c, const rv_ast_head_config *head,
                       const rv_ast_controls *from, rv_node *mix);

#endif
