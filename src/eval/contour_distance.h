/* contour_distance.h - how far loudness and pitch of an estimate are from the stem's, frame by
 * frame, of the mean of the channels.
 *
 *   LD-L1  mean |L_s - L_e|, dB: loudness as ddsp 3 measures it, 250 frames a second
 *          (dsp/feature_loudness.c); Engel et al. 2020
 *   F0-L1  mean |f_s - f_e| over the frames that are voiced in the stem, Hz; Engel et al. 2020
 *   RPA    share of those frames in which both pitches lie less than 50 cents apart: raw pitch
 *          accuracy (Poliner et al. 2007; mir_eval.melody)
 *
 * Pitch is found by pYIN (dsp/feature_pyin.c), 100 frames a second, 32.7 to 2093 Hz. In frames
 * where the estimate is unvoiced its best guess counts. NaN: no frame of the stem is voiced. */
#ifndef EVAL_CONTOUR_DISTANCE_H
#define EVAL_CONTOUR_DISTANCE_H

#include "eval/ratios.h"
#include "ravel/base.h"

RV_NODISCARD rv_status rv_loudness_distance(double *out, const rv_stem_pair *p, int sample_rate,
                                            rv_error *err);

typedef struct rv_pitch_distance {
    double hertz, accuracy;
} rv_pitch_distance;

RV_NODISCARD rv_status rv_pitch_distance_of(rv_pitch_distance *out, const rv_stem_pair *p,
                                            int sample_rate, rv_error *err);

/* Of contours [n,3] of pitch, confidence, voiced (RV_FEATURE_F0). */
rv_pitch_distance rv_pitch_distance_between(const float *reference, const float *estimate,
                                            size_t n);

#endif
