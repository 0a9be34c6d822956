/* recurrent.c - the frame of a recurrent layer around its cell: see recurrent.h.
 *
 * A task is one direction of a block of sequences. It projects the inputs of a few steps
 * with one product, then takes these steps, with a product with Wh and the cell for each.
 * The backward direction runs from the last step to the first, and y[t] = [h forward,
 * h backward]. States are zero before the first step. */
#include "core/ops/recurrent.h"

#include "base/status.h"

#include <string.h>

enum {
    STEPS = RV_BLOCK(64), /* rows of a product with Wi, about */
    TILE = 6,        /* sequences are split between tasks in multiples of this: the rows that */
    BLOCK = 36,      /*   a product takes at a time; at most so many sequences in a task, */
    BLOCK_BACK = 12, /*   and in one of the backward operation */
    STEPS_BACK = RV_BLOCK(24), /* steps whose pre-activations are computed at a time */
    UNIT = 16,                 /* reals: a cache line */
};

struct recurrent_job {
    const rv_call *call;
    recurrent_view view;
    size_t room; /* reals of scratch of one worker */
    kern_cell_fn *cell;
    recurrent_start_fn *start;
    recurrent_step_fn *step;
};

/* NULL if Wi and bi of a direction fit; else poison. Only a fault of these is seen here. */
static rv_node *misfit(const rv_op *op, const rv_node *x, const rv_recurrent_weights *w)
{
    const size_t inputs = rv_extent(x, -1), rows = rv_extent(w->hidden, 0);
    if (rv_shape_equal(&w->input->shape, &RV_SHAPE(rows, inputs)) &&
        rv_shape_equal(&w->input_bias->shape, &RV_SHAPE(rows)))
        return NULL;
    return rv_poison(x->graph, RV_ERR_SHAPE, __func__,
                     "%s: weights of the input do not fit %zu inputs, %zu gates", op->name, inputs,
                     rows);
}

/* Wi x + bi of the directions side by side: one product. */
static rv_node *projection(const rv_op *op, rv_node *x, const rv_recurrent_weights *const *w,
                           size_t directions)
{
    rv_node *weights[2], *biases[2];
    for (size_t d = 0; d < directions; d++) {
        rv_node *bad = misfit(op, x, w[d]);
        if (bad)
            return bad;
        weights[d] = w[d]->input;
        biases[d] = w[d]->input_bias;
    }
    return directions == 1
               ? rv_linear(x, *weights, *biases)
               : rv_linear(x, rv_concat(0, directions, weights), rv_concat(0, directions, biases));
}

rv_node *recurrent_apply(const rv_op *op, recurrent_attr attr, rv_node *x,
                         const rv_recurrent_weights *forward, const rv_recurrent_weights *backward,
                         rv_node *state)
{
    const rv_recurrent_weights *const w[] = { forward, backward };
    const size_t directions = backward ? 2 : 1;
    rv_node *in[10] = { [0] = attr.projected ? projection(op, x, w, directions) : x, [9] = state };
    for (size_t d = 0; d < directions; d++) {
        rv_node **to = in + 1 + 4 * d;
        to[1] = w[d]->hidden;
        to[3] = w[d]->hidden_bias;
        if (!attr.projected) {
            to[0] = w[d]->input;
            to[2] = w[d]->input_bias;
        }
    }
    return rv_apply(op, &attr, state ? 10 : backward ? 9 : 5, in);
}

static size_t round_up(size_t n)
{
    return (n + UNIT - 1) / UNIT * UNIT;
}

recurrent_view recurrent_sizes(const rv_node *n, const rv_node *weight)
{
    const recurrent_attr *a = n->attr;
    const rv_shape *x = &n->in[0]->shape;
    recurrent_view v = { .items = x->d[0], .steps = x->d[1], .inputs = x->d[2] };
    v.projected = a->projected;
    v.units = weight->shape.d[0] / a->gates;
    v.gated = a->gates * v.units;
    v.joint = a->joint * v.units;
    v.apart = v.gated - v.joint;
    v.row = v.gated + v.apart;
    return v;
}

static void set_packed(recurrent_view *v, const kern_table *kern)
{
    v->packed_in = v->projected ? 0 : round_up(kern->packed_size(v->inputs, v->gated));
    v->packed_joint = round_up(kern->packed_size(v->units, v->joint));
    v->packed_apart = v->apart ? round_up(kern->packed_size(v->units, v->apart)) : 0;
}

/* About half of the sequences, but a multiple of TILE and at most `most`. */
static size_t block_of(size_t items, size_t most)
{
    const size_t half = items < TILE ? items : (items / 2 + TILE / 2) / TILE * TILE;
    return half < most ? half : most;
}

