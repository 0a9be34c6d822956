/* rng.c - SplitMix64's output function (G. L. Steele et al., "Fast splittable pseudorandom
 * number generators", OOPSLA 2014) applied three times, once for each word of the key. */
#include "base/rng.h"

#include <math.h>

static uint64_t mix(uint64_t z)
{
    z += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

uint64_t rv_rng_bits(uint64_t seed, uint64_t stream, uint64_t counter)
{
    return mix(counter ^ mix(stream ^ mix(seed)));
}

double rv_rng_uniform(uint64_t seed, uint64_t stream, uint64_t counter)
{
    return (double)(rv_rng_bits(seed, stream, counter) >> 11) * 0x1p-53;
}

double rv_rng_normal(uint64_t seed, uint64_t stream, uint64_t counter)
{
    const double u = 1 - rv_rng_uniform(seed, stream, 2 * counter); /* (0, 1] */
    const double v = rv_rng_uniform(seed, stream, 2 * counter + 1);
    return sqrt(-2 * log(u)) * cos(6.283185307179586 * v);
}

uint64_t rv_rng_below(uint64_t seed, uint64_t stream, uint64_t counter, uint64_t bound)
{
    return (uint64_t)(rv_rng_uniform(seed, stream, counter) * (double)bound);
}
