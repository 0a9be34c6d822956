/* kern_variants.h - for tests of kernels: every variant that this machine can run, random values
 * and room behind arrays. */
#ifndef TESTS_KERN_VARIANTS_H
#define TESTS_KERN_VARIANTS_H

#include "kern/kern.h"

#include "base/rng.h"
#include "check.h"

#include <float.h>
#include <stdlib.h>
#include <string.h>

#ifdef RV_DOUBLE
static const double ROUNDING = 4e-16;
#else
static const double ROUNDING = 1.3e-7;
#endif

static const int MASKS[] = { KERN_ISA_NONE, KERN_ISA_AVX2, KERN_ISA_ALL };
enum { N_MASKS = sizeof MASKS / sizeof *MASKS, GUARD = 17 };
static const kern_real SENTINEL = 12345;

static uint64_t drawn;

static size_t below(size_t n)
{
    return (size_t)rv_rng_below(7, 1, drawn++, n);
}

static kern_real *randoms(size_t n)
{
    kern_real *x = malloc((n + 1) * sizeof *x);
    assert_non_null(x);
    for (size_t i = 0; i < n; i++)
        x[i] = (kern_real)rv_rng_normal(7, 0, drawn++);
    return x;
}

static kern_real *sentinels(size_t n)
{
    kern_real *x = malloc((n + 1) * sizeof *x);
    assert_non_null(x);
    for (size_t i = 0; i < n; i++)
        x[i] = SENTINEL;
    return x;
}

static void each_variant(void (*check)(const kern_table *t))
{
    for (size_t i = 0; i < N_MASKS; i++) {
        kern_table t;
        kern_table_init(&t, MASKS[i]);
        print_message("# %s\n", t.isa);
        check(&t);
    }
}

#endif