static recurrent_view view_of(const rv_node *n, const kern_table *kern)
{
    recurrent_view v = recurrent_sizes(n, n->in[2]);
    v.directions = n->in[6] ? 2 : 1;
    v.block = block_of(v.items, BLOCK);
    v.chunk = v.block < STEPS ? STEPS / v.block : 1;
    set_packed(&v, kern);
    return v;
}

static rv_status check_weights(const rv_node *n, int first, size_t inputs, rv_error *err)
{
    const recurrent_attr *a = n->attr;
    const size_t units = n->in[first + 1]->shape.d[0] / a->gates, rows = a->gates * units;
    const rv_shape want[] = { RV_SHAPE(rows, inputs), RV_SHAPE(rows, units), RV_SHAPE(rows),
                              RV_SHAPE(rows) };
    for (int i = a->projected; i < 4; i += 1 + a->projected)
        if (!n->in[first + i] || !rv_shape_equal(&n->in[first + i]->shape, &want[i]))
            return RV_FAIL(err, RV_ERR_SHAPE, "%s: weight %d does not fit %zu inputs, %zu units",
                           n->op->name, i, inputs, units);
    return RV_OK;
}

/* x is [B,T,I], or has the pre-activations of so many directions of `rows`. */
static rv_status check_input(const rv_node *n, size_t directions, size_t rows, rv_error *err)
{
    const rv_shape *x = &n->in[0]->shape;
    if (x->rank != 3)
        return RV_FAIL(err, RV_ERR_SHAPE, "%s: rank %d, expected [B,T,I]", n->op->name, x->rank);
    if (((const recurrent_attr *)n->attr)->projected && x->d[2] != directions * rows)
        return RV_FAIL(err, RV_ERR_SHAPE, "%s: %zu pre-activations, expected %zu directions of %zu",
                       n->op->name, x->d[2], directions, rows);
    return RV_OK;
}

rv_status recurrent_shape(const rv_node *n, rv_shape *out, rv_error *err)
{
    const recurrent_attr *a = n->attr;
    const rv_shape *x = &n->in[0]->shape, *w = &n->in[2]->shape;
    const size_t directions = n->in[6] ? 2 : 1;
    RV_TRY(check_input(n, directions, w->d[0], err));
    for (size_t d = 0; d < directions; d++) {
        RV_TRY(check_weights(n, (int)(1 + 4 * d), x->d[2], err));
        if (n->in[2 + 4 * d]->shape.d[0] != w->d[0])
            return RV_FAIL(err, RV_ERR_SHAPE, "%s: directions of different sizes", n->op->name);
    }
    const size_t units = w->d[0] / a->gates;
    if (n->in[9] && !rv_shape_equal(&n->in[9]->shape, &RV_SHAPE(x->d[0], units)))
        return RV_FAIL(err, RV_ERR_SHAPE, "%s: the state does not fit %zu sequences, %zu units",
                       n->op->name, x->d[0], units);
    *out = RV_SHAPE(x->d[0], x->d[1], units * directions);
    return RV_OK;
}

/* Prepared, for each direction: Wi^T (not if projected), the joint and the other rows of Wh^T
 * packed; bias [R], without bi if projected. */
static size_t direction_size(const recurrent_view *v)
{
    return v->packed_in + v->packed_joint + v->packed_apart + round_up(v->row);
}

size_t recurrent_prepared(const rv_node *n, const kern_table *kern)
{
    const recurrent_view v = view_of(n, kern);
    return v.directions * direction_size(&v);
}

static void prepare_direction(const recurrent_view *v, const kern_table *kern, real *to,
                              const real *const weights[4])
{
    const size_t h = v->units;
    if (!v->projected)
        kern->pack(to, weights[0], v->inputs, v->gated, 1, v->inputs);
    kern->pack(to += v->packed_in, weights[1], h, v->joint, 1, h);
    to += v->packed_joint;
    if (v->apart)
        kern->pack(to, weights[1] + v->joint * h, h, v->apart, 1, h);
    real *bias = to + v->packed_apart;
    for (size_t i = 0; i < v->gated; i++)
        bias[i] = (v->projected ? 0 : weights[2][i]) + (i < v->joint ? weights[3][i] : 0);
    for (size_t i = 0; i < v->apart; i++)
        bias[v->gated + i] = weights[3][v->joint + i];
}

