/* reduce.c - the adjoint pair sum_to / broadcast_to, and means.
 *
 * sum_to adds in double. The input is cut by its size into chunks whose sums are kept
 * apart and added in order, so the result does not depend on the number of threads. */
#include "base/status.h"
#include "core/op.h"
#include "core/ops.h"

#include <string.h>

enum { MAX_CHUNKS = 32, MIN_CHUNK = RV_BLOCK(1 << 14) };

rv_node *rv_sum_to(rv_node *x, rv_shape shape)
{
    return rv_shape_equal(&x->shape, &shape) ? x : RV_APPLY(&rv_op_sum_to, &shape, x);
}

rv_node *rv_broadcast_to(rv_node *x, rv_shape shape)
{
    return rv_shape_equal(&x->shape, &shape) ? x : RV_APPLY(&rv_op_broadcast_to, &shape, x);
}

rv_node *rv_sum(rv_node *x)
{
    return rv_sum_to(x, RV_SHAPE(1));
}

rv_node *rv_mean(rv_node *x)
{
    return rv_mean_to(x, RV_SHAPE(1));
}

rv_node *rv_mean_to(rv_node *x, rv_shape shape)
{
    const double share = (double)rv_shape_count(&shape) / (double)rv_shape_count(&x->shape);
    return rv_scale(rv_sum_to(x, shape), share, 0.0);
}

static bool broadcasts(const rv_shape *from, const rv_shape *to)
{
    if (from->rank > to->rank)
        return false;
    for (int i = 1; i <= from->rank; i++) {
        const size_t e = from->d[from->rank - i];
        if (e != 1 && e != to->d[to->rank - i])
            return false;
    }
    return true;
}

/* Step of `small` along each axis of `large`, 0 where it repeats. */
static void steps_in(const rv_shape *small, const rv_shape *large, size_t step[RV_MAX_DIMS])
{
    size_t s = 1;
    for (int i = large->rank - 1; i >= 0; i--) {
        const int j = i - (large->rank - small->rank);
        const size_t e = j < 0 ? 1 : small->d[j];
        step[i] = e == 1 ? 0 : s;
        s *= e;
    }
}

/* Offset in the small tensor of row `row` (all axes but the last) of the large one. */
static size_t row_offset(const rv_shape *large, const size_t step[], size_t row)
{
    size_t at = 0;
    for (int i = large->rank - 2; i >= 0; i--) {
        at += row % large->d[i] * step[i];
        row /= large->d[i];
    }
    return at;
}

/* The large tensor with as few axes as possible: those of extent 1 go, and neighbours that the
 * small tensor walks through alike become one, so that rows are long. step[i]: in the small one. */
static rv_shape merge_axes(const rv_shape *large, size_t step[])
{
    rv_shape merged = { .rank = 0 };
    for (int i = 0; i < large->rank; i++) {
        if (large->d[i] == 1)
            continue;
        const int last = merged.rank - 1;
        if (last >= 0 && step[last] == step[i] * large->d[i])
            merged.d[last] *= large->d[i];
        else
            merged.d[merged.rank++] = large->d[i];
        step[merged.rank - 1] = step[i];
    }
    return merged;
}

/* sum_to ------------------------------------------------------------------------ */

static rv_status sum_to_shape(const rv_node *n, rv_shape *out, rv_error *err)
{
    const rv_shape *to = n->attr;
    if (!broadcasts(to, &n->in[0]->shape))
        return RV_FAIL(err, RV_ERR_SHAPE, "sum_to: rank %d to rank %d", n->in[0]->shape.rank,
                       to->rank);
    *out = *to;
    return RV_OK;
}

/* Runs of the last axis are split when there is only one row. */
static size_t run_length(const rv_shape *x)
{
    const size_t last = x->rank ? x->d[x->rank - 1] : 1;
    return last ? last : 1;
}

static size_t chunk_count(const rv_node *v)
{
    const size_t n = rv_shape_count(&v->in[0]->shape), out = rv_shape_count(&v->shape);
    size_t chunks = n / MIN_CHUNK;
    if (out && chunks > n / 4 / out)
        chunks = n / 4 / out;
    return chunks < 1 ? 1 : chunks > MAX_CHUNKS ? MAX_CHUNKS : chunks;
}

static size_t sum_to_scratch(const rv_node *v, int threads, const kern_table *kern)
{
    (void)threads;
    (void)kern;
    return chunk_count(v) * rv_shape_count(&v->shape) * (sizeof(double) / sizeof(real));
}

typedef struct {
    const rv_call *call;
    rv_shape x; /* with merged axes */
    size_t step[RV_MAX_DIMS], chunks, rows, run, outputs;
} sum_job;

static void add_run(double *sum, size_t step, const real *x, size_t n)
{
    if (step) {
        for (size_t i = 0; i < n; i++)
            sum[i] += (double)x[i];
        return;
    }
    double lane[8] = { 0 };
    size_t i = 0;
    for (; i + 8 <= n; i += 8)
        for (size_t k = 0; k < 8; k++)
            lane[k] += (double)x[i + k];
    for (; i < n; i++)
        lane[0] += (double)x[i];
    *sum +=
        ((lane[0] + lane[1]) + (lane[2] + lane[3])) + ((lane[4] + lane[5]) + (lane[6] + lane[7]));
}

