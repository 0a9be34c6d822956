/* check_signal.h - what is measured of a signal, a block at a time, and of a mixture and the sum of
 * its stems. Sums in double. */
#ifndef DATA_CHECK_SIGNAL_H
#define DATA_CHECK_SIGNAL_H

#include "io/audio_read.h"

/* Frames of a block. The hash and the share of silence depend on it: it is the same everywhere. */
enum { RV_CHECK_BLOCK = 8192, RV_CLIPPED_RUN = 3 };

typedef struct rv_check_signal {
    uint64_t frames, silent; /* silent: frames of blocks below -60 dB peak */
    double sum[RV_AUDIO_CHANNELS_MAX], energy;
    float peak;
    float last[RV_AUDIO_CHANNELS_MAX]; /* sample before, and how often it came at full scale */
    uint64_t run[RV_AUDIO_CHANNELS_MAX];
    uint64_t clipped_runs, clipped; /* runs of RV_CLIPPED_RUN or more; samples in them */
    uint64_t not_finite;
    uint64_t hash;
} rv_check_signal;

/* x [channels][frames], a block, or less at the end. Start from zeros. What is NaN or infinite is
 * counted and becomes 0 in x. */
void rv_check_signal_add(rv_check_signal *s, float *const *x, size_t channels, size_t frames);
void rv_check_signal_end(rv_check_signal *s, size_t channels);

double rv_check_signal_rms(const rv_check_signal *s, size_t channels);
/* The mean of the channel whose mean is farthest from 0. */
double rv_check_signal_offset(const rv_check_signal *s, size_t channels);

/* Mixture m and sum of stems s: sums of m^2, s^2, m s and (m - s)^2. */
typedef struct rv_check_sum {
    double mix, stems, product, difference;
} rv_check_sum;

void rv_check_sum_add(rv_check_sum *c, const float *mix, const float *stems, size_t n);

/* dB relative to the mixture, -200 at the lowest; above 0 dB and infinite if the mixture is silent
 * and the stems are not. *fitted: of m - g s, with the best gain g = sum m s / sum s^2. */
void rv_check_sum_result(const rv_check_sum *c, double *residual, double *gain, double *fitted);

#endif