void recurrent_prepare(const rv_call *c)
{
    const recurrent_view v = view_of(c->node, c->kern);
    for (size_t d = 0; d < v.directions; d++)
        prepare_direction(&v, c->kern, c->prepared + d * direction_size(&v), c->in + 1 + 4 * d);
}

/* Scratch of a worker: pre-activations [chunk,block,R] and states [block,H] */
static size_t room_of(const recurrent_view *v)
{
    return round_up((v->chunk * v->row + v->units) * v->block);
}

size_t recurrent_scratch(const rv_node *n, int threads, const kern_table *kern)
{
    const recurrent_view v = view_of(n, kern);
    return room_of(&v) * (size_t)threads;
}

static recurrent_task task_of(const recurrent_job *j, size_t direction, const real *weights)
{
    const recurrent_view *v = &j->view;
    return (recurrent_task){
        .job = j,
        .call = j->call,
        .view = v,
        .weights = weights,
        .bias = weights + v->packed_in + v->packed_joint + v->packed_apart,
        .direction = direction,
    };
}

/* The time of step i is i, or T-1-i in the backward direction. */
static size_t time_of(const recurrent_task *t, size_t step)
{
    return t->direction ? t->view->steps - 1 - step : step;
}

/* The earliest of `count` steps from `step` on. */
static size_t earliest(const recurrent_task *t, size_t step, size_t count)
{
    return t->direction ? time_of(t, step + count - 1) : step;
}

/* pre [m,R]: gates = those given for sequence i from `time` on, and the bias. Rows of pre are
 * `pre_row` apart. */
static void take_projected(const recurrent_task *t, real *pre, size_t pre_row, size_t i,
                           size_t time, size_t m)
{
    const recurrent_view *v = t->view;
    const real *x = t->call->in[0] + ((t->item + i) * v->steps + time) * v->inputs;
    for (x += t->direction * v->gated; m--; pre += pre_row, x += v->inputs) {
        for (size_t k = 0; k < v->joint; k++)
            pre[k] = x[k] + t->bias[k];
        memcpy(pre + v->joint, x + v->joint, v->apart * sizeof *pre);
    }
}

/* pre [count,n,R]: gates = Wi x + bias at `count` times from `time` on: one product for each
 * time, or for each sequence, whichever has more rows. */
static void project(const recurrent_task *t, size_t time, size_t count)
{
    const recurrent_view *v = t->view;
    const size_t row = v->steps * v->inputs;
    const real *x = t->call->in[0] + t->item * row + time * v->inputs;
    const bool by_time = count < t->n;
    kern_gemm_args g = {
        .packed = t->weights,
        .bias = t->bias,
        .m = by_time ? t->n : count,
        .n = v->gated,
        .k = v->inputs,
        .y_row = by_time ? v->row : t->n * v->row,
        .a_row = by_time ? row : v->inputs,
    };
    for (size_t i = 0; i < (by_time ? count : t->n); i++) {
        g.y = t->pre + i * (by_time ? t->n : 1) * v->row;
        g.a = x + i * (by_time ? v->inputs : row);
        t->call->kern->gemm(&g);
    }
}

/* pre [m,R]: Wh h is added to the joint gates; those apart are Wh h + bh. h has rows `h_row`
 * apart; NULL stands for zeros. */
static void add_hidden(const recurrent_task *t, real *pre, const real *h, size_t h_row, size_t m)
{
    const recurrent_view *v = t->view;
    kern_gemm_args g = { .y = pre, .a = h, .m = m, .n = v->joint, .k = v->units };
    g.packed = t->weights + v->packed_in;
    g.y_row = v->row;
    g.a_row = h_row;
    g.accumulate = true;
    if (h)
        t->call->kern->gemm(&g);
    g.y = pre + v->gated;
    g.packed += v->packed_joint;
    g.bias = t->bias + v->gated;
    g.n = v->apart;
    g.accumulate = false;
    if (h && v->apart)
        t->call->kern->gemm(&g);
    for (size_t i = 0; i < m && !h && v->apart; i++)
        memcpy(g.y + i * v->row, g.bias, v->apart * sizeof *g.y);
}

/* The state before the first step, [n,H]; NULL: zeros. */
static const real *given_state(const recurrent_task *t)
{
    const real *state = t->call->in[9];
    return state ? state + t->item * t->view->units : NULL;
}

static void take_step(const recurrent_task *t, size_t step, real *pre)
{
    const recurrent_view *v = t->view;
    const size_t width = v->directions * v->units, row = v->steps * width;
    real *y = t->call->out + t->item * row + t->direction * v->units;
    const real *before = step ? y + time_of(t, step - 1) * width : given_state(t);
    add_hidden(t, pre, before, step ? row : v->units, t->n);
    t->job->cell(y + time_of(t, step) * width, row, t->state, pre, t->n, v->units);
}

