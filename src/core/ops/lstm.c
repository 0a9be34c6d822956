/* lstm.c - one layer of a long short-term memory, in one direction or both.
 *
 *     p = Wi x[t] + bi + Wh h[t-1] + bh                  [4H]: input, forget, cell, output
 *     c[t] = sigmoid(p_f) c[t-1] + sigmoid(p_i) tanh(p_c)
 *     h[t] = sigmoid(p_o) tanh(c[t])
 *
 * with h and c zero before the first step (S. Hochreiter and J. Schmidhuber 1997; forget
 * gate of Gers et al. 2000; gates in PyTorch's order). recurrent.c does all but the cell. */
#include "core/ops/recurrent.h"

static const recurrent_attr LSTM = { .gates = 4, .joint = 4 };

rv_node *rv_lstm(rv_node *x, const rv_recurrent_weights *forward,
                 const rv_recurrent_weights *backward)
{
    return recurrent_apply(&rv_op_lstm, LSTM, x, forward, backward, NULL);
}

static void lstm_run(const rv_call *c)
{
    recurrent_run(c, c->kern->lstm_cell);
}

static void lstm_grad(rv_node *n, rv_node *dy, rv_node *dx[])
{
    recurrent_grad(n, dy, dx, &rv_op_lstm_back);
}

const rv_op rv_op_lstm = {
    .name = "lstm",
    .n_in = 9,
    .attr_size = sizeof(recurrent_attr),
    .shape = recurrent_shape,
    .run = lstm_run,
    .grad = lstm_grad,
    .scratch_size = recurrent_scratch,
    .prepared_size = recurrent_prepared,
    .prepare = recurrent_prepare,
    .packed = RECURRENT_WEIGHTS,
    .rounds = true,
};

/* lstm_back: x, y, dy, and the weights of one direction -> dp [B,T,4H] ------------------
 *
 * With the gates i, f, g, o and the states computed again from x and y, from the last step
 * to the first:
 *     dh = dy[t] + Wh^T dp[t+1],  dc = dh o (1 - tanh(c)^2) + f[t+1] dc[t+1]
 *     dp = [dc g i (1 - i), dc c[t-1] f (1 - f), dc i (1 - g^2), dh tanh(c) o (1 - o)] */

/* Behind dh: dc and tanh(c) [n,H], and the states [T,n,H]. */
static size_t extra_of(const rv_node *n)
{
    return 2 + n->in[0]->shape.d[1];
}

static real *state_of(const recurrent_task *t, size_t step)
{
    return t->state + (3 + step) * t->n * t->view->units;
}

static size_t lstm_back_scratch(const rv_node *n, int threads, const kern_table *kern)
{
    (void)kern;
    return recurrent_back_scratch(n, threads, extra_of(n));
}

static void activate(const kern_table *kern, real *p, size_t h)
{
    kern->sigmoid(p, p, 2 * h);
    kern->tanh(p + 2 * h, p + 2 * h, h);
    kern->sigmoid(p + 3 * h, p + 3 * h, h);
}

/* The gates, the states, and dc = 0 behind the last step. */
static void lstm_start(const recurrent_task *t)
{
    const size_t h = t->view->units, row = t->n * h;
    for (size_t step = 0; step < t->view->steps; step++)
        for (size_t i = 0; i < t->n; i++) {
            real *p = recurrent_row(t, i, step), *c = state_of(t, step) + i * h;
            activate(t->call->kern, p, h);
            for (size_t k = 0; k < h; k++)
                c[k] = p[k] * p[2 * h + k] + (step ? p[h + k] * (c - row)[k] : 0);
        }
    for (size_t k = 0; k < row; k++)
        t->state[row + k] = 0;
}

/* One sequence at one step: gates -> dp in place; dc is that of this step, and becomes that
 * of the one before. `before`: the states of the step before, or NULL. */
static void cell_back(real *p, real *dh, real *dc, const real *tanh_c, const real *before, size_t h)
{
    for (size_t k = 0; k < h; k++) {
        const real i = p[k], f = p[h + k], g = p[2 * h + k], o = p[3 * h + k], c = tanh_c[k];
        const real d = dc[k] + dh[k] * o * (1 - c * c);
        p[k] = d * g * i * (1 - i);
        p[h + k] = before ? d * before[k] * f * (1 - f) : 0;
        p[2 * h + k] = d * i * (1 - g * g);
        p[3 * h + k] = dh[k] * c * o * (1 - o);
        dc[k] = d * f;
        dh[k] = 0;
    }
}

static void lstm_step(const recurrent_task *t, size_t step)
{
    const size_t h = t->view->units, row = t->n * h;
    real *dh = t->state, *dc = dh + row, *tanh_c = dc + row, *c = state_of(t, step);
    t->call->kern->tanh(tanh_c, c, row);
    for (size_t i = 0; i < t->n; i++)
        cell_back(recurrent_row(t, i, step), dh + i * h, dc + i * h, tanh_c + i * h,
                  step ? c - row + i * h : NULL, h);
}

static void lstm_back_run(const rv_call *c)
{
    recurrent_back_run(c, extra_of(c->node), lstm_start, lstm_step);
}

const rv_op rv_op_lstm_back = {
    .name = "lstm_back",
    .n_in = 7,
    .attr_size = sizeof(recurrent_attr),
    .shape = recurrent_back_shape,
    .run = lstm_back_run,
    .scratch_size = lstm_back_scratch,
    .prepared_size = recurrent_back_prepared,
    .prepare = recurrent_back_prepare,
};

#ifdef RV_SELFTEST
#    define WEIGHTS(i, h) RECURRENT_WEIGHTS(4, i, h)

const rv_op_case rv_cases_lstm[] = {
    { .label = "one direction",
      .op = &rv_op_lstm,
      .attr = &LSTM,
      .in = { { 3, { 2, 5, 3 } }, WEIGHTS(3, 2) },
      .out = { 3, { 2, 5, 2 } } },
    { .label = "both directions",
      .op = &rv_op_lstm,
      .attr = &LSTM,
      .in = { { 3, { 2, 4, 2 } }, WEIGHTS(2, 3), WEIGHTS(2, 3) },
      .out = { 3, { 2, 4, 6 } } },
    { .label = "many sequences",
      .op = &rv_op_lstm,
      .attr = &LSTM,
      .in = { { 3, { 13, 7, 2 } }, WEIGHTS(2, 1), WEIGHTS(2, 1) },
      .out = { 3, { 13, 7, 2 } } },
    { .label = "a single step",
      .op = &rv_op_lstm,
      .attr = &LSTM,
      .in = { { 3, { 1, 1, 2 } }, WEIGHTS(2, 2) },
      .out = { 3, { 1, 1, 2 } } },
    { .label = "adjoint of the pre-activations",
      .op = &rv_op_lstm_back,
      .attr = &(const recurrent_attr){ .gates = 4, .joint = 4, .direction = 1 },
      .in = { { 3, { 2, 4, 2 } }, { 3, { 2, 4, 6 } }, { 3, { 2, 4, 6 } }, WEIGHTS(2, 3) },
      .out = { 3, { 2, 4, 12 } } },
    { 0 },
};
#endif
