/* repet_sim.c - products and sorting run over neighbouring frames or bins, as vectors. */
#include "dsp/repet_sim.h"

#include <math.h>
#include <string.h>

enum { POOL = 8 };

size_t rv_repet_bands(size_t bins)
{
    return (bins + POOL - 1) / POOL;
}

static float band_energy(const float *v, size_t bins, size_t band)
{
    const size_t end = (band + 1) * POOL < bins ? (band + 1) * POOL : bins;
    float sum = 0;
    for (size_t k = band * POOL; k < end; k++)
        sum += v[k] * v[k];
    return sum;
}

void rv_repet_features(float *features, const float *v, size_t bins, size_t frames, size_t t)
{
    const size_t bands = rv_repet_bands(bins);
    double total = 0;
    for (size_t b = 0; b < bands; b++) {
        const float energy = band_energy(v, bins, b);
        features[b * frames + t] = sqrtf(energy);
        total += (double)energy;
    }
    const float scale = total > 0 ? (float)(1 / sqrt(total)) : 0;
    for (size_t b = 0; b < bands; b++)
        features[b * frames + t] *= scale;
}

void rv_repet_similarity(float *similarity, const float *features, size_t bands, size_t frames,
                         size_t first, size_t count)
{
    memset(similarity, 0, count * frames * sizeof *similarity);
    for (size_t b = 0; b < bands; b++) {
        const float *row = features + b * frames;
        for (size_t i = 0; i < count; i++) {
            const float own = row[first + i];
            float *y = similarity + i * frames;
            for (size_t t = 0; t < frames; t++)
                y[t] += own * row[t];
        }
    }
}

static size_t greatest(const float *x, size_t n)
{
    size_t best = 0;
    for (size_t i = 1; i < n; i++)
        if (x[i] > x[best])
            best = i;
    return best;
}

size_t rv_repet_choose(uint32_t *chosen, float *similarity, size_t frames, size_t gap)
{
    size_t count = 0;
    while (count < RV_REPET_MOST) {
        const size_t t = greatest(similarity, frames);
        if (!(similarity[t] >= 0)) /* cosines of magnitudes are not negative: all are used up */
            break;
        chosen[count++] = (uint32_t)t;
        const size_t begin = t > gap ? t - gap : 0;
        const size_t end = t + gap < frames ? t + gap + 1 : frames;
        for (size_t i = begin; i < end; i++)
            similarity[i] = -1;
    }
    return count % 2 ? count : count ? count - 1 : 0;
}

/* Order rows a and b in every lane. */
static void exchange(float *restrict a, float *restrict b)
{
    for (size_t i = 0; i < RV_REPET_LANES; i++) {
        const float low = a[i] < b[i] ? a[i] : b[i], high = a[i] < b[i] ? b[i] : a[i];
        a[i] = low;
        b[i] = high;
    }
}

/* Sort `count` rows of lanes: Batcher's merge exchange (Knuth, TAOCP 3, algorithm 5.2.2M), a
 * network of the same comparisons for any values. */
static void sort_lanes(float *x, size_t count)
{
    size_t top = 1;
    while (top * 2 < count)
        top *= 2;
    for (size_t p = top; p > 0; p /= 2) {
        size_t q = top, r = 0, d = p;
        for (;;) {
            for (size_t i = 0; i + d < count; i++)
                if ((i & p) == r)
                    exchange(x + i * RV_REPET_LANES, x + (i + d) * RV_REPET_LANES);
            if (q == p)
                break;
            d = q - p;
            q /= 2;
            r = p;
        }
    }
}

void rv_repet_background(float *background, const float *v, size_t bins, size_t first, size_t end,
                         const uint32_t *chosen, size_t count, float *scratch)
{
    if (count < RV_REPET_LEAST) {
        memset(background + first, 0, (end - first) * sizeof *background);
        return;
    }
    memset(scratch, 0, count * RV_REPET_LANES * sizeof *scratch);
    for (size_t k = first; k < end; k += RV_REPET_LANES) {
        const size_t n = end - k < RV_REPET_LANES ? end - k : RV_REPET_LANES;
        for (size_t i = 0; i < count; i++)
            memcpy(scratch + i * RV_REPET_LANES, v + chosen[i] * bins + k, n * sizeof *v);
        sort_lanes(scratch, count);
        memcpy(background + k, scratch + count / 2 * RV_REPET_LANES, n * sizeof *v);
    }
}
