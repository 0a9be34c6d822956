/* half.c - 16-bit floats by their bits.
 *
 * binary16: 1 sign, 5 exponent (bias 15), 10 fraction; bfloat16: the upper half of a float. */
#include "io/half.h"

#include <math.h>
#include <string.h>

static float float_of(uint32_t bits)
{
    float f;
    memcpy(&f, &bits, sizeof f);
    return f;
}

static uint32_t bits_of(float f)
{
    uint32_t bits;
    memcpy(&bits, &f, sizeof bits);
    return bits;
}

float rv_half_to_float(uint16_t h)
{
    const uint32_t sign = (uint32_t)(h & 0x8000u) << 16, exponent = h >> 10 & 31u;
    const uint32_t fraction = h & 0x3ffu;
    if (exponent == 0) { /* zero, or subnormal: fraction 2^-24 */
        const float magnitude = (float)fraction * 0x1p-24f;
        return sign ? -magnitude : magnitude;
    }
    const uint32_t wide = exponent == 31 ? 255u : exponent + 112u;
    return float_of(sign | wide << 23 | fraction << 13);
}

float rv_bfloat_to_float(uint16_t b)
{
    return float_of((uint32_t)b << 16);
}

/* Drop the `drop` lowest bits, rounding to nearest even; a carry runs into the exponent, which is
 * what it should do. */
static uint32_t round_off(uint32_t bits, int drop)
{
    const uint32_t odd = bits >> drop & 1u;
    return (bits + (1u << (drop - 1)) - 1u + odd) >> drop;
}

uint16_t rv_float_to_half(float f)
{
    const uint32_t bits = bits_of(f), sign = bits >> 16 & 0x8000u, magnitude = bits & 0x7fffffffu;
    if (magnitude > 0x7f800000u)
        return (uint16_t)(sign | 0x7e00u);
    if (magnitude >= 0x477ff000u) /* 65520 and above round to infinity */
        return (uint16_t)(sign | 0x7c00u);
    if (magnitude < 0x38800000u) /* below 2^-14: a multiple of 2^-24 */
        return (uint16_t)(sign | (uint32_t)nearbyintf(float_of(magnitude) * 0x1p24f));
    return (uint16_t)(sign | round_off(magnitude - 0x38000000u, 13));
}

uint16_t rv_float_to_bfloat(float f)
{
    const uint32_t bits = bits_of(f);
    if ((bits & 0x7fffffffu) > 0x7f800000u)
        return (uint16_t)(bits >> 16 | 0x40u);
    return (uint16_t)round_off(bits, 16);
}
