/* harmonic_comb.c - the transform of a Hann window, d bins from its centre and 1 there:
 *
 *     W(d) = sin(pi d) / (pi d (1 - d^2))
 *
 * It has its first zeros two bins away; what is beyond the third bin is left out. */
#include "dsp/harmonic_comb.h"

#include <math.h>

enum { BEFORE = 2, AFTER = 3 };

static const double pi = 3.14159265358979323846;

static double lobe(double distance)
{
    const double d = fabs(distance), q = 1 - d * d;
    if (d >= AFTER)
        return 0;
    if (d < 1e-6)
        return 1;
    return fabs(q) < 1e-6 ? 0.5 : fabs(sin(pi * d) / (pi * d * q));
}

bool rv_comb_fits(size_t bins, double centre)
{
    return centre >= BEFORE && centre + AFTER + 1 < (double)bins;
}

float rv_comb_height(const float *magnitude, double centre)
{
    const size_t first = (size_t)centre - BEFORE;
    double product = 0, square = 0;
    for (size_t b = first; b <= first + BEFORE + AFTER; b++) {
        const double w = lobe((double)b - centre);
        product += w * (double)magnitude[b];
        square += w * w;
    }
    return (float)(product / square);
}

void rv_comb_add(float *magnitude, double centre, float height)
{
    const size_t first = (size_t)centre - BEFORE;
    for (size_t b = first; b <= first + BEFORE + AFTER; b++)
        magnitude[b] += height * (float)lobe((double)b - centre);
}