/* Chunk number `chunk` sums its share of the elements, row by row. */
static void sum_chunk(void *ctx, size_t chunk, int worker)
{
    const sum_job *j = ctx;
    const rv_shape *x = &j->x;
    const size_t n = j->rows * j->run, last = x->rank ? j->step[x->rank - 1] : 0;
    size_t from = n / j->chunks * chunk,
           to = chunk + 1 == j->chunks ? n : n / j->chunks * (chunk + 1);
    double *sum = (double *)(void *)j->call->scratch + chunk * j->outputs;
    (void)worker;
    memset(sum, 0, j->outputs * sizeof *sum);
    while (from < to) {
        const size_t row = from / j->run, at = from % j->run;
        const size_t end = to - from < j->run - at ? to - from : j->run - at;
        add_run(sum + row_offset(x, j->step, row) + at * last, last, j->call->in[0] + from, end);
        from += end;
    }
}

static void sum_to_run(const rv_call *c)
{
    const rv_shape *x = &c->node->in[0]->shape;
    sum_job j = { .call = c,
                  .chunks = chunk_count(c->node),
                  .outputs = rv_shape_count(&c->node->shape) };
    steps_in(&c->node->shape, x, j.step);
    j.x = merge_axes(x, j.step);
    j.run = run_length(&j.x);
    j.rows = rv_shape_count(&j.x) / j.run;
    rv_pool_run(c->pool, j.chunks, sum_chunk, &j);
    const double *sums = (const double *)(const void *)c->scratch;
    for (size_t i = 0; i < j.outputs; i++) {
        double s = 0;
        for (size_t k = 0; k < j.chunks; k++)
            s += sums[k * j.outputs + i];
        c->out[i] = (real)s;
    }
}

static void sum_to_grad(rv_node *n, rv_node *dy, rv_node *dx[])
{
    dx[0] = rv_broadcast_to(dy, n->in[0]->shape);
}

const rv_op rv_op_sum_to = {
    .name = "sum_to",
    .n_in = 1,
    .attr_size = sizeof(rv_shape),
    .shape = sum_to_shape,
    .run = sum_to_run,
    .grad = sum_to_grad,
    .scratch_size = sum_to_scratch,
};

/* broadcast_to ------------------------------------------------------------------ */

static rv_status broadcast_to_shape(const rv_node *n, rv_shape *out, rv_error *err)
{
    const rv_shape *to = n->attr;
    if (!broadcasts(&n->in[0]->shape, to))
        return RV_FAIL(err, RV_ERR_SHAPE, "broadcast_to: rank %d to rank %d", n->in[0]->shape.rank,
                       to->rank);
    *out = *to;
    return RV_OK;
}

static void broadcast_to_run(const rv_call *c)
{
    size_t step[RV_MAX_DIMS];
    steps_in(&c->node->in[0]->shape, &c->node->shape, step);
    const rv_shape y = merge_axes(&c->node->shape, step);
    const size_t run = run_length(&y), rows = rv_shape_count(&y) / run;
    const size_t last = y.rank ? step[y.rank - 1] : 0;
    for (size_t r = 0; r < rows; r++) {
        const real *x = c->in[0] + row_offset(&y, step, r);
        real *out = c->out + r * run;
        if (last == 1)
            memcpy(out, x, run * sizeof *out);
        else
            for (size_t i = 0; i < run; i++)
                out[i] = x[i * last];
    }
}

static void broadcast_to_grad(rv_node *n, rv_node *dy, rv_node *dx[])
{
    dx[0] = rv_sum_to(dy, n->in[0]->shape);
}

const rv_op rv_op_broadcast_to = {
    .name = "broadcast_to",
    .n_in = 1,
    .attr_size = sizeof(rv_shape),
    .shape = broadcast_to_shape,
    .run = broadcast_to_run,
    .grad = broadcast_to_grad,
};

#ifdef RV_SELFTEST
const rv_op_case rv_cases_reduce[] = {
    { .label = "sum_to, outer and inner axes",
      .op = &rv_op_sum_to,
      .in = { { 3, { 2, 3, 4 } } },
      .attr = &(const rv_shape){ 2, { 3, 1 } },
      .out = { 2, { 3, 1 } } },
    { .label = "sum_to the channels",
      .op = &rv_op_sum_to,
      .in = { { 3, { 2, 3, 4 } } },
      .attr = &(const rv_shape){ 1, { 4 } },
      .out = { 1, { 4 } } },
    { .label = "sum to one number",
      .op = &rv_op_sum_to,
      .in = { { 2, { 3, 19 } } },
      .attr = &(const rv_shape){ 1, { 1 } },
      .out = { 1, { 1 } } },
    { .label = "broadcast_to",
      .op = &rv_op_broadcast_to,
      .in = { { 2, { 3, 1 } } },
      .attr = &(const rv_shape){ 3, { 2, 3, 4 } },
      .out = { 3, { 2, 3, 4 } } },
    { 0 },
};
#endif
