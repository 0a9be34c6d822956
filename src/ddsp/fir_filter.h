/* fir_filter.h - see fir_filter.c */
#ifndef DDSP_FIR_FILTER_H
#define DDSP_FIR_FILTER_H

#include "core/ops.h"

/* magnitudes [B,F,K], from 0 Hz to half the sample rate -> responses [B,F,M] with zero phase,
 * under a Hann window of `window` samples (0, or more than 2 (K - 1): 2 (K - 1)), delayed so that
 * they are causal. */
rv_node *rv_impulse_response(rv_node *magnitudes, size_t window);

/* Samples by which a filter with a response of M such taps advances what it made. */
size_t rv_response_delay(size_t taps);

/* The same as ddsp_pytorch has it: `size` samples, what comes before time 0 at their end. */
rv_node *rv_impulse_response_wrapped(rv_node *magnitudes, size_t size);

/* x [B,N] in F frames of ceil(N / F) samples, each through its own response h [B,F,M], added up,
 * and `delay` samples cut from the start -> [B,N]. tail: responses go on after the frame's end. */
rv_node *rv_filter_frames(rv_node *x, rv_node *h, size_t delay, bool tail);

/* audio [B,N] through a filter for each of F frames of ceil(N / F) samples -> [B,N] */
rv_node *rv_frequency_filter(rv_node *audio, rv_node *magnitudes, size_t window);

/* The same with magnitudes from a network: rv_scale_amplitude(). */
rv_node *rv_fir_filter(rv_node *audio, rv_node *magnitudes, size_t window);

#endif
