/* max_pool.c - y[...,q,c] = max over i < size of x[...,q stride - before + i,c], of the steps that
 * there are. As in PyTorch, among equals the first takes the gradient. */
#include "base/status.h"
#include "core/op.h"
#include "core/ops.h"

#include <string.h>

enum { BLOCK = RV_BLOCK(1 << 14) }; /* elements of a task, about */

typedef struct {
    size_t size, stride, before, pools; /* before: padded steps, in which nothing is */
} pool_attr;

rv_node *rv_max_pool(rv_node *x, size_t size)
{
    const pool_attr attr = { size, size, 0, size ? rv_extent(x, -2) / size : 0 };
    return RV_APPLY(&rv_op_max_pool, &attr, x);
}

rv_node *rv_max_pool_same(rv_node *x, size_t size, size_t stride)
{
    const size_t steps = rv_extent(x, -2), pools = stride ? (steps + stride - 1) / stride : 0;
    const size_t whole = pools ? (pools - 1) * stride + size : 0;
    const pool_attr attr = { size, stride, whole > steps ? (whole - steps) / 2 : 0, pools };
    return RV_APPLY(&rv_op_max_pool, &attr, x);
}

static rv_status pool_shape(const rv_node *n, rv_shape *out, rv_error *err)
{
    const pool_attr *a = n->attr;
    const rv_shape *x = &n->in[0]->shape;
    const size_t steps = x->rank < 2 ? 0 : x->d[x->rank - 2];
    if (a->size <= a->before || a->stride == 0 || a->pools == 0 ||
        (a->pools - 1) * a->stride >= steps + a->before)
        return RV_FAIL(err, RV_ERR_SHAPE, "max_pool: pools of %zu over %zu steps", a->size, steps);
    *out = *x;
    out->d[x->rank - 2] = a->pools;
    return RV_OK;
}

/* Lines of T steps of C channels. */
typedef struct {
    const rv_call *call;
    const pool_attr *attr;
    size_t T, C;
} pool_job;

static pool_job job_of(const rv_call *c, const rv_shape *x)
{
    return (pool_job){ c, c->node->attr, x->d[x->rank - 2], x->d[x->rank - 1] };
}

/* First step of a pool of a line, and how many there are. */
static size_t first_step(const pool_job *j, size_t pool, size_t *count)
{
    const pool_attr *a = j->attr;
    const size_t at = pool * a->stride, end = at + a->size - a->before;
    const size_t first = at > a->before ? at - a->before : 0;
    *count = (end < j->T ? end : j->T) - first;
    return first;
}

static void run_pools(const void *ctx, size_t from, size_t to, int worker)
{
    const pool_job *j = ctx;
    const size_t pools = j->attr->pools;
    (void)worker;
    for (size_t p = from; p < to; p++) {
        size_t count;
        const size_t first = first_step(j, p % pools, &count);
        const real *x = j->call->in[0] + (p / pools * j->T + first) * j->C;
        real *restrict y = j->call->out + p * j->C;
        memcpy(y, x, j->C * sizeof *y);
        for (size_t i = 1; i < count; i++)
            for (size_t c = 0; c < j->C; c++)
                y[c] = x[i * j->C + c] > y[c] ? x[i * j->C + c] : y[c];
    }
}

static void pool_run(const rv_call *c)
{
    const pool_job j = job_of(c, &c->node->in[0]->shape);
    const size_t pools = rv_shape_count(&c->node->shape) / (j.C ? j.C : 1);
    rv_parallel(c->pool, pools, BLOCK / (j.C * j.attr->size + 1) + 1, run_pools, &j);
}

/* (x, y, dy) -> dy at the first step of each pool that is y, else 0. Not differentiated again. */
static rv_status back_shape(const rv_node *n, rv_shape *out, rv_error *err)
{
    (void)err;
    *out = n->in[0]->shape;
    return RV_OK;
}

static void back_of_pool(const pool_job *j, size_t line, size_t pool)
{
    size_t count;
    const size_t at = (line * j->T + first_step(j, pool, &count)) * j->C;
    const size_t to = (line * j->attr->pools + pool) * j->C;
    const real *x = j->call->in[0] + at, *y = j->call->in[1] + to, *dy = j->call->in[2] + to;
    real *dx = j->call->out + at;
    for (size_t c = 0; c < j->C; c++) {
        size_t i = 0;
        while (i + 1 < count && x[i * j->C + c] != y[c])
            i++;
        dx[i * j->C + c] += dy[c];
    }
}

/* Pools may overlap, so a line is one task's. */
static void back_lines(const void *ctx, size_t from, size_t to, int worker)
{
    const pool_job *j = ctx;
    (void)worker;
    for (size_t line = from; line < to; line++)
        for (size_t pool = 0; pool < j->attr->pools; pool++)
            back_of_pool(j, line, pool);
}

static void back_run(const rv_call *c)
{
    const pool_job j = job_of(c, &c->node->shape);
    const size_t count = rv_shape_count(&c->node->shape), line = j.T * j.C;
    memset(c->out, 0, count * sizeof *c->out);
    rv_parallel(c->pool, line ? count / line : 0, BLOCK / (line + 1) + 1, back_lines, &j);
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
      .attr = &(const pool_attr){ 2, 2, 0, 4 },
      .out = { 3, { 3, 4, 3 } } },
    { .label = "max_pool, steps left over",
      .op = &rv_op_max_pool,
      .in = { { 4, { 2, 2, 8, 1 } } },
      .attr = &(const pool_attr){ 3, 3, 0, 2 },
      .out = { 4, { 2, 2, 2, 1 } } },
    { .label = "max_pool of all steps",
      .op = &rv_op_max_pool,
      .in = { { 2, { 7, 2 } } },
      .attr = &(const pool_attr){ 7, 7, 0, 1 },
      .out = { 2, { 1, 2 } } },
    { .label = "max_pool, pools that overlap and padding",
      .op = &rv_op_max_pool,
      .in = { { 3, { 2, 7, 2 } } },
      .attr = &(const pool_attr){ 3, 2, 1, 4 },
      .out = { 3, { 2, 4, 2 } } },
    { 0 },
};
#endif
