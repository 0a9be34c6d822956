/* crepe_formula.h - numbers by the formula of tools/make_golden_crepe.py, and its golden values. */
#ifndef TESTS_CREPE_FORMULA_H
#define TESTS_CREPE_FORMULA_H

#include "check.h"
#include "io/checkpoint.h"

#include <stdlib.h>

/* x [n]: even in offset +- scale, a function of `name` */
static inline void crepe_formula(float *x, size_t n, const char *name, double scale, double offset)
{
    uint32_t seed = 0x811c9dc5;
    for (; *name; name++)
        seed = (seed ^ (unsigned char)*name) * 0x01000193;
    for (size_t i = 0; i < n; i++) {
        uint32_t h = (uint32_t)(i + 1) * 2654435761u + seed;
        h = (h ^ h >> 15) * 0x2c1b3c6du;
        h ^= h >> 13;
        x[i] = (float)(scale * (2 * (h / 4294967296.0) - 1) + offset);
    }
}

/* The tensor of n values. */
static inline void crepe_golden(const char *name, float *x, size_t n)
{
    char path[512];
    rv_error err = { 0 };
    rv_checkpoint *c;
    const char *root = getenv("RV_TEST_SOURCE");
    snprintf(path, sizeof path, "%s/tests/golden/crepe.safetensors", root ? root : ".");
    CHECK_OK(rv_checkpoint_open(&c, path, &err), err);
    const rv_tensor *t = rv_checkpoint_find(c, name);
    CHECK_MSG(t && t->count == n, "no tensor %s of %zu values", name, n);
    CHECK_OK(rv_checkpoint_read(c, t, x, &err), err);
    rv_checkpoint_free(c);
}

#endif
