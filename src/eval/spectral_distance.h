/* spectral_distance.h - how far the magnitudes of an estimate's spectrograms are from the stem's.
 *
 * With S and E the magnitudes of STFTs (periodic Hann windows):
 *
 *   SC       || S - E ||_F / || S ||_F over frames and bins: auraloss, SpectralConvergenceLoss
 *            (Steinmetz & Reiss 2020); Arik et al. 2018. A silent estimate has 1
 *   LSD      mean over frames of sqrt(mean over bins of (20 log10(S / E))^2), dB: Gray & Markel
 * 1976 (both: window 2048, hop 512, centred frames, reflected ends, powers at least 1e-8) MR-STFT
 * mean over resolutions of SC + mean |ln S - ln E|, with the sizes 1024, 2048, 512, hops 120, 240,
 * 50, windows 600, 1200, 240 and frames as above: auraloss, MultiResolutionSTFTLoss by default;
 * Yamamoto et al. 2020 MSS      sum over the sizes 2048, 1024, ... 64, hops of a quarter, of mean
 * |S - E| + mean |ln S - ln E|, where ln 0 is ln 1e-5; frame f begins at f hop, zeros follow the
 * end: ddsp, SpectralLoss with mag_weight = logmag_weight = 1; Engel et al. 2020
 *
 * All are means over the channels in which the reference is not silent; NaN if it is silent in all,
 * or shorter than half a centred frame. */
#ifndef EVAL_SPECTRAL_DISTANCE_H
#define EVAL_SPECTRAL_DISTANCE_H

#include "eval/ratios.h"
#include "ravel/base.h"

typedef struct rv_spectral_distance {
    double convergence, log_distance;
} rv_spectral_distance;

RV_NODISCARD rv_status rv_spectral_distance_of(rv_spectral_distance *out, const rv_stem_pair *p,
                                               rv_error *err);
RV_NODISCARD rv_status rv_multi_resolution_stft(double *out, const rv_stem_pair *p, rv_error *err);
RV_NODISCARD rv_status rv_multi_scale_spectral(double *out, const rv_stem_pair *p, rv_error *err);

#endif
