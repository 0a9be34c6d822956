/* spectral_distance.h - how far the magnitudes of an estimate's spectrogram are from the stem's.
 *
 * With S and E the magnitudes of STFTs (periodic Hann window of 2048, hop 512, centred frames,
 * reflected ends, powers at least 1e-8, as in auraloss):
 *
 *   SC   || S - E ||_F / || S ||_F over frames and bins: auraloss, SpectralConvergenceLoss
 * (Steinmetz & Reiss 2020); Arik et al. 2018. A silent estimate has 1 LSD  mean over frames of
 * sqrt(mean over bins of (20 log10(S / E))^2), dB: Gray & Markel 1976
 *
 * Both are means over the channels in which the reference is not silent; NaN if it is silent in
 * all, or shorter than half a window. */
#ifndef EVAL_SPECTRAL_DISTANCE_H
#define EVAL_SPECTRAL_DISTANCE_H

#include "eval/ratios.h"
#include "ravel/base.h"

typedef struct rv_spectral_distance {
    double convergence, log_distance;
} rv_spectral_distance;

RV_NODISCARD rv_status rv_spectral_distance_of(rv_spectral_distance *out, const rv_stem_pair *p,
                                               rv_error *err);

#endif