static void run_task(const recurrent_task *t)
{
    const recurrent_view *v = t->view;
    const size_t bytes = t->n * v->units * sizeof(real);
    if (given_state(t))
        memcpy(t->state, given_state(t), bytes);
    else
        memset(t->state, 0, bytes);
    for (size_t step = 0; step < v->steps; step += v->chunk) {
        const size_t count = v->steps - step < v->chunk ? v->steps - step : v->chunk;
        const size_t time = earliest(t, step, count);
        for (size_t i = 0; i < t->n && v->projected; i++)
            take_projected(t, t->pre + i * v->row, t->n * v->row, i, time, count);
        if (!v->projected)
            project(t, time, count);
        for (size_t i = step; i < step + count; i++)
            take_step(t, i, t->pre + (time_of(t, i) - time) * t->n * v->row);
    }
}

static size_t block_count(const recurrent_view *v)
{
    return (v->items + v->block - 1) / v->block;
}

/* Blocks of sequences, first in the one direction, then in the other. */
static void run_tasks(const void *ctx, size_t from, size_t to, int worker)
{
    const recurrent_job *j = ctx;
    const recurrent_view *v = &j->view;
    for (size_t i = from; i < to; i++) {
        const size_t direction = i / block_count(v);
        recurrent_task t = task_of(j, direction, j->call->prepared + direction * direction_size(v));
        t.item = i % block_count(v) * v->block;
        t.n = v->items - t.item < v->block ? v->items - t.item : v->block;
        t.pre = j->call->scratch + (size_t)worker * j->room;
        t.state = t.pre + v->chunk * v->block * v->row;
        run_task(&t);
    }
}

void recurrent_run(const rv_call *c, kern_cell_fn *cell)
{
    recurrent_job j = { .call = c, .view = view_of(c->node, c->kern), .cell = cell };
    j.room = room_of(&j.view);
    rv_parallel(c->pool, j.view.directions * block_count(&j.view), 1, run_tasks, &j);
}

/* Backward operation ----------------------------------------------------------------- */

static recurrent_view back_view_of(const rv_node *n, const kern_table *kern)
{
    recurrent_view v = recurrent_sizes(n, n->in[4]);
    v.directions = n->in[1]->shape.d[2] / v.units;
    v.block = v.items < 2 * TILE ? 1 : block_of(v.items, BLOCK_BACK);
    if (kern)
        set_packed(&v, kern);
    return v;
}

rv_status recurrent_back_shape(const rv_node *n, rv_shape *out, rv_error *err)
{
    const rv_shape *x = &n->in[0]->shape, *y = &n->in[1]->shape;
    const recurrent_view v = recurrent_sizes(n, n->in[4]);
    const size_t d = ((const recurrent_attr *)n->attr)->direction;
    if (x->rank != 3 || y->rank != 3 || y->d[0] != x->d[0] || y->d[1] != x->d[1] ||
        y->d[2] < (d + 1) * v.units || !rv_shape_equal(y, &n->in[2]->shape))
        return RV_FAIL(err, RV_ERR_SHAPE, "%s: x, y and dy do not match", n->op->name);
    RV_TRY(check_input(n, y->d[2] / v.units, v.gated, err));
    RV_TRY(check_weights(n, 3, x->d[2], err));
    *out = RV_SHAPE(x->d[0], x->d[1], v.row);
    return RV_OK;
}

/* Prepared: the direction's weights as above, then the joint and the other rows of Wh. */
static size_t back_joint_size(const recurrent_view *v, const kern_table *kern)
{
    return round_up(kern->packed_size(v->joint, v->units));
}

size_t recurrent_back_prepared(const rv_node *n, const kern_table *kern)
{
    const recurrent_view v = back_view_of(n, kern);
    return direction_size(&v) + back_joint_size(&v, kern) +
           (v.apart ? kern->packed_size(v.apart, v.units) : 0);
}

void recurrent_back_prepare(const rv_call *c)
{
    const recurrent_view v = back_view_of(c->node, c->kern);
    const size_t h = v.units;
    real *to = c->prepared + direction_size(&v);
    prepare_direction(&v, c->kern, c->prepared, c->in + 3);
    c->kern->pack(to, c->in[4], v.joint, h, h, 1);
    if (v.apart)
        c->kern->pack(to + back_joint_size(&v, c->kern), c->in[4] + v.joint * h, v.apart, h, h, 1);
}

