/* loss_spectrum.h - what the losses share. */
#ifndef TRAIN_LOSS_SPECTRUM_H
#define TRAIN_LOSS_SPECTRUM_H

#include "ddsp/log_mel.h"
#include "train/loss.h"

/* Poison the graph unless both are [B,T,C] of one shape, and not empty. */
void rv_loss_check(rv_node *estimate, rv_node *target);

/* x [B,T,C] -> [B C,T]: signals as rows */
rv_node *rv_loss_rows(rv_node *x);

/* Means over all elements; poison where there are none. */
rv_node *rv_mean_absolute(rv_node *x);
rv_node *rv_mean_square(rv_node *x);

/* Of rows x [R,T] -> [R,frames,bins,2], as torch.stft(center=True), reflected. */
rv_node *rv_spectrum_centred(rv_node *x, const rv_stft_size *size);

#endif
