/* bootstrap.c - confidence interval of a mean: Efron, "Bootstrap methods: another look at the
 * jackknife", 1979; percentiles with linear interpolation. */
#include "base/rng.h"
#include "eval/comparison.h"

#include <math.h>
#include <stdlib.h>

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double percentile(const double *sorted, int n, double share)
{
    const double place = share * (n - 1);
    const int below = (int)place, above = below + 1 < n ? below + 1 : below;
    return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
}

static double mean_of_resample(const double *x, size_t n, uint64_t seed, int resample)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += x[rv_rng_below(seed, (uint64_t)resample, i, n)];
    return sum / (double)n;
}

rv_eval_difference rv_bootstrap(const double *x, size_t n, int resamples, uint64_t seed,
                                double *means)
{
    rv_eval_difference d = { n, 0, (double)NAN, (double)NAN, 0, 0 };
    for (size_t i = 0; i < n; i++)
        d.mean += x[i] / (double)n;
    if (n < 2)
        return d;
    for (int r = 0; r < resamples; r++)
        means[r] = mean_of_resample(x, n, seed, r);
    qsort(means, (size_t)resamples, sizeof *means, by_size);
    d.low = percentile(means, resamples, 0.025);
    d.high = percentile(means, resamples, 0.975);
    return d;
}
