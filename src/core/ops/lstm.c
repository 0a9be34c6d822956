/* lstm.c - one layer of a long short-term memory, in one direction or both.
 *
 *     p = Wi x[t] + bi + Wh h[t-1] + bh                  [4H]: input, forget, cell, output
 *     c[t] = sigmoid(p_f) c[t-1] + sigmoid(p_i) tanh(p_c)
 *     h[t] = sigmoid(p_o) tanh(c[t])
 *
 * with h and c zero before the first step (S. Hochreiter and J. Schmidhuber 1997; forget
 * gate of Gers et al. 2000; gates in PyTorch's order). The backward direction runs from
 * the last step to the first, and y[t] = [h forward, h backward].
 *
 * A task is one direction of a block of sequences. It projects the inputs of a few steps
 * with one product, then takes these steps, one product with Wh each. */
#include "base/status.h"
#include "core/op.h"
#include "core/ops.h"

#include <string.h>

enum {
    STEPS = RV_BLOCK(64), /* rows of a product with Wi, about */
    LARGE = 8,            /* from so many sequences on, they are split between tasks */
    BLOCK = 32,           /* at most so many sequences in a task */
    UNIT = 16,            /* reals: a cache line */
};

rv_node *rv_lstm(rv_node *x, const rv_lstm_weights *forward, const rv_lstm_weights *backward)
{
    rv_node *in[9] = { x, forward->input, forward->hidden, forward->input_bias,
                       forward->hidden_bias };
    if (backward)
        memcpy(in + 5,
               (rv_node *[]){ backward->input, backward->hidden, backward->input_bias,
                              backward->hidden_bias },
               4 * sizeof *in);
    return rv_apply(&rv_op_lstm, NULL, backward ? 9 : 5, in);
}

/* Sizes: B sequences, T steps, I inputs, H units, D directions */
typedef struct {
    size_t items, steps, inputs, units, directions;
    size_t block;               /* sequences in a task */
    size_t chunk;               /* steps whose inputs are projected at a time */
    size_t packed_in, packed_h; /* reals of the packed weights of one direction */
} lstm_view;

static size_t round_up(size_t n)
{
    return (n + UNIT - 1) / UNIT * UNIT;
}

static lstm_view view_of(const rv_node *n, const kern_table *kern)
{
    const rv_shape *x = &n->in[0]->shape;
    lstm_view v = { .items = x->d[0], .steps = x->d[1], .inputs = x->d[2] };
    v.units = n->in[1]->shape.d[0] / 4;
    v.directions = n->in[5] ? 2 : 1;
    v.block = v.items < LARGE ? v.items : (v.items / 2 + LARGE / 2) / LARGE * LARGE;
    v.block = v.block > BLOCK ? BLOCK : v.block;
    v.chunk = v.block < LARGE ? STEPS : 1;
    v.packed_in = round_up(kern->packed_size(v.inputs, 4 * v.units));
    v.packed_h = round_up(kern->packed_size(v.units, 4 * v.units));
    return v;
}

static rv_status check_weights(const rv_node *n, int first, size_t inputs, rv_error *err)
{
    const rv_shape *w = &n->in[first]->shape;
    const size_t units = w->d[0] / 4;
    const rv_shape want[] = { RV_SHAPE(4 * units, inputs), RV_SHAPE(4 * units, units),
                              RV_SHAPE(4 * units), RV_SHAPE(4 * units) };
    for (int i = 0; i < 4; i++)
        if (!n->in[first + i] || !rv_shape_equal(&n->in[first + i]->shape, &want[i]))
            return RV_FAIL(err, RV_ERR_SHAPE, "%s: weight %d does not fit %zu inputs, %zu units",
                           n->op->name, i, inputs, units);
    return RV_OK;
}

static rv_status lstm_shape(const rv_node *n, rv_shape *out, rv_error *err)
{
    const rv_shape *x = &n->in[0]->shape, *w = &n->in[1]->shape;
    if (x->rank != 3)
        return RV_FAIL(err, RV_ERR_SHAPE, "lstm: rank %d, expected [B,T,I]", x->rank);
    for (int first = 1; first < n->n_in && n->in[first]; first += 4) {
        RV_TRY(check_weights(n, first, x->d[2], err));
        if (n->in[first]->shape.d[0] != w->d[0])
            return RV_FAIL(err, RV_ERR_SHAPE, "lstm: directions of different sizes");
    }
    *out = RV_SHAPE(x->d[0], x->d[1], w->d[0] / 4 * (n->in[5] ? 2 : 1));
    return RV_OK;
}

