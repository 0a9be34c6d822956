/* average.c - one pass over the block for each update. */
#include "train/average.h"

#include "core/op.h"

#include <stdalign.h>
#include <string.h>

static const size_t block_size = RV_BLOCK(16384);

struct rv_average {
    const rv_alloc *mem;
    double decay, count;
    bool unbiased;
    size_t n;
    real *data;
};

rv_status rv_average_new(rv_average **out, double decay, bool unbiased, const real *parameters,
                         size_t n, const rv_alloc *mem, rv_error *err)
{
    if (!(decay >= 0 && decay < 1))
        return RV_FAIL(err, RV_ERR_ARG, "average: decay is %g, expected at least 0 and below 1",
                       decay);
    if (n > SIZE_MAX / 2 / sizeof(real))
        return RV_FAIL(err, RV_ERR_ARG, "average: %zu parameters are more than any memory", n);
    mem = mem ? mem : &rv_alloc_default;
    rv_average *a = mem->alloc(mem->ctx, sizeof *a, alignof(rv_average));
    if (!a)
        return RV_FAIL(err, RV_ERR_NOMEM, "out of memory for the average");
    *a = (rv_average){ .mem = mem, .decay = decay, .unbiased = unbiased, .n = n };
    a->data = mem->alloc(mem->ctx, (n ? n : 1) * sizeof(real), 64);
    if (!a->data) {
        rv_average_free(a);
        return RV_FAIL(err, RV_ERR_NOMEM, "out of memory for the average of %zu parameters", n);
    }
    memcpy(a->data, parameters, n * sizeof(real));
    *out = a;
    return RV_OK;
}

void rv_average_free(rv_average *a)
{
    if (!a)
        return;
    if (a->data)
        a->mem->free(a->mem->ctx, a->data);
    a->mem->free(a->mem->ctx, a);
}

typedef struct update_call {
    real *average;
    const real *parameters;
    real keep, add;
} update_call;

static void update_range(const void *ctx, size_t from, size_t to, int worker)
{
    const update_call c = *(const update_call *)ctx;
    real *restrict average = c.average;
    const real *restrict parameters = c.parameters;
    (void)worker;
    for (size_t i = from; i < to; i++)
        average[i] = average[i] * c.keep + c.add * parameters[i];
}

void rv_average_update(rv_average *a, const real *parameters, rv_pool *pool)
{
    a->count = a->unbiased ? a->count * a->decay + 1 : a->count;
    const double weight = a->unbiased ? 1 / a->count : 1 - a->decay;
    const update_call call = { a->data, parameters, (real)(1 - weight), (real)weight };
    rv_parallel(pool, a->n, block_size, update_range, &call);
}

typedef struct swap_call {
    real *a, *b;
} swap_call;

static void swap_range(const void *ctx, size_t from, size_t to, int worker)
{
    const swap_call c = *(const swap_call *)ctx;
    real *restrict a = c.a, *restrict b = c.b;
    (void)worker;
    for (size_t i = from; i < to; i++) {
        const real kept = a[i];
        a[i] = b[i];
        b[i] = kept;
    }
}

void rv_average_swap(rv_average *a, real *parameters, rv_pool *pool)
{
    const swap_call call = { a->data, parameters };
    rv_parallel(pool, a->n, block_size, swap_range, &call);
}

real *rv_average_data(rv_average *a, size_t *n)
{
    *n = a->n;
    return a->data;
}

double rv_average_count(const rv_average *a)
{
    return a->count;
}

void rv_average_set_count(rv_average *a, double count)
{
    a->count = count;
}

double rv_average_decay(const rv_average *a)
{
    return a->decay;
}
