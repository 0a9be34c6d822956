/* loss_inverse.h - see loss_inverse.c. Every loss is a scalar; shapes as in models/ddsp_inverse.h.
 */
#ifndef TRAIN_LOSS_INVERSE_H
#define TRAIN_LOSS_INVERSE_H

#include "models/ddsp_inverse.h"
#include "train/loss.h"

/* Distances of parameters --------------------------------------------------------------------- */

/* Mean |weight difference|, or of squares weight difference^2 (L1, L2); weights broadcast, or NULL.
 * `ParamLoss`, and of the magnitudes of noise `FilteredNoiseConsistencyLoss`. */
rv_node *rv_loss_parameters(rv_node *estimate, rv_node *target, rv_node *weights,
                            rv_distance distance);

/* Mean |difference| of pitches in semitones. */
rv_node *rv_loss_pitches(rv_node *hz, rv_node *target_hz, rv_node *weights);

/* Mean cross entropy of shares [B,F,depth] of pitches that are evenly spaced from hz_min to hz_max,
 * and the two around the target [B,F,1] whose mean it is. */
rv_node *rv_loss_pitch_shares(rv_node *shares, rv_node *target_hz, rv_node *weights, double hz_min,
                              double hz_max);

/* `HarmonicConsistencyLoss`, its terms: shares and pitches count where the target sounds. */
typedef struct rv_harmonic_losses {
    rv_node *amplitude, *distribution, *f0;
} rv_harmonic_losses;
/* [B,F,1]: 1 where an amplitude is no less than `least`, else 0 */
rv_node *rv_loss_sounds(rv_node *amplitude, double least);
rv_harmonic_losses rv_loss_harmonic(const rv_harmonic_controls *estimate,
                                    const rv_harmonic_controls *target, double least_amplitude);

/* Sinusoids against sinusoids ------------------------------------------------------------------ */

typedef struct rv_kde_options {
    double weight_a, weight_b, weight_amplitude;
    double deviation_a, deviation_b; /* semitones */
} rv_kde_options;

rv_kde_options rv_kde_defaults(void); /* 1, 1, 1; 0.1, 0.1 */

/* `KDEConsistencyLoss`: of A where B has partials, and the other way around. */
rv_node *rv_loss_kde(const rv_sinusoidal_controls *a, const rv_sinusoidal_controls *b,
                     const rv_kde_options *o);

typedef struct rv_mismatch_options {
    double sinusoids_weight, harmonics_weight;
    double sinusoids_deviation; /* semitones */
    double harmonics_deviation; /* of a harmonic's number */
    size_t points, gaussians;   /* harmonics asked for, harmonics that there are */
    double temperature, sample_rate;
} rv_mismatch_options;

rv_mismatch_options rv_mismatch_defaults(void); /* 1, 1; 0.5, 0.2; 10, 30; 1, 16000 */

/* `TWMLoss`: candidates [B,F,C] Hz of a fundamental against sinusoids. And what it costs to choose
 * each candidate [B,F,C]: the fundamental is the cheapest. */
rv_node *rv_loss_mismatch(rv_node *candidates, const rv_sinusoidal_controls *sinusoids,
                          const rv_mismatch_options *o);
rv_node *rv_mismatch_costs(rv_node *candidates, const rv_sinusoidal_controls *sinusoids,
                           const rv_mismatch_options *o);

#endif