/* Prepared, for each direction: Wi^T and Wh^T packed, and bi + bh [4H]. */
static size_t direction_size(const lstm_view *v)
{
    return v->packed_in + v->packed_h + round_up(4 * v->units);
}

static size_t lstm_prepared(const rv_node *n, const kern_table *kern)
{
    const lstm_view v = view_of(n, kern);
    return v.directions * direction_size(&v);
}

static void prepare_direction(const lstm_view *v, const kern_table *kern, real *to,
                              const real *const weights[4])
{
    const size_t h = v->units;
    kern->pack(to, weights[0], v->inputs, 4 * h, 1, v->inputs);
    kern->pack(to + v->packed_in, weights[1], h, 4 * h, 1, h);
    real *bias = to + v->packed_in + v->packed_h;
    for (size_t i = 0; i < 4 * h; i++)
        bias[i] = weights[2][i] + weights[3][i];
}

static void lstm_prepare(const rv_call *c)
{
    const lstm_view v = view_of(c->node, c->kern);
    for (size_t d = 0; d < v.directions; d++)
        prepare_direction(&v, c->kern, c->prepared + d * direction_size(&v), c->in + 1 + 4 * d);
}

typedef struct {
    const rv_call *call;
    lstm_view view;
    size_t room; /* reals of scratch of one worker: gates [chunk,block,4H], cells [block,H] */
} lstm_job;

static size_t room_of(const lstm_view *v)
{
    return round_up((4 * v->chunk + 1) * v->block * v->units);
}

static size_t lstm_scratch(const rv_node *n, int threads, const kern_table *kern)
{
    const lstm_view v = view_of(n, kern);
    return room_of(&v) * (size_t)threads;
}

/* One direction of the sequences [item, item + n). Time `at` of step i is i, or T-1-i. */
typedef struct {
    const lstm_job *job;
    const real *packed_in, *packed_h, *bias;
    real *gates, *cell;
    size_t direction, item, n;
} lstm_task;

static size_t time_of(const lstm_task *t, size_t step)
{
    return t->direction ? t->job->view.steps - 1 - step : step;
}

/* The earliest of `count` steps from `step` on. */
static size_t earliest(const lstm_task *t, size_t step, size_t count)
{
    return t->direction ? time_of(t, step + count - 1) : step;
}

/* gates [count,n,4H] = Wi x + bias at `count` times from `time` on: one product for each
 * time, or for each sequence, whichever has more rows. */
static void project(const lstm_task *t, size_t time, size_t count)
{
    const lstm_view *v = &t->job->view;
    const size_t h4 = 4 * v->units, row = v->steps * v->inputs;
    const real *x = t->job->call->in[0] + t->item * row + time * v->inputs;
    const bool by_time = count < t->n;
    kern_gemm_args g = {
        .packed = t->packed_in,
        .bias = t->bias,
        .m = by_time ? t->n : count,
        .n = h4,
        .k = v->inputs,
        .y_row = by_time ? h4 : t->n * h4,
        .a_row = by_time ? row : v->inputs,
    };
    for (size_t i = 0; i < (by_time ? count : t->n); i++) {
        g.y = t->gates + i * (by_time ? t->n : 1) * h4;
        g.a = x + i * (by_time ? v->inputs : row);
        t->job->call->kern->gemm(&g);
    }
}

static void take_step(const lstm_task *t, size_t step, real *gates)
{
    const lstm_view *v = &t->job->view;
    const size_t h = v->units, width = v->directions * h, row = v->steps * width;
    const kern_table *kern = t->job->call->kern;
    real *y = t->job->call->out + t->item * row + t->direction * h;
    if (step > 0)
        kern->gemm(&(kern_gemm_args){ .y = gates,
                                      .a = y + time_of(t, step - 1) * width,
                                      .packed = t->packed_h,
                                      .m = t->n,
                                      .n = 4 * h,
                                      .k = h,
                                      .y_row = 4 * h,
                                      .a_row = row,
                                      .accumulate = true });
    kern->lstm_cell(y + time_of(t, step) * width, row, t->cell, gates, t->n, h);
}

static void run_task(const lstm_task *t)
{
    const lstm_view *v = &t->job->view;
    memset(t->cell, 0, t->n * v->units * sizeof(real));
    for (size_t step = 0; step < v->steps; step += v->chunk) {
        const size_t count = v->steps - step < v->chunk ? v->steps - step : v->chunk;
        const size_t time = earliest(t, step, count);
        project(t, time, count);
        for (size_t i = step; i < step + count; i++)
            take_step(t, i, t->gates + (time_of(t, i) - time) * t->n * 4 * v->units);
    }
}