static size_t back_room(const recurrent_view *v, size_t extra)
{
    return round_up((1 + extra) * v->block * v->units);
}

size_t recurrent_back_scratch(const rv_node *n, int threads, size_t extra)
{
    const recurrent_view v = back_view_of(n, NULL);
    return back_room(&v, extra) * (size_t)threads;
}

real *recurrent_row(const recurrent_task *t, size_t i, size_t step)
{
    return t->call->out + ((t->item + i) * t->view->steps + time_of(t, step)) * t->view->row;
}

/* Where a sequence lies in y and dy at a step. */
static size_t y_at(const recurrent_task *t, size_t i, size_t step)
{
    const recurrent_view *v = t->view;
    const size_t row = (t->item + i) * v->steps + time_of(t, step);
    return (row * v->directions + t->direction) * v->units;
}

const real *recurrent_y(const recurrent_task *t, size_t i, size_t step)
{
    return t->call->in[1] + y_at(t, i, step);
}

/* The pre-activations of the steps [from, from + count) of one sequence, in place of the result. */
static void recompute(const recurrent_task *t, size_t i, size_t from, size_t count)
{
    const recurrent_view *v = t->view;
    const size_t time = earliest(t, from, count), row = (t->item + i) * v->steps + time;
    real *p = t->call->out + row * v->row;
    if (v->projected)
        take_projected(t, p, v->row, i, time, count);
    else
        t->call->kern->gemm(&(kern_gemm_args){ .y = p,
                                               .a = t->call->in[0] + row * v->inputs,
                                               .packed = t->weights,
                                               .bias = t->bias,
                                               .m = count,
                                               .n = v->gated,
                                               .k = v->inputs,
                                               .y_row = v->row,
                                               .a_row = v->inputs });
    if (from == 0) {
        add_hidden(t, recurrent_row(t, i, 0), NULL, 0, 1);
        from++;
        count--;
    }
    if (count > 0)
        add_hidden(t, recurrent_row(t, i, t->direction ? from + count - 1 : from),
                   recurrent_y(t, i, t->direction ? from + count - 2 : from - 1),
                   v->directions * v->units, count);
}

/* dh [n,H] += dy, and what the products of the next step had of it */
static void add_dh(const recurrent_task *t, size_t step)
{
    const recurrent_view *v = t->view;
    const kern_table *kern = t->call->kern;
    for (size_t i = 0; i < t->n; i++) {
        const real *dy = t->call->in[2] + y_at(t, i, step);
        for (size_t k = 0; k < v->units; k++)
            t->state[i * v->units + k] += dy[k];
    }
    if (step + 1 == v->steps)
        return;
    kern_gemm_args g = { .y = t->state, .m = t->n, .n = v->units, .k = v->joint };
    g.a = recurrent_row(t, 0, step + 1);
    g.packed = t->weights + direction_size(v);
    g.y_row = v->units;
    g.a_row = v->steps * v->row;
    g.accumulate = true;
    kern->gemm(&g);
    g.a += v->gated;
    g.packed += back_joint_size(v, kern);
    g.k = v->apart;
    if (v->apart)
        kern->gemm(&g);
}

/* From the step from + count - 1 down to `from`. */
static void back_steps(const recurrent_task *t, size_t from, size_t count)
{
    for (size_t i = 0; i < t->n; i++)
        recompute(t, i, from, count);
    if (t->job->start)
        t->job->start(t);
    for (size_t step = from + count; step-- > from;) {
        add_dh(t, step);
        t->job->step(t, step);
    }
}

static void back_tasks(const void *ctx, size_t from, size_t to, int worker)
{
    const recurrent_job *j = ctx;
    const recurrent_attr *a = j->call->node->attr;
    recurrent_task t = task_of(j, a->direction, j->call->prepared);
    t.item = from;
    t.n = to - from;
    t.state = j->call->scratch + (size_t)worker * j->room;
    memset(t.state, 0, t.n * j->view.units * sizeof(real));
    for (size_t end = j->view.steps; end > 0;) {
        const size_t count = j->start || end < STEPS_BACK ? end : STEPS_BACK;
        back_steps(&t, end - count, count);
        end -= count;
    }
}

void recurrent_back_run(const rv_call *c, size_t extra, recurrent_start_fn *start,
                        recurrent_step_fn *step)
{
    recurrent_job j = { .call = c, .view = back_view_of(c->node, c->kern) };
    j.start = start;
    j.step = step;
    j.room = back_room(&j.view, extra);
    rv_parallel(c->pool, j.view.items, j.view.block, back_tasks, &j);
}
