/* log_mel.h - see log_mel.c */
#ifndef DDSP_LOG_MEL_H
#define DDSP_LOG_MEL_H

#include "core/ops.h"

/* Of rows x [R,T] -> [R,frames,bins,2], as tf.signal.stft(pad_end=True): frames begin at multiples
 * of the hop, zeros follow. */
rv_node *rv_spectrum_padded(rv_node *x, size_t n_fft, size_t hop);

typedef struct rv_mel_config {
    double sample_rate;
    size_t n_fft, hop, bands; /* n_fft: a power of two */
    double lowest, highest;   /* Hz */
} rv_mel_config;

/* [bands, n_fft / 2 + 1]: what a magnitude counts in a band */
rv_node *rv_mel_weights(rv_graph *g, const rv_mel_config *c);

/* Rows x [R,T] -> [R,ceil(T/hop),bands]: the logarithm of the mel spectrum, or that of 1e-5 where a
 * band is 0. */
rv_node *rv_log_mel(rv_node *x, const rv_mel_config *c);

/* The same of frames that are centred at multiples of the hop; zeros precede, too. */
rv_node *rv_log_mel_centred(rv_node *x, const rv_mel_config *c);

#endif