static size_t block_count(const lstm_view *v)
{
    return (v->items + v->block - 1) / v->block;
}

/* Blocks of sequences, first in the one direction, then in the other. */
static void run_tasks(const void *ctx, size_t from, size_t to, int worker)
{
    const lstm_job *j = ctx;
    const lstm_view *v = &j->view;
    for (size_t i = from; i < to; i++) {
        lstm_task t = { .job = j, .direction = i / block_count(v) };
        t.item = i % block_count(v) * v->block;
        t.n = v->items - t.item < v->block ? v->items - t.item : v->block;
        t.packed_in = j->call->prepared + t.direction * direction_size(v);
        t.packed_h = t.packed_in + v->packed_in;
        t.bias = t.packed_h + v->packed_h;
        t.gates = j->call->scratch + (size_t)worker * j->room;
        t.cell = t.gates + 4 * v->chunk * v->block * v->units;
        run_task(&t);
    }
}

static void lstm_run(const rv_call *c)
{
    lstm_job j = { .call = c, .view = view_of(c->node, c->kern) };
    j.room = room_of(&j.view);
    rv_parallel(c->pool, j.view.directions * block_count(&j.view), 1, run_tasks, &j);
}

/* h[t-1], or h[t+1] for the backward direction, as [B T,H]; zero before the first step */
static rv_node *previous(rv_node *y, size_t direction, size_t units)
{
    const size_t items = y->shape.d[0], steps = y->shape.d[1];
    rv_node *h = rv_slice(y, 2, direction * units, units);
    h = rv_pad(h, 1, direction ? 0 : 1, direction ? 1 : 0, RV_PAD_ZERO);
    return rv_reshape(rv_slice(h, 1, direction, steps), RV_SHAPE(items * steps, units));
}

/* The pre-activations' adjoint dp comes from lstm_back, everything else is products. */
static void lstm_grad(rv_node *n, rv_node *dy, rv_node *dx[])
{
    rv_node *x = n->in[0];
    const size_t rows = x->shape.d[0] * x->shape.d[1], inputs = x->shape.d[2];
    const size_t units = n->in[1]->shape.d[0] / 4;
    rv_node *flat = rv_reshape(x, RV_SHAPE(rows, inputs));
    for (size_t d = 0; d < (n->in[5] ? 2u : 1u); d++) {
        rv_node **w = n->in + 1 + 4 * d, **dw = dx + 1 + 4 * d;
        rv_node *dp = RV_APPLY(&rv_op_lstm_back, &d, x, n, dy, w[0], w[1], w[2], w[3]);
        dp = rv_reshape(dp, RV_SHAPE(rows, 4 * units));
        rv_node *from = rv_reshape(rv_matmul(dp, w[0]), x->shape);
        dx[0] = d ? rv_add(dx[0], from) : from;
        dw[0] = rv_matmul_tn(dp, flat);
        dw[1] = rv_matmul_tn(dp, previous(n, d, units));
        dw[2] = dw[3] = rv_sum_to(dp, w[2]->shape);
    }
}

const rv_op rv_op_lstm = {
    .name = "lstm",
    .n_in = 9,
    .shape = lstm_shape,
    .run = lstm_run,
    .grad = lstm_grad,
    .scratch_size = lstm_scratch,
    .prepared_size = lstm_prepared,
    .prepare = lstm_prepare,
};

/* lstm_back: x, y, dy, and the weights of the direction d (the attribute) -> dp [B,T,4H] ---
 *
 * With the gates i, f, g, o and the states computed again from x and y, from the last step
 * to the first:
 *     dh = dy[t] + Wh^T dp[t+1],  dc = dh o (1 - tanh(c)^2) + f[t+1] dc[t+1]
 *     dp = [dc g i (1 - i), dc c[t-1] f (1 - f), dc i (1 - g^2), dh tanh(c) o (1 - o)] */

static lstm_view back_view_of(const rv_node *n, const kern_table *kern)
{
    const rv_shape *x = &n->in[0]->shape;
    lstm_view v = { .items = x->d[0], .steps = x->d[1], .inputs = x->d[2] };
    v.units = n->in[3]->shape.d[0] / 4;
    v.directions = n->in[1]->shape.d[2] / v.units;
    v.block = v.items < LARGE ? 1 : LARGE;
    v.packed_in = round_up(kern->packed_size(v.inputs, 4 * v.units));
    v.packed_h = round_up(kern->packed_size(v.units, 4 * v.units));
    return v;
}

