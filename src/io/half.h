/* half.h - 16-bit floats: IEEE 754 binary16 and bfloat16, to and from float.
 *
 * Widening is exact. Narrowing rounds to nearest, ties to even; NaN stays NaN and what is too
 * large becomes infinity. */
#ifndef IO_HALF_H
#define IO_HALF_H

#include <stdint.h>

float rv_half_to_float(uint16_t h);
float rv_bfloat_to_float(uint16_t b);
uint16_t rv_float_to_half(float f);
uint16_t rv_float_to_bfloat(float f);

#endif
