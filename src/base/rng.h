/* rng.h - random numbers as a pure function of (seed, stream, counter).
 *
 * Nothing is kept between calls, so any element can be drawn by any thread in
 * any order and a run can be resumed by remembering one counter. */
#ifndef BASE_RNG_H
#define BASE_RNG_H

#include <stdint.h>

/* 64 well-mixed bits. */
uint64_t rv_rng_bits(uint64_t seed, uint64_t stream, uint64_t counter);

/* Uniform in [0, 1), with 53 bits. */
double rv_rng_uniform(uint64_t seed, uint64_t stream, uint64_t counter);

/* Standard normal (Box and Muller 1958). */
double rv_rng_normal(uint64_t seed, uint64_t stream, uint64_t counter);

/* Uniform integer in [0, bound), 0 < bound <= 2^53. */
uint64_t rv_rng_below(uint64_t seed, uint64_t stream, uint64_t counter, uint64_t bound);

#endif
