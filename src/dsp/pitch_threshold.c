/* pitch_threshold.c - which frames have a pitch, as torchcrepe's threshold.At and .Hysteresis. */
#include "base/status.h"
#include "ravel/pitch.h"

#include <math.h>
#include <stdlib.h>

void rv_pitch_at(float *f0, const float *periodicity, size_t n, double least)
{
    for (size_t i = 0; i < n; i++)
        if (periodicity[i] < (float)least)
            f0[i] = NAN;
}

void rv_pitch_hysteresis_defaults(rv_pitch_hysteresis_options *options)
{
    *options = (rv_pitch_hysteresis_options){
        .lower = 0.19, .upper = 0.31, .width = 0.2, .deviations = 1.7
    };
}

/* Mean and deviation of log2 f0 where there may be a pitch. */
static void measure(const float *f0, const float *periodicity, size_t n, double lower, double *mean,
                    double *deviation)
{
    double sum = 0, squares = 0;
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        if (!((double)periodicity[i] < lower) && !isnan(f0[i])) {
            sum += log2((double)f0[i]);
            count++;
        }
    *mean = sum / (double)count;
    for (size_t i = 0; i < n; i++)
        if (!((double)periodicity[i] < lower) && !isnan(f0[i])) {
            const double d = log2((double)f0[i]) - *mean;
            squares += d * d;
        }
    *deviation = sqrt(squares / (double)count);
}

/* The periodicity that each frame needs: more, far from the mean pitch. */
static void set_thresholds(double *threshold, const float *f0, const float *periodicity, size_t n,
                           const rv_pitch_hysteresis_options *o)
{
    double mean, deviation;
    measure(f0, periodicity, n, o->lower, &mean, &deviation);
    for (size_t i = 0; i < n; i++) {
        const double far = (log2((double)f0[i]) - mean) / deviation;
        const double more = o->width * (far * far - o->deviations * o->deviations);
        threshold[i] = o->lower;
        if (!((double)periodicity[i] < o->lower) && more > 0)
            threshold[i] += fmin(more, 1 - o->lower);
    }
}

/* Stretches that begin after an unvoiced frame and are never sure of themselves are none. */
static void close_weak(double *threshold, const float *periodicity, size_t n, double upper)
{
    for (size_t i = 0; i + 1 < n;) {
        size_t end = i + 1;
        double most = -INFINITY;
        if ((double)periodicity[i] < threshold[i])
            for (; end < n && (double)periodicity[end] > threshold[end]; end++)
                most = fmax(most, (double)periodicity[end]);
        for (size_t k = i + 1; k < end && !(most > upper); k++)
            threshold[k] = 1;
        i = end;
    }
}

rv_status rv_pitch_hysteresis(float *f0, const float *periodicity, size_t n,
                              const rv_pitch_hysteresis_options *options, rv_error *err)
{
    rv_pitch_hysteresis_options o;
    rv_pitch_hysteresis_defaults(&o);
    o = options ? *options : o;
    double *threshold = malloc((n + 1) * sizeof *threshold);
    if (!threshold)
        return RV_FAIL(err, RV_ERR_NOMEM, "thresholds of %zu frames", n);
    set_thresholds(threshold, f0, periodicity, n, &o);
    close_weak(threshold, periodicity, n, o.upper);
    for (size_t i = 0; i < n; i++)
        if ((double)periodicity[i] < threshold[i])
            f0[i] = NAN;
    free(threshold);
    return RV_OK;
}
