/* max_pool.c - y[...,t,c] = max over i < size of x[...,t size + i,c]. As in PyTorch, steps at the
 * end that fill no pool are dropped, and among equals the first takes the gradient. */
#include "base/status.h"
#include "core/op.h"
#include "core/ops.h"

#include <string.h>

enum { BLOCK = RV_BLOCK(1 << 14) }; /* elements of a task, about */

typedef struct {
    size_t size;
} pool_attr;

rv_node *rv_max_pool(rv_node *x, size_t size)
{
    return RV_APPLY(&rv_op_max_pool, &(pool_attr){ size }, x);
}

static rv_status pool_shape(const rv_node *n, rv_shape *out, rv_error *err)
{
    const pool_attr *a = n->attr;
    const rv_shape *x = &n->in[0]->shape;
    if (x->rank < 2 || a->size == 0 || x->d[x->rank - 2] < a->size)
        return RV_FAIL(err, RV_ERR_SHAPE, "max_pool: pools of %zu over %zu steps", a->size,
                       x->rank < 2 ? 0 : x->d[x->rank - 2]);
    *out = *x;
    out->d[x->rank - 2] /= a->size;
    return RV_OK;
}

/* Lines of T steps of C channels; of the pooled value, `pools` steps. */
typedef struct {
    const rv_call *call;
    size_t T, C, pools, size;
} pool_job;

static pool_job job_of(const rv_call *c, const rv_shape *x, size_t size)
{
    const size_t steps = x->d[x->rank - 2];
    return (pool_job){ c, steps, x->d[x->rank - 1], steps / size, size };
}

/* First step of a pool, from the start of all lines. */
static size_t first_step(const pool_job *j, size_t pool)
{
    return pool / j->pools * j->T + pool % j->pools * j->size;
}

static void run_pools(const void *ctx, size_t from, size_t to, int worker)
{
    const pool_job *j = ctx;
    (void)worker;
    for (size_t p = from; p < to; p++) {
        const real *x = j->call->in[0] + first_step(j, p) * j->C;
        real *restrict y = j->call->out + p * j->C;
        memcpy(y, x, j->C * sizeof *y);
        for (size_t i = 1; i < j->size; i++)
            for (size_t c = 0; c < j->C; c++)
                y[c] = x[i * j->C + c] > y[c] ? x[i * j->C + c] : y[c];
    }
}

static void pool_run(const rv_call *c)
{
    const pool_attr *a = c->node->attr;
    const pool_job j = job_of(c, &c->node->in[0]->shape, a->size);
    const size_t pools = rv_shape_count(&c->node->shape) / (j.C ? j.C : 1);
    rv_parallel(c->pool, pools, BLOCK / (j.C * a->size + 1) + 1, run_pools, &j);
}

/* (x, y, dy) -> dy at the first step of each pool that is y, else 0. Not differentiated again. */
static rv_status back_shape(const rv_node *n, rv_shape *out, rv_error *err)
{
    (void)err;
    *out = n->in[0]->shape;
    return RV_OK;
}

static void back_of_pool(const pool_job *j, size_t p)
{
    const size_t at = first_step(j, p) * j->C;
    const real *x = j->call->in[0] + at, *y = j->call->in[1] + p * j->C;
    const real *dy = j->call->in[2] + p * j->C;
    real *dx = j->call->out + at;
    for (size_t c = 0; c < j->C; c++) {
        size_t i = 0;
        while (i + 1 < j->size && x[i * j->C + c] != y[c])
            i++;
        dx[i * j->C + c] = dy[c];
    }
}

static void back_pools(const void *ctx, size_t from, size_t to, int worker)
{
    (void)worker;
    for (size_t p = from; p < to; p++)
        back_of_pool(ctx, p);
}

static void back_run(const rv_call *c)
{
    const pool_attr *a = c->node->attr;
    const pool_job j = job_of(c, &c->node->shape, a->size);
    memset(c->out, 0, rv_shape_count(&c->node->shape) * sizeof *c->out);
    rv_parallel(c->pool, rv_shape_count(&c->node->in[1]->shape) / (j.C ? j.C : 1),
                BLOCK / (j.C * a->size + 1) + 1, back_pools, &j);
}

static const rv_op pool_back = {
    .name = "max_pool_back",
    .n_in = 3,
    .attr_size = sizeof(pool_attr),
    .shape = back_shape,
    .run = back_run,
};

static void pool_grad(rv_node *n, rv_node *dy, rv_node *dx[])
{
    dx[0] = RV_APPLY(&pool_back, n->attr, n->in[0], n, dy);
}

const rv_op rv_op_max_pool = {
    .name = "max_pool",
    .n_in = 1,
    .attr_size = sizeof(pool_attr),
    .shape = pool_shape,
    .run = pool_run,
    .grad = pool_grad,
};

#ifdef RV_SELFTEST
const rv_op_case rv_cases_max_pool[] = {
    { .label = "max_pool",
      .op = &rv_op_max_pool,
      .in = { { 3, { 3, 8, 3 } } },
      .attr = &(const pool_attr){ 2 },
      .out = { 3, { 3, 4, 3 } } },
    { .label = "max_pool, steps left over",
      .op = &rv_op_max_pool,
      .in = { { 4, { 2, 2, 8, 1 } } },
      .attr = &(const pool_attr){ 3 },
      .out = { 4, { 2, 2, 2, 1 } } },
    { .label = "max_pool of all steps",
      .op = &rv_op_max_pool,
      .in = { { 2, { 7, 2 } } },
      .attr = &(const pool_attr){ 7 },
      .out = { 2, { 1, 2 } } },
    { 0 },
};
#endif
