/* loss_spectrum.h - what the losses share. */
#ifndef TRAIN_LOSS_SPECTRUM_H
#define TRAIN_LOSS_SPECTRUM_H

#include "train/loss.h"

/* Poison the graph unless both are [B,T,C] of one shape, and not empty. */
void rv_loss_check(rv_node *estimate, rv_node *target);

/* x [B,T,C] -> [B C,T]: signals as rows */
rv_node *rv_loss_rows(rv_node *x);

/* Means over all elements; poison where there are none. */
rv_node *rv_mean_absolute(rv_node *x);
rv_node *rv_mean_square(rv_node *x);

/* Of rows x [R,T] -> [R,frames,bins,2]. Centred: as torch.stft(center=True), reflected.
 * Padded: as tf.signal.stft(pad_end=True): frames begin at multiples of the hop, zeros follow. */
rv_node *rv_spectrum_centred(rv_node *x, const rv_stft_size *size);
rv_node *rv_spectrum_padded(rv_node *x, size_t n_fft, size_t hop);

#endif
