/* hpss.c - columns are copied out in groups, so that memory is read a cache line at a time. */
#include "dsp/hpss.h"

#include "dsp/median.h"

enum { GROUP = 16 };

size_t rv_hpss_scratch(size_t frames, size_t width)
{
    return 2 * GROUP * frames * sizeof(float) + rv_median_scratch(frames, width);
}

void rv_hpss_harmonic(float *h, const float *v, size_t frames, size_t bins, size_t first,
                      size_t end, size_t width, void *scratch)
{
    float *column = scratch, *filtered = column + GROUP * frames; /* [GROUP][frames] each */
    void *rest = filtered + GROUP * frames;
    for (size_t k = first; k < end; k += GROUP) {
        const size_t n = end - k < GROUP ? end - k : GROUP;
        for (size_t t = 0; t < frames; t++)
            for (size_t j = 0; j < n; j++)
                column[j * frames + t] = v[t * bins + k + j];
        for (size_t j = 0; j < n; j++)
            rv_median(filtered + j * frames, column + j * frames, frames, width, rest);
        for (size_t t = 0; t < frames; t++)
            for (size_t j = 0; j < n; j++)
                h[t * bins + k + j] = filtered[j * frames + t];
    }
}

void rv_hpss_share(float *share, const float *h, const float *p, const float *bias, size_t bins)
{
    for (size_t k = 0; k < bins; k++) {
        const float stroke = bias[k] * p[k] * (bias[k] * p[k]), tone = h[k] * h[k];
        share[k] = stroke / (tone + stroke + 1e-20f); /* 1e-20: -200 dB, for silence */
    }
}