static rv_status lstm_back_shape(const rv_node *n, rv_shape *out, rv_error *err)
{
    const rv_shape *x = &n->in[0]->shape, *y = &n->in[1]->shape;
    const size_t d = *(const size_t *)n->attr, units = n->in[3]->shape.d[0] / 4;
    if (x->rank != 3 || y->rank != 3 || y->d[0] != x->d[0] || y->d[1] != x->d[1] ||
        y->d[2] < (d + 1) * units || !rv_shape_equal(y, &n->in[2]->shape))
        return RV_FAIL(err, RV_ERR_SHAPE, "lstm_back: x, y and dy do not match");
    RV_TRY(check_weights(n, 3, x->d[2], err));
    *out = RV_SHAPE(x->d[0], x->d[1], 4 * units);
    return RV_OK;
}

static size_t lstm_back_prepared(const rv_node *n, const kern_table *kern)
{
    const lstm_view v = back_view_of(n, kern);
    return direction_size(&v) + kern->packed_size(4 * v.units, v.units);
}

static void lstm_back_prepare(const rv_call *c)
{
    const lstm_view v = back_view_of(c->node, c->kern);
    prepare_direction(&v, c->kern, c->prepared, c->in + 3);
    c->kern->pack(c->prepared + direction_size(&v), c->in[4], 4 * v.units, v.units, v.units, 1);
}

/* Scratch of a worker: states [T,block,H]; dh, dc and tanh(c) [block,H]. */
static size_t lstm_back_room(const lstm_view *v)
{
    return round_up((v->steps + 3) * v->block * v->units);
}

static size_t lstm_back_scratch(const rv_node *n, int threads, const kern_table *kern)
{
    const lstm_view v = back_view_of(n, kern);
    return lstm_back_room(&v) * (size_t)threads;
}

/* The gates of all steps of one sequence, into dp. */
static void recompute_gates(const lstm_task *t, size_t item)
{
    const lstm_view *v = &t->job->view;
    const kern_table *kern = t->job->call->kern;
    const size_t h = v->units, width = h * v->directions, steps = v->steps;
    const real *y = t->job->call->in[1] + item * steps * width + t->direction * h;
    real *p = t->job->call->out + item * steps * 4 * h;
    kern_gemm_args g = { .y = p, .m = steps, .n = 4 * h, .y_row = 4 * h };
    g.a = t->job->call->in[0] + item * steps * v->inputs;
    g.packed = t->packed_in;
    g.bias = t->bias;
    g.a_row = g.k = v->inputs;
    kern->gemm(&g);
    g.y = t->direction ? p : p + 4 * h;
    g.a = t->direction ? y + width : y;
    g.packed = t->packed_h;
    g.a_row = width;
    g.k = h;
    g.m = steps - 1;
    g.accumulate = true;
    if (g.m > 0)
        kern->gemm(&g);
    for (size_t i = 0; i < steps; i++, p += 4 * h) {
        kern->sigmoid(p, p, 2 * h);
        kern->tanh(p + 2 * h, p + 2 * h, h);
        kern->sigmoid(p + 3 * h, p + 3 * h, h);
    }
}

/* The gates of sequence i of the task at a step; they become dp there. */
static real *gates_at(const lstm_task *t, size_t i, size_t step)
{
    const lstm_view *v = &t->job->view;
    return t->job->call->out + ((t->item + i) * v->steps + time_of(t, step)) * 4 * v->units;
}

static void recompute_states(const lstm_task *t)
{
    const size_t h = t->job->view.units, row = t->n * h;
    for (size_t step = 0; step < t->job->view.steps; step++)
        for (size_t i = 0; i < t->n; i++) {
            const real *p = gates_at(t, i, step);
            real *c = t->cell + step * row + i * h;
            for (size_t k = 0; k < h; k++)
                c[k] = p[k] * p[2 * h + k] + (step ? p[h + k] * (c - row)[k] : 0);
        }
}

/* One sequence at one step: gates -> dp in place; dc is that of this step, and becomes that
 * of the one before. `before`: the states of the step before, or NULL. */
static void cell_back(real *p, const real *dh, real *dc, const real *tanh_c, const real *before,
                      size_t h)
{
    for (size_t k = 0; k < h; k++) {
        const real i = p[k], f = p[h + k], g = p[2 * h + k], o = p[3 * h + k], c = tanh_c[k];
        const real d = dc[k] + dh[k] * o * (1 - c * c);
        p[k] = d * g * i * (1 - i);
        p[h + k] = before ? d * before[k] * f * (1 - f) : 0;
        p[2 * h + k] = d * i * (1 - g * g);
        p[3 * h + k] = dh[k] * c * o * (1 - o);
        dc[k] = d * f;
    }
}

