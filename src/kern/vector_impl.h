/* vector_impl.h - the vectors that kernels are written in.
 *
 * GNU vector extensions, so one source serves SSE2, AVX2, AVX-512 and NEON. The variant says
 * how many bytes a vector holds (KERN_BYTES). Operators work lane by lane; a comparison gives
 * lanes of all ones or all zeros, which select() uses. */
#include "kern/kern.h"

#include <stdint.h>
#include <string.h>

#ifdef RV_DOUBLE
typedef uint64_t kern_bits;
#else
typedef uint32_t kern_bits;
#endif

enum { LANES = KERN_BYTES / (int)sizeof(kern_real), WIDE = KERN_BYTES / (int)sizeof(double) };

typedef kern_real vec __attribute__((vector_size(KERN_BYTES)));
typedef kern_bits vec_bits __attribute__((vector_size(KERN_BYTES)));
typedef kern_real vec_unaligned
    __attribute__((vector_size(KERN_BYTES), aligned(sizeof(kern_real)), may_alias));

#define INLINE static inline __attribute__((always_inline))

INLINE vec splat(kern_real x)
{
    return x - (vec){ 0 };
}

INLINE vec load(const kern_real *x)
{
    return *(const vec_unaligned *)x;
}

INLINE void store(kern_real *y, vec v)
{
    *(vec_unaligned *)y = v;
}

INLINE void copy_part(kern_real *y, const kern_real *x, size_t count)
{
    size_t done = 0;
#pragma GCC unroll 4
    for (size_t lanes = LANES / 2; lanes; lanes /= 2)
        if (count & lanes) {
            memcpy(y + done, x + done, lanes * sizeof *y);
            done += lanes;
        }
}

/* The first `count` lanes, fewer than there are; the others are `fill`. */
INLINE vec load_part(const kern_real *x, size_t count, kern_real fill)
{
    kern_real lanes[LANES];
    store(lanes, splat(fill));
    copy_part(lanes, x, count);
    return load(lanes);
}

INLINE void store_part(kern_real *y, vec v, size_t count)
{
    kern_real lanes[LANES];
    store(lanes, v);
    copy_part(y, lanes, count);
}

INLINE vec load_some(const kern_real *x, size_t count)
{
    return count >= LANES ? load(x) : load_part(x, count, 0);
}

INLINE void store_some(kern_real *y, vec v, size_t count)
{
    if (count >= LANES)
        store(y, v);
    else
        store_part(y, v, count);
}

INLINE vec select(vec_bits mask, vec yes, vec no)
{
    return (vec)((mask & (vec_bits)yes) | (~mask & (vec_bits)no));
}

/* NaN in x stays. */
INLINE vec at_most(vec x, kern_real limit)
{
    return select((vec_bits)(x > limit), splat(limit), x);
}

INLINE vec at_least(vec x, kern_real limit)
{
    return select((vec_bits)(x < limit), splat(limit), x);
}
