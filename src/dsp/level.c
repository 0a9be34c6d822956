/* level.c - see level.h. */
#include "dsp/level.h"

#include <math.h>

void rv_level_add(rv_level *l, const float *const *x, size_t channels, size_t frames)
{
    for (size_t t = 0; t < frames; t++) {
        double r = 0;
        for (size_t c = 0; c < channels; c++)
            r += (double)x[c][t];
        r /= (double)channels;
        if (l->frames++ == 0)
            l->first = r;
        l->sum += r - l->first;
        l->squares += (r - l->first) * (r - l->first);
    }
}

void rv_level_result(const rv_level *l, float *mean, float *deviation)
{
    const double n = (double)l->frames, from_first = n > 0 ? l->sum / n : 0;
    const double around = l->squares - n * from_first * from_first;
    *mean = (float)(l->first + from_first);
    *deviation = (float)(n > 1 && around > 0 ? sqrt(around / (n - 1)) : 0) + 1e-8F;
}
