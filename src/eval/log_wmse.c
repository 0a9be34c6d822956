/* log_wmse.c - see log_wmse.h. */
#include "eval/log_wmse.h"

#include "base/status.h"
#include "dsp/resample.h"
#include "eval/hearing_filter.h"

#include <math.h>
#include <stdlib.h>

enum { SIGNALS = 3 }; /* estimate, stem, mixture */

static const double scale = -4, least_error = 1e-8, least_energy = 1e-16;

static double score(rv_hearing_filter *f, const float *const *x, size_t n)
{
    const double error = rv_hearing_filter_energy(f, x[0], x[1], n) / (double)n;
    const double level = rv_hearing_filter_energy(f, x[2], NULL, n) / (double)n;
    return scale * log(error / fmax(level, least_energy) + least_error);
}

static rv_status score_resampled(double *out, rv_hearing_filter *f, const float *const *x, size_t n,
                                 int rate, rv_error *err)
{
    const size_t length = rv_resampled_length(n, rate, RV_HEARING_RATE);
    float *memory = calloc(length, SIGNALS * sizeof *memory);
    if (!memory)
        return RV_FAIL(err, RV_ERR_NOMEM, "%zu frames", length);
    float *y[SIGNALS] = { memory, memory + length, memory + 2 * length };
    const rv_status status = rv_resample_planes(y, x, n, SIGNALS, rate, RV_HEARING_RATE, err);
    if (status == RV_OK)
        *out = score(f, (const float *const *)y, length);
    free(memory);
    return status;
}

rv_status rv_log_wmse(double *out, const rv_stem_pair *p, const float *const *mixture,
                      int sample_rate, rv_error *err)
{
    rv_hearing_filter *f = NULL;
    RV_TRY(rv_hearing_filter_new(&f, err));
    rv_status status = RV_OK;
    double sum = 0;
    for (size_t c = 0; c < p->channels && status == RV_OK; c++) {
        const float *const x[SIGNALS] = { p->estimate[c], p->reference[c], mixture[c] };
        double value = 0;
        if (sample_rate == RV_HEARING_RATE)
            value = score(f, x, p->frames);
        else
            status = score_resampled(&value, f, x, p->frames, sample_rate, err);
        sum += value / (double)p->channels;
    }
    rv_hearing_filter_free(f);
    *out = sum;
    return status;
}