/* t->gates: dh, dc and tanh(c), [n,H] each */
static void step_back(const lstm_task *t, size_t step, const real *packed)
{
    const lstm_view *v = &t->job->view;
    const size_t h = v->units, width = h * v->directions, row = t->n * h;
    real *dh = t->gates, *dc = dh + row, *tanh_c = dc + row, *c = t->cell + step * row;
    for (size_t i = 0; i < t->n; i++)
        memcpy(dh + i * h,
               t->job->call->in[2] + ((t->item + i) * v->steps + time_of(t, step)) * width +
                   t->direction * h,
               h * sizeof *dh);
    if (step + 1 < v->steps)
        t->job->call->kern->gemm(&(kern_gemm_args){ .y = dh,
                                                    .a = gates_at(t, 0, step + 1),
                                                    .packed = packed,
                                                    .m = t->n,
                                                    .n = h,
                                                    .k = 4 * h,
                                                    .y_row = h,
                                                    .a_row = v->steps * 4 * h,
                                                    .accumulate = true });
    t->job->call->kern->tanh(tanh_c, c, row);
    for (size_t i = 0; i < t->n; i++)
        cell_back(gates_at(t, i, step), dh + i * h, dc + i * h, tanh_c + i * h,
                  step ? c - row + i * h : NULL, h);
}

static void back_tasks(const void *ctx, size_t from, size_t to, int worker)
{
    const lstm_job *j = ctx;
    const lstm_view *v = &j->view;
    lstm_task t = { .job = j, .direction = *(const size_t *)j->call->node->attr, .item = from };
    t.n = to - from;
    t.packed_in = j->call->prepared;
    t.packed_h = t.packed_in + v->packed_in;
    t.bias = t.packed_h + v->packed_h;
    t.gates = j->call->scratch + (size_t)worker * j->room;
    t.cell = t.gates + 3 * t.n * v->units;
    for (size_t i = from; i < to; i++)
        recompute_gates(&t, i);
    recompute_states(&t);
    memset(t.gates, 0, 2 * t.n * v->units * sizeof(real));
    for (size_t step = v->steps; step-- > 0;)
        step_back(&t, step, j->call->prepared + direction_size(v));
}

static void lstm_back_run(const rv_call *c)
{
    lstm_job j = { .call = c, .view = back_view_of(c->node, c->kern) };
    j.room = lstm_back_room(&j.view);
    rv_parallel(c->pool, j.view.items, j.view.block, back_tasks, &j);
}

const rv_op rv_op_lstm_back = {
    .name = "lstm_back",
    .n_in = 7,
    .attr_size = sizeof(size_t),
    .shape = lstm_back_shape,
    .run = lstm_back_run,
    .scratch_size = lstm_back_scratch,
    .prepared_size = lstm_back_prepared,
    .prepare = lstm_back_prepare,
};

#ifdef RV_SELFTEST
#    define CASE_WEIGHTS(i, h)                                      \
        { 2, { 4 * h, i } }, { 2, { 4 * h, h } }, { 1, { 4 * h } }, \
        {                                                           \
            1,                                                      \
            {                                                       \
                4 * h                                               \
            }                                                       \
        }

const rv_op_case rv_cases_lstm[] = {
    { .label = "one direction",
      .op = &rv_op_lstm,
      .in = { { 3, { 2, 5, 3 } }, CASE_WEIGHTS(3, 2) },
      .out = { 3, { 2, 5, 2 } } },
    { .label = "both directions",
      .op = &rv_op_lstm,
      .in = { { 3, { 2, 4, 2 } }, CASE_WEIGHTS(2, 3), CASE_WEIGHTS(2, 3) },
      .out = { 3, { 2, 4, 6 } } },
    { .label = "many sequences",
      .op = &rv_op_lstm,
      .in = { { 3, { 9, 3, 2 } }, CASE_WEIGHTS(2, 1), CASE_WEIGHTS(2, 1) },
      .out = { 3, { 9, 3, 2 } } },
    { .label = "a single step",
      .op = &rv_op_lstm,
      .in = { { 3, { 1, 1, 2 } }, CASE_WEIGHTS(2, 2) },
      .out = { 3, { 1, 1, 2 } } },
    { .label = "adjoint of the pre-activations",
      .op = &rv_op_lstm_back,
      .in = { { 3, { 2, 4, 2 } }, { 3, { 2, 4, 6 } }, { 3, { 2, 4, 6 } }, CASE_WEIGHTS(2, 3) },
      .attr = &(const size_t){ 1 },
      .out = { 3, { 2, 4, 12 } } },
    { 0 },
};
#endif
